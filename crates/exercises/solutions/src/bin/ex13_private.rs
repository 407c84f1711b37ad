//! # Private messages (chapter 13)
//!
//! Clients write to one another. The event is `tell`, and its argument is an object that
//! says to whom, by a public id, and what: `{"to": "…", "text": "…"}`.
//!
//! - If there is a client with this id, it hears `message`, with an object too:
//!   `{"from": "…", "to": "…", "text": "…"}`. So does the sender, for its page to show.
//!   Each hears it once, also who writes to itself. The ack is `true`.
//! - If there is none, the ack is `false`, and nobody hears anything. The names of rooms
//!   are not ids, and `socket.id` is none either.
//!
//! `from` is the public id of the sender, whatever else the sender puts into its object.
//! Nobody else hears the message.
//!
//! In Node one often sees
//! `socket.on('tell', (message) => io.to(message.to).emit('message', message))`, which
//! keeps none of these promises.
//!
//! Write `tell`. Everybody is in the room `lobby`, in which they hear who has gone.
//!
//! Run it:   cargo run -p exercises --example ex13_private
//! Grade it: cargo course watch ex13_private
//! Or once:  cargo test -p exercises --test ex13_private

use parity::{Ack, UserId};
use serde::{Deserialize, Serialize};
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
    parity::on(&socket, "tell", tell);
    parity::on_disconnect(&socket, gone);
    socket.join("lobby");
    let id = UserId::of(&socket);
    parity::emit(&socket, "welcome", &id).await.ok();
}

/// What a client sends. What else is in its object is not read.
#[derive(Deserialize)]
struct Letter {
    to: String,
    text: String,
}

/// What clients hear.
#[derive(Serialize)]
struct Message {
    from: UserId,
    to: String,
    text: String,
}

async fn tell(
    socket: SocketRef,
    io: SocketIo,
    Data(letter): Data<Letter>,
    ack: Ack,
) {
    // SOLUTION
    let from = UserId::of(&socket);
    let Letter { to, text } = letter;
    let is_here = io.sockets().iter().any(|one| UserId::of(one).room() == to);
    if is_here {
        // One list, and not two emits: whoever is in both rooms hears it once.
        let both = io.to([to.clone(), from.room()]);
        parity::broadcast(both, "message", &Message { from, to, text })
            .expect("three strings can be written as JSON");
    }
    ack.send(&is_here).await.ok();
    // STARTER
    // // TODO: is there such a client? Then it hears a `Message`, and so does the sender.
    // let Letter { to, text } = letter;
    // let from = UserId::of(&socket);
    // let _ = (io, Message { from, to, text });
    // ack.send(&false).await.ok();
    // END
}

async fn gone(socket: SocketRef) {
    socket.leave_all();
    let id = UserId::of(&socket);
    parity::broadcast(socket.to("lobby"), "went", &id).ok();
}
