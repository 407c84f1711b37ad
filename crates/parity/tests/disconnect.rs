//! Who leaves is gone from every room, whatever the handlers do.

use std::sync::Arc;

use parity::UserId;
use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{SocketRef, State},
    socket::DisconnectReason,
};
use tokio::sync::{
    Notify,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

mod support;
use support::{Client, soon, start};

/// Waits until a room has no members, which nobody announces.
async fn until_empty(io: &SocketIo, room: &'static str) {
    soon(async {
        while !io.within(room).sockets().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Lets a member of `room` leave, and waits until its disconnect handler runs.
async fn leave(
    room: &'static str,
    io: &SocketIo,
    address: std::net::SocketAddr,
    handler_runs: &mut UnboundedReceiver<()>,
) {
    let mut client = Client::connect(address).await;
    assert_eq!(client.event().await.name, "joined");
    assert_eq!(io.within(room).sockets().len(), 1);
    drop(client);
    soon(handler_runs.recv()).await;
}

#[tokio::test]
async fn socketioxide_alone_keeps_a_ghost_after_a_panic() {
    let (address, io) = start().await;
    let (runs, mut handler_runs) = unbounded_channel();
    io.ns("/", async move |socket: SocketRef| {
        socket.join("r");
        socket.on_disconnect(async move || {
            runs.send(()).expect("the test listens");
            panic!("as the test wants");
        });
        socket.emit("joined", &()).ok();
    });
    leave("r", &io, address, &mut handler_runs).await;
    // One that leaves later is gone for certain.
    let late = Client::connect(address).await;
    let late_sid = late.sid.clone();
    drop(late);
    soon(handler_runs.recv()).await;
    assert_eq!(io.within("r").sockets().len(), 2, "{late_sid}");
    assert!(io.to("r").emit("ping", &()).await.is_err());
}

#[tokio::test]
async fn a_panic_leaves_no_ghost() {
    let (address, io) = start().await;
    let (runs, mut handler_runs) = unbounded_channel();
    io.ns(
        "/",
        parity::connection(async move |socket: SocketRef| {
            socket.join("r");
            parity::on_disconnect(&socket, async move || {
                runs.send(()).expect("the test listens");
                panic!("as the test wants");
            });
            socket.emit("joined", &()).ok();
        }),
    );
    leave("r", &io, address, &mut handler_runs).await;
    until_empty(&io, "r").await;
}

#[tokio::test]
async fn a_handler_that_hangs_leaves_no_ghost() {
    let (address, io) = start().await;
    let (runs, mut handler_runs) = unbounded_channel();
    io.ns(
        "/",
        parity::connection(async move |socket: SocketRef| {
            socket.join("r");
            parity::on_disconnect(&socket, async move || {
                runs.send(()).expect("the test listens");
                std::future::pending().await
            });
            socket.emit("joined", &()).ok();
        }),
    );
    leave("r", &io, address, &mut handler_runs).await;
    until_empty(&io, "r").await;
}

#[tokio::test]
async fn a_handler_that_cannot_be_called_leaves_no_ghost() {
    let (address, io) = start().await;
    let (runs, mut handler_runs) = unbounded_channel();
    io.ns(
        "/",
        parity::connection(async move |socket: SocketRef| {
            socket.join("r");
            parity::on_disconnect(&socket, async |State(_): State<u8>| {});
            parity::on_disconnect(&socket, async move || {
                runs.send(()).expect("the test listens");
            });
            socket.emit("joined", &()).ok();
        }),
    );
    leave("r", &io, address, &mut handler_runs).await;
    until_empty(&io, "r").await;
}

#[tokio::test]
async fn the_rooms_are_known_and_can_be_told() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef| {
            socket.join("r");
            parity::on_disconnect(
                &socket,
                async |socket: SocketRef, reason: DisconnectReason| {
                    let who = UserId::of(&socket);
                    for room in socket.rooms() {
                        let left = (who, &room, reason.to_string());
                        let others = socket.to(room.clone());
                        parity::broadcast(others, "left", &left).ok();
                    }
                },
            );
            socket.emit("you", &UserId::of(&socket)).ok();
        }),
    );
    let mut stays = Client::connect(address).await;
    stays.event().await;
    let mut leaves = Client::connect(address).await;
    let id = leaves.event().await.args.remove(0);
    leaves.send("41").await;
    let left = stays.event().await.args;
    let reason = DisconnectReason::ClientNSDisconnect.to_string();
    assert_eq!(left, [id, json!("r"), json!(reason)]);
}

/// A client disconnects from the namespace, and then closes its connection while the
/// handler still waits for something. What rooms does the handler find after that?
async fn rooms_in_the_end(register: impl FnOnce(&SocketIo, Waits)) -> Vec<String> {
    let (address, io) = start().await;
    let (runs, mut handler_runs) = unbounded_channel();
    let (tell, mut told) = unbounded_channel();
    let go_on = Arc::new(Notify::new());
    let waits = Waits {
        runs,
        go_on: go_on.clone(),
        tell,
    };
    register(&io, waits);
    let mut client = Client::connect(address).await;
    assert_eq!(client.event().await.name, "joined");
    client.send("41").await;
    soon(handler_runs.recv()).await;
    drop(client);
    // Until the server knows that the connection is closed.
    soon(async {
        while io.to("r").emit("still there?", &()).await.is_ok()
            && !io.within("r").sockets().is_empty()
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    go_on.notify_one();
    soon(told.recv()).await.expect("the handler goes on")
}

/// What the handler does.
#[derive(Clone)]
struct Waits {
    runs: UnboundedSender<()>,
    go_on: Arc<Notify>,
    tell: UnboundedSender<Vec<String>>,
}

impl Waits {
    async fn farewell(self, socket: SocketRef) {
        self.runs.send(()).expect("the test listens");
        self.go_on.notified().await;
        let own = UserId::of(&socket).room();
        let rooms = socket.rooms().into_iter().map(String::from);
        let rooms = rooms.filter(|room| *room != own).collect();
        self.tell.send(rooms).expect("the test listens");
    }
}

#[tokio::test]
async fn socketioxide_alone_forgets_the_rooms_of_who_ends_twice() {
    let rooms = rooms_in_the_end(|io, waits| {
        io.ns("/", async move |socket: SocketRef| {
            socket.join("r");
            socket.on_disconnect(async move |socket: SocketRef| {
                waits.farewell(socket).await;
            });
            socket.emit("joined", &()).ok();
        });
    });
    assert_eq!(rooms.await, Vec::<String>::new());
}

#[tokio::test]
async fn the_rooms_are_known_to_the_end_even_of_who_ends_twice() {
    let rooms = rooms_in_the_end(|io, waits| {
        let handler = async move |socket: SocketRef| {
            socket.join("r");
            parity::on_disconnect(&socket, async move |socket: SocketRef| {
                waits.farewell(socket).await;
            });
            socket.emit("joined", &()).ok();
        };
        io.ns("/", parity::connection(handler));
    });
    assert_eq!(rooms.await, ["r"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_after_the_events_before_it() {
    let (address, io) = start().await;
    let (log, mut logged) = unbounded_channel();
    io.ns(
        "/",
        parity::connection(async move |socket: SocketRef| {
            let said = log.clone();
            parity::on(&socket, "bye", async move || {
                said.send("bye").expect("the test listens");
            });
            let left = log.clone();
            parity::on_disconnect(&socket, async move || {
                left.send("left").expect("the test listens");
            });
        }),
    );
    for _ in 0..100 {
        let mut client = Client::connect(address).await;
        client.emit("bye", json!([])).await;
        client.send("41").await;
        assert_eq!(soon(logged.recv()).await, Some("bye"));
        assert_eq!(soon(logged.recv()).await, Some("left"));
    }
}

#[tokio::test]
async fn handlers_that_hold_their_socket_do_not_keep_it() {
    let (address, io) = start().await;
    let (held, mut dropped) = unbounded_channel::<()>();
    io.ns(
        "/",
        parity::connection(async move |socket: SocketRef| {
            let own = (socket.clone(), held);
            parity::on(&socket, "n", async move || drop(own));
            socket.emit("ready", &()).ok();
        }),
    );
    let mut client = Client::connect(address).await;
    client.event().await;
    drop(client);
    // The namespace has the handler that holds the first sender.
    io.delete_ns("/");
    assert_eq!(soon(dropped.recv()).await, None);
}
