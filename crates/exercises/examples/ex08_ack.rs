//! # A sum with an ack (chapter 08)
//!
//! The server's side of this client, by hand:
//!
//! ```text
//! const socket = io({ transports: ['websocket'] });
//! socket.emit('sum', 1, 5, -2, (sum, smallest, largest) => …);   // 4, -2, 5
//! ```
//!
//! Engine.IO is done below: the handshake, pings, and the 4 in front of each message. What
//! is left is Socket.IO, for the namespace `/` alone:
//!
//! - `0`, perhaps with an object after it, connects the client. The answer is
//!   `0{"sid":"…"}`, with an id that nothing else has, not Engine.IO's id either.
//! - Another namespace there is not: `0/admin,` is answered with
//!   `4/admin,{"message":"Invalid namespace"}`, and nothing else changes.
//! - `27["sum",1,5,-2]` is an event that wants ack 7. Its arguments are integers, at least
//!   one; the ack has their sum, the smallest and the largest: `37[4,-2,5]`.
//! - If an argument is no integer, or there is none, the ack has one argument, an object
//!   that says why: `37[{"error":"…"}]`.
//! - An event that wants no ack is not answered, neither is one with another name, nor
//!   whatever comes before the client is connected.
//!
//! Run it:   cargo run -p exercises --example ex08_ack
//! Grade it: cargo course watch ex08_ack
//! Or once:  cargo test -p exercises --test ex08_ack

use std::{convert::Infallible, time::Duration};

use futures_util::{SinkExt, StreamExt};
use hyper::service::service_fn;
use lesson_kit::websocket::{self, Socket};
use serde_json::json;
use tokio_tungstenite::tungstenite::{
    Error, Message, handshake::client::generate_key,
};

#[tokio::main]
async fn main() -> lesson_kit::Result {
    lesson_kit::listen(service_fn(|request| {
        // Whatever the path and the query are.
        let response = websocket::upgrade(request, 64 * 1024, converse);
        async { Ok::<_, Infallible>(response) }
    }))
    .await
}

const PING_INTERVAL: Duration = Duration::from_secs(25);

async fn converse(mut socket: Socket) {
    // An error means that the client is gone.
    let _ = serve(&mut socket).await;
}

/// Engine.IO.
async fn serve(socket: &mut Socket) -> Result<(), Error> {
    let open = json!({
        "sid": generate_key(),
        "upgrades": [],
        "pingInterval": PING_INTERVAL.as_millis(),
        "pingTimeout": 20_000,
        "maxPayload": 64 * 1024,
    });
    socket.send(Message::text(format!("0{open}"))).await?;

    let mut client = Client::default();
    let mut ping = tokio::time::interval(PING_INTERVAL);
    ping.reset();
    loop {
        let message = tokio::select! {
            message = socket.next() => message.ok_or(Error::ConnectionClosed)??,
            _ = ping.tick() => {
                socket.send(Message::text("2")).await?;
                continue;
            }
        };
        if let Message::Text(text) = message
            && let Some(packet) = text.strip_prefix('4')
            && let Some(answer) = client.receive(packet)
        {
            socket.send(Message::text(format!("4{answer}"))).await?;
        }
    }
}

/// Socket.IO.
#[derive(Default)]
struct Client {
    connected: bool,
}

impl Client {
    /// The answer to a packet, if there is one.
    fn receive(&mut self, packet: &str) -> Option<String> {
        // TODO: the answer to a packet. `generate_key()` makes an id.
        let is = if self.connected { "is" } else { "is not" };
        todo!("answer {packet:?} of a client that {is} connected")
    }
}
