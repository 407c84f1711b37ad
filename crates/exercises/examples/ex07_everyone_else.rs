//! # Everyone but the sender (chapter 07)
//!
//! Whatever a client sends, every other client receives, with the sender's number in
//! front: `1: hello`. The sender itself hears nothing. In Node's `ws` this is
//!
//! ```text
//! for (const other of server.clients) if (other !== socket) other.send(message);
//! ```
//!
//! Clients are numbered in the order in which they come, from 1. `Room` and `Seat` are
//! those of chapter 07, without the limits.
//!
//! Run it:   cargo run -p exercises --example ex07_everyone_else
//! Grade it: cargo course watch ex07_everyone_else
//! Or once:  cargo test -p exercises --test ex07_everyone_else

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
};

use futures_util::{SinkExt, StreamExt};
use hyper::service::service_fn;
use lesson_kit::websocket::{self, Socket};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let room = Room::default();
    lesson_kit::listen(service_fn(move |request| {
        // Before the handshake is answered: whoever has been let in, hears everything.
        let seat = room.enter();
        let converse = |socket| converse(socket, seat);
        let response = websocket::upgrade(request, 64 * 1024, converse);
        async { Ok::<_, Infallible>(response) }
    }))
    .await
}

/// Everyone who is connected, by number. A clone is the same room.
#[derive(Clone, Default)]
struct Room(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    last_id: u64,
    queues: BTreeMap<u64, mpsc::UnboundedSender<Utf8Bytes>>,
}

impl Room {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().expect("nobody panics while holding it")
    }

    fn enter(&self) -> Seat {
        let (sender, queue) = mpsc::unbounded_channel();
        let mut inside = self.inside();
        inside.last_id += 1;
        let id = inside.last_id;
        inside.queues.insert(id, sender);
        Seat {
            id,
            queue,
            room: self.clone(),
        }
    }

    /// Queues `{id}: {text}` for everyone but the client with this id.
    fn say(&self, id: u64, text: &str) {
        // TODO: everyone but the sender.
        todo!("say {text:?} to all but {id}")
    }
}

/// A client's place in the room.
struct Seat {
    id: u64,
    queue: mpsc::UnboundedReceiver<Utf8Bytes>,
    room: Room,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.room.inside().queues.remove(&self.id);
    }
}

async fn converse(mut socket: Socket, mut seat: Seat) {
    loop {
        tokio::select! {
            received = socket.next() => match received {
                Some(Ok(Message::Text(text))) => seat.room.say(seat.id, &text),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            Some(message) = seat.queue.recv() => {
                if socket.send(Message::Text(message)).await.is_err() {
                    return;
                }
            }
        }
    }
}
