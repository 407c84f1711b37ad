//! # Who is here, and who has left (chapter 07)
//!
//! A room in which everyone hears everyone, as in chapter 07, and learns who comes and
//! who goes:
//!
//! - Whoever comes in gets a number, from 1. Everyone hears `2 is here`, the newcomer
//!   too: it is the first thing that it hears.
//! - What a client says, everyone hears, itself too: `2: hello`.
//! - When a client has left, everyone else hears `2 has left`, once. By then it is
//!   forgotten: the room holds nothing of it, and `GET /` does not list it.
//! - `GET /` answers with the numbers of those who are here: `[1,3]`. That is written.
//!
//! A client can leave in many ways: with a close frame, or its connection ends without
//! one, or it breaks the rules, or its machine resets the connection. All are the same
//! here.
//!
//! In Node's examples there is often a `sockets.push(socket)`, and a loop over all of
//! them. Nobody is ever taken out, and the array grows until the server ends.
//!
//! Run it:   cargo run -p exercises --example ex07_who_left
//! Grade it: cargo course watch ex07_who_left
//! Or once:  cargo test -p exercises --test ex07_who_left

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
};

use futures_util::{SinkExt, StreamExt};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use lesson_kit::websocket::{self, Socket};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let room = Room::default();
    lesson_kit::listen(service_fn(move |request: Request<Incoming>| {
        let response = if websocket::asks_for_upgrade(request.headers()) {
            // Before the handshake is answered: whoever is let in, hears everything.
            let seat = room.enter();
            websocket::upgrade(request, 64 * 1024, |socket| converse(socket, seat))
        } else {
            Response::new(format!("{:?}", room.ids()).into())
        };
        async { Ok::<_, Infallible>(response) }
    }))
    .await
}

/// Everyone who is here, by number. A clone is the same room.
#[derive(Clone, Default)]
struct Room(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    last_id: u64,
    queues: BTreeMap<u64, mpsc::UnboundedSender<Utf8Bytes>>,
}

/// A client's place in the room.
struct Seat {
    id: u64,
    queue: mpsc::UnboundedReceiver<Utf8Bytes>,
    room: Room,
}

impl Room {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().expect("nobody panics while holding it")
    }

    fn ids(&self) -> Vec<u64> {
        self.inside().queues.keys().copied().collect()
    }

    fn enter(&self) -> Seat {
        let (sender, queue) = mpsc::unbounded_channel();
        let mut inside = self.inside();
        inside.last_id += 1;
        let id = inside.last_id;
        inside.queues.insert(id, sender);
        // SOLUTION
        inside.tell(&format!("{id} is here"));
        // STARTER
        // // TODO: everyone hears that it is here.
        // END
        Seat {
            id,
            queue,
            room: self.clone(),
        }
    }
}

impl Inside {
    /// Queues `text` for everyone who is here.
    fn tell(&self, text: &str) {
        let text = Utf8Bytes::from(text);
        for queue in self.queues.values() {
            // Its client may be leaving in this moment.
            let _ = queue.send(text.clone());
        }
    }
}

// SOLUTION
impl Drop for Seat {
    fn drop(&mut self) {
        let mut inside = self.room.inside();
        inside.queues.remove(&self.id);
        inside.tell(&format!("{} has left", self.id));
    }
}
// STARTER
// // TODO: whoever has left is forgotten, and everyone else hears of it. There are several
// // ways out of `converse`. What happens on all of them?
// END

async fn converse(mut socket: Socket, mut seat: Seat) {
    loop {
        tokio::select! {
            received = socket.next() => match received {
                Some(Ok(Message::Text(text))) => {
                    let text = format!("{}: {text}", seat.id);
                    seat.room.inside().tell(&text);
                }
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
