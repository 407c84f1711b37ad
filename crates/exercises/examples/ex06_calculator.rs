//! # A calculator with more keys (chapter 06)
//!
//! The calculator of chapter 06, with other operations. All numbers are whole, and have
//! 64 bits:
//!
//! | call | result |
//! |---|---|
//! | `{"op":"max","args":[3,9,4]}` | `{"result":9}`, of any number of them |
//! | `{"op":"clamp","args":{"value":7,"min":0,"max":5}}` | `{"result":5}` |
//! | `{"op":"div","args":[7,2]}` | `{"result":3}` |
//! | `{"op":"pow","args":[2,10]}` | `{"result":1024}` |
//! | `{"op":"neg","args":5}` | `{"result":-5}` |
//!
//! Anything else is answered with `{"error":"…"}`, in whatever words: what is not such a
//! call, `max` of nothing, `clamp` with a `min` above its `max`, a division by zero, a
//! negative exponent, and whatever does not fit in 64 bits. After an error the
//! conversation goes on.
//!
//! In Node a number is a double: 9007199254740993 becomes …992, and a division by zero
//! is `Infinity`. Here it is exact, or an error.
//!
//! Run it:   cargo run -p exercises --example ex06_calculator
//! Grade it: cargo course watch ex06_calculator
//! Or once:  cargo test -p exercises --test ex06_calculator

use std::convert::Infallible;

use futures_util::{SinkExt, StreamExt};
use hyper::service::service_fn;
use lesson_kit::websocket::{self, Socket};
use serde::{Deserialize, Serialize};
use tokio_tungstenite::tungstenite::Message;

#[tokio::main]
async fn main() -> lesson_kit::Result {
    lesson_kit::listen(service_fn(async |request| {
        let response = websocket::upgrade(request, 64 * 1024, converse);
        Ok::<_, Infallible>(response)
    }))
    .await
}

/// What a client may ask.
#[derive(Debug, Deserialize)]
// TODO: the attribute that says where the name is and where the numbers are.
enum Call {
    Max(Vec<i64>),
    Div(i64, i64),
    // TODO: the other three. A variant can have one value, several, or named fields.
}

/// What it gets back.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Reply {
    Result(i64),
    Error(String),
}

fn reply(text: &str) -> Reply {
    match serde_json::from_str(text) {
        Ok(call) => match compute(call) {
            Some(result) => Reply::Result(result),
            None => Reply::Error("there is no such number".into()),
        },
        Err(error) => Reply::Error(error.to_string()),
    }
}

/// `None` if there is no result, or none that fits in an `i64`.
fn compute(call: Call) -> Option<i64> {
    match call {
        Call::Max(all) => all.into_iter().max(),
        // TODO: this panics if there is no result. And the other three.
        Call::Div(a, b) => Some(a / b),
    }
}

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
