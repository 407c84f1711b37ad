//! Socket.IO's packets, revision 5 of the protocol: what npm's `socket.io-parser` does.
//!
//! ```text
//! 0{"token":"x"}                   connect to a namespace; the object is `auth`
//! 2["message","hello"]             an event
//! 2/custom,["message","hello"]     an event in another namespace
//! 27["message-with-ack","hello"]   an event that wants ack 7
//! 37["hello"]                      ack 7
//! 51-["message",{"_placeholder":true,"num":0}]
//!                                  an event with one attachment, the bytes that follow
//! ```

use std::{fmt, iter, mem};

use hyper::body::Bytes;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::engine::Data;

// ANCHOR: packet
pub(crate) struct Packet {
    pub(crate) kind: Kind,
    pub(crate) namespace: String,
    /// Ties an ack to its event.
    pub(crate) id: Option<u64>,
    /// JSON, or null if there is none. In an event: its
    /// name, then its arguments. In an ack: its arguments.
    pub(crate) payload: Value,
    /// The arguments that are bytes. The payload has a
    /// placeholder for each.
    pub(crate) attachments: Vec<Bytes>,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Connect = 0,
    Disconnect = 1,
    /// With attachments, it is 5.
    Event = 2,
    /// With attachments, it is 6.
    Ack = 3,
    ConnectError = 4,
}
// ANCHOR_END: packet

/// What is wrong with a packet.
pub(crate) type Fault = &'static str;

/// The most attachments of one packet, here as in Node.
const MOST_ATTACHMENTS: usize = 10;

impl Packet {
    pub(crate) fn new(kind: Kind, namespace: String, payload: Value) -> Self {
        Self {
            kind,
            namespace,
            id: None,
            payload,
            attachments: Vec::new(),
        }
    }

    // ANCHOR: parse
    /// Reads `<kind>[<n>-][<namespace>,][<id>][<json>]`, and
    /// says how many attachments are to follow.
    fn parse(text: &str) -> Result<(Self, usize), Fault> {
        let (kind, mut rest) = text.split_at_checked(1).ok_or("empty")?;
        let (kind, binary) = match kind {
            "0" => (Kind::Connect, false),
            "1" => (Kind::Disconnect, false),
            "2" => (Kind::Event, false),
            "3" => (Kind::Ack, false),
            "4" => (Kind::ConnectError, false),
            "5" => (Kind::Event, true),
            "6" => (Kind::Ack, true),
            _ => return Err("not a kind of packet"),
        };
        let mut attachments = 0;
        if binary {
            let wrong = "not a number of attachments";
            let (n, after) = rest.split_once('-').ok_or(wrong)?;
            (attachments, rest) = (n.parse().map_err(|_| wrong)?, after);
            if !(1..=MOST_ATTACHMENTS).contains(&attachments) {
                return Err(wrong);
            }
        }
        let (namespace, rest) = if rest.starts_with('/') {
            rest.split_once(',').unwrap_or((rest, ""))
        } else {
            ("/", rest)
        };
        let digits = rest.bytes().take_while(u8::is_ascii_digit);
        let (id, json) = rest.split_at(digits.count());
        let id = match id {
            "" => None,
            id => Some(id.parse().map_err(|_| "an id over 64 bits")?),
        };
        let payload = match json {
            "" => None,
            json => Some(serde_json::from_str(json).map_err(|_| "not JSON")?),
        };
        if !fits(kind, payload.as_ref()) {
            return Err("not the payload of this kind of packet");
        }
        let payload = payload.unwrap_or_default();
        if binary && !has_placeholders(&payload, attachments) {
            return Err("not one placeholder for each attachment");
        }
        let packet = Self::new(kind, namespace.into(), payload);
        Ok((Self { id, ..packet }, attachments))
    }
    // ANCHOR_END: parse
}

fn fits(kind: Kind, payload: Option<&Value>) -> bool {
    match (kind, payload) {
        (Kind::Connect, payload) => payload.is_none_or(Value::is_object),
        (Kind::Disconnect, payload) => payload.is_none(),
        (Kind::Event, Some(Value::Array(all))) => {
            // A number as a name is rare, but Node takes it.
            let name = all.first();
            name.is_some_and(|name| name.is_string() || name.is_number())
        }
        (Kind::Ack, Some(payload)) => payload.is_array(),
        (Kind::ConnectError, Some(payload)) => payload.is_object(),
        _ => false,
    }
}

/// Whether there is one placeholder for each attachment. If an
/// attachment could have two, a short packet could stand for a
/// huge one.
fn has_placeholders(payload: &Value, attachments: usize) -> bool {
    let mut free = vec![true; attachments];
    take_places(payload, &mut free) && !free.contains(&true)
}

/// `{"_placeholder":true,"num":0}` takes the first place.
fn take_places(value: &Value, free: &mut [bool]) -> bool {
    match value {
        Value::Array(array) => array.iter().all(|inner| take_places(inner, free)),
        Value::Object(object)
            if object.get("_placeholder") == Some(&true.into()) =>
        {
            let num = object.get("num").and_then(Value::as_u64);
            let num = num.and_then(|num| usize::try_from(num).ok());
            let place = num.and_then(|num| free.get_mut(num));
            place.is_some_and(mem::take)
        }
        Value::Object(object) => {
            object.values().all(|inner| take_places(inner, free))
        }
        _ => true,
    }
}

// ANCHOR: write
impl Packet {
    pub(crate) fn into_messages(self) -> impl Iterator<Item = Message> {
        let text = Message::text(format!("4{self}"));
        let attachments = self.attachments.into_iter();
        iter::once(text).chain(attachments.map(Message::Binary))
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attachments.len() {
            0 => write!(f, "{}", self.kind as u8)?,
            n => write!(f, "{}{n}-", self.kind as u8 + 3)?,
        }
        if self.namespace != "/" {
            write!(f, "{},", self.namespace)?;
        }
        if let Some(id) = self.id {
            write!(f, "{id}")?;
        }
        if !self.payload.is_null() {
            write!(f, "{}", self.payload)?;
        }
        Ok(())
    }
}
// ANCHOR_END: write

// ANCHOR: decoder
/// Puts a packet and its attachments together.
#[derive(Default)]
pub(crate) struct Decoder {
    /// A packet, and how many attachments it must have.
    waiting: Option<(Packet, usize)>,
}

impl Decoder {
    /// The packet that `data` completes, if it does.
    pub(crate) fn add(&mut self, data: Data) -> Result<Option<Packet>, Fault> {
        let (packet, attachments) = match (data, self.waiting.take()) {
            (Data::Text(text), None) => Packet::parse(&text)?,
            (Data::Bytes(bytes), Some((mut packet, attachments))) => {
                packet.attachments.push(bytes);
                (packet, attachments)
            }
            _ => return Err("text and bytes in the wrong order"),
        };
        if packet.attachments.len() == attachments {
            return Ok(Some(packet));
        }
        self.waiting = Some((packet, attachments));
        Ok(None)
    }
}
// ANCHOR_END: decoder
