//! # Ninety-nine doors (chapter 14)
//!
//! Besides `/` there are `/room-1` to `/room-99`, each of them a namespace that is made
//! when the first client asks for it. A client that asks for any other, like `/room-0`,
//! `/room-07`, `/room-+7`, or `/lobby`, gets a `connect_error` that says
//! `Invalid namespace`.
//!
//! - Whoever enters a room hears `welcome(id)`, with its public id.
//! - Then, and whenever somebody enters that room or leaves it, all who are in there hear
//!   `count(n)`: how many they are now. Other rooms hear nothing of it.
//! - `say(text)`: all in the same room, the speaker too, hear `said(id, text)`.
//!
//! A client may be in several rooms at once, on one connection. In Node this is
//! `io.of(/^\/room-[1-9]\d?$/).on('connection', …)`.
//!
//! Run it:   cargo run -p exercises --example ex14_dynamic
//! Grade it: cargo course watch ex14_dynamic
//! Or once:  cargo test -p exercises --test ex14_dynamic

use parity::UserId;
use socketioxide::{SocketIo, extract::SocketRef};

const PAGE: &str = "Talk to this server with a client of your own.";

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", parity::connection(async || {}));
    // TODO: all ninety-nine, and no others.
    io.ns("/room-1", parity::connection(guest));
    lesson_kit::socketio::serve(PAGE, layer, io).await
}

async fn guest(socket: SocketRef) {
    // TODO: `say`, and the end of a connection.
    let id = UserId::of(&socket);
    parity::emit(&socket, "welcome", &id).await.ok();
    // TODO: `count`.
}
