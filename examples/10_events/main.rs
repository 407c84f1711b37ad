//! # 10 · Events, with their arguments
//!
//! `socket.emit('event_name', 'hello', 10, { name: 'allie' })`, and the three arguments
//! come back in an `event_back`. What does not fit comes back too, as a `problem`. Other
//! events take any arguments, bytes, or nothing but a number, and answer 5,000 times.
//!
//! Run it: `cargo run --example 10_events`
//!
//! Try: open <http://127.0.0.1:3000/>, and send. Then write `ten` for the number. Upload
//! the text as bytes, and let the server count.
//!
//! New here: `parity::on` and `parity::emit`, with tuples for arguments. The frame around
//! them is lesson 09's, now in `lesson_kit::socketio`.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::body::Bytes;
use parity::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
};

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", parity::connection(connected));
    lesson_kit::socketio::serve(include_str!("index.html"), layer, io).await
}

// ANCHOR: connected
async fn connected(socket: SocketRef) {
    parity::on(&socket, "event_name", event_name);
    parity::on(&socket, "echo", echo);
    parity::on(&socket, "upload", upload);
    parity::on(&socket, "count", count);

    // A second handler for `echo`, and what it remembers.
    let echoed = Arc::new(AtomicU32::new(0));
    parity::on(&socket, "echo", async move |socket: SocketRef| {
        let n = echoed.fetch_add(1, Ordering::Relaxed) + 1;
        parity::emit(&socket, "echoed", &n).await.ok();
    });
}
// ANCHOR_END: connected

// ANCHOR: event_name
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Person {
    name: String,
}

/// The tuple says how many arguments there have to be, and
/// of which types.
async fn event_name(
    socket: SocketRef,
    Data((arg1, arg2, arg3)): Data<(String, i64, Person)>,
) {
    let back = (arg1, arg2, arg3);
    // An error means that the client is gone.
    parity::emit(&socket, "event_back", &back).await.ok();
}
// ANCHOR_END: event_name

// ANCHOR: echo
async fn echo(socket: SocketRef, Data(args): Data<Args>) {
    parity::emit(&socket, "echo", &args).await.ok();
}
// ANCHOR_END: echo

// ANCHOR: upload
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedFile {
    name: String,
    data: Bytes,
}

/// A tuple of one. `Data<NamedFile>` would take the first
/// argument, and not look at the others.
async fn upload(
    socket: SocketRef,
    Data((NamedFile { name, data },)): Data<(NamedFile,)>,
) {
    let head = data.slice(..data.len().min(4));
    let uploaded = (name, data.len(), head);
    parity::emit(&socket, "uploaded", &uploaded).await.ok();
}
// ANCHOR_END: upload

// ANCHOR: count
/// How far the server counts.
const MOST: u32 = 5_000;

async fn count(socket: SocketRef, Data((to,)): Data<(u32,)>) {
    if to > MOST {
        let error = format!("{to} is more than {MOST}");
        return problem(&socket, "count", &error).await;
    }
    for n in 0..to {
        parity::emit(&socket, "number", &n).await.ok();
    }
    parity::emit(&socket, "counted", &to).await.ok();
}

/// For what has the right type, and makes no sense all the
/// same. `parity::on` answers the rest.
async fn problem(socket: &SocketRef, event: &str, error: &str) {
    let problem = json!({ "event": event, "error": error });
    parity::emit(socket, "problem", &problem).await.ok();
}
// ANCHOR_END: count
