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

// SOLUTION
use std::sync::{Mutex, PoisonError};

use parity::UserId;
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
    handler::ConnectHandler,
};
// STARTER
// use parity::UserId;
// use socketioxide::{SocketIo, extract::SocketRef};
// END

const PAGE: &str = "Talk to this server with a client of your own.";

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", parity::connection(async || {}));
    // SOLUTION
    let room = parity::connection(guest).with(numbered);
    io.dyn_ns("/room-{number}", room)?;
    // STARTER
    // // TODO: all ninety-nine, and no others.
    // io.ns("/room-1", parity::connection(guest));
    // END
    lesson_kit::socketio::serve(PAGE, layer, io).await
}
// SOLUTION

/// Whether this is the name of a room: a number from 1 to 99, written as one does.
fn is_room(namespace: &str) -> bool {
    let number = namespace.strip_prefix("/room-").map(str::parse::<u8>);
    let Some(Ok(number)) = number else {
        return false;
    };
    // `parse` also takes "+7" and "07".
    (1..=99).contains(&number) && namespace == format!("/room-{number}")
}

/// `{number}` in a pattern is any text without a slash.
async fn numbered(socket: SocketRef, io: SocketIo) -> Result<(), &'static str> {
    if is_room(socket.ns()) {
        return Ok(());
    }
    // By now there is such a namespace, and it would stay. Nobody is in it.
    io.delete_ns(socket.ns());
    Err("Invalid namespace")
}
// STARTER
// END

async fn guest(socket: SocketRef) {
    // SOLUTION
    parity::on(&socket, "say", say);
    parity::on_disconnect(&socket, gone);
    // STARTER
    // // TODO: `say`, and the end of a connection.
    // END
    let id = UserId::of(&socket);
    parity::emit(&socket, "welcome", &id).await.ok();
    // SOLUTION
    count(&socket, |socket| socket.join(HERE));
    // STARTER
    // // TODO: `count`.
    // END
}
// SOLUTION

async fn gone(socket: SocketRef) {
    count(&socket, |socket| socket.leave(HERE));
}

/// The room of all who are counted. There is one in each namespace.
const HERE: &str = "here";

/// Lets a client in or out, and tells all who are here how many they are.
fn count(socket: &SocketRef, enter_or_leave: fn(&SocketRef)) {
    // One at a time: the last number to arrive has to be the last one.
    static FLOOR: Mutex<()> = Mutex::new(());
    let _floor = FLOOR.lock().unwrap_or_else(PoisonError::into_inner);
    enter_or_leave(socket);
    let number = socket.within(HERE).sockets().len();
    parity::broadcast(socket.within(HERE), "count", &number)
        .expect("a number can be written as JSON");
}

async fn say(socket: SocketRef, Data(text): Data<String>) {
    let said = (UserId::of(&socket), text);
    parity::broadcast(socket.within(HERE), "said", &said)
        .expect("two strings can be written as JSON");
}
// STARTER
// END
