//! # A client that does not read (chapter 07)
//!
//! A room in which everyone hears everyone, itself too: `1: hello`. It works, until one
//! client stops reading. Its messages pile up in the memory of the server.
//!
//! - Up to 32 messages wait for a client. When there is no room for another one, the
//!   room forgets the client, and `GET /`, which lists who is here, no longer lists it.
//! - Everyone else hears everything, in order, and waits for nobody.
//! - If the forgotten client reads again, it gets what was waiting for it, in order and
//!   without a gap. Then comes a close frame with code 1008, and the connection ends.
//!
//! What the system keeps for a connection, some MiB, does not count, and cannot be told
//! from your queue by a client. So this is graded: 20 messages at once do no harm to those
//! who read, and who reads nothing is forgotten within 30 MiB. A message has 64 KiB at most.
//!
//! The chapter has more than is asked for here: it counts bytes, keeps healthy clients
//! through a longer burst, and cuts off a client that never reads again.
//!
//! In Node `socket.send` never waits, and `bufferedAmount` grows where nobody looks. An
//! `UnboundedSender` is the same.
//!
//! Run it:   cargo run -p exercises --example ex07_slow_reader
//! Grade it: cargo course watch ex07_slow_reader
//! Or once:  cargo test -p exercises --test ex07_slow_reader

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
};

use futures_util::{SinkExt, StreamExt};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use lesson_kit::websocket::{self, Socket};
use tokio::sync::mpsc;
// SOLUTION
use tokio_tungstenite::tungstenite::{
    Message, Utf8Bytes, protocol::frame::coding::CloseCode,
};

/// How many messages may wait for a client.
const BEHIND: usize = 32;
// STARTER
// use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
// END

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

// SOLUTION
#[derive(Default)]
struct Inside {
    last_id: u64,
    queues: BTreeMap<u64, mpsc::Sender<Utf8Bytes>>,
}

/// A client's place in the room.
struct Seat {
    id: u64,
    queue: mpsc::Receiver<Utf8Bytes>,
    room: Room,
}
// STARTER
// // TODO: a queue with a bound is made by `mpsc::channel`.
// #[derive(Default)]
// struct Inside {
//     last_id: u64,
//     queues: BTreeMap<u64, mpsc::UnboundedSender<Utf8Bytes>>,
// }
//
// /// A client's place in the room.
// struct Seat {
//     id: u64,
//     queue: mpsc::UnboundedReceiver<Utf8Bytes>,
//     room: Room,
// }
// END

impl Room {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().expect("nobody panics while holding it")
    }

    fn ids(&self) -> Vec<u64> {
        self.inside().queues.keys().copied().collect()
    }

    fn enter(&self) -> Seat {
        // SOLUTION
        let (sender, queue) = mpsc::channel(BEHIND);
        // STARTER
        // let (sender, queue) = mpsc::unbounded_channel();
        // END
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

    /// Queues `{id}: {text}` for everyone.
    fn say(&self, id: u64, text: &str) {
        let message: Utf8Bytes = format!("{id}: {text}").into();
        // SOLUTION
        let queues = &mut self.inside().queues;
        // Whoever has no room for it is forgotten.
        queues.retain(|_, queue| queue.try_send(message.clone()).is_ok());
        // STARTER
        // // TODO: whoever has no room for it is forgotten.
        // for queue in self.inside().queues.values() {
        //     let _ = queue.send(message.clone());
        // }
        // END
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
            // SOLUTION
            message = seat.queue.recv() => {
                let Some(message) = message else {
                    // Forgotten, and it has got all that was queued before.
                    let code = CloseCode::Policy;
                    return websocket::close(socket, code, "too slow").await;
                };
                if socket.send(Message::Text(message)).await.is_err() {
                    return;
                }
            }
            // STARTER
            // // TODO: once the sender is gone, `recv` returns `None`. The code is in
            // // `tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode`.
            // Some(message) = seat.queue.recv() => {
            //     if socket.send(Message::Text(message)).await.is_err() {
            //         return;
            //     }
            // }
            // END
        }
    }
}
