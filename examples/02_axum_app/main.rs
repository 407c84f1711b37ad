//! # 02 · An app: routes, JSON, and errors that answer
//!
//! What `express()` gives you over a bare callback, in axum: a path and a method choose
//! the handler, a handler's arguments are read from the request, and whatever goes
//! wrong is answered as JSON.
//!
//! Run it: `cargo run --example 02_axum_app`
//!
//! Try: `curl -i http://127.0.0.1:3000/hello/Ada`, then
//! `curl -i http://127.0.0.1:3000/echo --json '{"op":"add","args":[1,2]}'`, then leave
//! the last brace out.
//!
//! New here: `Router`, handlers, extractors (`Path`, `Json`), and an error type that is
//! a response. Listening and stopping are lesson 01's, now in `lesson_kit`.

use axum::{
    Json, Router,
    extract::{
        DefaultBodyLimit, Path,
        rejection::{JsonRejection, PathRejection},
    },
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

// ANCHOR: main
#[tokio::main]
async fn main() -> lesson_kit::Result {
    let shutdown = lesson_kit::shutdown_signal()?;
    let port = lesson_kit::port(3000)?;
    let listener = lesson_kit::bind(port).await?;
    tokio::select! {
        served = axum::serve(listener, app()) => served?,
        () = shutdown => {}
    }
    Ok(())
}
// ANCHOR_END: main

// ANCHOR: app
/// The whole app as a value. Nothing listens yet.
pub(crate) fn app() -> Router {
    Router::new()
        .route("/", get(root))
        .route("/hello/{name}", get(hello))
        .route("/echo", post(echo))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        // Express's limit for JSON. axum's own is 2 MiB.
        .layer(DefaultBodyLimit::max(100 * 1024))
}
// ANCHOR_END: app

// ANCHOR: handlers
async fn root() -> &'static str {
    "Hello World"
}

async fn hello(
    name: Result<Path<String>, PathRejection>,
) -> Result<String, ApiError> {
    let Path(name) = name?;
    Ok(format!("Hello {name}"))
}

async fn echo(
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let Json(body) = body?;
    Ok(Json(body))
}
// ANCHOR_END: handlers

// ANCHOR: fallbacks
async fn not_found(method: Method, uri: Uri) -> ApiError {
    let path = uri.path();
    let message = format!("no route for {method} {path}");
    ApiError::new(StatusCode::NOT_FOUND, message)
}

async fn method_not_allowed(method: Method, uri: Uri) -> ApiError {
    let path = uri.path();
    let message = format!("{method} is not allowed on {path}");
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, message)
}
// ANCHOR_END: fallbacks

// ANCHOR: error
/// What went wrong, as the client sees it: a status, and
/// `{"error": "…"}`.
#[derive(Debug)]
struct ApiError {
    status: StatusCode,
    message: String,
}

impl ApiError {
    fn new(status: StatusCode, message: String) -> Self {
        Self { status, message }
    }
}

/// axum turns whatever a handler returns into a response.
/// That may be an error.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.message }));
        (self.status, body).into_response()
    }
}

/// A rejection is an extractor's "no". It knows its status: 400
/// for bad JSON, 413 for too much of it, 415 if it is not
/// declared as JSON. These two let `?` turn it into ours.
impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}
// ANCHOR_END: error
