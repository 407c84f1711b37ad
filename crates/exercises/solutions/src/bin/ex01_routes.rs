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
// SOLUTION
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{ALLOW, CONTENT_TYPE, HeaderValue},
    service::service_fn,
};
// STARTER
// use hyper::{
//     Request, Response, StatusCode,
//     body::{Bytes, Incoming},
//     header::{CONTENT_TYPE, HeaderValue},
//     service::service_fn,
// };
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
    // The path first: a wrong method is only wrong where there is something.
    let Some(greeting) = greeting(request.uri().path()) else {
        return Ok(text(StatusCode::NOT_FOUND, "Not Found"));
    };
    Ok(match *request.method() {
        Method::GET | Method::HEAD => text(StatusCode::OK, greeting),
        _ => {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            let mut response = text(status, "Method Not Allowed");
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, allowed);
            response
        }
    })
    // STARTER
    // // TODO: look at `request.uri().path()` and at `request.method()`.
    // let _ = request;
    // Ok(text(StatusCode::OK, "Hello World"))
    // END
}
// SOLUTION

/// What there is to read at `path`, if there is anything.
fn greeting(path: &str) -> Option<String> {
    if path == "/" {
        return Some("Hello World".into());
    }
    let name = path.strip_prefix("/hello/")?;
    let is_name = !name.is_empty() && !name.contains('/');
    is_name.then(|| format!("Hello {name}"))
}
// STARTER
// END

/// A response of plain text: the name in it is the client's, so it must not be HTML.
fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let plain = HeaderValue::from_static("text/plain");
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}
