//! The WebSocket that tells an open page about every build.
//!
//! The page (book/theme/live.js) sends nothing. It learns at once, and after every
//! build, which pages are the newest and what is wrong with the book:
//! `{"build":"9d4e…","problems":["book/src/a.md:3: …"]}`.

use crate::{edition::Edition, local};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::time::Duration;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, interval_at, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

/// A page that is asleep or gone does not answer a ping within this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the system may take to accept one message.
const SEND: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Answers the handshake, and tells the page about builds from then on. At its end,
/// the server waits until every copy of `open` is gone.
pub(crate) async fn upgrade(
    latest: watch::Receiver<Edition>,
    open: mpsc::Sender<()>,
    mut request: Request,
) -> Response {
    let headers = request.headers();
    if !local::same_origin(headers) {
        let why = "this socket is for the pages of the book\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let Some(key) = handshake_key(headers) else {
        let upgrade = [
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
        ];
        let why = "this address is for a WebSocket (RFC 6455, version 13)\n";
        return (StatusCode::UPGRADE_REQUIRED, upgrade, why).into_response();
    };
    let accept = derive_accept_key(key.as_bytes());
    // The connection is ours only after the answer below has been sent on it.
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let _open = open;
        let Ok(connection) = upgraded.await else {
            return;
        };
        // All that is read here is a pong now and then: the default of 128 KiB per page
        // would be wasted. A page has nothing long to say.
        let config = WebSocketConfig::default()
            .read_buffer_size(1024)
            .max_message_size(Some(1024))
            .max_frame_size(Some(1024));
        let io = TokioIo::new(connection);
        let socket =
            WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        // A page that goes away is not an error: the next one opens its own socket.
        let _ = tell(socket, latest).await;
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    let accept = accept.parse().expect("base64 is valid in a header");
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

/// The key of a handshake that names what RFC 6455, section 4.2.1, asks for. What is
/// in the key is up to the client.
fn handshake_key(headers: &HeaderMap) -> Option<&HeaderValue> {
    let has = |name, wanted: &str| {
        let values = headers.get_all(name).iter();
        values.filter_map(|value| value.to_str().ok()).any(|value| {
            value
                .split(',')
                .any(|part| part.trim().eq_ignore_ascii_case(wanted))
        })
    };
    (has(header::CONNECTION, "upgrade")
        && has(header::UPGRADE, "websocket")
        && has(header::SEC_WEBSOCKET_VERSION, "13"))
    .then(|| headers.get(header::SEC_WEBSOCKET_KEY))?
}

/// Reports the current edition and every later one, until the page is gone or there
/// will be no more.
async fn tell(
    mut socket: Socket,
    mut latest: watch::Receiver<Edition>,
) -> tungstenite::Result<()> {
    let mut ping = interval_at(Instant::now() + PATIENCE, PATIENCE);
    let mut answered = true;
    latest.mark_changed();
    loop {
        tokio::select! {
            changed = latest.changed() => {
                if changed.is_err() {
                    let frame = CloseFrame {
                        code: CloseCode::Away,
                        reason: "cargo book has ended".into(),
                    };
                    return send(&mut socket, Message::Close(Some(frame))).await;
                }
                let edition = latest.borrow_and_update().clone();
                if edition.is_built() {
                    send(&mut socket, Message::text(describe(&edition))).await?;
                }
            }
            message = socket.next() => match message {
                // Whatever it is, the page is there. A ping or a close is answered by
                // the library as we keep reading; after a close the stream ends.
                Some(Ok(_)) => answered = true,
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
            _ = ping.tick() => {
                if !answered {
                    return Ok(());
                }
                answered = false;
                send(&mut socket, Message::Ping(Vec::new().into())).await?;
            }
        }
    }
}

async fn send(socket: &mut Socket, message: Message) -> tungstenite::Result<()> {
    match timeout(SEND, socket.send(message)).await {
        Ok(sent) => sent,
        Err(_) => Err(tungstenite::Error::ConnectionClosed),
    }
}

fn describe(edition: &Edition) -> String {
    let problems = edition.problems.iter().map(ToString::to_string);
    json!({
        "build": edition.id,
        "problems": problems.collect::<Vec<_>>(),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_names_websocket_version_13() {
        let good = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let key = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| {
                let name = header::HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            });
            handshake_key(&pairs.collect()).cloned()
        };
        assert!(key(&good).is_some());
        for n in 0..good.len() {
            let mut bad = good.to_vec();
            let (name, _) = bad.remove(n);
            assert!(key(&bad).is_none(), "without {name}");
        }
        let mut old = good;
        old[2].1 = "8";
        assert!(key(&old).is_none());
    }
}
