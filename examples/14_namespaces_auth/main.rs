//! # 14 · Namespaces, and who gets in
//!
//! One connection, several doors. `/` is open to everybody. `/admin` wants a token, and
//! says so to whoever has a wrong one. `/room-1` to `/room-99` come into being when
//! somebody asks for them, and an admin has to say yes. What is said in one namespace is
//! heard there and nowhere else, but `/` has an alarm that rings in `/admin`.
//!
//! Run it: `cargo run --example 14_namespaces_auth`, or with a token of your own:
//! `ADMIN_TOKEN=…`. Without one it is `let-me-in`.
//!
//! Try: open <http://127.0.0.1:3000/> in two tabs. Enter `/admin` with a wrong token, then
//! with the right one. Enter room 7 in the other tab, with and without an admin there.
//!
//! New here: namespaces, middleware, and `auth` as a type.

use std::{
    env,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use parity::{Ack, UserId};
use serde::Deserialize;
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
    handler::ConnectHandler,
};

/// How long the admins may take to answer a knock.
const PATIENCE: Duration = Duration::from_secs(3);

// ANCHOR: main
#[tokio::main]
async fn main() -> lesson_kit::Result {
    let token = admin_token()?;
    let check = async move |Data(auth): Data<Auth>| {
        let is_right = is_same(&auth.token, &token);
        is_right.then_some(()).ok_or("wrong token")
    };

    let (layer, io) = SocketIo::new_layer();
    io.ns("/", parity::connection(visitor));
    io.ns("/admin", parity::connection(admin).with(check));
    // What is added last runs first: `numbered`, then `knock`.
    let room = parity::connection(guest).with(knock).with(numbered);
    io.dyn_ns("/room-{number}", room)?;
    lesson_kit::socketio::serve(include_str!("index.html"), layer, io).await
}
// ANCHOR_END: main

// ANCHOR: handlers
async fn visitor(socket: SocketRef) {
    parity::on(&socket, "alert", alert);
    talk(&socket, "the lobby").await;
}

async fn admin(socket: SocketRef) {
    talk(&socket, "the office").await;
}

async fn guest(socket: SocketRef) {
    let number = number(socket.ns());
    let number = number.expect("`numbered` has seen it");
    talk(&socket, &format!("room {number}")).await;
}

/// From one namespace to another.
async fn alert(
    socket: SocketRef,
    // All namespaces, not this one alone.
    io: SocketIo,
    Data(text): Data<String>,
    ack: Ack,
) {
    let alert = (UserId::of(&socket), text);
    // There is no `/admin` once the server is closing.
    if let Some(admins) = io.of("/admin") {
        parity::broadcast(admins, "alert", &alert)
            .expect("two strings can be written as JSON");
    }
    // If this fails, the client has gone.
    ack.send("they know").await.ok();
}
// ANCHOR_END: handlers

// ANCHOR: talk
/// A room belongs to its namespace: there are as many
/// rooms called `here` as there are namespaces.
async fn talk(socket: &SocketRef, place: &str) {
    socket.join("here");
    parity::on(socket, "say", say);
    let here = socket.within("here").sockets().len();
    let welcome = (UserId::of(socket), place, here);
    parity::emit(socket, "welcome", &welcome).await.ok();
}

async fn say(socket: SocketRef, Data(text): Data<String>) {
    let said = (UserId::of(&socket), text);
    parity::broadcast(socket.within("here"), "said", &said)
        .expect("two strings can be written as JSON");
}
// ANCHOR_END: talk

// ANCHOR: auth
/// What a client has to bring to `/admin`.
#[derive(Deserialize)]
struct Auth {
    token: String,
}

/// Compares in a time that does not tell how much was right.
/// The hashes have a key that nobody knows, so where they
/// differ says nothing about the texts.
fn is_same(a: &str, b: &str) -> bool {
    let key = RandomState::new();
    // Two texts may have one hash: `==` has the last word.
    key.hash_one(a) == key.hash_one(b) && a == b
}

fn admin_token() -> lesson_kit::Result<Arc<str>> {
    let token = match env::var_os("ADMIN_TOKEN") {
        // Good for a lesson on 127.0.0.1, and for nothing else.
        None => "let-me-in".into(),
        Some(token) => token.into_string().unwrap_or_default(),
    };
    if token.len() < 8 {
        let cure = "set at least 8 characters of text, or leave it out";
        let error = format!("ADMIN_TOKEN is too short: {cure}");
        return Err(lesson_kit::Error::new(error));
    }
    Ok(token.into())
}
// ANCHOR_END: auth

// ANCHOR: rooms
/// The number of a room, if it has one of 1 to 99.
fn number(namespace: &str) -> Option<u8> {
    let number = namespace.strip_prefix("/room-")?.parse().ok()?;
    // `parse` also takes "+7" and "07".
    let is_plain = namespace == format!("/room-{number}");
    (is_plain && (1..=99).contains(&number)).then_some(number)
}

/// `{number}` in a pattern is any text without a slash.
async fn numbered(socket: SocketRef, io: SocketIo) -> Result<(), &'static str> {
    if number(socket.ns()).is_some() {
        return Ok(());
    }
    // By now this namespace exists, and it would stay. Nobody is
    // in it, since all who ask for it are refused here.
    io.delete_ns(socket.ns());
    Err("Invalid namespace")
}

/// Asks all admins, and waits for their answers.
async fn knock(socket: SocketRef, io: SocketIo) -> Result<(), &'static str> {
    let admins = io.of("/admin").ok_or("the server is closing")?;
    let number = number(socket.ns());
    let answers =
        parity::broadcast_with_ack(admins, PATIENCE, "knock", &number).await;
    // No answer, or one that is not a `bool`, is not a yes.
    match answers.iter().any(|(_, answer)| matches!(answer, Ok(true))) {
        true => Ok(()),
        false => Err("nobody lets you in"),
    }
}
// ANCHOR_END: rooms
