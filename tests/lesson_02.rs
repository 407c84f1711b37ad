//! The contract of lesson 02, `examples/02_axum_app`, and of its Node twin.

use contract::{Lesson, Request, Result, compare_with_the_book};

#[path = "contracts/app.rs"]
mod app;
#[path = "contracts/http.rs"]
mod http;
#[path = "contracts/program.rs"]
mod program;

fn lesson() -> Lesson {
    Lesson::new("02_axum_app")
}

#[tokio::test]
async fn recorded_echo() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    connection
        .request(&Request::post_json("/echo", r#"{"b":1,"a":2}"#))
        .await?;
    connection.request(&Request::get("/nothing")).await?;
    compare_with_the_book("02-echo", connection.transcript())
}

#[tokio::test]
async fn recorded_not_allowed() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    connection.request(&Request::new("DELETE", "/echo")).await?;
    compare_with_the_book("02-not-allowed", connection.transcript())
}
