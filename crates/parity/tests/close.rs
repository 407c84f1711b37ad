//! The end of a server.

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use socketioxide::{SocketIo, extract::SocketRef, socket::DisconnectReason};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

mod support;
use support::{Client, soon, start};

#[tokio::test]
async fn socketioxide_alone_runs_no_disconnect_handler() {
    let (address, io) = start().await;
    let (left, mut leave) = mpsc::unbounded_channel();
    io.ns("/", async move |socket: SocketRef| {
        socket.on_disconnect(async move || {
            left.send(()).expect("the test listens");
        });
        socket.emit("ready", &()).ok();
    });
    let mut client = Client::connect(address).await;
    client.event().await;
    io.close().await;
    assert_eq!(client.rest().await.last().map(String::as_str), Some("1"));
    // With one thread, a task that is ready has run after so many turns.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert!(leave.try_recv().is_err(), "nobody has run the handler");
}

#[tokio::test]
async fn disconnecting_all_tells_the_clients_to_stay_away() {
    let (address, io) = start().await;
    io.ns("/", async |socket: SocketRef| {
        socket.emit("ready", &()).ok();
    });
    let mut client = Client::connect(address).await;
    client.event().await;
    for sockets in io.nsps() {
        sockets.disconnect().await.expect("there is room");
    }
    // Socket.IO's DISCONNECT: a client calls it "io server disconnect", and stays away.
    loop {
        match client.receive().await.as_str() {
            "41" => break,
            other => assert_eq!(other, "42[\"ready\",null]"),
        }
    }
}

#[tokio::test]
async fn the_handlers_run_with_their_rooms_and_the_clients_may_come_back() {
    let (address, io) = start().await;
    let (left, mut leave) = mpsc::unbounded_channel();
    let handler = async move |socket: SocketRef, io: SocketIo| {
        socket.join("r");
        parity::on_disconnect(
            &socket,
            async move |socket: SocketRef, reason: DisconnectReason| {
                let others = io.within("r").sockets().len();
                let inside = socket.rooms().iter().any(|room| room == "r");
                left.send((inside, others, reason))
                    .expect("the test listens");
            },
        );
        socket.emit("ready", &()).ok();
    };
    io.ns("/", parity::connection(handler));
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = Client::connect(address).await;
        client.event().await;
        clients.push(client);
    }
    soon(parity::close(&io)).await;
    for _ in 0..3 {
        let closing = DisconnectReason::ClosingServer;
        assert_eq!(leave.try_recv().ok(), Some((true, 3, closing)));
    }
    assert!(leave.try_recv().is_err(), "each runs once");
    for mut client in clients {
        // Engine.IO's close alone: the transport has closed, so a client comes back.
        let rest = client.rest().await;
        assert_eq!(rest.last().map(String::as_str), Some("1"), "{rest:?}");
        assert!(!rest.iter().any(|text| text.starts_with("41")), "{rest:?}");
    }
}

/// A client on HTTP polling, with a request in flight.
async fn polling(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let ask = async |request: String, stream: &mut TcpStream| {
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it is open");
    };
    let path = "/socket.io/?EIO=4&transport=polling";
    ask(
        format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"),
        &mut stream,
    )
    .await;
    let mut answer = vec![0; 4096];
    let length = soon(stream.read(&mut answer)).await.expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    let sid = answer.split_once(r#""sid":""#).expect("a session").1;
    let path = format!("{path}&sid={}", &sid[..16]);
    let connect =
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n40");
    ask(connect, &mut stream).await;
    let mut answer = vec![0; 4096];
    soon(stream.read(&mut answer)).await.expect("an answer");
    // The first answers hold CONNECT and the first ping; the request after them waits.
    let mut seen = String::new();
    while !(seen.contains("40{") && seen.contains('2')) {
        ask(
            format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"),
            &mut stream,
        )
        .await;
        let mut answer = vec![0; 4096];
        let length = soon(stream.read(&mut answer)).await.expect("an answer");
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        let (_, body) = answer.split_once("\r\n\r\n").expect("a head");
        seen.push_str(body);
        if body.split('\x1e').any(|packet| packet == "2") {
            seen.push('2');
        }
    }
    ask(
        format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"),
        &mut stream,
    )
    .await;
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_ends_at_once_although_a_client_polls() {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", parity::connection(async |_: SocketRef| {}));
    let app = Router::new().layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async {
        stopped.await.ok();
    });
    let server = tokio::spawn(server.into_future());
    let _polling = polling(address).await;
    stop.send(()).expect("it listens");
    parity::close(&io).await;
    // Left to itself the request ends after 25 s, with the next ping.
    soon(server).await.expect("no panic").expect("no error");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_does_not_hold_it_up() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef| {
            socket.emit("ready", &()).ok();
        }),
    );
    let mut client = Client::connect(address).await;
    client.event().await;
    let socket = io.sockets().pop().expect("it is connected");
    let big = "x".repeat(1_000_000);
    while socket.emit("big", &big).is_ok() {
        tokio::task::yield_now().await;
    }
    let deadline = Duration::from_secs(10);
    let closed = tokio::time::timeout(deadline, parity::close(&io)).await;
    closed.expect("it gives up");
    drop(client);
}
