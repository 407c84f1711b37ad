//! The contract of lesson 05, `examples/05_ws_echo`, and of its Node twin.

use std::time::Duration;

use contract::{
    Frame, Lesson, Opcode, Peer, Result, compare_diagram_with_the_book,
    compare_with_the_book, peer, within,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy, sink},
    task::{JoinSet, yield_now},
    time::timeout,
};

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
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn clients_that_vanish_leave_nothing_behind() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    let before = server.open_files()?;
    for _ in 0..20 {
        let mut socket = server.websocket("/").await?;
        socket
            .send(Frame::new(Opcode::Text, "half of it").more_follows())
            .await?;
    }
    within("end of the twenty connections", async {
        while server.open_files()? > before {
            yield_now().await;
        }
        Result::Ok(())
    })
    .await??;
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

/// The lesson reads the next message once the system has taken the one before, so a
/// client that does not read soon cannot write. `ws` reads on, and keeps all the answers.
#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn a_client_that_does_not_read_is_where_the_two_differ() -> Result {
    const MESSAGES: usize = 64;
    let server = lesson().start().await?;
    let before = server.memory()?;
    let frame = Frame::new(Opcode::Binary, vec![0; LIMIT]).to_bytes();
    let unsent = frame.repeat(MESSAGES);
    let mut unsent = &unsent[..];
    let stream = server.websocket("/").await?.into_stream();
    let (mut from, mut to) = stream.into_split();
    // The lesson stops reading, and a second without progress tells. The twin may be
    // busy for longer than that, and still reads all of it.
    let patience = Duration::from_secs(match peer() {
        Peer::Rust => 1,
        Peer::Node => 10,
    });
    while !unsent.is_empty() {
        match timeout(patience, to.write(unsent)).await {
            Ok(written) => unsent = &unsent[written?..],
            Err(_) => break,
        }
    }
    let growth = || Result::Ok(server.memory()?.saturating_sub(before) >> 20);
    match peer() {
        Peer::Rust => {
            assert!(!unsent.is_empty(), "it has read all that it can't answer");
            let growth = growth()?;
            assert!(growth < 16, "{growth} MiB more than before");
        }
        Peer::Node => {
            assert!(unsent.is_empty(), "{} bytes are unsent", unsent.len());
            // What it has not read yet is in the system's buffers.
            within("32 MiB of answers in its memory", async {
                while growth()? < 32 {
                    yield_now().await;
                }
                Result::Ok(())
            })
            .await??;
        }
    }
    // Nobody else waits, and nothing is lost.
    let mut other = server.websocket("/").await?;
    other.send_text("hello").await?;
    other.expect_text("hello").await?;
    let head_of_an_answer = 10;
    let answers = (MESSAGES * (head_of_an_answer + LIMIT)) as u64;
    let mut answers = (&mut from).take(answers);
    let mut nowhere = sink();
    let both = async {
        tokio::try_join!(to.write_all(unsent), copy(&mut answers, &mut nowhere))
    };
    within("all the answers", both).await??;
    assert_eq!(answers.limit(), 0, "bytes are missing");
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
