//! # A name at the door (chapter 07)
//!
//! A room in which clients have names instead of numbers. A client says its name in the
//! address, `/?name=Ada`. What it says, everyone hears, itself too: `Ada: hello`.
//!
//! The answer to the handshake is the last chance to refuse somebody:
//!
//! - The query is not `name=` and 1 to 20 letters, A to Z, small or capital: 400.
//! - Somebody in the room has this name: 409.
//! - Otherwise the handshake goes on, and the name is taken until its client has left,
//!   in whichever way. Then somebody else can have it.
//!
//! `websocket::upgrade` may still refuse the handshake, because of its version, say. Then
//! nobody has come in, and the name is not taken.
//!
//! In Node one would ask `names.has(name)` in the event `'upgrade'`, and call
//! `names.add(name)` in `'connection'`. Of two who come at the same time, both would get
//! in if anything is awaited in between. Here two threads are enough.
//!
//! Run it:   cargo run -p exercises --example ex07_nicknames
//! Grade it: cargo course watch ex07_nicknames
//! Or once:  cargo test -p exercises --test ex07_nicknames

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
};

use futures_util::{SinkExt, StreamExt};
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    service::service_fn,
};
use lesson_kit::websocket::{self, Socket};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let room = Room::default();
    lesson_kit::listen(service_fn(move |request| {
        let response = answer(request, &room);
        async { Ok::<_, Infallible>(response) }
    }))
    .await
}

/// Lets a client in, or says why not.
fn answer(request: Request<Incoming>, room: &Room) -> Response<Full<Bytes>> {
    // TODO: whoever has no name, or one that is taken, does not get in. The query is
    // `request.uri().query()`, and `websocket::text` makes a response.
    let seat = room.enter("Nobody");
    websocket::upgrade(request, 64 * 1024, |socket| converse(socket, seat))
}

/// Everyone who is here, by name. A clone is the same room.
#[derive(Clone, Default)]
struct Room(Arc<Mutex<Queues>>);

type Queues = BTreeMap<String, mpsc::UnboundedSender<Utf8Bytes>>;

/// A client's place in the room.
struct Seat {
    name: String,
    queue: mpsc::UnboundedReceiver<Utf8Bytes>,
    room: Room,
}

impl Room {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().expect("nobody panics while holding it")
    }

    // TODO: a seat, unless somebody has that name.
    fn enter(&self, name: &str) -> Seat {
        let (sender, queue) = mpsc::unbounded_channel();
        self.queues().insert(name.to_owned(), sender);
        Seat {
            name: name.to_owned(),
            queue,
            room: self.clone(),
        }
    }

    /// Queues `{name}: {text}` for everyone.
    fn say(&self, name: &str, text: &str) {
        let message: Utf8Bytes = format!("{name}: {text}").into();
        for queue in self.queues().values() {
            // Its client may be leaving in this moment.
            let _ = queue.send(message.clone());
        }
    }
}

// TODO: when a client has left, its name is free.

async fn converse(mut socket: Socket, mut seat: Seat) {
    loop {
        tokio::select! {
            received = socket.next() => match received {
                Some(Ok(Message::Text(text))) => seat.room.say(&seat.name, &text),
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
