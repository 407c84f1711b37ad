//! # Who is online (chapter 13)
//!
//! A client says `hello(name)`, and is online under that name, which may be any text.
//! Clients without a name may listen, but are not online.
//!
//! - `hello` is acked with the list of all names that are online, in any order.
//! - Whenever the list has changed, everybody hears `online(list)`, also whoever has changed
//!   it, and those without a name. When it has not changed, nobody hears anything.
//! - Several clients may have the same name: two tabs of one person. The name is in the
//!   list once, and as long as one of them is connected.
//! - A client that says `hello` again has a new name, and not the old one any more.
//!   That is one change.
//!
//! When a connection ends, everybody else hears `left(id)`. That is there already. If the
//! list changes with it, `online` goes first.
//!
//! In Node one would begin with a `Map` of names, `io.emit('online', list)` and
//! `socket.on('disconnect', …)`.
//!
//! Run it:   cargo run -p exercises --example ex13_online
//! Grade it: cargo course watch ex13_online
//! Or once:  cargo test -p exercises --test ex13_online

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
    parity::on(&socket, "hello", hello);
    parity::on_disconnect(&socket, gone);
    let id = UserId::of(&socket);
    parity::emit(&socket, "welcome", &id).await.ok();
}

async fn hello(socket: SocketRef, io: SocketIo, Data(name): Data<String>, ack: Ack) {
    // TODO: from now on this client has that name.
    let _ = (socket, io, name);
    let online: Vec<String> = Vec::new();
    ack.send(&online).await.ok();
}

async fn gone(socket: SocketRef, io: SocketIo) {
    let id = UserId::of(&socket);
    // TODO: whose last connection has ended is not online.
    let _ = io;
    parity::broadcast(socket.broadcast(), "left", &id).ok();
}
