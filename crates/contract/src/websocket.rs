use std::{collections::VecDeque, fmt};

use tokio::net::TcpStream;
use wire::{
    Direction, Limits,
    websocket::{self, Decoder, Event, Kind, Message},
};

use crate::{
    Connection, Failure, Request, Response, Result, connection::MOST_UNREAD, within,
};

/// A WebSocket client that can also break the rules (RFC 6455).
///
/// It masks what it sends, always with the same key. It answers nothing by itself, and
/// returns what arrives frame by frame or message by message.
#[derive(Debug)]
pub struct WebSocket {
    connection: Connection,
    /// Knows the rules, and puts messages together.
    decoder: Decoder,
    /// Pings and pongs that came in the middle of a message.
    between: VecDeque<Frame>,
}

/// The key of RFC 6455, section 1.3, and what a server has to answer.
const KEY: (&str, &str) =
    ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// More pings than this in the middle of one message are too many.
const MOST_BETWEEN: usize = 1000;

/// What a frame is for (RFC 6455, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// More of the message begun before.
    Continuation,
    /// A message of text, or its first part.
    Text,
    /// A message of bytes, or its first part.
    Binary,
    /// The last frame from this side.
    Close,
    /// To be answered with a pong that has the same payload.
    Ping,
    /// The answer to a ping.
    Pong,
    /// 3 to 7 and 11 to 15 mean nothing yet.
    Reserved(u8),
}

impl Opcode {
    fn code(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
            Self::Reserved(code) => code & 0x0f,
        }
    }

    fn of(code: u8) -> Self {
        match code {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            code => Self::Reserved(code),
        }
    }
}

/// One frame (RFC 6455, section 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Whether it is the last of its message.
    pub fin: bool,
    /// RSV1, RSV2 and RSV3, from the highest bit of three.
    pub reserved: u8,
    /// What it is for.
    pub opcode: Opcode,
    /// Whether its payload is masked: a client's has to be, a server's must not.
    pub masked: bool,
    /// Its payload, unmasked.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A frame as a client sends it: complete and masked.
    pub fn new(opcode: Opcode, payload: impl Into<Vec<u8>>) -> Self {
        let payload = payload.into();
        Self {
            fin: true,
            reserved: 0,
            opcode,
            masked: true,
            payload,
        }
    }

    /// The same frame, but not the last of its message.
    #[must_use]
    pub fn more_follows(mut self) -> Self {
        self.fin = false;
        self
    }

    /// A close frame with a code and a reason (section 5.5.1).
    pub fn close(code: u16, reason: &str) -> Self {
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(reason.as_bytes());
        Self::new(Opcode::Close, payload)
    }

    fn head(&self) -> websocket::Frame {
        websocket::Frame {
            fin: self.fin,
            rsv: self.reserved,
            opcode: self.opcode.code(),
            mask: self.masked.then_some(MASK),
            length: self.payload.len() as u64,
        }
    }

    /// The bytes of the frame.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.head().encode(&self.payload)
    }

    /// The frame that `bytes` begin with and its length in bytes, once it is complete.
    fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>> {
        let Some((head, start)) = websocket::Frame::parse(bytes) else {
            return Ok(None);
        };
        let length = usize::try_from(head.length).unwrap_or(usize::MAX);
        // A wrong length, most likely.
        if length > MOST_UNREAD {
            return Err(Failure::new(format!("a frame of {length} bytes came")));
        }
        let Some(payload) = bytes.get(start..start + length) else {
            return Ok(None);
        };
        let mut payload = payload.to_vec();
        if let Some(key) = head.mask {
            websocket::mask(key, 0, &mut payload);
        }
        let frame = Self {
            fin: head.fin,
            reserved: head.rsv,
            opcode: Opcode::of(head.opcode),
            masked: head.mask.is_some(),
            payload,
        };
        Ok(Some((frame, start + length)))
    }

    /// The code of a close frame, if it has one.
    fn close_code(&self) -> Option<u16> {
        let (code, _) = self.payload.split_first_chunk()?;
        Some(u16::from_be_bytes(*code))
    }
}

/// `text: hello`, `binary: 3 bytes: 00 01 02`, `close: 1000 "done"`.
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head().in_words(&self.payload))
    }
}

/// A handshake (RFC 6455, section 4.1), which a test may change before it is sent.
pub fn handshake(path: &str) -> Request {
    Request::get(path)
        .header("upgrade", "websocket")
        .header("connection", "Upgrade")
        .header("sec-websocket-key", KEY.0)
        .header("sec-websocket-version", "13")
}

impl WebSocket {
    /// Makes the handshake on a connection that is open already.
    ///
    /// # Errors
    ///
    /// The server refuses, or its answer is wrong.
    pub async fn open(mut connection: Connection, path: &str) -> Result<Self> {
        let response = connection.request(&handshake(path)).await?;
        accepted(&response)?;
        let limits = Limits {
            message: MOST_UNREAD,
            ..Limits::default()
        };
        Ok(Self {
            connection,
            decoder: Decoder::new(Direction::ToClient, limits, false),
            between: VecDeque::new(),
        })
    }

    /// The underlying connection, with its transcript.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// The bare connection, for whoever reads and writes the bytes without the kit. What
    /// the kit has read already and nobody received is lost.
    pub fn into_stream(self) -> TcpStream {
        self.connection.into_stream()
    }

    /// Sends one frame, whatever it is.
    ///
    /// # Errors
    ///
    /// The server has closed the connection, or does not read.
    pub async fn send(&mut self, frame: Frame) -> Result {
        self.connection.send(frame.to_bytes()).await
    }

    /// Sends a text message.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub async fn send_text(&mut self, text: &str) -> Result {
        self.send(Frame::new(Opcode::Text, text)).await
    }

    /// The next frame.
    ///
    /// # Errors
    ///
    /// No frame arrives, or it breaks the rules for a server (RFC 6455, sections 5 to 8).
    pub async fn receive(&mut self) -> Result<Frame> {
        if let Some(frame) = self.between.pop_front() {
            return Ok(frame);
        }
        let received = within("frame", self.next()).await.flatten();
        match received {
            Ok((frame, _)) => Ok(frame),
            Err(failure) => Err(self.connection.tell(failure)),
        }
    }

    /// The next frame, and the message that it completes. This waits as long as need be.
    async fn next(&mut self) -> Result<(Frame, Option<Message>)> {
        let (frame, length) = loop {
            if let Some(complete) = Frame::parse(self.connection.unread())? {
                break complete;
            }
            self.connection.read_more("a whole frame").await?;
        };
        let mut events = Vec::new();
        let bytes = &self.connection.unread()[..length];
        self.decoder.feed(bytes, &mut events);
        self.connection.take(length);
        let mut complete = None;
        for event in events {
            match event {
                Event::Fault(fault) => {
                    let what = format!("a server may not send `{frame}`: {fault}");
                    let wire = self.connection.transcript();
                    return Err(Failure::new(what).with(wire));
                }
                Event::Message(message) => complete = Some(message),
                _ => {}
            }
        }
        Ok((frame, complete))
    }

    /// The next message, as if it had come in one frame, or a control frame that is in no
    /// message. This waits as long as need be.
    pub(crate) async fn message(&mut self) -> Result<Frame> {
        if let Some(frame) = self.between.pop_front() {
            return Ok(frame);
        }
        let mut begun = false;
        loop {
            let (frame, message) = self.next().await?;
            let Some(message) = message else {
                begun = true;
                continue;
            };
            let opcode = match message.kind {
                Kind::Text => Opcode::Text,
                Kind::Binary => Opcode::Binary,
                // RFC 6455, section 5.4: it may stand between two frames of a message.
                Kind::Ping | Kind::Pong if begun => {
                    self.between.push_back(frame);
                    if self.between.len() > MOST_BETWEEN {
                        let what =
                            format!("more than {MOST_BETWEEN} pings in a message");
                        return Err(Failure::new(what));
                    }
                    continue;
                }
                _ => return Ok(frame),
            };
            if !message.is_whole() {
                let what = format!("a message of {} bytes came", message.length);
                return Err(Failure::new(what));
            }
            return Ok(Frame {
                masked: false,
                ..Frame::new(opcode, message.payload)
            });
        }
    }

    /// Waits for a message, in one frame or in several, and fails unless it is this
    /// one. Pings in the middle of it are left for [`receive`](Self::receive).
    ///
    /// # Errors
    ///
    /// Another message arrives, or none does.
    pub async fn expect(
        &mut self,
        opcode: Opcode,
        payload: impl AsRef<[u8]>,
    ) -> Result {
        let received = within("frame", self.message()).await.flatten();
        let got = received.map_err(|failure| self.connection.tell(failure))?;
        let expected = Frame {
            masked: false,
            ..Frame::new(opcode, payload.as_ref())
        };
        if got == expected {
            return Ok(());
        }
        let failure = match got.opcode == opcode {
            true => {
                let both = (&*expected.payload, &*got.payload);
                let whole = || (expected.to_string(), got.to_string());
                Failure::differing("message", both, whole)
            }
            false => {
                let (expected, got) =
                    (format_args!("{expected}"), format_args!("{got}"));
                Failure::expected("message", &expected, &got)
            }
        };
        Err(failure.with(self.connection.transcript()))
    }

    /// Waits for this text message.
    ///
    /// # Errors
    ///
    /// As for [`expect`](Self::expect).
    pub async fn expect_text(&mut self, text: &str) -> Result {
        self.expect(Opcode::Text, text).await
    }

    /// Waits for a close frame with this code (`None`: without any), and for the
    /// server to close the connection.
    ///
    /// # Errors
    ///
    /// Something else arrives, or the connection stays open.
    pub async fn expect_close(&mut self, code: Option<u16>) -> Result {
        let frame = self.receive().await?;
        let got = frame.close_code();
        if frame.opcode != Opcode::Close || got != code {
            let expected = match code {
                Some(code) => format!("close: {code}"),
                None => "close".to_owned(),
            };
            let expected = format_args!("{expected}");
            let got = format_args!("{frame}");
            let failure = Failure::expected("frame", &expected, &got);
            return Err(failure.with(self.connection.transcript()));
        }
        self.connection.closed().await
    }

    /// Waits until the connection has ended, whether it is closed or reset, and whatever
    /// still comes before that.
    ///
    /// # Errors
    ///
    /// It stays open.
    pub async fn gone(self) -> Result {
        let transcript = self.connection.transcript();
        let mut stream = self.connection.into_stream();
        let mut nowhere = tokio::io::sink();
        let end = tokio::io::copy(&mut stream, &mut nowhere);
        match within("end of the connection", end).await {
            Ok(_) => Ok(()),
            Err(failure) => Err(failure.with(transcript)),
        }
    }
}

/// RFC 6455, section 4.1: what a client has to look at. It has asked for nothing more.
fn accepted(response: &Response) -> Result {
    response
        .expect_status(101)?
        .expect_header("sec-websocket-accept", KEY.1)?
        .expect_alike("upgrade", "websocket")?
        .expect_listed("connection", "upgrade")?
        .expect_no_header("sec-websocket-extensions")?
        .expect_no_header("sec-websocket-protocol")
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6455, section 5.7.
    #[test]
    fn the_frames_of_the_rfc_are_written_and_read() {
        let unmasked = |frame: Frame| Frame {
            masked: false,
            ..frame
        };
        let long = vec![7; 256];
        let longer = vec![7; 65_536];
        for (frame, head) in [
            (
                unmasked(Frame::new(Opcode::Text, "Hello")),
                &b"\x81\x05Hello"[..],
            ),
            (
                Frame::new(Opcode::Text, "Hello"),
                b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
            ),
            (
                unmasked(Frame::new(Opcode::Text, "Hel").more_follows()),
                b"\x01\x03Hel",
            ),
            (
                unmasked(Frame::new(Opcode::Continuation, "lo")),
                b"\x80\x02lo",
            ),
            (
                unmasked(Frame::new(Opcode::Ping, "Hello")),
                b"\x89\x05Hello",
            ),
            (
                Frame::new(Opcode::Pong, "Hello"),
                b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
            ),
            (
                unmasked(Frame::new(Opcode::Binary, long)),
                b"\x82\x7e\x01\x00\x07",
            ),
            (
                unmasked(Frame::new(Opcode::Binary, longer)),
                b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00\x07",
            ),
        ] {
            let bytes = frame.to_bytes();
            assert!(bytes.starts_with(head), "{frame}");
            for end in [0, 1, head.len() - 1, bytes.len() - 1] {
                assert!(
                    Frame::parse(&bytes[..end]).expect("a part").is_none(),
                    "{frame}"
                );
            }
            let parsed = Frame::parse(&bytes)
                .expect("it is right")
                .expect("complete");
            assert_eq!(parsed, (frame, bytes.len()));
        }
    }

    #[test]
    fn a_frame_of_an_impossible_length_is_refused() {
        assert!(Frame::parse(b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff").is_err());
    }

    #[test]
    fn a_frame_is_shown_in_words() {
        let show = |frame: Frame| frame.to_string();
        assert_eq!(show(Frame::new(Opcode::Text, "hé")), "text, masked: hé");
        assert_eq!(
            show(Frame::close(1000, "done")),
            "close, masked: 1000 \"done\""
        );
        let binary = Frame {
            masked: false,
            ..Frame::new(Opcode::Binary, [0, 255])
        };
        assert_eq!(show(binary), "binary: 2 bytes: 00 ff");
        let odd = Frame {
            reserved: 4,
            ..Frame::new(Opcode::Reserved(3), "")
        };
        assert_eq!(
            show(odd.more_follows()),
            "opcode 3, more follows, reserved bits 100, masked, empty"
        );
    }
}
