//! The contract of lesson 05, `examples/05_ws_echo`, and of its Node twin.

use contract::{
    Frame, Lesson, Opcode, Result, compare_diagram_with_the_book,
    compare_with_the_book,
};
use tokio::task::JoinSet;

#[path = "contracts/program.rs"]
mod program;
#[path = "contracts/websocket.rs"]
mod websocket;

fn lesson() -> Lesson {
    Lesson::new("05_ws_echo")
}

/// The longest message, in bytes.
const LIMIT: usize = 1024 * 1024;

#[tokio::test]
async fn text_comes_back_as_text() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    let long = "x".repeat(LIMIT);
    for text in ["hello", "", "하늘 \u{1F980}", "<b>\0", &long[..126], &long] {
        socket.send_text(text).await?;
        socket.expect_text(text).await?;
    }
    Ok(())
}

#[tokio::test]
async fn binary_comes_back_as_binary() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    for length in [0, 1, 125, 126, 65_535, 65_536, LIMIT] {
        let bytes = vec![0xff; length];
        socket
            .send(Frame::new(Opcode::Binary, bytes.clone()))
            .await?;
        socket.expect(Opcode::Binary, bytes).await?;
    }
    Ok(())
}

/// RFC 6455, section 5.4: even in the middle of a character, and with a ping between.
#[tokio::test]
async fn a_message_in_pieces_comes_back_whole() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    let (one, two) = "하늘".as_bytes().split_at(2);
    socket
        .send(Frame::new(Opcode::Text, one).more_follows())
        .await?;
    socket.send(Frame::new(Opcode::Ping, "now")).await?;
    socket.expect(Opcode::Pong, "now").await?;
    socket
        .send(Frame::new(Opcode::Continuation, "").more_follows())
        .await?;
    socket.send(Frame::new(Opcode::Continuation, two)).await?;
    socket.expect_text("하늘").await
}

#[tokio::test]
async fn a_client_that_vanishes_does_no_harm() -> Result {
    let server = lesson().start().await?;
    for _ in 0..20 {
        let mut socket = server.websocket("/").await?;
        socket
            .send(Frame::new(Opcode::Text, "half of it").more_follows())
            .await?;
        drop(socket);
    }
    let mut socket = server.websocket("/").await?;
    socket.send_text("still there?").await?;
    socket.expect_text("still there?").await
}

#[tokio::test]
async fn many_clients_each_get_their_own_back() -> Result {
    let server = lesson().start().await?;
    let mut clients = JoinSet::new();
    for client in 0..100 {
        let mut socket = server.websocket("/").await?;
        clients.spawn(async move {
            for n in 0..20 {
                let text = format!("{n} of {client}");
                socket.send_text(&text).await?;
                socket.expect_text(&text).await?;
            }
            Ok(20)
        });
    }
    let answered: Vec<Result<u32>> = clients.join_all().await;
    assert_eq!(answered.into_iter().sum::<Result<u32>>()?, 2_000);
    Ok(())
}

#[tokio::test]
async fn recorded_echo() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    socket.send_text("hello").await?;
    socket.expect_text("hello").await?;
    socket
        .send(Frame::new(Opcode::Binary, *b"\x01\x02\xff"))
        .await?;
    socket.expect(Opcode::Binary, *b"\x01\x02\xff").await?;
    socket.send(Frame::new(Opcode::Ping, "there?")).await?;
    socket.expect(Opcode::Pong, "there?").await?;
    socket.send(Frame::close(1000, "done")).await?;
    socket.expect_close(Some(1000)).await?;
    let transcript = socket.connection().transcript();
    compare_diagram_with_the_book("05-echo", &transcript)?;
    compare_with_the_book("05-echo", transcript)
}

#[tokio::test]
async fn recorded_refusals() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    socket
        .send(Frame {
            masked: false,
            ..Frame::new(Opcode::Text, "hello")
        })
        .await?;
    socket.expect_close(Some(1002)).await?;
    compare_with_the_book("05-unmasked", socket.connection().transcript())
}
