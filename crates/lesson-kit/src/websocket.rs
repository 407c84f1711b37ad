//! Lesson 05's half of a WebSocket: the handshake, and what to say to a client that
//! breaks the rules (RFC 6455).

use std::time::Duration;

use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Version,
    body::Bytes,
    header::{self, HeaderName, HeaderValue},
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

/// A WebSocket on a connection that hyper has handed over.
pub type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Whether a request asks for a WebSocket, with a correct handshake or not.
pub fn asks_for_upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, header::UPGRADE, "websocket")
}

/// Answers the handshake (RFC 6455, section 4.2). Once the answer has been sent,
/// `converse` is run with the socket, in its own task. A message of more than `longest`
/// bytes is an error.
///
/// The answer is 101, or says what is wrong: 400, or 426 for another version.
///
/// The request may come from hyper or, with another type of body, from axum.
pub fn upgrade<B, F, C>(
    mut request: Request<B>,
    longest: usize,
    converse: F,
) -> Response<Full<Bytes>>
where
    F: FnOnce(Socket) -> C + Send + 'static,
    C: Future<Output = ()> + Send,
{
    let headers = request.headers();
    if request.method() != Method::GET
        || request.version() != Version::HTTP_11
        || !has_token(headers, header::CONNECTION, "upgrade")
    {
        let why = "a handshake is a GET in HTTP/1.1 with Connection: Upgrade\n";
        return text(StatusCode::BAD_REQUEST, why);
    }
    if !has_token(headers, header::SEC_WEBSOCKET_VERSION, "13") {
        let mut response =
            text(StatusCode::UPGRADE_REQUIRED, "this is version 13\n");
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
        return text(StatusCode::BAD_REQUEST, why);
    };
    let accept = derive_accept_key(key.as_bytes());

    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        match upgraded.await {
            Ok(connection) => converse(open(connection, longest).await).await,
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

async fn open(connection: Upgraded, longest: usize) -> Socket {
    let config = WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(4 * 1024)
        .max_message_size(Some(longest))
        .max_frame_size(Some(longest));
    let stream = TokioIo::new(connection);
    Socket::from_raw_socket(stream, Role::Server, Some(config)).await
}

/// Ends a conversation after `error`: with a close code if the client broke a rule
/// (RFC 6455, section 7.4.1). One that has gone does not hear it.
pub async fn hang_up(socket: Socket, error: &Error) {
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
pub async fn close(mut socket: Socket, code: CloseCode, reason: &str) {
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

/// A response with a body of this content type.
pub fn page(
    content_type: &'static str,
    body: &'static str,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    let content_type = HeaderValue::from_static(content_type);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

/// The stylesheet, for `/style.css`.
pub fn style() -> Response<Full<Bytes>> {
    page("text/css; charset=utf-8", crate::STYLE)
}

/// The script, for `/page.js`.
pub fn script() -> Response<Full<Bytes>> {
    page("text/javascript; charset=utf-8", crate::SCRIPT)
}

/// A response of plain text.
pub fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = page("text/plain; charset=utf-8", body);
    *response.status_mut() = status;
    response
}

/// 16 bytes in base64 are 22 characters and two `=`.
fn is_key(key: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    key.len() == 24 && key.ends_with(b"==") && key[..22].iter().all(is_base64)
}

/// Whether one of the comma-separated values of a header is `wanted`, ignoring case.
fn has_token(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name);
    let mut values = values.iter().filter_map(|value| value.to_str().ok());
    values.any(|value| {
        let mut parts = value.split(',');
        parts.any(|part| part.trim().eq_ignore_ascii_case(wanted))
    })
}
