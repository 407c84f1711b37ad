//! # The last ten messages (chapter 07)
//!
//! A room in which everyone hears everyone, itself too: `1: hello`. Whoever comes in gets
//! the last 10 messages first, or as many as there are, the oldest of them first. After
//! that it hears what everyone hears.
//!
//! In between nothing may be lost, and nothing doubled: if a newcomer gets message 7 as
//! the last of the ten, the next one is message 8, even if it is said at this very
//! moment. And those who are in the room already hear nothing twice. Keep no more than ten:
//! what is kept for ever fills the memory. (The last is not graded.)
//!
//! What happens in such a moment is a race, and a race is found by chance. All its points
//! are a good sign and no proof: grade again.
//!
//! In Node it is enough to send the history and to add the socket in the same callback,
//! because nothing else runs in the meantime. If anything is awaited between the two, a
//! message can slip through. Here other threads run in the meantime, awaited or not.
//!
//! `converse` is written, and so is the place where `enter` is called: before the
//! handshake is answered. What is in the room, `enter`, and `say` are up to you. Clients
//! are numbered in the order in which they come, from 1.
//!
//! Run it:   cargo run -p exercises --example ex07_latest
//! Grade it: cargo course watch ex07_latest
//! Or once:  cargo test -p exercises --test ex07_latest

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
        let seat = room.enter();
        let converse = |socket| converse(socket, seat);
        let response = websocket::upgrade(request, 64 * 1024, converse);
        async { Ok::<_, Infallible>(response) }
    }))
    .await
}

/// Everyone who is here. A clone is the same room.
#[derive(Clone, Default)]
struct Room(Arc<Mutex<Inside>>);

/// A client's place in the room.
struct Seat {
    id: u64,
    queue: mpsc::UnboundedReceiver<Utf8Bytes>,
    room: Room,
}

/// What the mutex protects: nobody can see it half changed.
#[derive(Default)]
struct Inside {
    // TODO: the last number, and what was said last.
    queues: BTreeMap<u64, mpsc::UnboundedSender<Utf8Bytes>>,
}

impl Room {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().expect("nobody panics while holding it")
    }

    /// A seat. The latest messages are in its queue already.
    fn enter(&self) -> Seat {
        // TODO: what was said so far, and from here on everything.
        drop(self.inside());
        todo!()
    }

    /// Queues `{id}: {text}` for everyone who is here, and keeps it for those to come.
    fn say(&self, id: u64, text: &str) {
        // TODO: those who are here, and those to come.
        todo!("say {text:?} for {id}")
    }
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
