//! # 05 · A WebSocket by hand: echo
//!
//! `new WebSocket('ws://…')` in the browser, and the server it talks to. Text comes back
//! as text and binary as binary. The page and the socket share the path `/`, and one
//! header tells them apart.
//!
//! Run it: `cargo run --example 05_ws_echo`
//!
//! Try: open <http://127.0.0.1:3000/>, send something, then look at the request in the
//! browser's network tab. Stop the server while the page is open, and start it again.
//!
//! New here: the handshake of RFC 6455; `hyper::upgrade`, which hands over the connection
//! under an HTTP request; messages, pings and close codes.

use std::{convert::Infallible, time::Duration};

use futures_util::{SinkExt, StreamExt};
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Version,
    body::{Bytes, Incoming},
    header::{self, HeaderName, HeaderValue},
    service::service_fn,
    upgrade::Upgraded,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncWriteExt, copy, sink},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

/// The longest message, in bytes. If you set no limit, tungstenite takes 64 MiB.
const LONGEST: usize = 1024 * 1024;

#[tokio::main]
async fn main() -> lesson_kit::Result {
    lesson_kit::listen(service_fn(answer)).await
}

type Answer = Response<Full<Bytes>>;
type Socket = WebSocketStream<TokioIo<Upgraded>>;

// ANCHOR: answer
async fn answer(request: Request<Incoming>) -> Result<Answer, Infallible> {
    let headers = request.headers();
    Ok(match request.uri().path() {
        "/" if has_token(headers, header::UPGRADE, "websocket") => upgrade(request),
        "/" => page("text/html; charset=utf-8", include_str!("index.html")),
        "/style.css" => page("text/css; charset=utf-8", lesson_kit::STYLE),
        _ => refusal(StatusCode::NOT_FOUND, "there is only /\n"),
    })
}
// ANCHOR_END: answer

/// The server's part of the handshake (RFC 6455, section 4.2).
fn upgrade(mut request: Request<Incoming>) -> Answer {
    let headers = request.headers();
    if request.method() != Method::GET
        || request.version() != Version::HTTP_11
        || !has_token(headers, header::CONNECTION, "upgrade")
    {
        let why = "a handshake is a GET in HTTP/1.1 with Connection: Upgrade\n";
        return refusal(StatusCode::BAD_REQUEST, why);
    }
    if !has_token(headers, header::SEC_WEBSOCKET_VERSION, "13") {
        let mut response =
            refusal(StatusCode::UPGRADE_REQUIRED, "this is version 13\n");
        let value = HeaderValue::from_static;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, value("Upgrade"));
        headers.insert(header::UPGRADE, value("websocket"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, value("13"));
        return response;
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY);
    let Some(key) = key.filter(|key| is_key(key.as_bytes())) else {
        let why = "Sec-WebSocket-Key is 16 bytes in base64\n";
        return refusal(StatusCode::BAD_REQUEST, why);
    };
    // ANCHOR: upgrade
    let accept = derive_accept_key(key.as_bytes());

    // A promise of the connection. It is kept once the answer below has been sent, so
    // it must not be awaited before that.
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        match upgraded.await {
            Ok(connection) => converse(open(connection).await).await,
            Err(error) => eprintln!("the connection was not handed over: {error}"),
        }
    });
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept)
        .body(Full::default())
        .expect("base64 is valid in a header")
}
// ANCHOR_END: upgrade

// ANCHOR: open
/// From here on the connection no longer speaks HTTP.
async fn open(connection: Upgraded) -> Socket {
    let config = WebSocketConfig::default()
        // The defaults are 128 KiB each, for every connection.
        .read_buffer_size(4 * 1024)
        .write_buffer_size(4 * 1024)
        .max_message_size(Some(LONGEST))
        .max_frame_size(Some(LONGEST));
    let stream = TokioIo::new(connection);
    Socket::from_raw_socket(stream, Role::Server, Some(config)).await
}
// ANCHOR_END: open

// ANCHOR: echo
async fn converse(mut socket: Socket) {
    while let Some(received) = socket.next().await {
        match received {
            Ok(msg) if msg.is_text() || msg.is_binary() => {
                if socket.send(msg).await.is_err() {
                    return; // The client has gone.
                }
            }
            // A ping or a close: `next` answers it.
            Ok(_) => {}
            Err(why) => return hang_up(socket, &why).await,
        }
    }
}
// ANCHOR_END: echo

// ANCHOR: close
/// Ends a conversation after `error`: with a close code if the client broke a rule
/// (RFC 6455, section 7.4.1). One that has gone does not hear it.
async fn hang_up(socket: Socket, error: &Error) {
    let code = match error {
        Error::Capacity(_) => CloseCode::Size,
        Error::Utf8(_) => CloseCode::Invalid,
        Error::Protocol(_) => CloseCode::Protocol,
        _ => return,
    };
    close(socket, code, &error.to_string()).await;
}

/// Says why, at most 123 bytes, and waits for the client to close (RFC 6455, section
/// 7.1.1). A client that does not read gets two seconds for all of it.
async fn close(mut socket: Socket, code: CloseCode, reason: &str) {
    let reason = reason.into();
    let farewell = async {
        let close = CloseFrame { code, reason };
        if socket.close(Some(close)).await.is_ok() {
            // A connection that is closed while bytes are still coming in is reset,
            // and the reset can overtake the close frame, so read on for a while.
            let mut connection = socket.into_inner();
            let _ = connection.shutdown().await;
            let _ = copy(&mut connection, &mut sink()).await;
        }
    };
    let _ = timeout(Duration::from_secs(2), farewell).await;
}
// ANCHOR_END: close

/// Whether one of the comma-separated values of a header is `wanted`, ignoring case.
fn has_token(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name);
    let mut values = values.iter().filter_map(|value| value.to_str().ok());
    values.any(|value| {
        let mut parts = value.split(',');
        parts.any(|part| part.trim().eq_ignore_ascii_case(wanted))
    })
}

/// 16 bytes in base64 are 22 characters and two `=`.
fn is_key(key: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    key.len() == 24 && key.ends_with(b"==") && key[..22].iter().all(is_base64)
}

fn page(content_type: &'static str, body: &'static str) -> Answer {
    let mut response = Response::new(Full::from(body));
    let content_type = HeaderValue::from_static(content_type);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

fn refusal(status: StatusCode, why: &'static str) -> Answer {
    let mut response = page("text/plain; charset=utf-8", why);
    *response.status_mut() = status;
    response
}
