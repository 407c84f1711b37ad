//! What the kit says of servers that are right in an unusual way, and of servers that are
//! wrong. They are a few bytes each, written by hand.

mod support;

use contract::{Connection, Frame, Opcode, Recording, Result, WebSocket};
use support::{ACCEPTED, after_head};
use tokio::io::AsyncWriteExt;

/// A connection to a server that says this when it is asked, and closes when the client
/// does.
async fn says(bytes: impl Into<Vec<u8>>) -> Result<Connection> {
    let bytes = bytes.into();
    after_head(async move |mut stream| {
        stream.write_all(&bytes).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink())
            .await
            .map(drop)
    })
    .await
}

/// The client of a server that accepts it, sends these bytes and closes.
async fn socket(frames: impl AsRef<[u8]>) -> Result<WebSocket> {
    let said = [ACCEPTED.as_bytes(), frames.as_ref()].concat();
    WebSocket::open(says(said).await?, "/").await
}

/// A frame of a server.
fn frame(opcode: Opcode, payload: impl Into<Vec<u8>>) -> Frame {
    Frame {
        masked: false,
        ..Frame::new(opcode, payload)
    }
}

fn bytes(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(Frame::to_bytes).collect()
}

#[tokio::test]
async fn nothing_is_recorded_of_what_is_not_recorded() -> Result {
    let mut client = socket("").await?;
    client.connection().record_nothing();
    client.connection().note("a remark");
    assert_eq!(client.connection().transcript().to_string(), "");
    Ok(())
}

#[tokio::test]
async fn who_forgets_leaves_what_is_known_of_others() -> Result {
    let many = bytes(&vec![frame(Opcode::Text, "x"); 300]);
    let (mut ada, mut bob) = (socket(&many).await?, socket(&many).await?);
    let recording = Recording::new();
    recording.add("Ada", ada.connection());
    recording.add("Bob", bob.connection());
    recording.forget(); // the handshakes
    for client in [&mut ada, &mut bob] {
        for _ in 0..300 {
            client.expect_text("x").await?;
        }
    }
    // A frame and a message each: all of Ada's have made room, and half of Bob's.
    let first = |recording: &Recording| {
        let text = recording.transcript().to_string();
        text.lines().next().unwrap_or_default().to_owned()
    };
    assert!(first(&recording).ends_with("# 900 events left out here"));
    ada.connection().forget();
    assert!(first(&recording).ends_with("# 300 events left out here"));
    recording.forget();
    assert_eq!(first(&recording), "");
    Ok(())
}
