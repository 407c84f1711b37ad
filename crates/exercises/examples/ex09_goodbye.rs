//! # Who has left (chapter 09)
//!
//! Whoever connects gets `welcome` with its public id, and joins rooms of its choice:
//! `join`, with a name, is answered with `joined` and that name. This is done. In Node, what
//! is missing is about
//!
//! ```text
//! socket.on('disconnecting', (reason) => {
//!   socket.to([...socket.rooms]).emit('left', socket.id, reason, rooms);
//! });
//! ```
//!
//! - When a client leaves, everyone who is in a room with it gets `left`, once, however
//!   many rooms they share. Nobody else does.
//! - `left` has three arguments: the public id of who left, the reason in Node's words, and
//!   the rooms it was in, sorted, without the one that is named after itself.
//! - A client that has joined no room leaves without a word.
//! - It is all the same whether the client has said that it leaves, or its connection was
//!   cut.
//!
//! Run it:   cargo run -p exercises --example ex09_goodbye
//! Grade it: cargo course watch ex09_goodbye
//! Or once:  cargo test -p exercises --test ex09_goodbye

use parity::UserId;
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
    socket::DisconnectReason,
};

const PAGE: &str = "\
<!doctype html><title>Who has left</title>
<script src=/socket.io/socket.io.js></script>
<script>
const socket = io();
const show = (...all) => document.body.append(JSON.stringify(all), '\\n');
socket.onAny(show);
socket.on('connect', () => socket.emit('join', 'lobby'));
</script>
<body style='white-space:pre'>";

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", parity::connection(connected));
    lesson_kit::socketio::serve(PAGE, layer, io).await
}

async fn connected(socket: SocketRef) {
    parity::on(&socket, "join", join);
    // TODO: what is to be done when the client leaves?
    let id = UserId::of(&socket);
    parity::emit(&socket, "welcome", &id).await.ok();
}

async fn join(socket: SocketRef, Data(room): Data<String>) {
    socket.join(room.clone());
    parity::emit(&socket, "joined", &room).await.ok();
}

/// What Node calls it.
#[expect(dead_code, reason = "TODO: use it")]
fn in_node(reason: DisconnectReason) -> &'static str {
    use DisconnectReason::*;
    match reason {
        ClientNSDisconnect => "client namespace disconnect",
        ServerNSDisconnect => "server namespace disconnect",
        TransportClose | TransportError => "transport close",
        HeartbeatTimeout => "ping timeout",
        ClosingServer => "server shutting down",
        PacketParsingError => "parse error",
        MultipleHttpPollingError => "transport error",
    }
}
