//! # Bytes in pieces (chapter 10)
//!
//! `split`, with bytes and a size, is answered with one `piece` for each part of that size,
//! and then with `pieces`, the number of them. In Node:
//!
//! ```text
//! socket.on('split', (data, size) => {
//!   let pieces = 0;
//!   for (let at = 0; at < data.length; at += size, pieces += 1) {
//!     socket.emit('piece', data.subarray(at, at + size));
//!   }
//!   socket.emit('pieces', pieces);
//! });
//! ```
//!
//! - A piece is bytes too, on the wire as well. The last one may be shorter. No bytes at
//!   all are 0 pieces.
//! - There may be thousands of pieces, and they arrive in their order, none is left out.
//! - Two arguments, neither fewer nor more: bytes, and an integer above 0. For everything
//!   else there is no piece, but one `problem`: an object with the name of the event and an
//!   error, as in `{ event: 'split', error: '…' }`.
//! - Whoever connects gets `ready`, without arguments. That is there already.
//!
//! Run it:   cargo run -p exercises --example ex10_binary
//! Grade it: cargo course watch ex10_binary
//! Or once:  cargo test -p exercises --test ex10_binary

// SOLUTION
use axum::body::Bytes;
// END
use parity::NOTHING;
// SOLUTION
use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
};
// STARTER
// use socketioxide::{SocketIo, extract::SocketRef};
// END

const PAGE: &str = "\
<!doctype html><title>Bytes in pieces</title>
<script src=/socket.io/socket.io.js></script>
<script>
const socket = io();
const text = (data) =>
  data instanceof ArrayBuffer ? new TextDecoder().decode(data) : data;
const show = (...all) =>
  document.body.append(JSON.stringify(all.map(text)), '\\n');
socket.onAny(show);
socket.on('ready', () => {
  socket.emit('split', new TextEncoder().encode('hello'), 2);
});
</script>
<body style='white-space:pre'>";

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", parity::connection(connected));
    lesson_kit::socketio::serve(PAGE, layer, io).await
}

async fn connected(socket: SocketRef) {
    parity::on(&socket, "split", split);
    parity::emit(&socket, "ready", &NOTHING).await.ok();
}

// SOLUTION
async fn split(socket: SocketRef, Data((data, size)): Data<(Bytes, usize)>) {
    if size == 0 {
        let problem = json!({ "event": "split", "error": "the size is 0" });
        parity::emit(&socket, "problem", &problem).await.ok();
        return;
    }
    let mut pieces = 0;
    let mut rest = data;
    while !rest.is_empty() {
        // A view of the same memory, as `subarray` is.
        let piece = rest.split_to(size.min(rest.len()));
        if parity::emit(&socket, "piece", &piece).await.is_err() {
            return;
        }
        pieces += 1;
    }
    parity::emit(&socket, "pieces", &pieces).await.ok();
}
// STARTER
// // TODO: its arguments, the pieces, and a `problem` for what does not fit.
// async fn split(socket: SocketRef) {
//     parity::emit(&socket, "pieces", &0).await.ok();
// }
// END
