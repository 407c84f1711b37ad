//! Engine.IO 4 packets, in WebSocket messages and in the payloads of HTTP long-polling
//! (the sections named are those of the [protocol], revision 4).
//!
//! [protocol]: https://github.com/socketio/engine.io-protocol

use std::{fmt, mem};

use data_encoding::BASE64;

/// A packet ("Packet encoding").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// 0, from the server: the handshake, in JSON ("Handshake").
    Open(String),
    /// 1: this transport may be closed.
    Close,
    /// 2: a heartbeat, or `probe` while upgrading ("Heartbeat", "Upgrade").
    Ping(String),
    /// 3: the answer to a ping, with the same text.
    Pong(String),
    /// 4: text for the layer above.
    Message(String),
    /// Bytes for the layer above.
    Binary(Vec<u8>),
    /// 5, from the client: changes to this transport ("Upgrade").
    Upgrade,
    /// 6, from the server: ends a waiting poll.
    Noop,
}

/// Why something is not a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No bytes where a packet should be.
    Empty,
    /// Not one of the seven types.
    Type(char),
    /// Text after a packet that takes none.
    UnexpectedText,
    /// A text packet that is not UTF-8.
    NotUtf8,
    /// A binary packet of a polling payload that is not Base64 (RFC 4648, section 4).
    NotBase64,
    /// What carries it was too long to keep, or cut off: see [`Limits`](crate::Limits).
    Cut,
    /// What carries it is compressed, by `content-encoding` or permessage-deflate.
    Compressed,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Type(found) => {
                return write!(f, "{:?} is not a packet type", found);
            }
            Self::Empty => "an empty packet",
            Self::UnexpectedText => "text after a packet that takes none",
            Self::NotUtf8 => "a packet that is not UTF-8",
            Self::NotBase64 => "a packet that is not Base64",
            Self::Cut => "not decoded: cut off, or too long to keep",
            Self::Compressed => "not decoded: compressed",
        })
    }
}

impl Packet {
    /// Reads a text packet.
    ///
    /// # Errors
    ///
    /// `text` is not a packet.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let mut chars = text.chars();
        let kind = chars.next().ok_or(Fault::Empty)?;
        let rest = chars.as_str();
        let bare = |packet| match rest {
            "" => Ok(packet),
            _ => Err(Fault::UnexpectedText),
        };
        match kind {
            '0' => Ok(Self::Open(rest.into())),
            '1' => bare(Self::Close),
            '2' => Ok(Self::Ping(rest.into())),
            '3' => Ok(Self::Pong(rest.into())),
            '4' => Ok(Self::Message(rest.into())),
            '5' => bare(Self::Upgrade),
            '6' => bare(Self::Noop),
            other => Err(Fault::Type(other)),
        }
    }

    /// Its type, as the character that it begins with and as a word.
    pub fn kind(&self) -> (char, &'static str) {
        match self {
            Self::Open(_) => ('0', "open"),
            Self::Close => ('1', "close"),
            Self::Ping(_) => ('2', "ping"),
            Self::Pong(_) => ('3', "pong"),
            Self::Message(_) => ('4', "message"),
            Self::Binary(_) => ('b', "binary"),
            Self::Upgrade => ('5', "upgrade"),
            Self::Noop => ('6', "noop"),
        }
    }

    /// The packet as text; a binary one as in a polling payload, `b` and Base64.
    pub fn encode(&self) -> String {
        let (kind, _) = self.kind();
        match self {
            Self::Open(text)
            | Self::Ping(text)
            | Self::Pong(text)
            | Self::Message(text) => format!("{kind}{text}"),
            Self::Binary(bytes) => format!("{kind}{}", BASE64.encode(bytes)),
            Self::Close | Self::Upgrade | Self::Noop => kind.into(),
        }
    }
}

/// Reads the payload of a polling request or response: packets separated by U+001E
/// ("HTTP long-polling"). The first that is none ends it, as in the reference parser.
pub fn parse_payload(payload: &[u8]) -> impl Iterator<Item = Result<Packet, Fault>> {
    let packets = payload.split(|&byte| byte == 0x1e).map(|packet| {
        let text = str::from_utf8(packet).map_err(|_| Fault::NotUtf8)?;
        match text.strip_prefix('b') {
            Some(base64) => BASE64
                .decode(base64.as_bytes())
                .map(Packet::Binary)
                .map_err(|_| Fault::NotBase64),
            None => Packet::parse(text),
        }
    });
    let mut good = true;
    packets.take_while(move |packet| mem::replace(&mut good, packet.is_ok()))
}
