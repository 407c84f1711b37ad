//! # An id for each request (chapter 02)
//!
//! Every response says in `x-request-id` which request it belongs to, so that a client
//! and a log can talk about the same one. In Express that is a middleware:
//!
//! ```text
//! app.use((req, res, next) => {
//!   const sent = req.get('x-request-id');
//!   res.set('x-request-id', isSane(sent) ? sent : String(++given));
//!   next();
//! });
//! ```
//!
//! - The server gives numbers: `1`, `2`, `3` …, each once.
//! - A client that sends an `x-request-id` of its own gets that one back, and no number is
//!   used up. But only if it is sane: 1 to 64 characters, all of them ASCII letters,
//!   digits, `-` or `_`. Otherwise it gets a number, as if it had sent nothing.
//! - It is in *every* response: a 404, a 405 and a 400 have one too.
//! - Requests run at the same time. One whose body is slow to come keeps no other
//!   waiting.
//!
//! In axum a middleware is an async function of the request and of `Next`, which is all
//! that comes after it. It returns the response. `axum::middleware::from_fn` makes a
//! layer of it. If the compiler says that `FromFn<…>` is not a `Service`: look at the
//! argument types (`axum::extract::Request`, then `Next`), or for a lock held over an
//! `.await`.
//!
//! `++given` needs no lock in Node, where one thread does it all. Here several threads
//! run the middleware at the same time, so a captured `let mut given = 0` will not do.
//! Use an `AtomicU64`, from `std::sync::atomic`: it can be a `static`, and
//! `fetch_add(1, Ordering::Relaxed)` adds one and returns what was there before.
//!
//! Run it:   cargo run -p exercises --example ex02_middleware
//! Grade it: cargo course watch ex02_middleware
//! Or once:  cargo test -p exercises --test ex02_middleware

// SOLUTION
use std::sync::atomic::{AtomicU64, Ordering};

use axum::{
    Json, Router,
    extract::Request,
    http::HeaderValue,
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
// STARTER
// use axum::{
//     Json, Router,
//     routing::{get, post},
// };
// END
use serde_json::Value;

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
    // SOLUTION
    Router::new()
        .route("/", get(root))
        .route("/echo", post(echo))
        // Last, so that it is around all of it.
        .layer(middleware::from_fn(request_id))
    // STARTER
    // // TODO: an `x-request-id` in every response.
    // Router::new()
    //     .route("/", get(root))
    //     .route("/echo", post(echo))
    // END
}

async fn root() -> &'static str {
    "Hello World"
}

async fn echo(Json(body): Json<Value>) -> Json<Value> {
    Json(body)
}
// SOLUTION

const X_REQUEST_ID: &str = "x-request-id";

/// The last number that was given to a request.
static GIVEN: AtomicU64 = AtomicU64::new(0);

async fn request_id(request: Request, next: Next) -> Response {
    let sent = request.headers().get(X_REQUEST_ID);
    let id = match sent.filter(|id| is_sane(id)) {
        Some(id) => id.clone(),
        // One call. Between a `load` and a `store` another thread may count as well,
        // and if nothing is awaited there, it is too rare for a test to rely on.
        None => (GIVEN.fetch_add(1, Ordering::Relaxed) + 1).into(),
    };
    let mut response = next.run(request).await;
    response.headers_mut().insert(X_REQUEST_ID, id);
    response
}

fn is_sane(id: &HeaderValue) -> bool {
    let id = id.as_bytes();
    let is_allowed =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&id.len()) && id.iter().all(is_allowed)
}
// STARTER
// END
