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
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
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
    Error, Message, Utf8Bytes, protocol::frame::coding::CloseCode,
};

/// The longest message, in bytes. One that comes in goes out once for every client.
const LONGEST: usize = 64 * 1024;

/// How many bytes may wait for a client before it has to leave.
const BEHIND: usize = 1024 * 1024;

/// How many messages are queued before everyone gets a turn to write.
const TURN: u64 = 16;

/// How long it may take to write to a client what waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

// ANCHOR: main
#[tokio::main]
async fn main() -> lesson_kit::Result {
    lesson_kit::listen(TowerToHyperService::new(app())).await
}

fn app() -> Router {
    Router::new()
        .route("/", any(index))
        .route("/clients", get(clients))
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
        let converse = |socket| converse(socket, room);
        return websocket::upgrade(request, LONGEST, converse).into_response();
    }
    Html(include_str!("index.html")).into_response()
}

async fn clients(State(room): State<Room>) -> Json<Vec<u64>> {
    Json(room.clients().keys().copied().collect())
}
// ANCHOR_END: handlers

async fn not_found() -> impl IntoResponse {
    (StatusCode::NOT_FOUND, "there is only / and /clients\n")
}

// ANCHOR: room
/// Everyone who is connected. A clone is the same room.
#[derive(Clone, Default)]
struct Room {
    clients: Arc<Mutex<BTreeMap<u64, Client>>>,
    last_id: Arc<AtomicU64>,
    /// Whoever holds it may speak. It counts the messages.
    floor: Arc<tokio::sync::Mutex<u64>>,
}

/// What the room knows of a client.
struct Client {
    queue: mpsc::UnboundedSender<Utf8Bytes>,
    /// Bytes that wait in the queue, or are being written.
    behind: Arc<AtomicUsize>,
}

/// A client's place in the room, which it gives up when this
/// is dropped.
struct Seat {
    id: u64,
    room: Room,
    queue: mpsc::UnboundedReceiver<Utf8Bytes>,
    behind: Arc<AtomicUsize>,
}
// ANCHOR_END: room

impl Room {
    /// A std `Mutex`, not a tokio one, because nobody awaits while holding it.
    fn clients(&self) -> MutexGuard<'_, BTreeMap<u64, Client>> {
        self.clients.lock().expect("nobody panics while holding it")
    }

    // ANCHOR: enter
    fn enter(&self) -> Seat {
        let id = self.last_id.fetch_add(1, Relaxed) + 1;
        let (sender, queue) = mpsc::unbounded_channel();
        let behind = Arc::new(AtomicUsize::new(0));
        let client = Client {
            queue: sender,
            behind: Arc::clone(&behind),
        };
        self.clients().insert(id, client);
        Seat {
            id,
            room: self.clone(),
            queue,
            behind,
        }
    }
    // ANCHOR_END: enter

    // ANCHOR: broadcast
    /// Sends `{id}: {text}` to everyone.
    async fn say(&self, id: u64, text: &str) {
        // Made once. A clone of it is one more reference.
        let message: Utf8Bytes = format!("{id}: {text}").into();
        // One speaks at a time, and gives the others time to
        // write. Otherwise a few could fill the queues of clients
        // that have had no turn yet.
        let mut said = self.floor.lock().await;
        self.queue(&message);
        *said += 1;
        if said.is_multiple_of(TURN) {
            yield_now().await;
        }
    }

    /// Nobody is waited for: whoever is too far behind is
    /// removed instead.
    fn queue(&self, message: &Utf8Bytes) {
        self.clients().retain(|_, client| {
            let cost = cost(message);
            let behind = client.behind.fetch_add(cost, Relaxed);
            if behind >= BEHIND {
                return false;
            }
            client.queue.send(message.clone()).is_ok()
        });
    }
    // ANCHOR_END: broadcast
}

// ANCHOR: leave
impl Drop for Seat {
    fn drop(&mut self) {
        self.room.clients().remove(&self.id);
    }
}
// ANCHOR_END: leave

/// What a message takes up in a queue, in bytes.
fn cost(message: &Utf8Bytes) -> usize {
    size_of_val(message) + message.len()
}

// ANCHOR: converse
async fn converse(mut socket: Socket, room: Room) {
    let mut seat = room.enter();
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            received = socket.next() => match received {
                Some(Ok(Message::Text(text))) => {
                    room.say(seat.id, &text).await;
                }
                Some(Ok(Message::Binary(bytes))) => {
                    // What `toString()` does: whatever is not
                    // UTF-8 becomes U+FFFD.
                    let text = String::from_utf8_lossy(&bytes);
                    room.say(seat.id, &text).await;
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    drop(seat);
                    return websocket::hang_up(socket, &error).await;
                }
                None => return,
            },
            waiting = seat.queue.recv_many(&mut batch, usize::MAX) => {
                // The room has removed this client, and it has
                // got all that was queued before.
                if waiting == 0 {
                    let code = CloseCode::Policy;
                    return websocket::close(socket, code, "too slow").await;
                }
                let written = deliver(&mut socket, batch);
                match timeout(PATIENCE, written).await {
                    Ok(Ok(bytes)) => seat.behind.fetch_sub(bytes, Relaxed),
                    // It has gone, or takes too long.
                    Ok(Err(_)) | Err(_) => return,
                };
            }
        }
    }
}

/// Writes the whole batch, and returns what it cost.
async fn deliver(
    socket: &mut Socket,
    batch: Vec<Utf8Bytes>,
) -> Result<usize, Error> {
    let bytes = batch.iter().map(cost).sum();
    for message in batch {
        // `feed` puts it into the buffer, `flush` writes it out.
        socket.feed(Message::Text(message)).await?;
    }
    socket.flush().await?;
    Ok(bytes)
}
// ANCHOR_END: converse
