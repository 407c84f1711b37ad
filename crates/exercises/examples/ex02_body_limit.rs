//! # At most 1 KiB (chapter 02)
//!
//! `POST /echo` answers with the text that it gets. That text may be 1024 bytes long,
//! and no longer: one byte more, and the answer is
//!
//! ```text
//! HTTP/1.1 413 Payload Too Large
//! content-type: application/json
//!
//! {"error": "…"}
//! ```
//!
//! with an error text of your choice. In Express this is
//! `express.text({ limit: '1kb' })`, with an error handler.
//!
//! - A client need not say how long its body is: with `transfer-encoding: chunked` it
//!   sends part after part. The limit applies to that body too.
//! - Whoever sends too much is answered as soon as it is too much. Do not read the rest
//!   first: it may be a gigabyte, or never come.
//! - Everyone else is served as before.
//!
//! Run it:   cargo run -p exercises --example ex02_body_limit
//! Grade it: cargo course watch ex02_body_limit
//! Or once:  cargo test -p exercises --test ex02_body_limit

use axum::{Router, routing::post};

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let shutdown = lesson_kit::shutdown_signal()?;
    let listener = lesson_kit::bind(lesson_kit::port(3000)?).await?;
    tokio::select! {
        served = axum::serve(listener, app()) => served?,
        () = shutdown => {}
    }
    Ok(())
}

fn app() -> Router {
    // TODO: at most 1 KiB.
    Router::new().route("/echo", post(echo))
}

// TODO: answer in JSON when it is too long. `ApiError` of chapter 02 can help.
async fn echo(text: String) -> String {
    text
}
