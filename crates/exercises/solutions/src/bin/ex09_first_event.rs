//! # The first event (chapter 09)
//!
//! A client says hello as soon as it is connected:
//!
//! ```text
//! socket.on('connect', () => socket.emit('hello', 'Ada'));
//! socket.on('hello', (text, id) => …);  // 'Hello, Ada!', and id === socket.id
//! socket.on('welcome', (motto) => …);
//! ```
//!
//! - `hello`, with a name, is answered with an event `hello` that has two arguments: the
//!   text `Hello, NAME!`, and the id by which the client knows itself.
//! - `hello` with a number for a name, or without any, is answered with an event
//!   `problem`, as `parity::on` does it.
//! - Whoever connects gets `welcome` with the motto of the day. It comes from a database,
//!   which takes a moment. In the meantime a hello may come, and it is answered too.
//!
//! The server below looks right, and works if you type the hello by hand. But of those who
//! say it at once, hardly anyone is ever greeted. In Node it would be the same:
//!
//! ```text
//! io.on('connection', async (socket) => {
//!   const motto = await find();
//!   socket.on('hello', …);                // too late
//! ```
//!
//! Let nobody be missed, however many come at once.
//!
//! Run it:   cargo run -p exercises --example ex09_first_event
//! Grade it: cargo course watch ex09_first_event
//! Or once:  cargo test -p exercises --test ex09_first_event

use std::{env, time::Duration};

use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
};

const PAGE: &str = "\
<!doctype html><title>The first event</title>
<script src=/socket.io/socket.io.js></script>
<script>
const socket = io();
const show = (...all) => document.body.append(JSON.stringify(all), '\\n');
socket.onAny(show);
socket.on('connect', () => socket.emit('hello', 'Ada'));
</script>
<body style='white-space:pre'>";

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let (layer, io) = SocketIo::new_layer();
    // SOLUTION
    io.ns("/", parity::connection(connected));
    // STARTER
    // // TODO: this tells the client that it is connected, and then runs the handler.
    // io.ns("/", connected);
    // END
    lesson_kit::socketio::serve(PAGE, layer, io).await
}

async fn connected(socket: SocketRef) {
    // SOLUTION
    // First, as what comes next has to wait.
    parity::on(&socket, "hello", hello);
    let motto = find_motto().await;
    parity::emit(&socket, "welcome", &motto).await.ok();
    // STARTER
    // // TODO: whatever comes while the database is asked finds nobody.
    // let motto = find_motto().await;
    // socket.on("hello", hello);
    // socket.emit("welcome", &motto).ok();
    // END
}

async fn hello(socket: SocketRef, Data(name): Data<String>) {
    // SOLUTION
    let greeting = (format!("Hello, {name}!"), socket.id);
    // STARTER
    // // TODO: two arguments, the second is the client's id.
    // let greeting = format!("Hello, {name}!");
    // END
    parity::emit(&socket, "hello", &greeting).await.ok();
}

/// Asks the database, which takes a moment: as many milliseconds as `DATABASE` says.
async fn find_motto() -> &'static str {
    let text = env::var("DATABASE").unwrap_or_default();
    let moment = Duration::from_millis(text.parse().unwrap_or(50));
    tokio::time::sleep(moment).await;
    "Be early"
}
