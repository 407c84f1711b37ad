//! The kit itself, tried on lesson 01: what it says when a contract is not kept, and
//! that it leaves nothing behind.

use contract::{Lesson, Peer, Request, Result};
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
        failure.contains("ended before it listened, with Some(1)"),
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
