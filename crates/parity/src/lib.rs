//! What Node's Socket.IO gives and [socketioxide](socketioxide) does not.
//!
//! Each of these is small, and usable in any project that has the gap it closes:
//!
//! | In Node | Here | Without it |
//! |---|---|---|
//! | `new Server(httpServer)` serves `/socket.io/socket.io.js` | [`attach`], [`ClientFiles`] | no client is served, and with a fallback, long-polling fails |
//! | `io.on('connection', …)` | [`connection`] | a client's first event can be lost |
//! | `socket.on(event, …)` | [`on`] | events overtake one another; an argument of the wrong type is met with silence; a second handler replaces the first |
//! | `(...args) => …`, `Buffer`s in objects | [`Args`], [`Value`] | such an event has no handler |
//! | `socket.emit`, `callback(…)` | [`emit`](emit()), [`Ack`] | what does not fit into 128 packets is dropped |
//! | `socket.timeout(ms).emitWithAck` | [`emit_with_ack`] | the same; and if the client leaves, the whole timeout passes |
//! | `io.to(room).emit` | [`broadcast`], [`broadcast_with_ack`] | the same |
//! | `socket.id` | [`UserId`] | the only id is that of the session, a secret |
//! | `io.of('/').adapter.rooms` | [`rooms`](rooms()) | no map |
//! | `socket.on('disconnecting', …)` | [`on_disconnect`] | a handler that panics or hangs leaves a ghost in the rooms |
//! | `io.close()` | [`close`](close()) | disconnect handlers do not run, or clients do not come back |
//!
//! What needs nothing from here: Node's `socket.in(room)` is `socket.to(room)`, whereas
//! `socket.within(room)` includes the sender.
//!
//! A server has this form:
//!
//! ```no_run
#![doc = include_str!("../examples/template.rs")]
//! ```

mod ack;
mod close;
mod connection;
mod disconnect;
mod emit;
mod event;
mod files;
mod handler;
mod rooms;
mod session;
mod user;
mod value;

pub use ack::{Ack, NOTHING};
pub use close::close;
pub use connection::{Connected, ConnectionHandler, connection};
pub use disconnect::{DisconnectHandler, on_disconnect};
pub use emit::{broadcast, broadcast_with_ack, emit, emit_with_ack};
pub use event::{EventHandler, on};
pub use files::{ClientFiles, attach};
pub use rooms::rooms;
pub use user::UserId;
pub use value::{Args, Value};
