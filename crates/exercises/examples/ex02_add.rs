//! # Add (chapter 02)
//!
//! `POST /add` takes two whole numbers and answers with their sum:
//!
//! ```text
//! > {"a": 1, "b": 2}
//! < {"sum": 3}
//! ```
//!
//! In Express this is `res.json({ sum: req.body.a + req.body.b })`, which also makes
//! `"12"` of `"1"` and `"2"`, `null` of a missing `b`, and a wrong number of one above
//! 2^53. Here both are an `i64`, all 64 bits of it, and whatever does not fit is an
//! error, as JSON: `{"error": "…"}`, with a text of your choice and nothing else.
//!
//! | the request | status |
//! |---|---|
//! | its body is not JSON | 400 |
//! | it is not declared as JSON | 415 |
//! | a number is missing, or is not a whole number, or has more than 64 bits | 422 |
//! | the sum does not fit into an `i64` | 422 |
//!
//! Fields besides `a` and `b` make no difference. `ApiError` is chapter 02's.
//!
//! Run it:   cargo run -p exercises --example ex02_add
//! Grade it: cargo course watch ex02_add
//! Or once:  cargo test -p exercises --test ex02_add

use axum::{
    Json, Router,
    extract::rejection::JsonRejection,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let shutdown = lesson_kit::shutdown_signal()?;
    let listener = lesson_kit::bind(lesson_kit::port(3000)?).await?;
    let app = Router::new().route("/add", post(add));
    tokio::select! {
        served = axum::serve(listener, app) => served?,
        () = shutdown => {}
    }
    Ok(())
}

// TODO: take the two numbers out of the body, and answer with their sum. A struct
// with `#[derive(serde::Deserialize)]` says what must be there.
async fn add() -> Result<Json<Value>, ApiError> {
    let message = "nothing is added yet".into();
    Err(ApiError::new(StatusCode::NOT_IMPLEMENTED, message))
}

/// What went wrong, as the client sees it: a status, and `{"error": "…"}`.
struct ApiError {
    status: StatusCode,
    message: String,
}

impl ApiError {
    fn new(status: StatusCode, message: String) -> Self {
        Self { status, message }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.message }));
        (self.status, body).into_response()
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}
