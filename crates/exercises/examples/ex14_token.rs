//! # Staff only (chapter 14)
//!
//! `/` is open to everybody. `/admin` is for those who bring the token `let-me-in`, in
//! `auth`: `io('/admin', { auth: { token: 'let-me-in' } })`. Everybody else is refused with
//! a `connect_error` that says `not allowed`, and nothing more. The text is the same
//! whether the token is wrong, or no string, or missing: it tells a stranger nothing.
//!
//! Both namespaces have one event, `say(text)`. All who are in the *same* namespace, the
//! speaker too, hear `said(id, text)`, with the public id. In Node these are
//! `io.of('/admin').use((socket, next) => …)` and `socket.nsp.emit('said', …)`.
//!
//! Write `check` and `say`. Both namespaces have the same `connected`.
//!
//! Run it:   cargo run -p exercises --example ex14_token
//! Grade it: cargo course watch ex14_token
//! Or once:  cargo test -p exercises --test ex14_token

use std::hash::{BuildHasher, RandomState};

use parity::UserId;
use serde::Deserialize;
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef, TryData},
    handler::ConnectHandler,
};

const PAGE: &str = "Talk to this server with a client of your own.";

const TOKEN: &str = "let-me-in";

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", parity::connection(connected));
    io.ns("/admin", parity::connection(connected).with(check));
    lesson_kit::socketio::serve(PAGE, layer, io).await
}

/// What a client has to bring.
#[derive(Deserialize)]
struct Auth {
    token: String,
}

async fn check(Data(auth): Data<Auth>) -> Result<(), &'static str> {
    // TODO: whoever has the token may enter.
    let _ = auth.token;
    Err("not allowed")
}

/// Compares in a time that does not tell how much was right, as in chapter 14.
fn is_same(a: &str, b: &str) -> bool {
    let key = RandomState::new();
    key.hash_one(a) == key.hash_one(b) && a == b
}

async fn connected(socket: SocketRef) {
    parity::on(&socket, "say", say);
    let id = UserId::of(&socket);
    parity::emit(&socket, "welcome", &id).await.ok();
}

async fn say(socket: SocketRef, io: SocketIo, Data(text): Data<String>) {
    let said = (UserId::of(&socket), text);
    // TODO: as in Node's `io.emit`, this is everybody in `/`.
    parity::broadcast(io.broadcast(), "said", &said)
        .expect("two strings can be written as JSON");
}
