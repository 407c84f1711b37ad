//! # Routes by hand (chapter 01)
//!
//! hyper calls one function for every request; which request it is, that function has
//! to find out. In Node, without Express, it is the same:
//!
//! ```text
//! if (req.method === 'GET' && req.url === '/') …
//! ```
//!
//! | request | answer |
//! |---|---|
//! | `GET /` | 200, `Hello World` |
//! | `GET /hello/NAME` | 200, `Hello NAME`, with the name as it stands in the path |
//! | HEAD to one of these | as for GET; hyper leaves out the body by itself |
//! | any other method to one of these | 405, with `Allow: GET, HEAD` |
//! | anything else, with any method | 404 |
//!
//! A name is one part of the path and not empty: neither `/hello/` nor `/hello/a/b` has
//! one, so both are 404. What follows a `?` makes no difference. The text of a 404 and a
//! 405 is up to you.
//!
//! Run it:   cargo run -p exercises --example ex01_routes
//! Grade it: cargo course watch ex01_routes
//! Or once:  cargo test -p exercises --test ex01_routes

use std::convert::Infallible;

use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    service::service_fn,
};

#[tokio::main]
async fn main() -> lesson_kit::Result {
    // The loop of lesson 01: accept, a task for each connection, HTTP/1.1.
    lesson_kit::listen(service_fn(answer)).await
}

async fn answer(
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    // TODO: look at `request.uri().path()` and at `request.method()`.
    let _ = request;
    Ok(text(StatusCode::OK, "Hello World"))
}

/// A response of plain text: the name in it is the client's, so it must not be HTML.
fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let plain = HeaderValue::from_static("text/plain");
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}
