//! Socket.IO 5 packets, in Engine.IO messages (the sections named are those of the
//! [protocol], revision 5).
//!
//! [protocol]: https://github.com/socketio/socket.io-protocol

use std::fmt::{self, Write as _};

use serde_json::Value;

use crate::Limits;

/// The type of a packet ("Exchange protocol").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 0: joins a namespace, or the answer to that.
    Connect,
    /// 1: leaves a namespace.
    Disconnect,
    /// 2: an event with its arguments.
    Event,
    /// 3: the answer to an event that had an id.
    Ack,
    /// 4: a namespace is refused.
    ConnectError,
    /// 5: an event with binary arguments.
    BinaryEvent,
    /// 6: an answer with binary arguments.
    BinaryAck,
}

impl Kind {
    const ALL: [(Self, &str); 7] = [
        (Self::Connect, "CONNECT"),
        (Self::Disconnect, "DISCONNECT"),
        (Self::Event, "EVENT"),
        (Self::Ack, "ACK"),
        (Self::ConnectError, "CONNECT_ERROR"),
        (Self::BinaryEvent, "BINARY_EVENT"),
        (Self::BinaryAck, "BINARY_ACK"),
    ];

    /// Its name in the specification.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// A packet, with the binary messages that came after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// What it is.
    pub kind: Kind,
    /// `/` unless it names another.
    pub namespace: String,
    /// The id that ties an acknowledgement to its event.
    pub id: Option<u64>,
    /// The payload as it was written, which is valid JSON of the shape that `kind` wants;
    /// empty where there is none. `{"_placeholder":true,"num":0}` stands for the first
    /// attachment.
    pub json: String,
    /// The binary arguments.
    pub attachments: Vec<Vec<u8>>,
}

impl Packet {
    /// The payload; `null` where there is none.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.json).unwrap_or_default()
    }

    /// The text of the packet ("Packet encoding"); its attachments follow it.
    pub fn encode(&self) -> String {
        let mut text = (self.kind as u8).to_string();
        if matches!(self.kind, Kind::BinaryEvent | Kind::BinaryAck) {
            let _ = write!(text, "{}-", self.attachments.len());
        }
        if self.namespace != "/" {
            text += &self.namespace;
            text.push(',');
        }
        if let Some(id) = self.id {
            text += &id.to_string();
        }
        text + &self.json
    }

    /// Reads the text of a packet, and how many attachments are to follow it.
    ///
    /// # Errors
    ///
    /// `text` is not the text of a packet.
    pub fn parse(text: &str) -> Result<(Self, usize), Fault> {
        let first = text.chars().next().ok_or(Fault::Empty)?;
        let kind = first.to_digit(10).and_then(|n| Kind::ALL.get(n as usize));
        let kind = kind.ok_or(Fault::Type(first))?.0;
        let mut rest = &text[1..];

        let mut attachments = 0;
        if matches!(kind, Kind::BinaryEvent | Kind::BinaryAck) {
            let (count, after) = digits(rest);
            rest = after.strip_prefix('-').ok_or(Fault::Attachments)?;
            attachments = count.parse().map_err(|_| Fault::Attachments)?;
            if !(1..=MOST_ATTACHMENTS).contains(&attachments) {
                return Err(Fault::Attachments);
            }
        }
        let mut namespace = "/";
        if rest.starts_with('/') {
            (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        }
        let (id, json) = digits(rest);
        let id = match id {
            "" => None,
            id => Some(id.parse().map_err(|_| Fault::Id)?),
        };
        let value = match json {
            "" => None,
            json => Some(serde_json::from_str(json).map_err(|_| Fault::Json)?),
        };
        if !fits(kind, value.as_ref()) {
            return Err(Fault::Payload(kind));
        }
        if attachments > 0 && !value.is_none_or(|value| stands(&value, attachments))
        {
            return Err(Fault::Placeholder);
        }
        let packet = Self {
            kind,
            namespace: namespace.into(),
            id,
            json: json.into(),
            attachments: Vec::new(),
        };
        Ok((packet, attachments))
    }
}

/// More attachments than this are not collected (the JavaScript parser takes 10).
pub const MOST_ATTACHMENTS: usize = 64;

/// Splits off the digits that `text` begins with.
fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(end)
}

/// Whether the payload has the shape that the specification wants ("Exchange protocol").
fn fits(kind: Kind, value: Option<&Value>) -> bool {
    match (kind, value) {
        (Kind::Connect, value) => value.is_none_or(Value::is_object),
        (Kind::Disconnect, value) => value.is_none(),
        (Kind::ConnectError, Some(value)) => value.is_object() || value.is_string(),
        (Kind::Event | Kind::BinaryEvent, Some(Value::Array(arguments))) => {
            // The reference parser also lets a number name an event.
            let name = arguments.first();
            name.is_some_and(|name| name.is_string() || name.is_number())
        }
        (Kind::Ack | Kind::BinaryAck, Some(value)) => value.is_array(),
        _ => false,
    }
}

/// Whether each placeholder stands for an attachment, as the reference parser asks it.
fn stands(value: &Value, attachments: usize) -> bool {
    match value {
        Value::Array(array) => array.iter().all(|value| stands(value, attachments)),
        Value::Object(object)
            if object.get("_placeholder") == Some(&true.into()) =>
        {
            let num = object.get("num").and_then(Value::as_f64);
            num.is_some_and(|num| (0.0..attachments as f64).contains(&num))
        }
        Value::Object(object) => {
            object.values().all(|value| stands(value, attachments))
        }
        _ => true,
    }
}

/// Why something is not a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An empty message.
    Empty,
    /// Not one of the seven types.
    Type(char),
    /// No number of attachments where one is needed, 0, or more than
    /// [`MOST_ATTACHMENTS`].
    Attachments,
    /// An id that does not fit 64 bits.
    Id,
    /// The payload is not JSON, or none that `serde_json` reads: that is nested deeper
    /// than 127 levels, or has half of a surrogate pair.
    Json,
    /// A placeholder that stands for none of the attachments.
    Placeholder,
    /// The payload is JSON of the wrong shape for this type.
    Payload(Kind),
    /// Bytes after a packet that has announced none, or not so many.
    UnexpectedBinary,
    /// A text packet while this many attachments were still due. The packet that waited
    /// for them is dropped.
    Missing(usize),
    /// What cannot be read came where attachments were due. Their packet is dropped.
    Lost,
    /// Attachments that are too large to keep. Their packet is dropped.
    TooLarge,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Type(found) => {
                return write!(f, "{found:?} is not a packet type");
            }
            Self::Payload(kind) => {
                return write!(f, "this is not the payload of {}", kind.name());
            }
            Self::Missing(count) => {
                return write!(f, "attachments are missing: {count}");
            }
            Self::Attachments => {
                return write!(
                    f,
                    "no number of attachments from 1 to {MOST_ATTACHMENTS}"
                );
            }
            Self::Empty => "an empty packet",
            Self::Id => "an id that is too large",
            Self::Json => "a payload that cannot be read as JSON",
            Self::Placeholder => "a placeholder for no attachment",
            Self::UnexpectedBinary => "bytes that no packet has announced",
            Self::Lost => "a packet is dropped: what followed it could not be read",
            Self::TooLarge => "attachments that are too large to keep",
        })
    }
}

/// Joins packets with their attachments.
#[derive(Clone, Debug)]
pub(crate) struct Decoder {
    limits: Limits,
    /// A packet, and how many of its attachments are still to come.
    waiting: Option<(Packet, usize)>,
    size: usize,
    /// Whether bytes may belong to a packet that is not known. The next one that can be
    /// read ends that.
    unsure: bool,
}

impl Decoder {
    /// A decoder that does not know what came before.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            waiting: None,
            size: 0,
            unsure: true,
        }
    }

    pub(crate) fn is_unsure(&self) -> bool {
        self.unsure
    }

    pub(crate) fn buffered(&self) -> usize {
        let packet = self.waiting.as_ref();
        self.size + packet.map_or(0, |(p, _)| p.json.len() + p.namespace.len())
    }

    /// The text of an Engine.IO message.
    pub(crate) fn text(&mut self, text: &str) -> [Option<Result<Packet, Fault>>; 2] {
        let missing = self.finish().map(Err);
        let packet = Packet::parse(text);
        self.unsure = packet.is_err();
        match packet {
            Ok((packet, 0)) => [missing, Some(Ok(packet))],
            Ok(waits) => {
                self.waiting = Some(waits);
                [missing, None]
            }
            Err(fault) => [missing, Some(Err(fault))],
        }
    }

    /// No more attachments follow. Returns what a packet that waits for some still
    /// lacks.
    pub(crate) fn finish(&mut self) -> Option<Fault> {
        let (_, count) = self.waiting.take()?;
        self.size = 0;
        Some(Fault::Missing(count))
    }

    /// Something cannot be read that may have been a packet or an attachment. Returns
    /// `why` if a packet is dropped for it.
    pub(crate) fn lost(&mut self, why: Fault) -> Option<Fault> {
        self.unsure = true;
        self.finish().map(|_| why)
    }

    /// The bytes of an Engine.IO message, where it is not [unsure](Self::is_unsure).
    pub(crate) fn binary(&mut self, bytes: &[u8]) -> Option<Result<Packet, Fault>> {
        let Some((packet, due)) = &mut self.waiting else {
            return Some(Err(Fault::UnexpectedBinary));
        };
        self.size += bytes.len();
        if self.size > self.limits.message {
            return self.lost(Fault::TooLarge).map(Err);
        }
        packet.attachments.push(bytes.to_vec());
        *due -= 1;
        if *due > 0 {
            return None;
        }
        self.size = 0;
        let (packet, _) = self.waiting.take()?;
        Some(Ok(packet))
    }
}
