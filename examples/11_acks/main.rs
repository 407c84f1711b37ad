//! # 11 · Acks: questions and answers
//!
//! A board of notes. Whoever emits may pass a callback as the last argument, and the
//! server calls it: with three arguments, with one, with none. The server asks too:
//! whoever saves, before a note is overwritten, or everybody else.
//!
//! Run it: `cargo run --example 11_acks`
//!
//! Try: open <http://127.0.0.1:3000/> in two tabs. Save a note twice, and look at it from
//! the other tab before you answer. Ask the others, and close the other tab instead of
//! answering.
//!
//! New here: `Ack`, which answers once; `parity::emit_with_ack`, which waits for an answer
//! that may be late, wrong, or never come; state that handlers share, with `with_state`.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use lesson_kit::milliseconds;
use parity::{Ack, NOTHING, UserId, Value};
use serde::{Deserialize, Serialize};
use socketioxide::{
    AckError, SocketIo,
    extract::{Data, SocketRef, State, TryData},
};

// ANCHOR: main
#[tokio::main]
async fn main() -> lesson_kit::Result {
    let board = Arc::new(Board {
        notes: Mutex::default(),
        patience: milliseconds("ANSWER_TIMEOUT", 10_000)?,
    });
    let (layer, io) = SocketIo::builder().with_state(board).build_layer();
    io.ns("/", parity::connection(connected));
    lesson_kit::socketio::serve(include_str!("index.html"), layer, io).await
}
// ANCHOR_END: main

// ANCHOR: board
struct Board {
    /// A note is text or bytes.
    notes: Mutex<HashMap<String, Value>>,
    /// How long a client may take for an answer.
    patience: Duration,
}

impl Board {
    fn notes(&self) -> MutexGuard<'_, HashMap<String, Value>> {
        self.notes.lock().expect("nobody panics while holding it")
    }
}
// ANCHOR_END: board

async fn connected(socket: SocketRef) {
    parity::on(&socket, "event_name", event_name);
    parity::on(&socket, "save", save);
    parity::on(&socket, "load", load);
    parity::on(&socket, "remove", remove);
    parity::on(&socket, "ask", ask);
    let id = UserId::of(&socket);
    parity::emit(&socket, "welcome", &id).await.ok();
}

// ANCHOR: event_name
#[derive(Deserialize, Serialize)]
struct Person {
    name: String,
}

async fn event_name(
    Data((text, number, person)): Data<(String, i64, Person)>,
    ack: Ack,
) {
    ack.send(&(text, number, person)).await.ok();
}
// ANCHOR_END: event_name

// ANCHOR: answer
/// `{"saved":"todo"}`, `{"note":"buy milk"}` or
/// `{"error":"…"}`.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Saved { saved: String },
    Note { note: Value },
    Error { error: String },
}

fn error(why: impl Into<String>) -> Answer {
    Answer::Error { error: why.into() }
}
// ANCHOR_END: answer

// ANCHOR: load
async fn load(
    State(board): State<Arc<Board>>,
    TryData(name): TryData<String>,
    ack: Ack,
) {
    let answer = match name {
        Ok(name) => match board.notes().get(&name) {
            Some(note) => Answer::Note { note: note.clone() },
            None => error(format!("no note {name}")),
        },
        Err(why) => error(why.to_string()),
    };
    ack.send(&answer).await.ok();
}

async fn remove(
    State(board): State<Arc<Board>>,
    Data(name): Data<String>,
    ack: Ack,
) {
    board.notes().remove(&name);
    ack.send(&NOTHING).await.ok();
}
// ANCHOR_END: load

// ANCHOR: save
async fn save(
    socket: SocketRef,
    State(board): State<Arc<Board>>,
    TryData(note): TryData<(String, Value)>,
    ack: Ack,
) {
    let answer = match note {
        Ok((name, note)) if is_note(&note) => {
            write(&board, &socket, name, note).await
        }
        Ok(_) => error("a note is text or bytes"),
        Err(why) => error(why.to_string()),
    };
    // Last: "saved" must be true when the client hears it.
    ack.send(&answer).await.ok();
}

fn is_note(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Binary(_))
}
// ANCHOR_END: save

// ANCHOR: write
async fn write(
    board: &Board,
    socket: &SocketRef,
    name: String,
    note: Value,
) -> Answer {
    let mut agreed = None;
    loop {
        let old = {
            // Locked once, to look and to write: in between,
            // another thread could write too.
            let mut notes = board.notes();
            match notes.get(&name) {
                // Somebody may have written while the client
                // thought. It agreed to lose what it saw.
                Some(old) if Some(old) != agreed.as_ref() => old.clone(),
                _ => {
                    notes.insert(name.clone(), note);
                    return Answer::Saved { saved: name };
                }
            }
        };
        let wait = board.patience;
        let question = (&name, &old);
        let yes = parity::emit_with_ack(socket, wait, "overwrite", &question);
        match yes.await {
            Ok(true) => agreed = Some(old),
            Ok(false) => return error("you said no"),
            Err(why) => return error(explain(&why)),
        }
    }
}

fn explain(why: &AckError) -> &'static str {
    match why {
        AckError::Decode(_) => "you said neither yes nor no",
        AckError::Timeout => "you did not answer in time",
        // Nobody is there to read it.
        AckError::Socket(_) => "you left",
    }
}
// ANCHOR_END: write

// ANCHOR: ask
async fn ask(
    socket: SocketRef,
    State(board): State<Arc<Board>>,
    Data(question): Data<String>,
    ack: Ack,
) {
    let others = parity::broadcast_with_ack(
        socket.broadcast(),
        board.patience,
        "question",
        &question,
    );
    let mut answers = BTreeMap::<UserId, String>::new();
    let mut silent = Vec::new();
    for (other, answer) in others.await {
        let id = UserId::of(&other);
        match answer {
            Ok(answer) => {
                answers.insert(id, answer);
            }
            Err(_) => silent.push(id),
        }
    }
    ack.send(&(answers, silent)).await.ok();
}
// ANCHOR_END: ask
