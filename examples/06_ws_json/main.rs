//! # 06 · JSON over a WebSocket, with types
//!
//! A calculator: `{"op":"add","args":[1,2]}` is answered with `{"result":3}`, and
//! whatever does not make sense with `{"error":"…"}`. In Node you would call `JSON.parse`
//! and check what came out. Here a type says what may come in, and the parser checks.
//!
//! Run it: `cargo run --example 06_ws_json`
//!
//! Try: open <http://127.0.0.1:3000/>, and send what the page suggests. Then leave out a
//! brace, ask for `pow`, divide by zero, and add 9007199254740993 and 0, here and on the
//! twin.
//!
//! New here: serde's enums as a protocol. The handshake is lesson 05's, now in
//! `lesson_kit::websocket`.

use std::convert::Infallible;

use futures_util::{SinkExt, StreamExt};
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    service::service_fn,
};
use lesson_kit::websocket::{self, Socket};
use serde::{Deserialize, Serialize};
use tokio_tungstenite::tungstenite::Message;

/// The longest message, in bytes.
const LONGEST: usize = 1024 * 1024;

#[tokio::main]
async fn main() -> lesson_kit::Result {
    lesson_kit::listen(service_fn(answer)).await
}

async fn answer(
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(match request.uri().path() {
        "/" if websocket::asks_for_upgrade(request.headers()) => {
            websocket::upgrade(request, LONGEST, converse)
        }
        "/" => {
            websocket::page("text/html; charset=utf-8", include_str!("index.html"))
        }
        "/style.css" => websocket::style(),
        "/page.js" => websocket::script(),
        _ => websocket::text(StatusCode::NOT_FOUND, "there is only /\n"),
    })
}

// ANCHOR: types
/// What a client may ask: `{"op":"add","args":[1,2]}`.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", content = "args", rename_all = "lowercase")]
#[serde(deny_unknown_fields)]
enum Call {
    Add(i64, i64),
    Sub(i64, i64),
    Mul(i64, i64),
    Div(i64, i64),
    Sum(Vec<i64>),
}

/// What it gets back: `{"result":3}` or `{"error":"…"}`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Reply {
    Result(i64),
    Error(String),
}
// ANCHOR_END: types

// ANCHOR: reply
fn reply(text: &str) -> Reply {
    match serde_json::from_str::<Call>(text) {
        Ok(call) => match compute(call) {
            Some(result) => Reply::Result(result),
            None => Reply::Error("no 64-bit result".into()),
        },
        Err(error) => Reply::Error(error.to_string()),
    }
}

/// `None` for a division by zero, or if the result does not
/// fit in an `i64`.
fn compute(call: Call) -> Option<i64> {
    match call {
        Call::Add(a, b) => a.checked_add(b),
        Call::Sub(a, b) => a.checked_sub(b),
        Call::Mul(a, b) => a.checked_mul(b),
        Call::Div(a, b) => a.checked_div(b),
        Call::Sum(all) => {
            let mut all = all.into_iter();
            all.try_fold(0, i64::checked_add)
        }
    }
}
// ANCHOR_END: reply

// ANCHOR: converse
async fn converse(mut socket: Socket) {
    while let Some(received) = socket.next().await {
        let reply = match received {
            Ok(Message::Text(text)) => reply(&text),
            Ok(Message::Binary(_)) => Reply::Error("send text".into()),
            Ok(_) => continue,
            Err(error) => return websocket::hang_up(socket, &error).await,
        };
        let json = serde_json::to_string(&reply).expect("a reply is JSON");
        if socket.send(Message::text(json)).await.is_err() {
            return;
        }
    }
}
// ANCHOR_END: converse
