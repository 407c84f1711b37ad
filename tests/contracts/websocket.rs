//! What RFC 6455 itself asks of every lesson with a WebSocket at `/`, whatever it sends
//! there. The file that includes this module says which lesson is meant, with its
//! `lesson()`, and how many bytes its longest message has, with its `LIMIT`.

use contract::{Frame, Opcode, Peer, Request, Result, handshake, peer};

use super::{LIMIT, lesson};

#[tokio::test]
async fn the_page_and_the_socket_share_a_path() -> Result {
    let server = lesson().start().await?;
    let page = server.request(Request::get("/")).await?;
    page.expect_status(200)?
        .expect_header("content-type", "text/html; charset=utf-8")?;
    let style = server.request(Request::get("/style.css")).await?;
    style
        .expect_status(200)?
        .expect_header("content-type", "text/css; charset=utf-8")?;
    // Lesson 05's page has all its script in itself.
    if page.text().contains("/page.js") {
        let script = server.request(Request::get("/page.js")).await?;
        script
            .expect_status(200)?
            .expect_header("content-type", "text/javascript; charset=utf-8")?;
    }
    for path in ["/nothing", "//"] {
        let response = server.request(Request::get(path)).await?;
        response.expect_status(404)?;
    }
    server.websocket("/").await?;
    Ok(())
}

/// Names and tokens are compared without case, and lists may hold more (RFC 6455,
/// section 4.2.1).
#[tokio::test]
async fn a_handshake_may_be_written_in_other_ways() -> Result {
    let server = lesson().start().await?;
    let request = Request::get("/?token=1")
        .header("UPGRADE", "WebSocket")
        .header("Connection", "keep-alive, upgrade")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Extensions", "permessage-deflate")
        .header("Origin", "http://example.com");
    let response = server.request(request).await?;
    response
        .expect_status(101)?
        .expect_header("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")?
        // Nothing that was not agreed on may be used.
        .expect_no_header("sec-websocket-extensions")?;
    Ok(())
}

#[tokio::test]
async fn a_handshake_without_a_proper_key_is_a_bad_request() -> Result {
    let server = lesson().start().await?;
    let keyless = || handshake("/").without("sec-websocket-key");
    server.request(keyless()).await?.expect_status(400)?;
    for key in [
        "",
        "abc",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZ===",
        "dGhl IHNhbXBsZSBub25jZQ==",
    ] {
        let request = keyless().header("sec-websocket-key", key);
        server.request(request).await?.expect_status(400)?;
    }
    Ok(())
}

/// RFC 6455, section 4.2.1, says what a handshake is. What is not one may be answered as
/// any other request.
#[tokio::test]
async fn what_is_no_handshake_is_where_the_two_differ() -> Result {
    let server = lesson().start().await?;
    let with = |name, value| handshake("/").without(name).header(name, value);
    for (request, rust, node) in [
        (handshake("/").method("POST"), 400, 405),
        (handshake("/").without("connection"), 400, 200),
        (with("upgrade", "websocket, other"), 101, 400),
        (with("upgrade", "h2c"), 200, 400),
        (handshake("/nothing"), 404, 400),
        (handshake("/style.css"), 200, 400),
    ] {
        let what = format!("{request:?}");
        let response = server.request(request).await?;
        let status = match peer() {
            Peer::Rust => rust,
            Peer::Node => node,
        };
        assert_eq!(response.status(), status, "{what}");
    }
    Ok(())
}

/// RFC 9110, section 7.8: HTTP/1.0 has no upgrades. `ws` does not look.
#[tokio::test]
async fn a_handshake_in_http_1_0_is_where_the_two_differ() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    let handshake = "GET / HTTP/1.0\r\n\
        host: localhost\r\n\
        upgrade: websocket\r\n\
        connection: Upgrade\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        sec-websocket-version: 13\r\n\r\n";
    connection.send(handshake).await?;
    let status = match peer() {
        Peer::Rust => 400,
        Peer::Node => 101,
    };
    connection.response().await?.expect_status(status)?;
    Ok(())
}

/// Section 4.2.2: a server need not agree to any. A browser that asks for some closes the
/// connection if there is none.
#[tokio::test]
async fn subprotocols_are_where_the_two_differ() -> Result {
    let server = lesson().start().await?;
    let name = "sec-websocket-protocol";
    let request = handshake("/").header(name, "chat, other");
    let response = server.request(request).await?;
    response.expect_status(101)?;
    match peer() {
        Peer::Rust => response.expect_no_header(name)?,
        Peer::Node => response.expect_header(name, "chat")?,
    };
    Ok(())
}

/// RFC 6455, section 4.4, has the server name the version it speaks. `ws` also speaks
/// version 8, a draft, and answers 400 where the lesson answers 426, which has to say
/// what to upgrade to (RFC 9110, section 15.5.22).
#[tokio::test]
async fn another_version_is_refused_with_the_right_one() -> Result {
    let server = lesson().start().await?;
    let name = "sec-websocket-version";
    let request = handshake("/").without(name).header(name, "7");
    let response = server.request(request).await?;
    match peer() {
        Peer::Rust => response
            .expect_status(426)?
            .expect_header("connection", "Upgrade")?
            .expect_header("upgrade", "websocket")?
            .expect_header("sec-websocket-version", "13")?,
        Peer::Node => response
            .expect_status(400)?
            .expect_header("sec-websocket-version", "13, 8")?,
    };
    Ok(())
}

#[tokio::test]
async fn a_ping_is_answered_with_its_payload_and_a_pong_with_nothing() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    socket
        .send(Frame::new(Opcode::Pong, "nobody asked"))
        .await?;
    for payload in [&b""[..], b"ping", &[0xff; 125]] {
        socket.send(Frame::new(Opcode::Ping, payload)).await?;
        socket.expect(Opcode::Pong, payload).await?;
    }
    Ok(())
}

/// RFC 6455, section 5.5.1: the answer to a close is a close, usually with its code.
#[tokio::test]
async fn a_close_is_answered_with_its_code() -> Result {
    let server = lesson().start().await?;
    for code in [1000, 1001, 1011, 3000, 4999] {
        let mut socket = server.websocket("/").await?;
        socket.send(Frame::close(code, "done")).await?;
        socket.expect_close(Some(code)).await?;
    }
    let mut socket = server.websocket("/").await?;
    socket.send(Frame::new(Opcode::Close, "")).await?;
    socket.expect_close(None).await?;

    // Whatever follows a close is ignored.
    let mut socket = server.websocket("/").await?;
    let late = Frame::new(Opcode::Ping, "too late").to_bytes();
    let bytes = [Frame::close(1000, "").to_bytes(), late].concat();
    socket.connection().send(bytes).await?;
    socket.expect_close(Some(1000)).await
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_with_1009() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    socket
        .send(Frame::new(Opcode::Binary, vec![0; LIMIT + 1]))
        .await?;
    socket.expect_close(Some(1009)).await?;

    let mut socket = server.websocket("/").await?;
    let half = vec![b'x'; LIMIT / 2 + 1];
    socket
        .send(Frame::new(Opcode::Text, half.clone()).more_follows())
        .await?;
    socket.send(Frame::new(Opcode::Continuation, half)).await?;
    socket.expect_close(Some(1009)).await?;

    // The length alone is enough: it is 2^63 - 1, and nothing follows.
    let mut socket = server.websocket("/").await?;
    let mut head = Frame::new(Opcode::Binary, vec![0; 65_536]).to_bytes();
    head.truncate(14);
    head[2..10].copy_from_slice(&i64::MAX.to_be_bytes());
    socket.connection().send(head).await?;
    socket.expect_close(Some(1009)).await
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_refused_with_1007() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    socket
        .send(Frame::new(Opcode::Text, *b"\xce\xba\xed\xa0\x80"))
        .await?;
    socket.expect_close(Some(1007)).await?;

    // The reason of a close is text as well.
    let mut socket = server.websocket("/").await?;
    socket
        .send(Frame::new(Opcode::Close, *b"\x03\xe8\xff"))
        .await?;
    socket.expect_close(Some(1007)).await
}

/// RFC 6455, section 8.1, has the connection fail, but not when. The lesson looks at every
/// frame, `ws` at the whole message.
#[tokio::test]
async fn text_in_pieces_is_refused_early_or_at_its_end() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    let piece = Frame::new(Opcode::Text, *b"\xce\xba\xed\xa0\x80");
    socket.send(piece.more_follows()).await?;
    if peer() == Peer::Node {
        socket.send(Frame::new(Opcode::Ping, "still here?")).await?;
        socket.expect(Opcode::Pong, "still here?").await?;
        socket.send(Frame::new(Opcode::Continuation, "")).await?;
    }
    socket.expect_close(Some(1007)).await
}

/// What section 5 of RFC 6455 forbids a client.
#[tokio::test]
async fn a_frame_that_breaks_the_rules_is_refused_with_1002() -> Result {
    let server = lesson().start().await?;
    let text = || Frame::new(Opcode::Text, "x");
    for frame in [
        Frame {
            masked: false,
            ..text()
        },
        Frame {
            reserved: 0b100,
            ..text()
        },
        Frame::new(Opcode::Reserved(3), "x"),
        Frame::new(Opcode::Reserved(11), ""),
        Frame::new(Opcode::Continuation, "of nothing"),
        Frame::new(Opcode::Ping, [0; 126]),
        Frame::new(Opcode::Ping, "").more_follows(),
        Frame::new(Opcode::Close, [3]),
        // Codes that are reserved, or of no use on the wire.
        Frame::close(999, ""),
        Frame::close(1004, ""),
        Frame::close(1005, ""),
        Frame::close(1006, ""),
        Frame::close(1015, ""),
        Frame::close(2999, ""),
        Frame::close(5000, ""),
    ] {
        let mut socket = server.websocket("/").await?;
        socket.send(frame).await?;
        socket.expect_close(Some(1002)).await?;
    }
    let mut socket = server.websocket("/").await?;
    socket.send(text().more_follows()).await?;
    socket.send(text()).await?;
    socket.expect_close(Some(1002)).await
}
