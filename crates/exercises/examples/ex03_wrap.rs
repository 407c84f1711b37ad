//! # A service around a service (chapter 03)
//!
//! `counted(service)` is a service too: it answers as the one inside does, and says in
//! the header `x-served` how many requests that makes, this one included. In Node it is a
//! function around a function:
//!
//! ```text
//! const counted = (inner) => {
//!   let served = 0;
//!   return (req, res) => {
//!     res.setHeader('x-served', ++served);
//!     inner(req, res);
//!   };
//! };
//! http.createServer(counted(app));
//! ```
//!
//! It fits around a plain function (`-- hello`) and around an app alike. Of the answer
//! nothing else changes: its status, its other headers, its body.
//!
//! There is one count for the whole server, and each number is used once. Each connection
//! gets a clone of the service, and requests run at the same time: a `POST /echo` waits
//! for its body, and if that is slow to come, it keeps no other request waiting.
//!
//! Run it:   cargo run -p exercises --example ex03_wrap
//!           cargo run -p exercises --example ex03_wrap -- hello
//! Grade it: cargo course watch ex03_wrap
//! Or once:  cargo test -p exercises --test ex03_wrap

use std::{convert::Infallible, env};

use axum::{
    Json, Router,
    extract::Path,
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Body, Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    service::{Service, service_fn},
};
use hyper_util::service::TowerToHyperService;
use serde_json::json;

#[tokio::main]
async fn main() -> lesson_kit::Result {
    match env::args().nth(1).as_deref() {
        Some("hello") => lesson_kit::listen(counted(service_fn(hello))).await,
        _ => lesson_kit::listen(counted(TowerToHyperService::new(app()))).await,
    }
}

/// A service that answers as `service` does, and counts.
///
/// What it takes and what it returns are described in the same words: both are a service
/// that can be cloned and whose future can go to another thread.
///
/// The signature is right as it stands. If the compiler asks for another bound, look at
/// what your future holds.
fn counted<S, B>(
    service: S,
) -> impl Service<
    Request<Incoming>,
    Response = Response<B>,
    Error = Infallible,
    Future: Send,
> + Clone
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone,
    S::Future: Send,
    B: Body + Send,
{
    // TODO: count, and say so in the response. This one only passes on.
    service_fn(move |request| service.call(request))
}

/// Lesson 01's function.
async fn hello(
    _request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let text = HeaderValue::from_static("text/plain");
    let mut response = Response::new("Hello World".into());
    response.headers_mut().insert(CONTENT_TYPE, text);
    Ok(response)
}

/// A little of lesson 02's app.
fn app() -> Router {
    let hello = async |Path(name): Path<String>| format!("Hello {name}");
    Router::new()
        .route("/hello/{name}", get(hello))
        .route("/echo", post(async |body: String| body))
        .fallback(not_found)
}

async fn not_found() -> impl IntoResponse {
    (StatusCode::NOT_FOUND, Json(json!({ "error": "no route" })))
}
