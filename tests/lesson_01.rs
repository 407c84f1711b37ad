//! The contract of lesson 01, `examples/01_raw_hyper`, and of its Node twin.

use std::time::Duration;

use contract::{Lesson, Peer, Request, Result, Signal, compare_with_the_book, peer};

#[path = "contracts/hello.rs"]
mod hello;
#[path = "contracts/http.rs"]
mod http;
#[path = "contracts/program.rs"]
mod program;

fn lesson() -> Lesson {
    Lesson::new("01_raw_hyper")
}

/// Node takes up to 90 seconds: it allows 60 for the head, and checks every 30.
#[tokio::test]
#[ignore = "takes 30 seconds, and 90 on Node"]
async fn a_client_that_falls_silent_half_way_is_dropped() -> Result {
    let server = lesson().start().await?;
    let mut half = server.connect().await?;
    half.send("GET / HTTP/1.1\r\nhost: local").await?;
    match peer() {
        Peer::Rust => half.closed_within(Duration::from_secs(45)).await?,
        Peer::Node => {
            let answer = half.response_within(Duration::from_secs(120)).await?;
            answer.expect_status(408)?;
        }
    }
    // And nobody has to read about it in the log.
    if cfg!(unix) {
        server.stop(Signal::Terminate).await?.expect_clean()?;
    }
    Ok(())
}

/// hyper counts an idle connection as a request that does not come. Node has a
/// separate limit for these, `keepAliveTimeout`, of 5 seconds.
#[tokio::test]
#[ignore = "takes 30 seconds, and 6 on Node"]
async fn a_connection_that_stays_idle_is_closed() -> Result {
    let server = lesson().start().await?;
    let mut idle = server.connect().await?;
    idle.request(&Request::get("/")).await?.expect_status(200)?;
    let limit = match peer() {
        Peer::Rust => 45,
        Peer::Node => 25,
    };
    idle.closed_within(Duration::from_secs(limit)).await
}

#[tokio::test]
async fn recorded_hello() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    connection.request(&Request::get("/")).await?;
    connection.request(&Request::new("HEAD", "/")).await?;
    compare_with_the_book("01-hello", connection.transcript())
}

#[tokio::test]
async fn recorded_malformed() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    connection.send("HELLO\r\n\r\n").await?;
    connection.response().await?;
    connection.closed().await?;
    compare_with_the_book("01-malformed", connection.transcript())
}
