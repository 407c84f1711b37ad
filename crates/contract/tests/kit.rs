//! The kit itself, tried on lesson 01: what it says when a contract is not kept, and
//! that it leaves nothing behind.

use contract::{
    Failure, Frame, Lesson, Opcode, Peer, Recording, Request, Result, Server,
};
use tokio::net::TcpStream;

fn lesson() -> Lesson {
    Lesson::new("01_raw_hyper").on(Peer::Rust)
}

#[tokio::test]
async fn a_server_that_is_dropped_is_gone() -> Result {
    let server = lesson().start().await?;
    let addr = server.addr();
    TcpStream::connect(addr).await?;
    drop(server);
    let error = TcpStream::connect(addr)
        .await
        .expect_err("nothing listens there");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    Ok(())
}

#[tokio::test]
async fn a_server_whose_test_panics_is_gone() -> Result {
    let server = lesson().start().await?;
    let addr = server.addr();
    let test = tokio::spawn(async move {
        let _server = server;
        panic!("expected: this test has to fail");
    });
    test.await.expect_err("it panics");
    TcpStream::connect(addr)
        .await
        .expect_err("nothing listens there");
    Ok(())
}

#[tokio::test]
async fn a_lesson_that_is_not_there_cannot_be_built() {
    let failure = Lesson::new("99_nothing").on(Peer::Rust).start().await;
    let failure = failure.expect_err("there is no such lesson").to_string();
    assert!(
        failure.starts_with("cannot build 99_nothing:\n"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_program_that_ends_before_it_listens_is_reported_with_its_output() {
    let failure = lesson().port("abc").start().await;
    let failure = failure.expect_err("it refuses that port").to_string();
    assert!(
        failure.contains("ended before it listened, with exit code 1"),
        "{failure}"
    );
    assert!(failure.contains("PORT=abc is not a port"), "{failure}");
}

#[tokio::test]
async fn a_failure_shows_what_was_expected_what_came_and_the_wire() -> Result {
    let server = lesson().start().await?;
    let response = server.request(Request::get("/")).await?;
    let failure = response.expect_body("Hello").expect_err("that is not all");
    let text = failure.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "body",
            "  expected  \"Hello\"",
            "       got  \"Hello World\"",
            "  on the wire (> sent, < received):",
        ]
    );
    assert_eq!(lines[4], "    > GET / HTTP/1.1");
    assert_eq!(lines.last(), Some(&"    < Hello World"));
    Ok(())
}

/// What a failure shows of the wire.
fn wire(failure: &Failure) -> String {
    let text = failure.to_string();
    let mark = "  on the wire (> sent, < received):\n";
    let (_, wire) = text.split_once(mark).expect("there is a transcript");
    let lines = wire.lines().map(|line| line.trim_start());
    lines.collect::<Vec<_>>().join("\n")
}

/// The echo of lesson 05, after the handshake.
async fn echo() -> Result<(Server, contract::WebSocket)> {
    let server = Lesson::new("05_ws_echo").on(Peer::Rust).start().await?;
    let mut socket = server.websocket("/").await?;
    socket.connection().forget();
    Ok((server, socket))
}

#[tokio::test]
async fn the_wire_ends_where_the_expectation_failed() -> Result {
    let (_server, mut socket) = echo().await?;
    for text in ["one", "two", "three"] {
        socket.send_text(text).await?;
    }
    socket.expect_text("one").await?;
    let failure = socket.expect_text("2").await.expect_err("it is `two`");
    let text = failure.to_string();
    assert!(
        text.starts_with("message\n  expected  text: 2\n       got  text: two\n"),
        "{text}"
    );
    // `three` may have come, but nobody has looked at it.
    assert_eq!(
        wire(&failure),
        "> text, masked: one\n> text, masked: two\n> text, masked: three\n\
         < text: one\n< text: two"
    );
    socket.expect_text("three").await
}

#[tokio::test]
async fn a_response_that_fails_late_shows_the_wire_up_to_itself() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    let first = connection.request(&Request::get("/first")).await?;
    connection.request(&Request::get("/second")).await?;
    let failure = first.expect_status(404).expect_err("it is 200");
    let wire = wire(&failure);
    assert!(wire.starts_with("> GET /first HTTP/1.1\n"), "{wire}");
    assert!(wire.ends_with("\n<\n< Hello World"), "{wire}");
    assert!(!wire.contains("/second"), "{wire}");
    Ok(())
}

#[tokio::test]
async fn what_came_is_shown_when_something_was_awaited_in_vain() -> Result {
    let (_server, mut socket) = echo().await?;
    socket.send(Frame::close(1000, "done")).await?;
    socket.expect_close(Some(1000)).await?;
    let failure = socket.receive().await.expect_err("it is closed");
    assert_eq!(
        wire(&failure),
        "> close, masked: 1000 \"done\"\n< close: 1000 \"done\"\n< closed (FIN)"
    );

    let (_server, mut socket) = echo().await?;
    socket.send_text("hello").await?;
    let connection = socket.connection();
    connection
        .send(&Frame::new(Opcode::Text, "cut").to_bytes()[..7])
        .await?;
    let failure = connection.response().await.expect_err("not HTTP");
    assert_eq!(
        wire(&failure),
        "> text, masked: hello\n< text: hello\n> ! text, masked: 1 of 3 bytes came"
    );
    Ok(())
}

#[tokio::test]
async fn what_is_not_http_is_shown_as_it_was_sent() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    connection.send("HELLO\r\n\r\n").await?;
    connection.send("\x01\x02").await?;
    let response = connection.response().await?;
    let failure = response.expect_status(200).expect_err("it is 400");
    let wire = wire(&failure);
    let expected = "> ! not HTTP/1.1; shown as it came:\n> HELLO\n>\n\
        > \\u{1}\\u{2}\n< HTTP/1.1 400 Bad Request\n";
    assert!(wire.starts_with(expected), "{wire}");
    Ok(())
}

#[tokio::test]
async fn a_remark_stands_where_it_was_made() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    connection
        .send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nhe")
        .await?;
    connection.note("half of it");
    connection.send("re").await?;
    connection.response().await?;
    let text = connection.transcript().to_string();
    assert!(
        text.contains("\n>\n> he\n# half of it\n> re\n< HTTP/1.1 200 OK\n"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn frames_that_break_the_rules_are_named() -> Result {
    let (_server, mut socket) = echo().await?;
    let text = || Frame::new(Opcode::Text, "하늘");
    let bytes = text().payload;
    for frame in [
        Frame::new(Opcode::Text, &bytes[..2]).more_follows(),
        Frame::new(Opcode::Continuation, &bytes[2..]),
        Frame {
            masked: false,
            reserved: 1,
            ..text()
        },
    ] {
        socket.send(frame).await?;
    }
    socket.expect_text("하늘").await?;
    assert_eq!(
        socket.connection().transcript().to_string(),
        "> text, more follows, masked: 2 bytes\n\
         > continuation, masked: 4 bytes\n\
         > text, in 2 frames, masked: 하늘\n\
         > ! reserved bits 001\n\
         > ! a frame from the client without a mask\n\
         > text: 하늘\n\
         < text: 하늘\n"
    );
    Ok(())
}

#[tokio::test]
async fn of_a_long_conversation_the_end_is_kept_and_the_rest_counted() -> Result {
    let (_server, mut socket) = echo().await?;
    for n in 0..300 {
        let text = n.to_string();
        socket.send_text(&text).await?;
        socket.expect_text(&text).await?;
    }
    let text = socket.connection().transcript().to_string();
    // A frame and a message each way, 300 times.
    assert!(text.starts_with("# 900 events left out here\n"), "{text}");
    assert!(
        text.ends_with("> text, masked: 299\n< text: 299\n"),
        "{text}"
    );

    let long = "x".repeat(1 << 20);
    for _ in 0..20 {
        socket.send_text(&long).await?;
        socket.expect_text(&long).await?;
    }
    let transcript = socket.connection().transcript();
    let kept = transcript
        .records()
        .iter()
        .map(|record| record.event.size());
    assert!(kept.sum::<usize>() <= 256 << 10);
    let text = transcript.to_string();
    assert!(text.ends_with("xxx… (1048576 bytes in all)\n"), "{text}");
    Ok(())
}

#[tokio::test]
async fn several_connections_make_one_recording() -> Result {
    let (server, mut ada) = echo().await?;
    let mut bob = server.websocket("/").await?;
    bob.connection().forget();
    ada.send_text("before").await?;
    let recording = Recording::new();
    recording.add("Ada", ada.connection());
    recording.add("Bob", bob.connection());
    bob.send_text("hi").await?;
    ada.expect_text("before").await?;
    recording.note("both speak");
    let failure = bob.expect_text("ho").await.expect_err("it is `hi`");
    let expected = "\
Ada > text, masked: before
Bob > text, masked: hi
Ada < text: before
    # both speak
Bob < text: hi
";
    assert_eq!(recording.transcript().to_string(), expected);
    assert_eq!(ada.connection().transcript(), recording.transcript());
    let told = failure.to_string();
    let told = told.split_once("received):\n").map_or("", |(_, wire)| wire);
    assert_eq!(
        told,
        expected
            .replace('\n', "\n    ")
            .trim_end()
            .replacen("Ada", "    Ada", 1)
    );

    ada.connection().forget();
    let text = recording.transcript().to_string();
    assert!(!text.contains("Ada"), "{text}");
    recording.forget();
    assert_eq!(recording.transcript().to_string(), "");
    Ok(())
}

#[tokio::test]
async fn what_is_not_recorded_still_works() -> Result {
    let (_server, mut socket) = echo().await?;
    socket.connection().record_nothing();
    socket.send_text("hello").await?;
    socket.expect_text("hello").await?;
    assert_eq!(socket.connection().transcript().to_string(), "");
    Ok(())
}
