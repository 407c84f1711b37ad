//! # 13 · Who receives a message
//!
//! Everyone else, everyone, everyone else but some, or one client alone: four events to
//! send with, and the same `message` at the other end. It says who has sent it, by an id
//! that anybody may know.
//!
//! Run it: `cargo run --example 13_messages`
//!
//! Try: open <http://127.0.0.1:3000/> in three tabs, and choose who should hear you.
//!
//! New here: `socket.broadcast()`, `io.broadcast()`, `except`, a room for each client; and
//! what somebody else could do with `socket.id`, which is why messages have a `UserId`.

use parity::{Ack, UserId};
use serde::Serialize;
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
    operators::BroadcastOperators,
};

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", parity::connection(connected));
    lesson_kit::socketio::serve(include_str!("index.html"), layer, io).await
}

// ANCHOR: connected
async fn connected(socket: SocketRef) {
    parity::on(&socket, "sendMessage", to_the_others);
    parity::on(&socket, "sendMessageToAll", to_all);
    parity::on(&socket, "sendMessageExcept", to_all_but);
    parity::on(&socket, "sendMessageToSpecificClient", to_one);
    parity::on(&socket, "who-is-here", who_is_here);
    // A client cannot know this id by itself. If the emit
    // fails, the client has gone already.
    let id = UserId::of(&socket);
    parity::emit(&socket, "you-are", &id).await.ok();
}
// ANCHOR_END: connected

// ANCHOR: message
#[derive(Serialize)]
struct Message {
    from: UserId,
    text: String,
}

impl Message {
    /// The server says who speaks. Nobody is asked.
    fn new(speaker: &SocketRef, text: String) -> Self {
        let from = UserId::of(speaker);
        Self { from, text }
    }
}

/// Emits a message, and waits for nobody.
fn send(receivers: BroadcastOperators, message: &Message) {
    parity::broadcast(receivers, "message", message)
        .expect("two strings can be written as JSON");
}
// ANCHOR_END: message

// ANCHOR: many
async fn to_the_others(
    socket: SocketRef,
    // The event's argument.
    Data(text): Data<String>,
) {
    send(socket.broadcast(), &Message::new(&socket, text));
}

async fn to_all(
    socket: SocketRef,
    // In Node, a variable that every handler can see.
    io: SocketIo,
    Data(text): Data<String>,
) {
    send(io.broadcast(), &Message::new(&socket, text));
}

async fn to_all_but(
    socket: SocketRef,
    // A tuple, because the event has two arguments.
    Data((ids, text)): Data<(Vec<String>, String)>,
) {
    let receivers = socket.broadcast().except(ids);
    send(receivers, &Message::new(&socket, text));
}
// ANCHOR_END: many

// ANCHOR: one
async fn to_one(
    socket: SocketRef,
    io: SocketIo,
    Data((id, text)): Data<(String, String)>,
    ack: Ack,
) {
    // Each client is alone in the room with its id.
    let is_here = !io.to(id.clone()).sockets().is_empty();
    send(io.to(id), &Message::new(&socket, text));
    ack.send(&is_here).await.ok();
}
// ANCHOR_END: one

// ANCHOR: who
async fn who_is_here(io: SocketIo, ack: Ack) {
    let sockets = io.sockets();
    let ids = sockets.iter().map(|one| UserId::of(one));
    ack.send(&Vec::from_iter(ids)).await.ok();
}
// ANCHOR_END: who
