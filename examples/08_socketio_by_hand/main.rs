//! # 08 · Socket.IO by hand
//!
//! What is inside `socket.io`: two small protocols on a WebSocket. Engine.IO opens a
//! session and keeps it alive. Socket.IO has the events, acks and namespaces. The
//! official `socket.io-client` works with this server, over a WebSocket.
//!
//! Run it: `cargo run --example 08_socketio_by_hand`
//!
//! Try: open <http://127.0.0.1:3000/>. The page speaks both protocols by hand too, and
//! shows each packet. Leave it open for 25 seconds, and it shows a heartbeat.
//!
//! New here: one protocol inside another, a file for each, as npm has a package for each:
//! `engine.rs` (`engine.io`), `parser.rs` (`socket.io-parser`), and this one (`socket.io`).

mod engine;
mod parser;

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    env,
    time::Duration,
};

use engine::{End, Engine, LONGEST, Pace, new_id};
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    service::service_fn,
};
use lesson_kit::websocket::{self, Socket};
use parser::{Decoder, Fault, Kind, Packet};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

#[tokio::main]
async fn main() -> lesson_kit::Result {
    // The defaults are Node's.
    let pace = Pace {
        ping_interval: milliseconds("PING_INTERVAL", 25_000)?,
        ping_timeout: milliseconds("PING_TIMEOUT", 20_000)?,
        connect_timeout: milliseconds("CONNECT_TIMEOUT", 45_000)?,
    };
    lesson_kit::listen(service_fn(move |request| answer(request, pace))).await
}

fn milliseconds(name: &str, default: u32) -> lesson_kit::Result<Duration> {
    let text = env::var(name).unwrap_or(default.to_string());
    match text.parse() {
        // Node's timers count with 31 bits.
        Ok(number @ 0..=0x7fff_ffff) => Ok(Duration::from_millis(number)),
        _ => {
            let error = format!("{name}={text} is not a number of milliseconds");
            Err(lesson_kit::Error::new(error))
        }
    }
}

type Answer = Response<Full<Bytes>>;

async fn answer(
    request: Request<Incoming>,
    pace: Pace,
) -> Result<Answer, Infallible> {
    Ok(match request.uri().path() {
        "/" => {
            websocket::page("text/html; charset=utf-8", include_str!("index.html"))
        }
        "/style.css" => websocket::style(),
        "/page.js" => websocket::script(),
        path if path.starts_with("/socket.io/") => handshake(request, pace),
        _ => websocket::text(StatusCode::NOT_FOUND, "there is only /\n"),
    })
}

/// `GET /socket.io/?EIO=4&transport=websocket`, an upgrade.
fn handshake(request: Request<Incoming>, pace: Pace) -> Answer {
    if let Some(refusal) = refusal(&request) {
        let mut response = websocket::page("application/json", refusal);
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    }
    websocket::upgrade(request, LONGEST, move |socket| converse(socket, pace))
}

/// Why a request opens no session, in the words of Node.
fn refusal(request: &Request<Incoming>) -> Option<&'static str> {
    let query = request.uri().query().unwrap_or_default();
    let says = |what| query.split('&').any(|pair| pair == what);
    let resumes = query.split('&').any(|pair| pair.starts_with("sid="));
    if !says("transport=websocket") {
        Some(r#"{"code":0,"message":"Transport unknown"}"#)
    } else if resumes {
        Some(r#"{"code":1,"message":"Session ID unknown"}"#)
    } else if request.method() != Method::GET {
        Some(r#"{"code":2,"message":"Bad handshake method"}"#)
    } else if !websocket::asks_for_upgrade(request.headers()) {
        Some(r#"{"code":3,"message":"Bad request"}"#)
    } else if !says("EIO=4") {
        Some(r#"{"code":5,"message":"Unsupported protocol version"}"#)
    } else {
        None
    }
}

// ANCHOR: converse
async fn converse(socket: Socket, pace: Pace) {
    let mut engine = Engine::new(socket, pace);
    let Err(end) = serve(&mut engine, pace).await;
    engine.close(end).await;
}

async fn serve(engine: &mut Engine, pace: Pace) -> Result<Infallible, End> {
    engine.open().await?;
    let connect_by = Instant::now() + pace.connect_timeout;
    let mut client = Client::default();
    let mut decoder = Decoder::default();
    loop {
        let data = if client.connected {
            engine.next().await?
        } else {
            let in_time = timeout_at(connect_by, engine.next()).await;
            in_time.map_err(|_| "no namespace in time")??
        };
        if let Some(packet) = decoder.add(data)? {
            for answer in client.receive(packet)? {
                engine.send(answer.into_messages()).await?;
            }
        }
    }
}
// ANCHOR_END: converse

// ANCHOR: receive
/// One connection, and the namespaces it is connected to.
#[derive(Default)]
struct Client {
    connected: bool,
    sockets: HashMap<String, ClientSocket>,
}

impl Client {
    /// The answers to a packet.
    fn receive(&mut self, packet: Packet) -> Result<Vec<Packet>, Fault> {
        let socket = self.sockets.get_mut(&packet.namespace);
        Ok(match (packet.kind, socket) {
            (Kind::Connect, None) => self.connect(packet),
            (Kind::Event, Some(socket)) => Vec::from_iter(socket.event(packet)),
            (Kind::Ack, Some(socket)) => Vec::from_iter(socket.ack(packet)),
            (Kind::Disconnect, Some(_)) => {
                self.sockets.remove(&packet.namespace);
                vec![]
            }
            _ => return Err("a packet at the wrong time"),
        })
    }

    fn connect(&mut self, packet: Packet) -> Vec<Packet> {
        let name = packet.namespace;
        if name != "/" && name != "/custom" {
            let why = json!({ "message": "Invalid namespace" });
            return vec![Packet::new(Kind::ConnectError, name, why)];
        }
        self.connected = true;
        self.sockets.insert(name.clone(), ClientSocket::default());
        let sid = json!({ "sid": new_id() });
        let auth = match packet.payload {
            Value::Null => json!({}),
            auth => auth,
        };
        vec![
            Packet::new(Kind::Connect, name.clone(), sid),
            Packet::new(Kind::Event, name, json!(["auth", auth])),
        ]
    }
}
// ANCHOR_END: receive

// ANCHOR: socket
/// Node's `socket`: one client in one namespace.
#[derive(Default)]
struct ClientSocket {
    /// How many questions it was asked.
    asked: u64,
    /// The ids of those that it has not answered.
    open: HashSet<u64>,
}
// ANCHOR_END: socket

impl ClientSocket {
    // ANCHOR: events
    /// What came in is changed a little, and goes back.
    fn event(&mut self, mut packet: Packet) -> Option<Packet> {
        let arguments = packet.payload.as_array_mut()?;
        match arguments[0].as_str()? {
            "message" => {
                arguments[0] = "message-back".into();
                packet.id = None;
            }
            "message-with-ack" if packet.id.is_some() => {
                arguments.remove(0);
                packet.kind = Kind::Ack;
            }
            "ask-me" => {
                arguments[0] = "question".into();
                packet.id = Some(self.asked);
                self.open.insert(self.asked);
                self.asked += 1;
            }
            _ => return None,
        }
        Some(packet)
    }

    fn ack(&mut self, mut packet: Packet) -> Option<Packet> {
        // An answer to nothing, or a second one, is dropped.
        let was_open = self.open.remove(&packet.id.take()?);
        let arguments = packet.payload.as_array_mut()?;
        arguments.insert(0, "answered".into());
        packet.kind = Kind::Event;
        was_open.then_some(packet)
    }
    // ANCHOR_END: events
}
