//! # Rooms with walls (chapter 12)
//!
//! A chat with rooms. Each event is acked when it is done, with `true` or `false`:
//!
//! - `join(room)`: from now on the client is in the room. To join twice is to join once.
//! - `leave(room)`: from now on it is not. `false` if it was not in there.
//! - `say(room, text)`: all who are in the room, the speaker too, hear
//!   `said(room, id, text)`, once each, with the speaker's public id. Nobody else does. If
//!   the speaker is not in the room, the ack is `false`, and nobody hears anything.
//!
//! In Node these are `socket.join(room)`, `socket.leave(room)`, and
//! `io.to(room).emit('said', room, socket.id, text)`.
//!
//! Two more events are there already, and they need rooms too: `whisper(id, text)` is for
//! one client, and `report(text)` is for the moderators. Whatever room a client joins,
//! leaves, or speaks in, whispers and reports reach whom they are meant for, and nobody
//! else. A name that would change that may be refused with `false`, or be the name of a
//! room like any other. All other names are accepted, and two names are two rooms.
//!
//! Run it:   cargo run -p exercises --example ex12_isolation
//! Grade it: cargo course watch ex12_isolation
//! Or once:  cargo test -p exercises --test ex12_isolation

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
    parity::on(&socket, "whisper", whisper);
    parity::on(&socket, "moderate", moderate);
    parity::on(&socket, "report", report);
    let id = UserId::of(&socket);
    parity::emit(&socket, "welcome", &id).await.ok();
}

/// Runs `action` while no other one runs, as in chapter 12.
fn alone(action: impl FnOnce() -> bool) -> bool {
    static FLOOR: Mutex<()> = Mutex::new(());
    let _floor = FLOOR.lock().unwrap_or_else(PoisonError::into_inner);
    action()
}

/// Whether the socket is in the room of this name.
fn is_in(socket: &SocketRef, name: String) -> bool {
    socket.rooms().contains(&name.into())
}

async fn join(socket: SocketRef, Data(room): Data<String>, ack: Ack) {
    let is_done = alone(|| {
        // TODO: let the client in.
        let _ = (&socket, &room);
        false
    });
    ack.send(&is_done).await.ok();
}

async fn leave(socket: SocketRef, Data(room): Data<String>, ack: Ack) {
    let is_done = alone(|| {
        // TODO: let the client out.
        is_in(&socket, room)
    });
    ack.send(&is_done).await.ok();
}

async fn say(
    socket: SocketRef,
    io: SocketIo,
    Data((room, text)): Data<(String, String)>,
    ack: Ack,
) {
    let is_done = alone(|| {
        // TODO: tell all who are in the room.
        let _ = (&socket, &io, &room, &text);
        false
    });
    ack.send(&is_done).await.ok();
}

/// Acked with whether there is a client with this id.
async fn whisper(
    socket: SocketRef,
    io: SocketIo,
    Data((id, text)): Data<(String, String)>,
    ack: Ack,
) {
    let is_done = alone(|| {
        // A client has sent this `id`. It could name any room.
        let inside = io.within(id.clone()).sockets();
        if !inside.iter().any(|user| UserId::of(user).room() == id) {
            return false;
        }
        let whispered = (UserId::of(&socket), text);
        parity::broadcast(io.to(id), "whispered", &whispered).is_ok()
    });
    ack.send(&is_done).await.ok();
}

/// The room of those who hear reports.
const MODERATORS: &str = "moderators";

/// Acked with whether the password is right.
async fn moderate(socket: SocketRef, Data(password): Data<String>, ack: Ack) {
    let is_done = password == "let-me-in";
    if is_done {
        socket.join(MODERATORS);
    }
    ack.send(&is_done).await.ok();
}

async fn report(socket: SocketRef, io: SocketIo, Data(text): Data<String>) {
    let reported = (UserId::of(&socket), text);
    parity::broadcast(io.to(MODERATORS), "reported", &reported).ok();
}
