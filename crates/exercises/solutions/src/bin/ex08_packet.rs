//! # Read a packet (chapter 08)
//!
//! What npm's `socket.io-parser` does first: it takes the text of a Socket.IO packet
//! apart. The form of a packet is
//!
//! ```text
//! <kind>[<attachments>-][<namespace>,][<id>][<data>]
//! ```
//!
//! A client sends a packet as a text message of a WebSocket, and gets JSON back, its parts:
//!
//! ```text
//! > 51-/admin,12["x",{"_placeholder":true,"num":0}]
//! < {"type":"BINARY_EVENT","attachments":1,"namespace":"/admin","id":12,
//!    "data":["x",{"_placeholder":true,"num":0}]}
//! > 2["hello"]
//! < {"type":"EVENT","namespace":"/","data":["hello"]}
//! ```
//!
//! - The kind is one digit, from 0 to 6. `Kind` has their names.
//! - The number of attachments is there in 5 and 6 and nowhere else.
//! - The namespace is there if the next character is a `/`, and goes up to the next comma.
//!   If there is no comma, it is all the rest: `0/admin`. Without one it is `/`.
//! - The id is as many digits as come next, if any: an integer of up to 64 bits.
//! - The data is the rest, if any, and is JSON. What is in it does not matter here.
//!
//! What is not there is not in the answer either. If the text is no packet, the answer is
//! `{"error":"…"}`, with any text, and the connection stays: the next packet is answered.
//!
//! Run it:   cargo run -p exercises --example ex08_packet
//! Grade it: cargo course watch ex08_packet
//! Or once:  cargo test -p exercises --test ex08_packet

use std::convert::Infallible;

use futures_util::{SinkExt, StreamExt};
use hyper::service::service_fn;
use lesson_kit::websocket::{self, Socket};
use serde::Serialize;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

#[tokio::main]
async fn main() -> lesson_kit::Result {
    lesson_kit::listen(service_fn(|request| {
        let response = websocket::upgrade(request, 64 * 1024, converse);
        async { Ok::<_, Infallible>(response) }
    }))
    .await
}

async fn converse(mut socket: Socket) {
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        let answer = match Packet::parse(&text) {
            Ok(packet) => json!(packet),
            Err(fault) => json!({ "error": fault }),
        };
        if socket
            .send(Message::text(answer.to_string()))
            .await
            .is_err()
        {
            return;
        }
    }
}

#[derive(Serialize)]
struct Packet {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachments: Option<usize>,
    namespace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    Connect,
    Disconnect,
    Event,
    Ack,
    ConnectError,
    BinaryEvent,
    BinaryAck,
}

/// What is wrong with a packet.
type Fault = &'static str;

impl Packet {
    fn parse(text: &str) -> Result<Self, Fault> {
        // `split_at(1)` would panic on an empty text, and in the middle of an `é`.
        let (kind, rest) = text.split_at_checked(1).ok_or("no kind")?;
        let kind = match kind {
            "0" => Kind::Connect,
            "1" => Kind::Disconnect,
            "2" => Kind::Event,
            "3" => Kind::Ack,
            "4" => Kind::ConnectError,
            "5" => Kind::BinaryEvent,
            "6" => Kind::BinaryAck,
            _ => return Err("not a kind of packet"),
        };
        // SOLUTION
        let (attachments, rest) = match kind {
            Kind::BinaryEvent | Kind::BinaryAck => {
                let wrong = "not a number of attachments";
                let (number, rest) = rest.split_once('-').ok_or(wrong)?;
                (Some(number.parse().map_err(|_| wrong)?), rest)
            }
            _ => (None, rest),
        };
        let (namespace, rest) = match rest.starts_with('/') {
            true => rest.split_once(',').unwrap_or((rest, "")),
            false => ("/", rest),
        };
        let digits = rest.bytes().take_while(u8::is_ascii_digit);
        let (id, data) = rest.split_at(digits.count());
        let id = match id {
            "" => None,
            id => Some(id.parse().map_err(|_| "an id over 64 bits")?),
        };
        let data = match data {
            "" => None,
            data => Some(serde_json::from_str(data).map_err(|_| "not JSON")?),
        };
        Ok(Self {
            kind,
            attachments,
            namespace: namespace.into(),
            id,
            data,
        })
        // STARTER
        // // TODO: take the other parts off from the left, one after the other. What is
        // // left when all of them are gone has to be JSON.
        // let _ = rest;
        // Ok(Self {
        //     kind,
        //     attachments: None,
        //     namespace: "/".into(),
        //     id: None,
        //     data: None,
        // })
        // END
    }
}
