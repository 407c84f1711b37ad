//! What a client and a server say to each other, read from the bytes between them.
//!
//! A [`Decoder`] follows one connection through its layers: HTTP/1.1 (RFC 9112),
//! WebSocket (RFC 6455), Engine.IO 4, Socket.IO 5. A [`Tap`] stands between a client
//! and a server, forwards every byte untouched, and reports what a decoder makes of
//! them. A [`Transcript`] shows that as text or as a sequence diagram.
//!
//! ```
//! use wire::{Decoder, Direction, Event, Limits, http};
//!
//! let mut decoder = Decoder::new(Limits::default());
//! let mut events = decoder.feed(Direction::ToServer, b"GET / HT");
//! events.extend(decoder.feed(Direction::ToServer, b"TP/1.1\r\nhost: a\r\n\r\n"));
//! let (direction, Event::Http(http::Event::Request(request))) = &events[0] else {
//!     panic!("{events:?}");
//! };
//! assert_eq!((*direction, &*request.target), (Direction::ToServer, "/"));
//! ```
//!
//! Engine.IO is looked for at its default paths, with `EIO=4` in the query:
//! `/socket.io/`, where its messages carry Socket.IO, and `/engine.io/`, where they do
//! not. The last slash may be missing. At any other path, or in a target that begins
//! with `http://`, its packets are bodies and messages like others.
//!
//! A decoder describes; it does not judge. What breaks a protocol is a *fault* among
//! the events, and decoding goes on. Where it cannot go on, [`Event::Opaque`] says why,
//! and [`Event::Undecoded`] counts the bytes at the end. A decoder never panics, and of
//! what it is fed it keeps no more than [`Limits::total`] bytes.

mod decoder;
mod diagram;
pub mod engineio;
pub mod http;
mod normalise;
pub mod socketio;
mod tap;
mod transcript;
pub mod websocket;
mod words;

pub use decoder::{Decoder, Direction, Event, Limits, Opaque, Tcp};
pub use tap::{Record, Tap};
pub use transcript::{Style, Transcript};

/// Appends `bytes` until `kept` holds `limit` of them; the rest is not kept.
fn keep(kept: &mut Vec<u8>, bytes: &[u8], limit: usize) {
    let room = limit.saturating_sub(kept.len());
    kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
}
