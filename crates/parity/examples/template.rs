//! A Socket.IO server in the form of the lessons.

use axum::{Router, routing::get};
use hyper_util::service::TowerToHyperService;
use parity::{Ack, ClientFiles, UserId};
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
    socket::DisconnectReason,
};

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", parity::connection(connected));

    let app = Router::new().route("/", get(async || "Hello World"));
    let files = ClientFiles::new("examples/node_modules/socket.io-client/dist");
    let app = TowerToHyperService::new(parity::attach(app, layer, files));

    let stop = lesson_kit::shutdown_signal()?;
    tokio::try_join!(lesson_kit::listen(app), async {
        stop.await;
        parity::close(&io).await;
        Ok(())
    })?;
    Ok(())
}

async fn connected(socket: SocketRef, io: SocketIo) {
    parity::on(
        &socket,
        "shout",
        async move |Data(text): Data<String>, ack: Ack| {
            parity::broadcast(io.broadcast(), "shout", &text).ok();
            ack.send(&"done").await.ok();
        },
    );
    parity::on_disconnect(
        &socket,
        async |socket: SocketRef, reason: DisconnectReason| {
            println!(
                "{} left {:?}: {reason}",
                UserId::of(&socket),
                socket.rooms()
            );
        },
    );
    let id = UserId::of(&socket);
    parity::emit(&socket, "welcome", &id).await.ok();
}
