//! # 12 · Rooms
//!
//! Clients join rooms, leave them, and talk in them. What is said in a room is heard by
//! its members and by nobody else. Every event is answered through its callback, with
//! `{ "result": … }` or `{ "error": … }`.
//!
//! Run it: `cargo run --example 12_rooms`
//!
//! Try: open <http://127.0.0.1:3000/> in three tabs, join a room in two of them, and talk
//! there. Then leave it, and try to talk there all the same.
//!
//! New here: rooms, and whom `to`, `within` and `except` mean; a type for the names that
//! clients may choose; and one lock, for what Node's one thread does by itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use parity::{Ack, UserId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{SocketRef, TryData},
};

/// The longest name of a room, in characters.
const LONGEST: usize = 50;

/// How many rooms a client may be in.
const MOST: usize = 20;

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", parity::connection(connected));
    lesson_kit::socketio::serve(include_str!("index.html"), layer, io).await
}

// ANCHOR: connected
async fn connected(socket: SocketRef) {
    on(&socket, "join", join);
    on(&socket, "leave", leave);
    on(&socket, "say", say);
    on(&socket, "invite", invite);
    on(&socket, "who", who);
    on(&socket, "rooms", rooms);
    parity::on_disconnect(&socket, gone);

    let id = UserId::of(&socket);
    parity::emit(&socket, "welcome", &id).await.ok();
}
// ANCHOR_END: connected

// ANCHOR: room
/// The name of a room, as a client may choose it.
#[derive(Deserialize, Serialize)]
#[serde(try_from = "String")]
struct Room(String);

impl TryFrom<String> for Room {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match name.chars().count() {
            1..=LONGEST => Ok(Self(name)),
            _ => Err(format!("a room's name has 1 to {LONGEST} characters")),
        }
    }
}

impl Room {
    /// What Socket.IO calls it. Each client is alone in a
    /// room that has its id for a name, and with the prefix
    /// nobody else can get in there.
    fn key(&self) -> String {
        format!("room:{}", self.0)
    }

    fn has(&self, socket: &SocketRef) -> bool {
        socket.rooms().contains(&self.key().into())
    }
}
// ANCHOR_END: room

// ANCHOR: join
type Answer<T> = Result<T, Box<dyn std::error::Error>>;

fn join(socket: &SocketRef, _: &SocketIo, (room,): (Room,)) -> Answer<()> {
    if room.has(socket) {
        return Ok(());
    }
    // One more is the client's own.
    if socket.rooms().len() > MOST {
        return Err(format!("you are in {MOST} rooms already").into());
    }
    socket.join(room.key());
    let others = socket.to(room.key());
    let joined = (room, UserId::of(socket));
    parity::broadcast(others, "joined", &joined)?;
    Ok(())
}

fn leave(socket: &SocketRef, _: &SocketIo, (room,): (Room,)) -> Answer<()> {
    if room.has(socket) {
        socket.leave(room.key());
        let others = socket.to(room.key());
        let left = (room, UserId::of(socket));
        parity::broadcast(others, "left", &left)?;
    }
    Ok(())
}
// ANCHOR_END: join

// ANCHOR: say
fn say(
    socket: &SocketRef,
    io: &SocketIo,
    (room, text): (Room, String),
) -> Answer<()> {
    if !room.has(socket) {
        return Err("you are not in this room".into());
    }
    let all = io.to(room.key());
    let said = (room, UserId::of(socket), text);
    parity::broadcast(all, "said", &said)?;
    Ok(())
}
// ANCHOR_END: say

// ANCHOR: invite
fn invite(
    socket: &SocketRef,
    io: &SocketIo,
    (room, ids): (Room, Vec<String>),
) -> Answer<()> {
    if !room.has(socket) {
        return Err("you are not in this room".into());
    }
    // `io.within([])` would be everybody.
    if ids.is_empty() {
        return Err("nobody is invited".into());
    }
    // A client has sent this. It could name any room.
    let is_user = |id: &String| {
        let inside = io.within(id.clone()).sockets();
        inside.iter().any(|user| UserId::of(user).room() == *id)
    };
    if !ids.iter().all(is_user) {
        return Err("not everybody is here".into());
    }
    let guests = io.within(ids).except(room.key());
    let invited = (room, UserId::of(socket));
    parity::broadcast(guests, "invited", &invited)?;
    Ok(())
}
// ANCHOR_END: invite

// ANCHOR: who
type Ids = BTreeSet<UserId>;

fn who(_: &SocketRef, io: &SocketIo, (room,): (Room,)) -> Answer<Ids> {
    let members = io.within(room.key()).sockets();
    Ok(members.iter().map(|socket| UserId::of(socket)).collect())
}

fn rooms(
    _: &SocketRef,
    io: &SocketIo,
    []: [(); 0],
) -> Answer<BTreeMap<String, Ids>> {
    let rooms = parity::rooms(io.broadcast(), UserId::of);
    let rooms = rooms.into_iter().filter_map(|(key, ids)| {
        let name = key.strip_prefix("room:")?;
        Some((name.to_owned(), ids))
    });
    Ok(rooms.collect())
}
// ANCHOR_END: who

// ANCHOR: gone
/// Tells each of the others once, however many rooms they
/// share.
async fn gone(socket: SocketRef) {
    let _floor = floor();
    let rooms = socket.rooms();
    // Whoever hears of it, and asks, must not find it there.
    socket.leave_all();
    let (others, id) = (socket.to(rooms), UserId::of(&socket));
    parity::broadcast(others, "gone", &id).ok();
}
// ANCHOR_END: gone

// ANCHOR: on
/// Whoever holds it may act. It makes one step of what an
/// action looks up and what it then does.
fn floor() -> MutexGuard<'static, ()> {
    static FLOOR: Mutex<()> = Mutex::new(());
    // It guards no data that a panic could leave half changed.
    FLOOR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers each `event` with what `action` returns.
fn on<T, R>(
    socket: &SocketRef,
    event: &'static str,
    action: fn(&SocketRef, &SocketIo, T) -> Answer<R>,
) where
    T: DeserializeOwned + Send + Sync + 'static,
    R: Serialize + 'static,
{
    let handler = async move |socket: SocketRef,
                              io: SocketIo,
                              TryData(data): TryData<T>,
                              ack: Ack| {
        let act = |data| {
            let _floor = floor();
            action(&socket, &io, data)
        };
        let reply = match data.map_err(Into::into).and_then(act) {
            Ok(result) => json!({ "result": result }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        ack.send(&reply).await.ok();
    };
    parity::on(socket, event, handler);
}
// ANCHOR_END: on
