//! # Replies with an id (chapter 06)
//!
//! A client that sends several calls wants to know which reply belongs to which. In Node
//! a callback remembers what it was called for. A reply that comes over a wire
//! remembers nothing, unless it carries something back. So a call may have an `id`:
//!
//! ```text
//! {"op":"add","args":[1,2],"id":"a"}     {"result":3,"id":"a"}
//! {"op":"add","args":[1,2]}              {"result":3}
//! {"op":"sqrt","args":[4],"id":{"n":7}}  {"error":"…","id":{"n":7}}
//! ```
//!
//! The `id` is any JSON value but `null`, and comes back as it was sent, with an error
//! just as with a result. A call without one gets a reply without one. What is not JSON,
//! or not an object, is an error without an `id`. Replies come in the order of the calls,
//! and after an error the conversation goes on.
//!
//! `Call` and `compute` are the calculator of chapter 06, with three operations.
//!
//! Run it:   cargo run -p exercises --example ex06_ids
//! Grade it: cargo course watch ex06_ids
//! Or once:  cargo test -p exercises --test ex06_ids

use std::convert::Infallible;

use futures_util::{SinkExt, StreamExt};
use hyper::service::service_fn;
use lesson_kit::websocket::{self, Socket};
use serde::{Deserialize, Serialize};
// SOLUTION
use serde_json::Value;
// END
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
#[serde(tag = "op", content = "args", rename_all = "lowercase")]
enum Call {
    Add(i64, i64),
    Div(i64, i64),
    Sum(Vec<i64>),
}

/// `None` if there is no result, or none that fits in an `i64`.
fn compute(call: Call) -> Option<i64> {
    match call {
        Call::Add(a, b) => a.checked_add(b),
        Call::Div(a, b) => a.checked_div(b),
        Call::Sum(all) => all.into_iter().try_fold(0, i64::checked_add),
    }
}

/// What it gets back.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Result(i64),
    Error(String),
}

// SOLUTION
/// Any object: if it is not a `Call`, its id is known all the same.
#[derive(Debug, Deserialize)]
struct Request {
    id: Option<Value>,
    #[serde(flatten)]
    call: Value,
}

/// An outcome, and whose it is.
#[derive(Debug, Serialize)]
struct Reply {
    #[serde(flatten)]
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
}

fn reply(text: &str) -> Reply {
    match serde_json::from_str::<Request>(text) {
        Ok(Request { id, call }) => Reply {
            outcome: outcome(Call::deserialize(call)),
            id,
        },
        Err(error) => Reply {
            outcome: Outcome::Error(error.to_string()),
            id: None,
        },
    }
}

fn outcome(call: serde_json::Result<Call>) -> Outcome {
    match call.map(compute) {
        Ok(Some(result)) => Outcome::Result(result),
        Ok(None) => Outcome::Error("no result in 64 bits".into()),
        Err(error) => Outcome::Error(error.to_string()),
    }
}
// STARTER
// // TODO: a reply is an outcome and perhaps an id. And if the text is not a `Call`, how
// // do you get at its id?
// fn reply(text: &str) -> Outcome {
//     match serde_json::from_str(text).map(compute) {
//         Ok(Some(result)) => Outcome::Result(result),
//         Ok(None) => Outcome::Error("no result in 64 bits".into()),
//         Err(error) => Outcome::Error(error.to_string()),
//     }
// }
// END

async fn converse(mut socket: Socket) {
    while let Some(received) = socket.next().await {
        let text = match received {
            Ok(Message::Text(text)) => text,
            Ok(_) => continue,
            Err(error) => return websocket::hang_up(socket, &error).await,
        };
        let reply = reply(&text);
        let json = serde_json::to_string(&reply).expect("a reply is JSON");
        if socket.send(Message::text(json)).await.is_err() {
            return;
        }
    }
}
