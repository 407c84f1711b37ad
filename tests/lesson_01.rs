//! The contract of lesson 01, `examples/01_raw_hyper`, and of its Node twin.

use contract::{Lesson, Request, Result, compare_with_the_book};

#[path = "contracts/hello.rs"]
mod hello;
#[path = "contracts/http.rs"]
mod http;
#[path = "contracts/program.rs"]
mod program;

fn lesson() -> Lesson {
    Lesson::new("01_raw_hyper")
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
