//! # A vote (chapter 11)
//!
//! A client has a question for everybody, itself too. The server asks, and tells everybody
//! what came of it:
//!
//! ```text
//! socket.emit('vote', 'Tea?');                       // whoever wants to know
//! socket.on('question', (text, ack) => ack(true));   // everybody: true or false
//! socket.on('result', (result) => …);                // everybody, once:
//! //   { question: 'Tea?', yes: ['4vT…', 'p0x…'], no: ['a7f…'], silent: [] }
//! ```
//!
//! - Everybody who is connected gets `question`, with the text, and an ack is wanted. All
//!   are asked at once: nobody is asked later because somebody thinks for long.
//! - An answer is `true` or `false`. Whoever answers with anything else, leaves instead of
//!   answering, or has not answered when the time is over, is `silent`.
//! - As soon as everybody has answered, left, or run out of time, all who are still there
//!   get `result`: an object with the question and three lists of public ids, each in any
//!   order.
//! - The time is `Patience`, 10 seconds unless `ANSWER_TIMEOUT` says otherwise. Nobody has
//!   to wait for a client that has left.
//!
//! Whoever connects gets its public id with `welcome`. That is there already.
//!
//! Run it:   cargo run -p exercises --example ex11_ask_clients
//! Grade it: cargo course watch ex11_ask_clients
//! Or once:  cargo test -p exercises --test ex11_ask_clients

use std::{env, time::Duration};

use parity::UserId;
// SOLUTION
use serde::Serialize;
// END
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef, State},
};

const PAGE: &str = "\
<!doctype html><title>A vote</title>
<script src=/socket.io/socket.io.js></script>
<script>
const socket = io();
const show = (...all) => document.body.append(JSON.stringify(all), '\\n');
socket.onAny(show);
socket.on('question', (text, ack) => ack(confirm(text)));
</script>
<body style='white-space:pre'>
<button onclick=\"socket.emit('vote', 'Tea?')\">Tea?</button>";

/// How long a client may take for an answer.
#[derive(Clone, Copy)]
struct Patience(Duration);

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let text = env::var("ANSWER_TIMEOUT").unwrap_or_default();
    let patience = Patience(Duration::from_millis(text.parse().unwrap_or(10_000)));
    let (layer, io) = SocketIo::builder().with_state(patience).build_layer();
    io.ns("/", parity::connection(connected));
    lesson_kit::socketio::serve(PAGE, layer, io).await
}

async fn connected(socket: SocketRef) {
    parity::on(&socket, "vote", vote);
    let id = UserId::of(&socket);
    parity::emit(&socket, "welcome", &id).await.ok();
}

// SOLUTION
#[derive(Serialize)]
struct Outcome {
    question: String,
    yes: Vec<UserId>,
    no: Vec<UserId>,
    silent: Vec<UserId>,
}

async fn vote(
    io: SocketIo,
    State(Patience(patience)): State<Patience>,
    Data(question): Data<String>,
) {
    let all = io.broadcast();
    let answers =
        parity::broadcast_with_ack(all, patience, "question", &question).await;
    let mut outcome = Outcome {
        question,
        yes: Vec::new(),
        no: Vec::new(),
        silent: Vec::new(),
    };
    for (voter, answer) in answers {
        let list = match answer {
            Ok(true) => &mut outcome.yes,
            Ok(false) => &mut outcome.no,
            Err(_) => &mut outcome.silent,
        };
        list.push(UserId::of(&voter));
    }
    parity::broadcast(io.broadcast(), "result", &outcome).ok();
}
// STARTER
// // TODO: ask everybody, and tell everybody what came of it.
// async fn vote(
//     socket: SocketRef,
//     State(Patience(patience)): State<Patience>,
//     Data(question): Data<String>,
// ) {
//     let text = format!("{question} Nobody has been asked for {patience:?}.");
//     parity::emit(&socket, "result", &text).await.ok();
// }
// END
