//! # Who is typing (chapter 12)
//!
//! A chat with rooms: `join(room)`, acked with `true`, `leave(room)`, and
//! `say(room, text)`, upon which all in the room, the speaker too, hear
//! `said(room, id, text)`. That is there already. Add `typing(room)` and `stopped(room)`,
//! which a page sends while somebody writes, and which are not acked:
//!
//! - When a client begins to type in a room that it is in, the others in there hear
//!   `typing(room, id)`, with its public id.
//! - When it stops, they hear `stopped(room, id)`. It stops with `stopped(room)`, when it
//!   says something in that room, when it leaves the room, and when it is gone. What it
//!   says is heard after the `stopped`.
//!
//! They hear each of them once: a page may send `typing` with every key, and `stopped`
//! although nobody types. Several clients may type in a room at once, and a client in
//! several rooms: each of these begins and ends on its own.
//!
//! Neither the client itself nor anybody outside the room hears them, and who is not in a
//! room cannot type there: what it sends changes nothing, also for later, when it has
//! joined.
//!
//! The server has to remember who is typing where. Rooms can do that, or a map behind a
//! lock, as in chapter 11.
//!
//! In Node this begins with `socket.to(room).emit('typing', room, socket.id)`.
//!
//! Run it:   cargo run -p exercises --example ex12_typing
//! Grade it: cargo course watch ex12_typing
//! Or once:  cargo test -p exercises --test ex12_typing

use std::sync::{Mutex, PoisonError};

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
    parity::on(&socket, "say", say);
    // SOLUTION
    parity::on(&socket, "typing", typing);
    parity::on(&socket, "stopped", stopped);
    parity::on_disconnect(&socket, gone);
    // STARTER
    // // TODO: `typing`, `stopped`, and the end of a connection.
    // END
    let id = UserId::of(&socket);
    parity::emit(&socket, "welcome", &id).await.ok();
}

/// Runs `action` while no other one runs, as in chapter 12.
fn alone(action: impl FnOnce()) {
    static FLOOR: Mutex<()> = Mutex::new(());
    let _floor = FLOOR.lock().unwrap_or_else(PoisonError::into_inner);
    action();
}

/// What Socket.IO calls a room that a client has named.
fn members(room: &str) -> String {
    format!("room:{room}")
}
// SOLUTION

/// In front of the name of a room: the room of those who are typing there. Nobody is ever
/// sent anything through it, but it is left with the connection, like any room.
const TYPING: &str = "typing:";

fn typists(room: &str) -> String {
    format!("{TYPING}{room}")
}
// STARTER
// END

fn is_in(socket: &SocketRef, key: String) -> bool {
    socket.rooms().contains(&key.into())
}

async fn join(socket: SocketRef, Data(room): Data<String>, ack: Ack) {
    alone(|| socket.join(members(&room)));
    ack.send(&true).await.ok();
}

async fn leave(socket: SocketRef, Data(room): Data<String>) {
    alone(|| {
        // SOLUTION
        stop(&socket, &room);
        // STARTER
        // // TODO: who has left is not typing.
        // END
        socket.leave(members(&room));
    });
}

async fn say(
    socket: SocketRef,
    io: SocketIo,
    Data((room, text)): Data<(String, String)>,
) {
    alone(|| {
        if is_in(&socket, members(&room)) {
            // SOLUTION
            stop(&socket, &room);
            // STARTER
            // // TODO: who has said it is not typing.
            // END
            let members = io.to(members(&room));
            let said = (room, UserId::of(&socket), text);
            parity::broadcast(members, "said", &said).ok();
        }
    });
}
// SOLUTION

async fn typing(socket: SocketRef, Data(room): Data<String>) {
    alone(|| {
        let is_member = is_in(&socket, members(&room));
        if is_member && !is_in(&socket, typists(&room)) {
            socket.join(typists(&room));
            tell(&socket, "typing", &room);
        }
    });
}

async fn stopped(socket: SocketRef, Data(room): Data<String>) {
    alone(|| stop(&socket, &room));
}

async fn gone(socket: SocketRef) {
    alone(|| {
        for key in socket.rooms() {
            if let Some(room) = key.strip_prefix(TYPING) {
                stop(&socket, room);
            }
        }
    });
}

/// If the client was typing in the room, the others hear that it is not any more.
fn stop(socket: &SocketRef, room: &str) {
    if is_in(socket, typists(room)) {
        socket.leave(typists(room));
        tell(socket, "stopped", room);
    }
}

fn tell(socket: &SocketRef, event: &str, room: &str) {
    let others = socket.to(members(room));
    parity::broadcast(others, event, &(room, UserId::of(socket))).ok();
}
// STARTER
// END
