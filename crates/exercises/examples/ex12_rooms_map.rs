//! # Who is where (chapter 12)
//!
//! Clients join rooms and leave them. That is there already. Two events list the rooms,
//! and their acks are maps, with the names that clients use:
//!
//! - `sizes()`: all rooms, each with the number of clients in it: `{"red": 2, "blue": 1}`
//! - `mine()`: the rooms that this client is in, each with the public ids of the *others*
//!   in there, in any order: `{"red": ["…"]}`. A room in which it is alone is in the map
//!   too, with `[]`.
//!
//! In Node one begins with `io.sockets.adapter.rooms` and `socket.rooms`, and finds a room
//! for each client there, which nobody has joined. These must not be listed here. Nor are
//! rooms that everybody has left, or the ids of sessions.
//!
//! Write `sizes` and `mine`. The name of a room may be any text.
//!
//! Run it:   cargo run -p exercises --example ex12_rooms_map
//! Grade it: cargo course watch ex12_rooms_map
//! Or once:  cargo test -p exercises --test ex12_rooms_map

use std::collections::{BTreeMap, BTreeSet};

use parity::{Ack, UserId};
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
};

const PAGE: &str = "Talk to this server with a client of your own.";

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", parity::connection(connected));
    lesson_kit::socketio::serve(PAGE, layer, io).await
}

async fn connected(socket: SocketRef) {
    parity::on(&socket, "join", join);
    parity::on(&socket, "leave", leave);
    parity::on(&socket, "sizes", async |io: SocketIo, ack: Ack| {
        ack.send(&sizes(&io)).await.ok();
    });
    parity::on(&socket, "mine", async |socket: SocketRef, ack: Ack| {
        ack.send(&mine(&socket)).await.ok();
    });
    parity::on_disconnect(&socket, gone);
    let id = UserId::of(&socket);
    parity::emit(&socket, "welcome", &id).await.ok();
}

/// Stands in front of each name that a client has chosen, as in chapter 12.
const PREFIX: &str = "room:";

/// How many clients are in each room.
fn sizes(io: &SocketIo) -> BTreeMap<String, usize> {
    // TODO: all rooms.
    let _ = io;
    BTreeMap::from([("nowhere".to_owned(), 0)])
}

type Ids = BTreeSet<UserId>;

/// Who else is in the rooms of this client.
fn mine(socket: &SocketRef) -> BTreeMap<String, Ids> {
    // TODO: the rooms of this client.
    let _ = socket;
    BTreeMap::from([("nowhere".to_owned(), Ids::new())])
}

async fn join(socket: SocketRef, Data(room): Data<String>, ack: Ack) {
    socket.join(format!("{PREFIX}{room}"));
    ack.send(&true).await.ok();
}

async fn leave(socket: SocketRef, Data(room): Data<String>, ack: Ack) {
    socket.leave(format!("{PREFIX}{room}"));
    ack.send(&true).await.ok();
}

/// Whoever hears of it, and asks, must not find the client in a room any more.
async fn gone(socket: SocketRef) {
    socket.leave_all();
    let id = UserId::of(&socket);
    parity::broadcast(socket.broadcast(), "gone", &id).ok();
}
