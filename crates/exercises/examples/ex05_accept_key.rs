//! # The handshake by hand (chapter 05)
//!
//! Answer the handshake of a WebSocket: look at the method and the headers of a request,
//! and say yes or no. The rest is written. After your 101 the connection is handed over,
//! and every text comes back.
//!
//! The path does not matter. The first of these that fits is the answer:
//!
//! - No `Upgrade: websocket`: 426.
//! - No `Sec-WebSocket-Version: 13`: 426.
//! - Not a GET, or no `Connection: Upgrade`: 400.
//! - No `Sec-WebSocket-Key`, or one that is not 16 bytes in base64: 400.
//! - Otherwise 101 with `Upgrade: websocket`, `Connection: Upgrade`, and the key's answer
//!   in `Sec-WebSocket-Accept`.
//!
//! Each 426 says what would be right: `Upgrade: websocket`, `Connection: Upgrade`, and
//! `Sec-WebSocket-Version: 13`. The bodies are up to you.
//!
//! A client may write `Upgrade: WebSocket`, and Firefox sends
//! `Connection: keep-alive, Upgrade`. In Node, `ws` knows that. A comparison of your own,
//! `req.headers.connection === 'Upgrade'`, does not.
//!
//! Run it:   cargo run -p exercises --example ex05_accept_key
//! Grade it: cargo course watch ex05_accept_key
//! Or once:  cargo test -p exercises --test ex05_accept_key

use std::convert::Infallible;

use futures_util::{SinkExt, StreamExt};
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{self, HeaderName},
    service::service_fn,
    upgrade::Upgraded,
};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

type Answer = Response<Full<Bytes>>;

#[tokio::main]
async fn main() -> lesson_kit::Result {
    lesson_kit::listen(service_fn(answer)).await
}

async fn answer(mut request: Request<Incoming>) -> Result<Answer, Infallible> {
    let answer = handshake(request.method(), request.headers());
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        let upgraded = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            match upgraded.await {
                Ok(connection) => echo(connection).await,
                Err(error) => eprintln!("it was not handed over: {error}"),
            }
        });
    }
    Ok(answer)
}

/// The server's part of the handshake (RFC 6455, section 4.2).
fn handshake(method: &Method, headers: &HeaderMap) -> Answer {
    // TODO: three cases come before this one. `has_token` is for them, once it is right.
    let key = headers.get(header::SEC_WEBSOCKET_KEY);
    let Some(key) = key.filter(|key| is_key(key.as_bytes())) else {
        return bad_request();
    };
    // TODO: and the 101, with `Response::builder()`. The function that makes an answer
    // of a key is `derive_accept_key`, in `tungstenite::handshake`.
    todo!("accept a {method} with {key:?}")
}

fn bad_request() -> Answer {
    let mut response = Response::new("not a handshake\n".into());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

/// Whether one of the comma-separated values of a header is `wanted`, ignoring case.
fn has_token(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    // TODO: this is `===`. It knows neither lists nor other spellings.
    headers.get(name).is_some_and(|value| value == wanted)
}

/// 16 bytes in base64 are 22 characters and two `=`.
fn is_key(key: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    key.len() == 24 && key.ends_with(b"==") && key[..22].iter().all(is_base64)
}

/// From here on the connection no longer speaks HTTP.
async fn echo(connection: Upgraded) {
    let stream = TokioIo::new(connection);
    let mut socket =
        WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    while let Some(Ok(message)) = socket.next().await {
        let is_data = message.is_text() || message.is_binary();
        if is_data && socket.send(message).await.is_err() {
            return;
        }
    }
}
