//! A client's first event is never lost.

use std::sync::{
    Arc, Barrier, Mutex,
    atomic::{AtomicUsize, Ordering},
    mpsc::{Receiver, Sender, channel},
};

use futures_util::future::join_all;
use parity::Ack;
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef},
    handler::ConnectHandler,
};

mod support;
use support::{Client, serve, start};

/// A connection handler is busy when the client's first event comes. What does the client
/// hear?
async fn first_event(register: impl FnOnce(&SocketIo, Busy)) -> Vec<String> {
    let (address, io) = start().await;
    io.ns("/second", async || {});
    let (busy, done) = channel();
    register(&io, Busy(Arc::new(Mutex::new(done))));
    let mut client = Client::connect(address).await;
    client.emit("say", json!(["first"])).await;
    // The server reads in order: when it has answered this, it has read the event.
    client.send("40/second,").await;
    assert!(client.receive().await.starts_with("40/second,"));
    busy.send(()).expect("the handler waits for it");
    let mut heard = vec![client.event().await];
    if heard[0].args == [json!("registered")] {
        client.emit("say", json!(["second"])).await;
        heard.push(client.event().await);
    }
    let texts = heard.iter().map(|event| event.args[0].as_str());
    texts.map(|text| text.expect("text").to_owned()).collect()
}

/// Keeps a thread busy, as a computation would.
#[derive(Clone)]
struct Busy(Arc<Mutex<Receiver<()>>>);

impl Busy {
    fn wait(&self) {
        let done = self.0.lock().expect("nobody has panicked");
        done.recv().expect("the test sends it");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn socketioxide_alone_loses_the_first_event() {
    let heard = first_event(|io, busy| {
        io.ns("/", async move |socket: SocketRef| {
            busy.wait();
            socket.on(
                "say",
                async |socket: SocketRef, Data(text): Data<String>| {
                    socket.emit("said", &text).ok();
                },
            );
            socket.emit("said", "registered").ok();
        });
    });
    assert_eq!(heard.await, ["registered", "second"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_first_event_waits_for_the_connection_handler() {
    let heard = first_event(|io, busy| {
        io.ns(
            "/",
            parity::connection(async move |socket: SocketRef| {
                busy.wait();
                parity::on(
                    &socket,
                    "say",
                    async |socket: SocketRef, Data(text): Data<String>| {
                        socket.emit("said", &text).ok();
                    },
                );
            }),
        );
    });
    assert_eq!(heard.await, ["first"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_2000_clients_that_emit_at_once_none_loses_its_event() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef| {
            parity::on(&socket, "hello", async |ack: Ack| {
                ack.send("hello").await.ok();
            });
        }),
    );
    for _ in 0..20 {
        let clients = (0..100).map(|_| async move {
            let mut client = Client::connect(address).await;
            client.call("hello", json!([])).await
        });
        for answer in join_all(clients).await {
            assert_eq!(answer, json!(["hello"]));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_connection_handler_emits_comes_before_any_answer() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef, io: SocketIo| {
            parity::on(&socket, "hello", async |socket: SocketRef| {
                socket.emit("answer", &()).ok();
            });
            // As in Node the newcomer hears this, too.
            io.emit("welcome", &()).await.ok();
        }),
    );
    for _ in 0..100 {
        let mut client = Client::connect(address).await;
        client.emit("hello", json!([])).await;
        assert_eq!(client.event().await.name, "welcome");
        while client.event().await.name != "answer" {}
    }
}

#[tokio::test]
async fn middleware_runs_first_and_its_reason_reaches_the_client() {
    let (address, io) = start().await;
    let check = async |Data(auth): Data<Value>| {
        (auth["token"] == "open sesame")
            .then_some(())
            .ok_or("wrong token")
    };
    let admin = parity::connection(async |socket: SocketRef| {
        parity::on(&socket, "hello", async |ack: Ack| {
            ack.send("admin").await.ok();
        });
    });
    io.ns("/admin", admin.with(check));
    let refused =
        Client::connect_to(address, "/admin,", json!({"token": "x"})).await;
    assert_eq!(refused.err(), Some(json!({"message": "wrong token"})));
    let auth = json!({"token": "open sesame"});
    let admin = Client::connect_to(address, "/admin,", auth).await;
    let mut admin = admin.expect("the token is right");
    assert_eq!(admin.call("hello", json!([])).await, json!(["admin"]));
}

/// A reason that takes its time to be dropped, which is after it has been sent.
struct Reason(Receiver<()>);

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no")
    }
}

impl Drop for Reason {
    fn drop(&mut self) {
        // The thread may have other tasks to run, such as the one that sends.
        tokio::task::block_in_place(|| {
            self.0.recv().expect("the test sends it");
        });
    }
}

/// Nothing here can help: the client has to wait a moment, or to try once more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_tries_again_the_moment_it_is_refused_can_be_ignored() {
    let (address, io) = start().await;
    let (dropped, drop) = channel();
    let drop = Arc::new(Mutex::new(Some(drop)));
    let once = async move || match drop.lock().expect("nobody panics").take() {
        Some(drop) => Err(Reason(drop)),
        None => Ok(()),
    };
    io.ns("/", async || {});
    io.ns("/admin", parity::connection(async || {}).with(once));
    let mut client = Client::connect(address).await;
    client.send("40/admin,").await;
    assert_eq!(client.receive().await, r#"44/admin,{"message":"no"}"#);
    client.send("40/admin,").await;
    // It would be let in now, but there is no answer.
    for _ in 0..50 {
        client.send("40/nowhere,").await;
        assert!(client.receive().await.starts_with("44/nowhere,"));
    }
    dropped.send(()).expect("it waits for it");
}

#[tokio::test]
async fn after_a_middleware_that_panics_only_its_client_waits() {
    let (address, io) = start().await;
    let (ran, runs) = channel();
    let panics = async move || -> Result<(), String> {
        ran.send(()).expect("the test listens");
        panic!("as the test wants it");
    };
    let nothing = async || {};
    io.ns("/admin", parity::connection(nothing).with(panics));
    io.ns("/", parity::connection(nothing));
    let mut client = Client::connect(address).await;
    client.send("40/admin,").await;
    tokio::task::spawn_blocking(move || runs.recv().expect("it runs"))
        .await
        .expect("it does not panic");
    client.send("40/nowhere,").await;
    assert!(client.receive().await.starts_with("44/nowhere,"));
    Client::connect(address).await;
}

#[tokio::test]
async fn a_dynamic_namespace_can_have_it() {
    let (address, io) = start().await;
    let handler = parity::connection(async |socket: SocketRef| {
        parity::on(&socket, "where", async |socket: SocketRef, ack: Ack| {
            ack.send(socket.ns()).await.ok();
        });
    });
    io.dyn_ns("/room-{id}", handler).expect("a valid pattern");
    let client = Client::connect_to(address, "/room-7,", json!({})).await;
    let answer = client.expect("it exists").call("where", json!([])).await;
    assert_eq!(answer, json!(["/room-7"]));
}

/// Its clones number 2 and 3 wait for one another. A namespace gets a clone of its handler.
struct Together(Arc<(AtomicUsize, Barrier)>);

impl Together {
    fn new() -> Self {
        Self(Arc::new((AtomicUsize::new(0), Barrier::new(2))))
    }

    /// From now on.
    fn count(&self) {
        self.0.0.store(1, Ordering::SeqCst);
    }
}

impl Clone for Together {
    fn clone(&self) -> Self {
        let (count, barrier) = &*self.0;
        let counts = |n| (n > 0).then_some(n + 1);
        let before = count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, counts);
        if matches!(before, Ok(1 | 2)) {
            barrier.wait();
        }
        Self(self.0.clone())
    }
}

/// Two clients that have asked for the same new namespace at the same moment, and an
/// event for all who are in it is on its way.
async fn two_at_once(register: impl FnOnce(&SocketIo, Together)) -> [Client; 2] {
    let (address, io) = start().await;
    io.ns("/", async || {});
    let together = Together::new();
    register(&io, Together(together.0.clone()));
    let mut clients = [
        Client::connect(address).await,
        Client::connect(address).await,
    ];
    together.count();
    for client in &mut clients {
        client.send("40/room-7,").await;
    }
    for client in &mut clients {
        assert!(client.receive().await.starts_with("40/room-7,"));
    }
    let everyone = io.of("/room-7").expect("it is there");
    everyone.emit("hear", &()).await.expect("there is room");
    clients
}

const HEARD: &str = r#"42/room-7,["hear",null]"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn socketioxide_alone_makes_a_namespace_twice() {
    let mut clients = two_at_once(|io, together| {
        let handler = async move || drop(together);
        io.dyn_ns("/room-{id}", handler).expect("a valid pattern");
    })
    .await;
    let mut texts = Vec::new();
    for client in &mut clients {
        // The answer to this comes after the event, if there is one.
        client.send("40/nowhere,").await;
        texts.push(client.receive().await);
    }
    texts.sort();
    let nothing = r#"44/nowhere,{"message":"Invalid namespace"}"#;
    assert_eq!(texts, [HEARD, nothing]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_make_a_namespace_at_once_one_is_told_to_come_again() {
    let mut clients = two_at_once(|io, together| {
        let handler = parity::connection(async move || drop(together));
        io.dyn_ns("/room-{id}", handler).expect("a valid pattern");
    })
    .await;
    let mut texts = Vec::new();
    for client in &mut clients {
        texts.push(client.receive().await);
    }
    texts.sort();
    assert_eq!(texts, ["41/room-7,", HEARD]);
}

#[derive(serde::Deserialize)]
struct Auth {
    #[expect(dead_code, reason = "it is only extracted")]
    token: String,
}

#[tokio::test]
async fn socketioxide_alone_leaves_a_client_with_wrong_auth_without_handlers() {
    let (address, io) = start().await;
    let (ran, runs) = channel();
    let ran: Sender<()> = ran;
    io.ns("/", async move |socket: SocketRef, Data(_): Data<Auth>| {
        ran.send(()).expect("the test listens");
        socket.on("hello", async |ack: AckSender| {
            ack.send("hello").ok();
        });
    });
    let client = Client::connect_to(address, "", json!({"token": 7})).await;
    assert!(client.is_ok(), "the client thinks that all is well");
    assert!(runs.try_recv().is_err(), "and the handler has not run");
}

#[tokio::test]
async fn wrong_auth_is_a_connect_error() {
    let (layer, io) = SocketIo::new_layer();
    let handler = async |_: SocketRef, Data(_): Data<Auth>| {};
    io.ns("/", parity::connection(handler));
    let address = serve(layer).await;
    let refused = Client::connect_to(address, "", json!({"token": 7})).await;
    let error = refused.err().expect("it is refused");
    let message = error["message"].as_str().expect("a reason");
    assert!(message.contains("invalid type: integer `7`"), "{message}");
    let accepted = Client::connect_to(address, "", json!({"token": "7"})).await;
    assert!(accepted.is_ok());
}
