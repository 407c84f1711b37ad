use contract::{
    Explain, Failure, Frame, Opcode, Program, Result, Server, WebSocket,
};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("echo", 1, "text comes back, and pings are answered", echo),
        check("bye", 2, "`bye` is answered with 1000 and `see you`", bye).after("echo"),
        check("bytes", 2, "bytes are answered with 1003", bytes).after("echo"),
        check("not_utf_8", 1, "text that is not UTF-8 gets 1007", not_utf_8)
            .after("echo"),
        check("too_long", 2, "a message of over 1024 bytes gets 1009", too_long)
            .after("echo"),
        check("arrives", 2, "the code arrives while much is being sent", arrives)
            .after("bye")
            .after("bytes")
            .after("too_long"),
    ]
}

async fn greeted(program: &Program) -> Result<(Server, WebSocket)> {
    let server = program.start().await?;
    let mut socket = server.websocket("/").await?;
    socket.connection().forget(); // the handshake
    socket.send_text("hello").await?;
    socket.expect_text("hello").await?;
    Ok((server, socket))
}

/// Waits for a close frame with this code.
async fn close_frame(socket: &mut WebSocket, code: u16) -> Result<Frame> {
    let frame = socket.receive().await?;
    let got = frame.payload.first_chunk().copied();
    if frame.opcode == Opcode::Close && got.map(u16::from_be_bytes) == Some(code) {
        return Ok(frame);
    }
    let expected = format!("close: {code}");
    let expected = format_args!("{expected}");
    let failure = Failure::expected("frame", &expected, &format_args!("{frame}"));
    Err(failure.with(socket.connection().transcript()))
}

/// Waits for a close frame with this code, or else gives `help`. Answers it as a browser
/// does, and waits for the end of the connection. If the server has not waited for the
/// answer, that may be a reset.
async fn expect_close(mut socket: WebSocket, code: u16, help: &str) -> Result<Frame> {
    let frame = close_frame(&mut socket, code).await.help(help)?;
    let _ = socket.send(Frame::close(code, "")).await;
    socket.gone().await.help(
        "After its close frame the server ends the connection, which it does when the \
         socket is dropped: return from `converse`",
    )?;
    Ok(frame)
}

async fn echo(program: &Program) -> Result {
    let (_server, mut socket) = greeted(program).await?;
    let long = "x".repeat(1024);
    for text in ["", "goodbye", "하늘", &long] {
        socket.send_text(text).await?;
        socket.expect_text(text).await?;
    }
    socket.send(Frame::new(Opcode::Ping, "there?")).await?;
    socket.expect(Opcode::Pong, "there?").await
}

async fn bye(program: &Program) -> Result {
    let (_server, mut socket) = greeted(program).await?;
    socket.send_text("bye").await?;
    let help = "A connection that ends without a close frame is 1006 in the browser: \
                abnormal. That is `socket.terminate()` in Node, not `socket.close()`";
    let frame = expect_close(socket, 1000, help).await?;
    match &frame.payload[2..] {
        b"see you" => Ok(()),
        got => Err(Failure::expected(
            "reason",
            &"see you",
            &String::from_utf8_lossy(got),
        )),
    }
}

async fn bytes(program: &Program) -> Result {
    let (_server, mut socket) = greeted(program).await?;
    socket.send(Frame::new(Opcode::Binary, *b"hello")).await?;
    let help = "In Node both types arrive as a `Buffer`, and `isBinary` is easily \
                overlooked. `Message` is an enum: `Text` and `Binary` are two cases of \
                a `match`";
    expect_close(socket, 1003, help).await.map(drop)
}

/// What it means if no close frame comes.
const BY_ITSELF: &str = "`ws` sends the code by itself. tungstenite returns an `Err`, \
     once, and sends nothing";

async fn not_utf_8(program: &Program) -> Result {
    let (_server, mut socket) = greeted(program).await?;
    socket.send(Frame::new(Opcode::Text, *b"a\xffb")).await?;
    expect_close(socket, 1007, BY_ITSELF).await.map(drop)
}

async fn too_long(program: &Program) -> Result {
    let (_server, mut socket) = greeted(program).await?;
    socket.send_text(&"x".repeat(1025)).await?;
    expect_close(socket, 1009, BY_ITSELF)
        .await
        .context("a text of 1025 bytes")?;

    let (_server, mut socket) = greeted(program).await?;
    let half = "x".repeat(600);
    let first = Frame::new(Opcode::Text, half.as_str()).more_follows();
    socket.send(first).await?;
    socket.send(Frame::new(Opcode::Continuation, half)).await?;
    expect_close(socket, 1009, BY_ITSELF)
        .await
        .map(drop)
        .context("a text of 1200 bytes in two frames")
}

async fn arrives(program: &Program) -> Result {
    let long = Frame::new(Opcode::Text, "x".repeat(1 << 20)).to_bytes();
    let much = Frame::new(Opcode::Text, "x".repeat(1000))
        .to_bytes()
        .repeat(1 << 10);
    let then_much = |first: Frame| [first.to_bytes(), much.clone()].concat();
    for (what, bytes, code) in [
        ("a text of 1 MiB", long, 1009),
        (
            "bytes, and then a thousand texts",
            then_much(Frame::new(Opcode::Binary, *b"hello")),
            1003,
        ),
        (
            "`bye`, and then a thousand texts",
            then_much(Frame::new(Opcode::Text, "bye")),
            1000,
        ),
    ] {
        let (_server, mut socket) = greeted(program).await?;
        if code != 1009 {
            // A thousand lines say nothing.
            socket.connection().record_nothing();
        }
        let ended = async {
            socket.connection().send(bytes).await?;
            close_frame(&mut socket, code).await?;
            socket.send(Frame::close(code, "")).await?;
            socket.connection().closed().await
        };
        // Whatever else it is, such as another code, says what it is.
        ended.await.map_err(reset).context(what)?;
    }
    Ok(())
}

/// Says what it means if the connection has ended too early.
fn reset(failure: Failure) -> Failure {
    if failure.message() != "the server has hung up" {
        return failure;
    }
    let message =
        "the server has closed the connection while the client was still sending";
    failure.saying(message).help(
        "If a socket is closed while bytes are still coming in, the system answers with \
         a reset, and the client may never see the code. Read on until the client \
         closes, as `websocket::close` and `hang_up` do. After an error `next` reads \
         nothing more: a loop of it is not enough",
    )
}
