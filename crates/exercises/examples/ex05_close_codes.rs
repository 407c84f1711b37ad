//! # Why it closes (chapter 05)
//!
//! A server that sends every text back, and says why when it hangs up:
//!
//! | what comes | the close frame |
//! |---|---|
//! | the text `bye` | 1000 with the reason `see you` |
//! | bytes | 1003, unsupported data |
//! | text that is not UTF-8 | 1007 |
//! | a message of more than 1024 bytes | 1009 |
//!
//! The reason is up to you where it says none. After its close frame the server ends the
//! connection. The frame has to arrive even if the client is still sending, whatever the
//! code: the chapter says what that takes.
//!
//! In Node you write `socket.close(1000, 'see you')`, and `ws` sends 1007 and 1009 by
//! itself. tungstenite answers a ping by itself, but when a client breaks the rules, you
//! get an `Error`, and the rest is up to you.
//!
//! `lesson_kit::websocket` has what the chapter shows: `upgrade`, `hang_up(socket, &error)`
//! and, for a code of your own, `close(socket, code, reason)`.
//!
//! Run it:   cargo run -p exercises --example ex05_close_codes
//! Grade it: cargo course watch ex05_close_codes
//! Or once:  cargo test -p exercises --test ex05_close_codes

use std::convert::Infallible;

use hyper::service::service_fn;
use lesson_kit::websocket::{self, Socket};

/// The longest message, in bytes. A longer one is an error.
const LONGEST: usize = 1024;

#[tokio::main]
async fn main() -> lesson_kit::Result {
    lesson_kit::listen(service_fn(async |request| {
        let response = websocket::upgrade(request, LONGEST, converse);
        Ok::<_, Infallible>(response)
    }))
    .await
}

async fn converse(socket: Socket) {
    // TODO: read messages in a loop, as the chapter's `echo` does, and end it as the
    // task says. The codes are in
    // `tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode`.
    let _ = socket;
    todo!()
}
