//! What is emitted arrives, however much it is.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use parity::UserId;
use serde_json::json;
use socketioxide::{
    AckError, SendError, SocketError, SocketIo,
    extract::{AckSender, Data, SocketRef},
};
use tokio::sync::mpsc;

mod support;
use support::{Client, DEADLINE, soon, start};

const BURST: u32 = 5000;

#[tokio::test]
async fn socketioxide_alone_drops_most_of_a_burst() {
    let (address, io) = start().await;
    io.ns("/", async |socket: SocketRef| {
        let sent = (0..BURST).filter(|n| socket.emit("n", n).is_ok()).count();
        assert!(sent <= 128, "{sent}");
    });
    let mut client = Client::connect(address).await;
    for n in 0..100 {
        assert_eq!(client.event().await.args, [n]);
    }
    // What does not fit is gone, and this is not.
    let socket = io.sockets().pop().expect("it is connected");
    socket.emit("end", &()).expect("there is room by now");
    let mut after = 0;
    while client.event().await.name != "end" {
        after += 1;
    }
    assert!(after <= 28, "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_arrives_whole_and_in_order() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef| {
            for n in 0..BURST {
                parity::emit(&socket, "n", &n)
                    .await
                    .expect("it is connected");
            }
        }),
    );
    let mut client = Client::connect(address).await;
    for n in 0..BURST {
        assert_eq!(client.event().await.args, [n]);
    }
}

async fn joined(socket: SocketRef) {
    socket.join("r");
    socket.emit("joined", &()).ok();
}

async fn member(address: SocketAddr) -> Client {
    let mut client = Client::connect(address).await;
    assert_eq!(client.event().await.name, "joined");
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_to_a_room_arrives_whole_and_in_order_at_each() {
    let (address, io) = start().await;
    io.ns("/", parity::connection(joined));
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(member(address).await);
    }
    let mut outsider = member(address).await;
    let outside = io.get_socket(outsider.sid.parse().expect("a session id"));
    let outside = outside.expect("it is connected");
    outside.leave("r");
    let burst = tokio::spawn(async move {
        for n in 0..BURST {
            let emitted = parity::broadcast(io.to("r"), "n", &n);
            emitted.expect("a number can be serialized");
        }
    });
    let readers = clients.into_iter().map(|mut client| {
        tokio::spawn(async move {
            for n in 0..BURST {
                assert_eq!(client.event().await.args, [n]);
            }
        })
    });
    for reader in readers.collect::<Vec<_>>() {
        soon(reader).await.expect("all has arrived");
    }
    soon(burst).await.expect("it ends");
    parity::emit(&outside, "end", &()).await.expect("connected");
    assert_eq!(outsider.event().await.name, "end");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_late_delays_nobody_and_misses_nothing() {
    let (address, io) = start().await;
    io.ns("/", parity::connection(joined));
    let mut late = member(address).await;
    let mut awake = member(address).await;
    let big = "x".repeat(10_000);
    for n in 0..2000 {
        let sent = parity::broadcast(io.to("r"), "n", &(n, &big));
        sent.expect("it can be serialized");
    }
    for client in [&mut awake, &mut late] {
        for n in 0..2000 {
            assert_eq!(client.event().await.args, [json!(n), json!(big)]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_at_all_is_disconnected_without_a_gap() {
    let (address, io) = start().await;
    io.ns("/", parity::connection(joined));
    let mut asleep = member(address).await;
    let big = "x".repeat(1000);
    let mut count = 0;
    // Until it is no longer told; not for ever, or this would not end if it never was.
    while count < 100_000 {
        let sent = parity::broadcast(io.to("r"), "n", &(count, &big));
        sent.expect("it can be serialized");
        count += 1;
        if count % 1000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let texts = asleep.rest().await;
    assert_eq!(texts.last().map(String::as_str), Some("41"));
    let events = texts.iter().filter(|text| text.starts_with("42"));
    let heard = events.clone().count();
    assert!(heard < count, "{heard}");
    for (n, text) in events.enumerate() {
        assert!(text.starts_with(&format!(r#"42["n",{n},"#)), "{n}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_have_to_wait_arrive_as_bytes() {
    let (address, io) = start().await;
    io.ns("/", parity::connection(joined));
    let mut client = member(address).await;
    let bytes = bytes::Bytes::from_static(&[1, 2, 3]);
    for n in 0..1000 {
        let file = BTreeMap::from([("file", bytes.clone())]);
        parity::broadcast(io.to("r"), "file", &(n, file)).expect("it can be sent");
    }
    for n in 0..1000 {
        let placeholder = json!({"file": {"_placeholder": true, "num": 0}});
        assert_eq!(client.event().await.args, [json!(n), placeholder]);
        assert_eq!(client.attachments, [[1, 2, 3]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emit_that_waits_ends_when_the_client_is_gone() {
    let (address, io) = start().await;
    let (gone, mut end) = mpsc::unbounded_channel();
    io.ns(
        "/",
        parity::connection(async move |socket: SocketRef| {
            parity::on_disconnect(&socket, async || {});
            let big = "x".repeat(100_000);
            loop {
                if let Err(error) = parity::emit(&socket, "big", &big).await {
                    gone.send(error).expect("the test listens");
                    return;
                }
            }
        }),
    );
    let mut client = Client::connect(address).await;
    client.event().await;
    drop(client);
    let error = soon(end.recv()).await;
    assert!(
        matches!(error, Some(SendError::Socket(SocketError::Closed))),
        "{error:?}"
    );
}

#[tokio::test]
async fn socketioxide_alone_drops_answers_and_questions() {
    let (address, io) = start().await;
    let (answered, mut answers) = mpsc::unbounded_channel();
    io.ns("/", async move |socket: SocketRef| {
        socket.on("n", async move |socket: SocketRef, ack: AckSender| {
            // The buffer is full, as it is after a burst.
            while socket.emit("fill", &()).is_ok() {}
            let question = socket.emit_with_ack::<_, ()>("ask", &()).map(drop);
            answered
                .send([ack.send(&1), question])
                .expect("the test listens");
        });
        socket.emit("ready", &()).ok();
    });
    let mut client = Client::connect(address).await;
    client.event().await;
    client.send(r#"420["n"]"#).await;
    for result in soon(answers.recv()).await.expect("the handler runs") {
        let full = SendError::Socket(SocketError::InternalChannelFull);
        let error = result.expect_err("the buffer is full");
        assert_eq!(error.to_string(), full.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_calls_in_a_row_are_all_answered() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef| {
            parity::on(
                &socket,
                "n",
                async |Data(n): Data<u32>, ack: parity::Ack| {
                    ack.send(&n).await.ok();
                },
            );
        }),
    );
    let mut client = Client::connect(address).await;
    for n in 0..2000 {
        client.send(&format!(r#"42{n}["n",{n}]"#)).await;
    }
    for n in 0..2000 {
        assert_eq!(client.receive().await, format!("43{n}[{n}]"));
    }
}

#[tokio::test]
async fn a_question_is_answered_even_behind_a_burst() {
    let (address, io) = start().await;
    io.ns("/", parity::connection(async |_: SocketRef| {}));
    let mut client = Client::connect(address).await;
    client.ping().await;
    let socket = io.sockets().pop().expect("it is connected");
    while socket.emit("fill", &()).is_ok() {}
    let ask = tokio::spawn(async move {
        parity::emit_with_ack::<(String, u32), _, _>(&socket, DEADLINE, "ask", &7)
            .await
    });
    let question = loop {
        let event = client.event().await;
        if event.name == "ask" {
            break event;
        }
    };
    assert_eq!(question.args, [7]);
    let id = question.ack.expect("it wants an answer");
    client.acknowledge(id, json!(["seven", 7])).await;
    let answer = soon(ask).await.expect("it does not panic");
    assert_eq!(answer.expect("an answer"), ("seven".to_owned(), 7));
}

/// How long an unanswered question is waited for, whose client leaves at once.
async fn unanswered(leave: impl FnOnce(Client)) -> Result<(), AckError> {
    let (address, io) = start().await;
    io.ns("/", parity::connection(async |_: SocketRef| {}));
    let mut client = Client::connect(address).await;
    let socket = io.sockets().pop().expect("it is connected");
    let hour = Duration::from_secs(3600);
    let ask = tokio::spawn(async move {
        parity::emit_with_ack(&socket, hour, "ask", &()).await
    });
    client.event().await;
    leave(client);
    soon(ask).await.expect("it does not panic")
}

#[tokio::test]
async fn a_question_ends_when_the_client_is_gone() {
    let answer = unanswered(drop).await;
    assert!(
        matches!(answer, Err(AckError::Socket(SocketError::Closed))),
        "{answer:?}"
    );
}

#[tokio::test]
async fn socketioxide_alone_waits_for_the_answer_of_one_who_is_gone() {
    let (address, io) = start().await;
    let (gone, mut left) = mpsc::unbounded_channel();
    io.ns("/", async move |socket: SocketRef| {
        socket.on_disconnect(async move || {
            gone.send(()).expect("the test listens");
        });
        socket.emit("ready", &()).ok();
    });
    let mut client = Client::connect(address).await;
    client.event().await;
    let socket = io.sockets().pop().expect("it is connected");
    let timeout = Duration::from_secs(2);
    let started = Instant::now();
    let asked = socket.timeout(timeout).emit_with_ack::<_, ()>("ask", &());
    let asked = asked.expect("there is room");
    drop(client);
    soon(left.recv()).await;
    let answer = asked.await;
    assert!(matches!(answer, Err(AckError::Timeout)), "{answer:?}");
    assert!(started.elapsed() >= timeout);
}

#[tokio::test]
async fn many_are_asked_and_who_is_silent_is_named() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef| {
            let id = UserId::of(&socket);
            parity::emit(&socket, "you", &id).await.ok();
        }),
    );
    let (mut polite, mut silent) = (
        Client::connect(address).await,
        Client::connect(address).await,
    );
    let polite_id = polite.event().await.args;
    let silent_id = silent.event().await.args;
    let ask = tokio::spawn(async move {
        let timeout = Duration::from_millis(500);
        parity::broadcast_with_ack::<String, _, _>(
            io.broadcast(),
            timeout,
            "ask",
            &(),
        )
        .await
    });
    let id = polite.event().await.ack.expect("it wants an answer");
    polite.acknowledge(id, json!(["yes"])).await;
    assert!(silent.event().await.ack.is_some());
    let mut answers = soon(ask).await.expect("it does not panic");
    answers.sort_by_key(|(_, answer)| answer.is_err());
    let ids = answers.iter().map(|(socket, _)| json!(UserId::of(socket)));
    assert_eq!(ids.collect::<Vec<_>>(), [polite_id, silent_id].concat());
    assert!(matches!(&answers[0].1, Ok(yes) if yes == "yes"));
    assert!(matches!(&answers[1].1, Err(AckError::Timeout)));
}

#[tokio::test]
async fn who_is_leaving_is_not_asked() {
    let (address, io) = start().await;
    let (asked, mut answers) = mpsc::unbounded_channel();
    io.ns(
        "/",
        parity::connection(async move |socket: SocketRef| {
            parity::on_disconnect(&socket, async move |io: SocketIo| {
                let sockets = io.sockets().len();
                let all = io.broadcast();
                let answers = parity::broadcast_with_ack::<(), _, _>(
                    all,
                    DEADLINE,
                    "ask",
                    &(),
                )
                .await;
                asked
                    .send((sockets, answers.len()))
                    .expect("the test listens");
            });
            parity::emit(&socket, "ready", &()).await.ok();
        }),
    );
    let mut client = Client::connect(address).await;
    client.event().await;
    drop(client);
    // It is still in its rooms, for its disconnect handlers.
    assert_eq!(soon(answers.recv()).await, Some((1, 0)));
}

/// Its serializer passes an `Option`, a newtype and an enum's newtype variant on to JSON's.
#[tokio::test]
async fn socketioxide_alone_finds_no_bytes_in_an_option() {
    let (address, io) = start().await;
    io.ns("/", async |socket: SocketRef| {
        let bytes = bytes::Bytes::from_static(&[1, 2]);
        let found = BTreeMap::from([("file", bytes.clone())]);
        socket.emit("n", &(Some(bytes), found)).ok();
    });
    let mut client = Client::connect(address).await;
    let placeholder = json!({"file": {"_placeholder": true, "num": 0}});
    assert_eq!(client.event().await.args, [json!([1, 2]), placeholder]);
    assert_eq!(client.attachments, [[1, 2]]);
}

/// The first ping is due about a millisecond after the handshake, and if it finds the
/// buffer full, socketioxide closes the connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_at_once_leaves_room_for_the_first_ping() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef| {
            for n in 0..1000 {
                parity::emit(&socket, "n", &n)
                    .await
                    .expect("it is connected");
            }
        }),
    );
    for _ in 0..30 {
        let mut client = Client::connect(address).await;
        for n in 0..1000 {
            assert_eq!(client.event().await.args, [n]);
        }
    }
}
