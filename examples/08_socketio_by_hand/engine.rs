//! Engine.IO, revision 4 of the protocol, on a WebSocket: what npm's `engine.io` does.
//!
//! ```text
//! 0{"sid":"…","pingInterval":25000,…}   open, from the server, once
//! 2                                     ping, from the server
//! 3                                     pong, from the client
//! 4…                                    a message of the layer above
//! bytes                                 an attachment of the layer above
//! ```

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::body::Bytes;
use lesson_kit::websocket::{self, Socket};
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{
    Error, Message, handshake::client::generate_key,
};

/// The longest message, in bytes. Node's default.
pub(crate) const LONGEST: usize = 1_000_000;

/// How long a client may take.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) ping_interval: Duration,
    pub(crate) ping_timeout: Duration,
    pub(crate) connect_timeout: Duration,
}

/// A message of the layer above.
pub(crate) enum Data {
    Text(String),
    Bytes(Bytes),
}

// ANCHOR: end
/// Why a conversation ends.
pub(crate) enum End {
    /// The client has gone, or broke the rules of WebSocket.
    WebSocket(Error),
    /// It broke ours, or took too long.
    Fault(&'static str),
}
// ANCHOR_END: end

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::WebSocket(error)
    }
}

impl From<&'static str> for End {
    fn from(fault: &'static str) -> Self {
        Self::Fault(fault)
    }
}

/// The server's side of one session.
pub(crate) struct Engine {
    socket: Socket,
    pace: Pace,
    /// Whether a ping has not been answered yet.
    pinged: bool,
    /// When the next ping goes out, or the pong must be here.
    due: Instant,
}

/// 128 random bits, too many to guess. tungstenite makes as
/// many for the `Sec-WebSocket-Key` of a client.
pub(crate) fn new_id() -> String {
    let key = generate_key().replace('+', "-").replace('/', "_");
    key.trim_end_matches('=').to_owned()
}

impl Engine {
    pub(crate) fn new(socket: Socket, pace: Pace) -> Self {
        let due = Instant::now() + pace.ping_interval;
        Self {
            socket,
            pace,
            pinged: false,
            due,
        }
    }

    // ANCHOR: open
    pub(crate) async fn open(&mut self) -> Result<(), End> {
        let open = json!({
            "sid": new_id(),
            // Better transports that a client could change to.
            "upgrades": [],
            "pingInterval": self.pace.ping_interval.as_millis(),
            "pingTimeout": self.pace.ping_timeout.as_millis(),
            "maxPayload": LONGEST,
        });
        self.send([Message::text(format!("0{open}"))]).await
    }
    // ANCHOR_END: open

    // ANCHOR: next
    /// The next message. Heartbeats go on meanwhile.
    pub(crate) async fn next(&mut self) -> Result<Data, End> {
        loop {
            let message = tokio::select! {
                message = self.socket.next() => {
                    message.ok_or(Error::ConnectionClosed)??
                }
                () = sleep_until(self.due) => {
                    self.ping().await?;
                    continue;
                }
            };
            match message {
                Message::Binary(bytes) => return Ok(Data::Bytes(bytes)),
                Message::Text(text) => match text.split_at_checked(1) {
                    Some(("4", text)) => return Ok(Data::Text(text.into())),
                    Some(("3", _)) => {
                        self.pinged = false;
                        self.due = Instant::now() + self.pace.ping_interval;
                    }
                    // Open, close, upgrade, noop: from a client they
                    // mean nothing here, and Node ignores them too.
                    Some(("0" | "1" | "5" | "6", _)) => {}
                    _ => return Err(End::Fault("not Engine.IO")),
                },
                // WebSocket's own pings: the socket answers them.
                _ => {}
            }
        }
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.pinged {
            return Err(End::Fault("no pong in time"));
        }
        self.pinged = true;
        self.due = Instant::now() + self.pace.ping_timeout;
        self.send([Message::text("2")]).await
    }
    // ANCHOR_END: next

    // ANCHOR: send
    /// A client that does not read for so long is as good as gone.
    pub(crate) async fn send(
        &mut self,
        messages: impl IntoIterator<Item = Message>,
    ) -> Result<(), End> {
        let all = async {
            for message in messages {
                self.socket.feed(message).await?;
            }
            self.socket.flush().await
        };
        match timeout(self.pace.ping_timeout, all).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(End::Fault("the client does not read")),
        }
    }
    // ANCHOR_END: send

    // ANCHOR: close
    /// Like Node, says why only if the rules of WebSocket were broken.
    pub(crate) async fn close(mut self, end: End) {
        match end {
            End::WebSocket(error) => websocket::hang_up(self.socket, &error).await,
            End::Fault(fault) => {
                eprintln!("closed a connection: {fault}");
                // A client that is still there closes as well, and then there is
                // nothing more to read. One that is gone is not waited for long.
                let goodbye = async {
                    let _ = self.socket.close(None).await;
                    while let Some(Ok(_)) = self.socket.next().await {}
                };
                let _ = timeout(Duration::from_secs(2), goodbye).await;
            }
        }
    }
    // ANCHOR_END: close
}
