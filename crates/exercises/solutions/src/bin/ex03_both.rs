//! # A function beside an app (chapter 03)
//!
//! Whatever asks for the path `/raw` is answered by the plain function `raw`, without a
//! detour through axum. Everything else is answered by the app. In Node:
//!
//! ```text
//! http.createServer((req, res) =>
//!   new URL(req.url, 'http://localhost').pathname === '/raw' ? raw(req, res) : app(req, res));
//! ```
//!
//! - `/raw` with any method, and with any query, is the function's. It has to get the
//!   request as it came, and its answer has to arrive as it is.
//! - `/raw/`, `/rawest`, `/x/raw` and all others are the app's, and the same holds for
//!   them.
//!
//! In JavaScript both write to `res`. Here they return responses with bodies of different
//! types, `Full<Bytes>` and axum's `Body`, and a service has one type of response. Leave
//! `raw` and `app` as they are.
//!
//! Run it:   cargo run -p exercises --example ex03_both
//! Grade it: cargo course watch ex03_both
//! Or once:  cargo test -p exercises --test ex03_both

use std::convert::Infallible;

// SOLUTION
use axum::{
    Router,
    body::Body,
    extract::Path,
    routing::{get, post},
};
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    service::{Service, service_fn},
};
// STARTER
// use axum::{
//     Router,
//     extract::Path,
//     routing::{get, post},
// };
// use http_body_util::Full;
// use hyper::{
//     Request, Response,
//     body::{Bytes, Incoming},
//     header::{CONTENT_TYPE, HeaderValue},
// };
// END
use hyper_util::service::TowerToHyperService;

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let app = TowerToHyperService::new(app());
    // SOLUTION
    lesson_kit::listen(service_fn(move |request| both(app.clone(), request))).await
    // STARTER
    // // TODO: a service that looks at the path and calls one of the two.
    // lesson_kit::listen(app).await
    // END
}

// SOLUTION
async fn both(
    app: TowerToHyperService<Router>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    match request.uri().path() {
        "/raw" => Ok(raw(request).await?.map(Body::new)),
        _ => app.call(request).await,
    }
}

// STARTER
// END
/// Answers with what was asked for, as in `GET /raw?n=1`.
async fn raw(
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let text = HeaderValue::from_static("text/plain");
    let answer = format!("{} {}", request.method(), request.uri());
    let mut response = Response::new(answer.into());
    response.headers_mut().insert(CONTENT_TYPE, text);
    Ok(response)
}

/// A page for every name, and an echo.
fn app() -> Router {
    let page = async |Path(name): Path<String>| format!("the page {name}");
    let echo = async |text: String| text;
    Router::new()
        .route("/{page}", get(page))
        .route("/echo", post(echo))
}
