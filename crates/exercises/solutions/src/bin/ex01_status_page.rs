//! # A status page (chapter 01)
//!
//! `GET /status` answers with the number of requests that the server has got so far, as
//! text: `3`. The request for the status counts too. Every other path answers
//! `Hello World`, and has been counted.
//!
//! hyper calls the service once for each request, and requests on different connections
//! run at the same time, on different threads. So a `let mut served = 0` as in Node will
//! not do: the number has to be shared.
//!
//! Run it:   cargo run -p exercises --example ex01_status_page
//! Grade it: cargo course watch ex01_status_page
//! Or once:  cargo test -p exercises --test ex01_status_page

use std::convert::Infallible;

use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    service::service_fn,
};
// SOLUTION
use std::sync::atomic::{AtomicU64, Ordering};

/// How many requests there have been.
static SERVED: AtomicU64 = AtomicU64::new(0);
// STARTER
//
// // TODO: a number that all tasks share. An `AtomicU64` can be a `static`.
// END

#[tokio::main]
async fn main() -> lesson_kit::Result {
    // The loop of lesson 01: accept, a task for each connection, HTTP/1.1.
    lesson_kit::listen(service_fn(answer)).await
}

async fn answer(
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    // SOLUTION
    let served = SERVED.fetch_add(1, Ordering::Relaxed) + 1;
    let body = match request.uri().path() {
        "/status" => served.to_string(),
        _ => "Hello World".to_owned(),
    };
    Ok(Response::new(body.into()))
    // STARTER
    // // TODO: count the request, and answer with the number if it asks for `/status`.
    // let _ = request;
    // Ok(Response::new("Hello World".into()))
    // END
}
