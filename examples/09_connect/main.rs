//! # 09 · Connect: the life of a socket
//!
//! `io()` in the page, `io.on('connection', …)` on the server, and what happens between
//! that and the end: who came, who left, why, and from which rooms. Each side says what it
//! sees.
//!
//! Run it: `cargo run --example 09_connect`
//!
//! Try: open <http://127.0.0.1:3000/> in two tabs, and end one of them in every way there
//! is: disconnect, be disconnected, close the tab. The other says what the server saw.
//!
//! New here: Socket.IO as a layer around the app (`socketioxide`), the client that the page
//! loads from it, and `parity`, which keeps those of Node's promises that the layer does
//! not.

use axum::{
    Router,
    http::{StatusCode, header},
    response::Html,
    routing::get,
};
use hyper_util::service::TowerToHyperService;
use lesson_kit::milliseconds;
use parity::{ClientFiles, UserId};
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
    layer::SocketIoLayer,
    socket::DisconnectReason,
};

/// Where npm installs the official client for browsers.
const OFFICIAL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/examples/node_modules/socket.io-client/dist"
);

// ANCHOR: main
#[tokio::main]
async fn main() -> lesson_kit::Result {
    // The defaults are Node's.
    let (layer, io) = SocketIo::builder()
        .ping_interval(milliseconds("PING_INTERVAL", 25_000)?)
        .ping_timeout(milliseconds("PING_TIMEOUT", 20_000)?)
        .build_layer();
    io.ns("/", parity::connection(connected));
    serve(include_str!("index.html"), layer, io).await
}
// ANCHOR_END: main

// ANCHOR: connected
async fn connected(socket: SocketRef, io: SocketIo) {
    // Before anything that may have to wait, or a client's
    // first event would find nobody.
    parity::on(&socket, "hello", hello);
    parity::on(&socket, "bye", bye);
    parity::on_disconnect(&socket, left);

    socket.join("lobby");
    // The first is a secret, between this client and us.
    let ids = (socket.id, UserId::of(&socket));
    parity::emit(&socket, "welcome", &ids).await.ok();
    let here = io.within("lobby").sockets().len();
    let joined = (UserId::of(&socket), here);
    parity::broadcast(io.to("lobby"), "joined", &joined).ok();
}

async fn hello(socket: SocketRef, Data(text): Data<String>) {
    parity::emit(&socket, "hello", &text).await.ok();
}

async fn bye(socket: SocketRef) {
    socket.disconnect().ok();
}
// ANCHOR_END: connected

// ANCHOR: left
/// Node's `disconnecting`: the socket still knows its rooms.
async fn left(socket: SocketRef, reason: DisconnectReason) {
    let user = UserId::of(&socket);
    let mut rooms = socket.rooms();
    rooms.retain(|room| *room != user.room());
    let left = (user, in_node(reason), rooms);
    parity::broadcast(socket.broadcast(), "left", &left).ok();
}

/// What Node calls it.
fn in_node(reason: DisconnectReason) -> &'static str {
    use DisconnectReason::*;
    match reason {
        ClientNSDisconnect => "client namespace disconnect",
        ServerNSDisconnect => "server namespace disconnect",
        // A close frame, or none: Node makes no difference.
        TransportClose | TransportError => "transport close",
        HeartbeatTimeout => "ping timeout",
        ClosingServer => "server shutting down",
        PacketParsingError => "parse error",
        MultipleHttpPollingError => "transport error",
    }
}
// ANCHOR_END: left

// ANCHOR: serve
/// The page at `/`, Socket.IO at `/socket.io/`, until Ctrl-C
/// or SIGTERM.
async fn serve(
    page: &'static str,
    layer: SocketIoLayer,
    io: SocketIo,
) -> lesson_kit::Result {
    let style = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    let script = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    let app = Router::new()
        .route("/", get(async move || Html(page)))
        .route("/style.css", get(async move || (style, lesson_kit::STYLE)))
        .route("/page.js", get(async move || (script, lesson_kit::SCRIPT)))
        .fallback(async || (StatusCode::NOT_FOUND, "there is only /\n"));
    let app = parity::attach(app, layer, ClientFiles::new(OFFICIAL));

    let stop = lesson_kit::shutdown_signal()?;
    let listen = lesson_kit::listen(TowerToHyperService::new(app));
    // Both at once: a client on long-polling has a request in
    // flight until it is sent away.
    tokio::try_join!(listen, async {
        stop.await;
        parity::close(&io).await;
        Ok(())
    })?;
    Ok(())
}
// ANCHOR_END: serve
