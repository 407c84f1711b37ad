//! # Any number of arguments (chapter 10)
//!
//! `add`, with any number of integers, is answered with `sum`. In Node the first line of
//! its handler is `(...numbers) => …`:
//!
//! ```text
//! socket.emit('add', 1, 2, 3);     // sum 6
//! socket.emit('add');              // sum 0
//! socket.emit('add', 1, 'two');    // problem { event: 'add', error: '…' }
//! ```
//!
//! - An argument that is no integer is answered with `problem`, and so is a sum that does
//!   not fit into 64 bits. `problem` has one argument: an object with the name of the event
//!   and an error, any text.
//! - Whoever connects gets `ready`, without arguments. That is there already.
//! - Whoever emits many in a row gets the answers in the same order.
//!
//! Run it:   cargo run -p exercises --example ex10_any_count
//! Grade it: cargo course watch ex10_any_count
//! Or once:  cargo test -p exercises --test ex10_any_count

use parity::NOTHING;
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
};

const PAGE: &str = "\
<!doctype html><title>Any number of arguments</title>
<script src=/socket.io/socket.io.js></script>
<script>
const socket = io();
const show = (...all) => document.body.append(JSON.stringify(all), '\\n');
socket.onAny(show);
socket.on('ready', () => socket.emit('add', 1, 2, 3));
</script>
<body style='white-space:pre'>";

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", parity::connection(connected));
    lesson_kit::socketio::serve(PAGE, layer, io).await
}

async fn connected(socket: SocketRef) {
    parity::on(&socket, "add", add);
    parity::emit(&socket, "ready", &NOTHING).await.ok();
}

// TODO: this takes two arguments, neither fewer nor more.
async fn add(socket: SocketRef, Data((one, two)): Data<(i64, i64)>) {
    parity::emit(&socket, "sum", &(one + two)).await.ok();
}
