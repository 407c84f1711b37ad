//! # 07 · Broadcast: one room for everybody
//!
//! Whatever a client sends goes to everyone who is connected, with the client's id in
//! front: `3: hello`. One axum app serves the page, a list of who is connected, and the
//! socket, on one port.
//!
//! Run it: `cargo run --example 07_ws_broadcast`
//!
//! Try: open <http://127.0.0.1:3000/> in two tabs and talk. Close one of them, and look at
//! <http://127.0.0.1:3000/clients> before and after.
//!
//! New here: state that many tasks share, in an `Arc<Mutex<…>>`; a queue for each client,
//! so that nobody waits for a slow one; and leaving the room by going out of scope.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
    routing::{any, get},
};
use futures_util::{SinkExt, StreamExt};
use hyper_util::service::TowerToHyperService;
use lesson_kit::websocket::{self, Socket};
use tokio::{sync::mpsc, task::yield_now, time::timeout};
use tokio_tungstenite::tungstenite::{
    Message, Utf8Bytes, protocol::frame::coding::CloseCode,
};

// ANCHOR: limits
/// The longest message that a client may send, in bytes.
const MAX_MESSAGE: usize = 64 * 1024;

/// How many bytes may be queued for a client during one write
/// to it.
const MAX_BACKLOG: usize = 1024 * 1024;

/// After so many bytes everyone gets a turn to write.
const TURN: usize = 64 * 1024;

/// How long a client may take to read what is written to it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
// ANCHOR_END: limits

// ANCHOR: main
#[tokio::main]
async fn main() -> lesson_kit::Result {
    lesson_kit::listen(TowerToHyperService::new(app())).await
}

fn app() -> Router {
    Router::new()
        .route("/", any(index))
        .route("/clients", get(list))
        .route("/style.css", get(async || websocket::style()))
        .route("/page.js", get(async || websocket::script()))
        .fallback(not_found)
        .with_state(Room::default())
}

// ANCHOR_END: main

// ANCHOR: handlers
/// The page or the socket, on the same path as in lesson 05.
async fn index(State(room): State<Room>, request: Request) -> Response {
    if websocket::asks_for_upgrade(request.headers()) {
        // Before the answer: once a client has it, it misses nothing.
        let seat = room.enter();
        let converse = |socket| converse(socket, seat);
        return websocket::upgrade(request, MAX_MESSAGE, converse).into_response();
    }
    Html(include_str!("index.html")).into_response()
}

async fn list(State(room): State<Room>) -> Json<Vec<u64>> {
    Json(lock(&room.inside).clients.keys().copied().collect())
}
// ANCHOR_END: handlers

async fn not_found() -> impl IntoResponse {
    (StatusCode::NOT_FOUND, "there is only / and /clients\n")
}

// ANCHOR: room
/// Everyone who is connected. A clone is the same room.
#[derive(Clone, Default)]
struct Room {
    inside: Arc<Mutex<Inside>>,
    /// Locked by the client that speaks. It counts bytes.
    speaking: Arc<tokio::sync::Mutex<usize>>,
}

#[derive(Default)]
struct Inside {
    last_id: u64,
    clients: BTreeMap<u64, Client>,
}

/// What the room knows of a client.
struct Client {
    sender: mpsc::UnboundedSender<Utf8Bytes>,
    backlog: Backlog,
}

/// Bytes that were queued for a client since a write to it
/// began. `None` if no write is under way.
type Backlog = Arc<Mutex<Option<usize>>>;

/// A client's place in the room, which it gives up when this
/// is dropped.
struct Seat {
    id: u64,
    receiver: mpsc::UnboundedReceiver<Utf8Bytes>,
    backlog: Backlog,
    room: Room,
}

/// A std `Mutex`, not a tokio one: nobody awaits while it is
/// locked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics while it is locked")
}
// ANCHOR_END: room

impl Room {
    // ANCHOR: enter
    fn enter(&self) -> Seat {
        let (sender, receiver) = mpsc::unbounded_channel();
        // The answer to its handshake is still to be written.
        let backlog = Backlog::new(Mutex::new(Some(0)));
        let client = Client {
            sender,
            backlog: backlog.clone(),
        };
        let room = self.clone();
        let mut inside = lock(&self.inside);
        inside.last_id += 1;
        let id = inside.last_id;
        inside.clients.insert(id, client);
        Seat {
            id,
            receiver,
            backlog,
            room,
        }
    }
    // ANCHOR_END: enter

    // ANCHOR: broadcast
    /// Queues `{id}: {text}` for everyone. Nobody is waited
    /// for: a client that is too far behind is removed.
    async fn broadcast(&self, id: u64, text: &str) {
        // Made once. A clone of it is one more reference.
        let message: Utf8Bytes = format!("{id}: {text}").into();
        // Even an empty text takes some memory in a queue.
        let size = size_of::<Utf8Bytes>() + message.len();

        let mut said = self.speaking.lock().await;
        lock(&self.inside).clients.retain(|_, client| {
            if let Some(backlog) = &mut *lock(&client.backlog) {
                if *backlog >= MAX_BACKLOG {
                    return false;
                }
                *backlog += size;
            }
            client.sender.send(message.clone()).is_ok()
        });

        // Nobody speaks until the others have had a turn.
        *said += size;
        if *said >= TURN {
            *said = 0;
            yield_now().await;
        }
    }
    // ANCHOR_END: broadcast
}

// ANCHOR: leave
impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.room.inside).clients.remove(&self.id);
    }
}
// ANCHOR_END: leave

// ANCHOR: converse
async fn converse(mut socket: Socket, mut seat: Seat) {
    loop {
        // No write is under way, so this client is not behind.
        *lock(&seat.backlog) = None;
        let mut batch = Vec::new();
        tokio::select! {
            received = socket.next() => match received {
                Some(Ok(Message::Close(_))) => {
                    drop(seat);
                    // The answer is made, and still to be sent.
                    let _ = timeout(WRITE_TIMEOUT, socket.flush()).await;
                    return;
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => {
                    // What `toString()` does: whatever is not
                    // UTF-8 becomes U+FFFD.
                    let bytes = message.into_data();
                    let text = String::from_utf8_lossy(&bytes);
                    seat.room.broadcast(seat.id, &text).await;
                }
                Some(Err(error)) => {
                    drop(seat);
                    return websocket::hang_up(socket, &error).await;
                }
                None => return,
            },
            queued = seat.receiver.recv_many(&mut batch, usize::MAX) => {
                // The room has removed this client, and it has
                // got all that was queued before.
                if queued == 0 {
                    let code = CloseCode::Policy;
                    return websocket::close(socket, code, "too slow").await;
                }
                *lock(&seat.backlog) = Some(0);
                let write = async {
                    for message in batch {
                        // Into a buffer, which `flush` writes out.
                        socket.feed(Message::Text(message)).await?;
                    }
                    socket.flush().await
                };
                let Ok(Ok(())) = timeout(WRITE_TIMEOUT, write).await else {
                    return; // It has gone, or takes too long.
                };
            }
        }
    }
}
// ANCHOR_END: converse
