//! # Who is online (chapter 13)
//!
//! A client says `hello(name)`, and is online under that name, which may be any text.
//! Clients without a name may listen, but are not online.
//!
//! - `hello` is acked with the list of all names that are online, in any order.
//! - Whenever the list has changed, everybody hears `online(list)`, also whoever has changed
//!   it, and those without a name. When it has not changed, nobody hears anything.
//! - Several clients may have the same name: two tabs of one person. The name is in the
//!   list once, and as long as one of them is connected.
//! - A client that says `hello` again has a new name, and not the old one any more.
//!   That is one change.
//!
//! When a connection ends, everybody else hears `left(id)`. That is there already. If the
//! list changes with it, `online` goes first.
//!
//! In Node one would begin with a `Map` of names, `io.emit('online', list)` and
//! `socket.on('disconnect', …)`.
//!
//! Run it:   cargo run -p exercises --example ex13_online
//! Grade it: cargo course watch ex13_online
//! Or once:  cargo test -p exercises --test ex13_online

// SOLUTION
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

// STARTER
// END
use parity::{Ack, UserId};
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
};

const PAGE: &str = "Talk to this server with a client of your own.";

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", parity::connection(connected));
    lesson_kit::socketio::serve(PAGE, layer, io).await
}

async fn connected(socket: SocketRef) {
    parity::on(&socket, "hello", hello);
    parity::on_disconnect(&socket, gone);
    let id = UserId::of(&socket);
    parity::emit(&socket, "welcome", &id).await.ok();
}
// SOLUTION

/// The name of each client that has one.
type Names = BTreeMap<UserId, String>;

static NAMES: Mutex<Names> = Mutex::new(Names::new());

/// Changes the names. If others are online than before, everybody hears of it.
fn change(io: &SocketIo, change: impl FnOnce(&mut Names)) -> BTreeSet<String> {
    let online = |names: &Names| BTreeSet::from_iter(names.values().cloned());
    let mut names = NAMES.lock().expect("nobody panics while holding it");
    let before = online(&names);
    change(&mut names);
    let after = online(&names);
    if after != before {
        // With the names still locked, so that the last list to arrive is the last one.
        parity::broadcast(io.broadcast(), "online", &after)
            .expect("strings can be written as JSON");
    }
    after
}
// STARTER
// END

async fn hello(socket: SocketRef, io: SocketIo, Data(name): Data<String>, ack: Ack) {
    // SOLUTION
    let id = UserId::of(&socket);
    let online = change(&io, |names| {
        names.insert(id, name);
    });
    // STARTER
    // // TODO: from now on this client has that name.
    // let _ = (socket, io, name);
    // let online: Vec<String> = Vec::new();
    // END
    ack.send(&online).await.ok();
}

async fn gone(socket: SocketRef, io: SocketIo) {
    let id = UserId::of(&socket);
    // SOLUTION
    change(&io, |names| {
        names.remove(&id);
    });
    // STARTER
    // // TODO: whose last connection has ended is not online.
    // let _ = io;
    // END
    parity::broadcast(socket.broadcast(), "left", &id).ok();
}
