//! Nothing waits without end, whatever a server sends. The deadline of this file is short.

mod support;

use std::time::Duration;

use contract::{EngineIo, Frame, Opcode, Result, WebSocket, set_deadline};
use serde_json::json;
use support::{ACCEPTED, after_head};
use tokio::io::AsyncWriteExt;

/// The client of a server that accepts it, sends the first frames, and then the others
/// again and again.
async fn flooded(first: Vec<Frame>, then: Vec<Frame>) -> Result<WebSocket> {
    set_deadline(Duration::from_secs(1));
    let bytes = |frames: Vec<Frame>| -> Vec<u8> {
        let frames = frames.into_iter().map(|frame| Frame {
            masked: false,
            ..frame
        });
        frames.flat_map(|frame| frame.to_bytes()).collect()
    };
    let (first, then) = (bytes(first), bytes(then).repeat(100));
    let connection = after_head(async move |mut stream| {
        stream.write_all(ACCEPTED.as_bytes()).await?;
        stream.write_all(&first).await?;
        loop {
            stream.write_all(&then).await?;
        }
    });
    WebSocket::open(connection.await?, "/").await
}

fn text(text: &str) -> Frame {
    Frame::new(Opcode::Text, text)
}

async fn session(then: &str) -> Result<EngineIo> {
    EngineIo::open(flooded(vec![text("0{}")], vec![text(then)]).await?).await
}

#[tokio::test]
async fn a_flood_of_events_is_no_ack() -> Result {
    let mut engine = session(r#"42["tick"]"#).await?;
    engine.websocket().connection().record_nothing();
    let failure = engine.of("/").emit_with_ack("a", json!([])).await;
    let failure = failure.expect_err("there is no ack");
    let much = failure.message().contains("more than 64 MiB");
    assert!(much || failure.timed_out(), "{failure}");
    Ok(())
}

#[tokio::test]
async fn it_is_said_how_many_other_packets_came() -> Result {
    let tick = || text(r#"42["tick"]"#);
    let first = vec![text("0{}"), tick(), tick()];
    let mut engine = EngineIo::open(flooded(first, vec![text("2")]).await?).await?;
    let failure = engine.of("/").acked(1).await.expect_err("there is no ack");
    assert!(failure.timed_out(), "{failure}");
    assert!(failure.message().ends_with(", but 2 other packets did"));
    Ok(())
}

#[tokio::test]
async fn a_flood_of_pings_is_no_packet() -> Result {
    let failure = session("2").await?.receive().await;
    let failure = failure.expect_err("there is none");
    assert!(failure.timed_out(), "{failure}");
    let failure = session("2").await?.expect_closed().await;
    assert!(failure.expect_err("it is not closed").timed_out());
    Ok(())
}

#[tokio::test]
async fn a_flood_of_frames_is_no_message() -> Result {
    let more = || Frame::new(Opcode::Continuation, "").more_follows();
    let first = || vec![text("").more_follows()];
    let failure = flooded(first(), vec![more()]).await?.expect_text("").await;
    assert!(failure.expect_err("it never ends").timed_out());

    let ping = Frame::new(Opcode::Ping, "");
    let failure = flooded(first(), vec![ping]).await?.expect_text("").await;
    let failure = failure.expect_err("it never ends");
    assert!(failure.message().contains("more than 1000"), "{failure}");
    Ok(())
}

/// What a server says that does not listen may be why it does not.
#[cfg(unix)]
#[tokio::test]
async fn a_server_that_does_not_listen_is_quoted() {
    set_deadline(Duration::from_secs(1));
    let program = contract::Program::new("/bin/sh")
        .arg("-c")
        .arg("echo waiting for the database >&2; exec sleep 600");
    let failure = program.start().await.expect_err("it does not listen");
    assert!(failure.timed_out(), "{failure}");
    let said = failure.message();
    assert!(said.contains("waiting for the database"), "{said}");
}
