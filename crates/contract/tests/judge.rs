//! What the kit says of servers that are right in an unusual way, and of servers that are
//! wrong. They are a few bytes each, written by hand.

mod support;

use contract::{
    Connection, EngineIo, Frame, Opcode, Recording, Request, Response, Result,
    WebSocket,
};
use serde_json::{Value, json};
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

/// The response of a server that says this and closes.
async fn response(bytes: impl Into<Vec<u8>>) -> Result<Response> {
    says(bytes).await?.request(&Request::get("/")).await
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
async fn where_long_messages_differ_is_shown() -> Result {
    let expected: Vec<u8> = (0..=255).collect();
    let mut got = expected.clone();
    got[20] ^= 0x80;
    let mut client = socket(bytes(&[frame(Opcode::Binary, got)])).await?;
    let failure = client.expect(Opcode::Binary, &expected).await;
    let failure = failure.expect_err("byte 20 differs");
    assert_eq!(
        failure.values(),
        Some((
            "from byte 12 of 256: 0c 0d 0e 0f 10 11 12 13 14 15 16 17 18 19 1a 1b …",
            "from byte 12 of 256: 0c 0d 0e 0f 10 11 12 13 94 15 16 17 18 19 1a 1b …",
        ))
    );

    let mut client = socket(bytes(&[
        frame(Opcode::Text, "é".repeat(100) + "x"),
        frame(Opcode::Text, "short"),
    ]))
    .await?;
    let failure = client.expect_text(&("é".repeat(100) + "yz")).await;
    let failure = failure.expect_err("byte 200 differs");
    assert_eq!(
        failure.values(),
        Some((
            "from byte 192 of 202: \"ééééyz\"",
            "from byte 192 of 201: \"ééééx\""
        ))
    );
    let failure = client.expect_text("brief").await.expect_err("another text");
    assert_eq!(failure.values(), Some(("text: brief", "text: short")));

    let long = "x".repeat(5000);
    let length = "HTTP/1.1 200 OK\r\ncontent-length: 5001\r\n\r\n";
    let response = response(format!("{length}{long}y")).await?;
    let failure = response.expect_body(&format!("{long}z"));
    let failure = failure.expect_err("the last byte differs");
    assert_eq!(
        failure.values(),
        Some((
            "from byte 4992 of 5001: \"xxxxxxxxz\"",
            "from byte 4992 of 5001: \"xxxxxxxxy\""
        ))
    );
    Ok(())
}

#[tokio::test]
async fn a_ping_may_come_in_the_middle_of_a_message() -> Result {
    let mut client = socket(bytes(&[
        frame(Opcode::Text, "Hel").more_follows(),
        frame(Opcode::Ping, "x"),
        frame(Opcode::Continuation, "lo"),
        frame(Opcode::Text, "next"),
    ]))
    .await?;
    client.expect_text("Hello").await?;
    client.expect(Opcode::Ping, "x").await?;
    client.expect_text("next").await
}

#[tokio::test]
async fn a_session_takes_messages_in_pieces() -> Result {
    let mut engine = EngineIo::open(
        socket(bytes(&[
            frame(Opcode::Text, "0{}"),
            frame(Opcode::Text, "2pro").more_follows(),
            frame(Opcode::Pong, ""),
            frame(Opcode::Continuation, "be"),
        ]))
        .await?,
    )
    .await?;
    engine.expect("2probe").await
}

/// RFC 6455, sections 5.1 to 5.5 and 8.1.
#[tokio::test]
async fn a_frame_that_breaks_the_rules_is_refused() -> Result {
    let hello = || frame(Opcode::Text, "Hello");
    let reserved = Frame {
        reserved: 4,
        ..hello()
    };
    let masked = Frame {
        masked: true,
        ..hello()
    };
    let close = |code| Frame {
        masked: false,
        ..Frame::close(code, "")
    };
    let twice = [
        frame(Opcode::Text, "Hel").more_follows(),
        frame(Opcode::Text, "lo"),
    ];
    for (frames, fault) in [
        (vec![reserved], "reserved bits 100"),
        (vec![masked], "a frame from the server with a mask"),
        (
            vec![frame(Opcode::Ping, [0; 126])],
            "a control frame of more than 125 bytes",
        ),
        (
            vec![frame(Opcode::Ping, "").more_follows()],
            "a control frame without FIN",
        ),
        (
            vec![frame(Opcode::Reserved(3), "Hello")],
            "reserved opcode 3",
        ),
        (
            vec![frame(Opcode::Text, *b"Hell\xff")],
            "text that is not UTF-8",
        ),
        (
            vec![frame(Opcode::Continuation, "Hello")],
            "a continuation of nothing",
        ),
        (vec![close(1005)], "close code 1005 must not be sent"),
        (
            twice.to_vec(),
            "a new message before the last one had ended",
        ),
    ] {
        refused(&bytes(&frames), fault).await?;
    }
    // "Hello" with a length in two bytes.
    let fault = "a length in a longer form than it needs";
    refused(b"\x81\x7e\x00\x05Hello", fault).await
}

/// The transcript has only the beginning of so long a text.
#[tokio::test]
async fn text_that_is_not_utf_8_far_in_is_refused() -> Result {
    let text = ["x".repeat(1 << 20).as_bytes(), b"\xff"].concat();
    let mut client = socket(bytes(&[frame(Opcode::Text, &*text)])).await?;
    let failure = client.expect(Opcode::Text, &text).await;
    let failure = failure.expect_err("the last byte is no text");
    let fault = "text that is not UTF-8";
    assert!(failure.message().contains(fault), "{failure}");
    Ok(())
}

/// Recorded or not.
async fn refused(frames: &[u8], fault: &str) -> Result {
    for recorded in [true, false] {
        let mut client = socket(frames).await?;
        if !recorded {
            client.connection().record_nothing();
        }
        let failure = client.expect_text("Hello").await;
        let failure = failure.expect_err("this is not right");
        assert!(failure.message().contains(fault), "{fault}: {failure}");
        if recorded {
            let wire = failure.transcript().unwrap_or_default();
            assert!(wire.contains(&format!("< ! {fault}\n")), "{failure}");
        }
    }
    Ok(())
}

/// RFC 9110, sections 5.6.1 and 15.2; RFC 9112, sections 6 and 7.
#[tokio::test]
async fn a_response_may_be_written_in_many_ways() -> Result {
    let many = "x: y\r\n".repeat(80);
    for head in [
        "transfer-encoding: Chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n",
        "transfer-encoding: gzip, chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n5;a=b\r\nHello\r\n0\r\nage: 1\r\n\r\n",
        "content-length: 5, 5\r\n\r\nHello",
        "\r\nHello",
        &format!("{many}content-length: 5\r\n\r\nHello"),
    ] {
        let response = response(format!("HTTP/1.1 200 OK\r\n{head}")).await?;
        response.expect_body("Hello")?;
    }
    let response = response("HTTP/1.0 200 OK\r\n\r\n").await?;
    response.expect_body("").map(drop)
}

/// RFC 9112, section 9.3.2.
#[tokio::test]
async fn each_response_ends_where_the_next_begins() -> Result {
    let mut connection = says(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n\
         HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno\
         HTTP/1.1 204 No Content\r\n\r\n",
    )
    .await?;
    let first = connection.request(&Request::get("/")).await?;
    first.expect_status(200)?.expect_body("")?;
    connection.response().await?.expect_body("no")?;
    connection.response().await?.expect_status(204)?;
    connection.closed().await
}

#[tokio::test]
async fn a_response_that_breaks_the_rules_is_refused() {
    let length = "a content-length that is not one number";
    for (head, fault) in [
        ("content-length: +5\r\n\r\nHello", length),
        (
            "content-length: 5\r\ncontent-length: 6\r\n\r\nHello",
            length,
        ),
        (
            "transfer-encoding: chunked\r\n\r\n5\r\nHello0\r\n\r\n",
            "a broken chunk",
        ),
        ("a b: c\r\n\r\n", "not HTTP/1.1"),
        (
            "content-length: 6\r\n\r\nHello",
            "closed before the whole body came",
        ),
        (
            "transfer-encoding: chunked\r\n\r\n5\r\nHello\r\n",
            "closed before the whole body came",
        ),
        ("x: y\r\n", "closed before the head of a response came"),
    ] {
        let got = response(format!("HTTP/1.1 200 OK\r\n{head}")).await;
        let failure = got.expect_err("this is not right");
        assert!(failure.message().contains(fault), "{fault}: {failure}");
    }
}

#[tokio::test]
async fn the_answer_to_a_body_may_come_before_its_end() -> Result {
    let much = Request::post_json("/", vec![b'x'; 32 << 20]);
    let refusal = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n";
    let mut refused = says(refusal).await?;
    refused.request(&much).await?.expect_status(413)?;
    refused.closed().await
}

/// Who closes while bytes still come in aborts the connection. Some systems then forget
/// what has come.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_answer_is_read_although_the_server_has_hung_up() -> Result {
    let much = Request::post_json("/", vec![b'x'; 32 << 20]);
    let mut refused = after_head(async |mut stream| {
        let refusal = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(refusal).await
    })
    .await?;
    refused.request(&much).await?.expect_status(413).map(drop)
}

#[tokio::test]
async fn a_server_may_answer_as_it_reads() -> Result {
    const LENGTH: usize = 32 << 20;
    let mut echo = after_head(async |mut stream| {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {LENGTH}\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        let (mut from, mut to) = stream.split();
        tokio::io::copy(&mut from, &mut to).await.map(drop)
    })
    .await?;
    let body = "x".repeat(LENGTH);
    let response = echo.request(&Request::post_json("/", body.clone())).await?;
    response.expect_body(&body).map(drop)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_came_before_the_server_hung_up_is_shown() -> Result {
    let mut connection = after_head(async |mut stream| {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await
    })
    .await?;
    connection.send("GET / HTTP/1.1\r\n\r\n").await?;
    let failure = loop {
        if let Err(failure) = connection.send([b'x'; 1 << 16]).await {
            break failure;
        }
    };
    assert_eq!(failure.message(), "the server has hung up");
    let wire = failure.transcript().unwrap_or_default();
    assert!(wire.contains("< HTTP/1.1 400 Bad Request\n"), "{wire}");
    Ok(())
}

/// RFC 6455, section 4.1.
#[tokio::test]
async fn a_handshake_is_judged_with_its_wire() -> Result {
    let answer = |from: &str, to: &str| ACCEPTED.replace(from, to);
    let right = [
        answer("connection: Upgrade", "connection: keep-alive, upgrade"),
        answer("upgrade: websocket", "upgrade: WebSocket"),
    ];
    for answer in right {
        WebSocket::open(says(answer).await?, "/").await?;
    }
    for (answer, said) in [
        (
            answer("connection: Upgrade", "connection: close"),
            "connection",
        ),
        (answer("upgrade: websocket", "upgrade: h2c"), "upgrade"),
        (answer("s3p", "S3P"), "sec-websocket-accept"),
        (
            answer("upgrade: w", "sec-websocket-protocol: a\r\nupgrade: w"),
            "sec-websocket-protocol",
        ),
    ] {
        let failure = WebSocket::open(says(answer).await?, "/").await;
        let failure = failure.expect_err("this is not right");
        assert_eq!(failure.message(), said);
        let wire = failure.transcript().unwrap_or_default();
        assert!(wire.contains("< HTTP/1.1 101 "), "{failure}");
    }
    Ok(())
}

#[tokio::test]
async fn where_long_events_differ_is_shown() -> Result {
    let event = |last: &str| format!("42[\"a\",\"{}{last}\"]", "x".repeat(300));
    let mut engine = EngineIo::open(
        socket(bytes(&[
            frame(Opcode::Text, "0{}"),
            frame(Opcode::Text, event("y")),
        ]))
        .await?,
    )
    .await?;
    let expected = json!(["x".repeat(300) + "z"]);
    let failure = engine.of("/").expect_event("a", expected).await;
    let failure = failure.expect_err("the end differs");
    let (expected, got) = failure.values().expect("they are compared");
    assert!(expected.ends_with(r#"xz\"]""#), "{expected}");
    assert!(got.ends_with(r#"xy\"]""#), "{got}");
    assert!(got.len() < 100, "{got}");
    Ok(())
}

#[tokio::test]
async fn a_flood_does_not_fill_the_memory() -> Result {
    let tick = r#"451-["tick",{"_placeholder":true,"num":0}]"#;
    let tick = [
        frame(Opcode::Text, tick),
        frame(Opcode::Binary, vec![0; 8 << 20]),
    ];
    let mut flood = bytes(&[frame(Opcode::Text, "0{}")]);
    flood.extend(bytes(&tick).repeat(9));
    let mut engine = EngineIo::open(socket(flood).await?).await?;
    let failure = engine.of("/").connect(Value::Null).await;
    let failure = failure.expect_err("there is no answer");
    assert!(failure.message().contains("more than 64 MiB"), "{failure}");
    Ok(())
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
