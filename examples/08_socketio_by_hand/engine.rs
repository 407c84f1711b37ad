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

/// Why a conversation ends.
pub(crate) enum End {
    /// The client has gone, or broke the rules of WebSocket.
    WebSocket(Error),
    /// It broke ours, or took too long.
    Fault(&'static str),
}

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
    due: Due,
    deadline: Instant,
}

// ANCHOR: due
/// What has to happen by the deadline.
#[derive(Clone, Copy, PartialEq)]
enum Due {
    /// The server sends a ping.
    Ping,
    /// The client's pong comes.
    Pong,
    /// The same, after the deadline was put off once.
    LatePong,
}
// ANCHOR_END: due

/// 128 random bits, too many to guess. tungstenite makes as
/// many for the `Sec-WebSocket-Key` of a client.
pub(crate) fn new_id() -> String {
    let key = generate_key().replace('+', "-").replace('/', "_");
    key.trim_end_matches('=').to_owned()
}

impl Engine {
    pub(crate) fn new(socket: Socket, pace: Pace) -> Self {
        Self {
            socket,
            pace,
            due: Due::Ping,
            deadline: Instant::now() + pace.ping_interval,
        }
    }

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

    // ANCHOR: next
    /// The next message. Heartbeats go on meanwhile.
    pub(crate) async fn next(&mut self) -> Result<Data, End> {
        loop {
            let message = tokio::select! {
                // The pong may have come while `send` was waiting. So
                // look at what is there before looking at the clock.
                biased;
                message = self.socket.next() => {
                    message.ok_or(Error::ConnectionClosed)??
                }
                () = sleep_until(self.deadline) => {
                    self.ping().await?;
                    continue;
                }
            };
            // A pong may be on its way behind other messages. Like
            // Node, wait for it once more.
            if self.due == Due::Pong && (message.is_text() || message.is_binary()) {
                self.wait_for(Due::LatePong);
            }
            match message {
                Message::Binary(bytes) => return Ok(Data::Bytes(bytes)),
                Message::Text(text) => match text.split_at_checked(1) {
                    Some(("4", text)) => return Ok(Data::Text(text.into())),
                    Some(("3", _)) => self.wait_for(Due::Ping),
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
        if self.due != Due::Ping {
            return Err(End::Fault("no pong in time"));
        }
        self.wait_for(Due::Pong);
        self.send([Message::text("2")]).await
    }

    fn wait_for(&mut self, due: Due) {
        let time = match due {
            Due::Ping => self.pace.ping_interval,
            Due::Pong | Due::LatePong => self.pace.ping_timeout,
        };
        self.due = due;
        self.deadline = Instant::now() + time;
    }
    // ANCHOR_END: next

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

    /// Like Node, says why only if the rules of WebSocket were broken.
    pub(crate) async fn close(mut self, end: End) {
        match end {
            End::WebSocket(error) => websocket::hang_up(self.socket, &error).await,
            End::Fault(fault) => {
                eprintln!("closed a connection: {fault}");
                // A client that is still there closes too, and that is the last
                // thing to read. For one that is gone, two seconds are enough.
                let goodbye = async {
                    let _ = self.socket.close(None).await;
                    while let Some(Ok(_)) = self.socket.next().await {}
                };
                let _ = timeout(Duration::from_secs(2), goodbye).await;
            }
        }
    }
}
