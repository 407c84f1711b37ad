//! The test kit behind `tests/lesson_NN.rs`: it starts a lesson, or its Node twin, and
//! holds it to its contract. It talks to it only over the network.
//!
//! ```no_run
//! # async fn contract() -> contract::Result {
//! use contract::{Lesson, Request};
//!
//! let server = Lesson::new("01_raw_hyper").start().await?;
//! let response = server.request(Request::get("/")).await?;
//! response.expect_status(200)?.expect_body("Hello World")?;
//! # Ok(())
//! # }
//! ```
//!
//! Four rules hold everywhere here.
//!
//! - What is tested is what is in the source: the kit has Cargo build the lesson
//!   first, so a stale program can never pass.
//! - No port is fixed (a lesson gets `PORT=0`), and nothing is ordered by sleeping: the
//!   kit awaits what must happen, inside a [deadline](deadline()).
//! - What is started is killed and reaped, even when a test panics.
//! - A failed expectation is a [`Failure`]: what was expected, what came, and what had
//!   gone over the wire by then, decoded.

mod book;
mod connection;
mod failure;
mod http;
mod lesson;
mod official;
mod program;
mod recording;
mod server;
mod socketio;
mod websocket;

pub use book::{compare_diagram_with_the_book, compare_with_the_book};
pub use connection::Connection;
pub use failure::{Explain, Failure, Result, deadline, set_deadline, within};
pub use http::{Request, Response};
pub use lesson::{Lesson, Peer, peer, root};
pub use program::{Built, Program, build};
pub use recording::Recording;
pub use server::{End, Exit, Log, Server, Signal};
pub use socketio::{ENGINE_IO, EngineIo, Event, SocketIo, bytes};
pub use websocket::{Frame, Opcode, WebSocket, handshake};
pub use wire::Transcript;
