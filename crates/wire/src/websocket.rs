//! WebSocket frames and the messages that they make up (RFC 6455, section 5).

use std::fmt;

use crate::{Direction, Limits, keep};

/// What one direction of a WebSocket says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The head of a frame; its payload follows.
    Frame(Frame),
    /// A message whose last frame is complete, or a control frame.
    Message(Message),
    /// A breach of the protocol, right after the frame in which it shows.
    Fault(Fault),
    /// The end of the direction cut off a frame.
    Cut {
        /// Its head.
        frame: Frame,
        /// How many bytes of its payload had arrived.
        came: u64,
    },
}

/// The head of a frame (RFC 6455, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Whether it is the last one of its message.
    pub fin: bool,
    /// The three reserved bits: RSV1 is 4, RSV2 is 2, RSV3 is 1.
    pub rsv: u8,
    /// 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong; others are reserved.
    pub opcode: u8,
    /// The masking key (section 5.3), if the payload is masked.
    pub mask: Option<[u8; 4]>,
    /// Bytes of payload.
    pub length: u64,
}

impl Frame {
    /// The head that `bytes` begin with, and its length in bytes; `None` if it goes on
    /// after them.
    pub fn parse(bytes: &[u8]) -> Option<(Self, usize)> {
        let (&[first, second], rest) = bytes.split_first_chunk()?;
        let (length, rest) = match second & 0x7f {
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u16::from_be_bytes(*length).into(), rest)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u64::from_be_bytes(*length), rest)
            }
            length => (length.into(), rest),
        };
        let (mask, rest) = match second & 0x80 {
            0 => (None, rest),
            _ => {
                let (mask, rest) = rest.split_first_chunk()?;
                (Some(*mask), rest)
            }
        };
        let frame = Self {
            fin: first & 0x80 != 0,
            rsv: first >> 4 & 7,
            opcode: first & 0xf,
            mask,
            length,
        };
        Some((frame, bytes.len() - rest.len()))
    }

    /// The bytes of a frame with this head and payload, masked if there is a mask. The
    /// length is that of the payload, in the shortest form, whatever `length` says.
    pub fn encode(&self, payload: &[u8]) -> Vec<u8> {
        let first = u8::from(self.fin) << 7 | (self.rsv & 7) << 4;
        let mut bytes = vec![first | self.opcode & 0xf];
        let masked = u8::from(self.mask.is_some()) << 7;
        match payload.len() {
            length @ 0..=125 => bytes.push(masked | length as u8),
            length @ 126..=0xffff => {
                bytes.push(masked | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            length => {
                bytes.push(masked | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(self.mask.iter().flatten());
        let start = bytes.len();
        bytes.extend_from_slice(payload);
        if let Some(key) = self.mask {
            mask(key, 0, &mut bytes[start..]);
        }
        bytes
    }
}

/// Masks or unmasks a part of a payload, which begins at its byte `from` (section 5.3).
pub fn mask(key: [u8; 4], from: u64, bytes: &mut [u8]) {
    for (at, byte) in (from % 4..).zip(bytes) {
        *byte ^= key[(at % 4) as usize];
    }
}

/// What a message is (RFC 6455, sections 5.5 and 5.6), as the number of its opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text, in UTF-8.
    Text = 1,
    /// Any bytes.
    Binary = 2,
    /// A close frame, with a code and a reason or neither.
    Close = 8,
    /// A ping, to be answered with a pong of the same payload.
    Ping = 9,
    /// A pong.
    Pong = 10,
}

impl Kind {
    /// The kind of message that begins with this opcode.
    pub fn of(opcode: u8) -> Option<Self> {
        let all = [
            Self::Text,
            Self::Binary,
            Self::Close,
            Self::Ping,
            Self::Pong,
        ];
        all.into_iter().find(|kind| *kind as u8 == opcode)
    }

    /// Its name in the specification.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
        }
    }
}

/// A message, unmasked and put together from its frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is.
    pub kind: Kind,
    /// The first [`Limits::message`] bytes of it.
    pub payload: Vec<u8>,
    /// How many bytes it had in all.
    pub length: u64,
    /// Whether `payload` is compressed (RFC 7692, section 6), and left as it is.
    pub compressed: bool,
    /// Whether its last frame was masked.
    pub masked: bool,
    /// How many frames it came in.
    pub frames: u64,
}

impl Message {
    /// Whether `payload` is the whole of it.
    pub fn is_whole(&self) -> bool {
        self.length == self.payload.len() as u64
    }

    /// The text of a text message; `None` for others, and if it cannot be read.
    pub fn text(&self) -> Option<&str> {
        if self.kind != Kind::Text || self.compressed {
            return None;
        }
        match str::from_utf8(&self.payload) {
            Ok(text) => Some(text),
            // Cut at the limit, in the middle of a character.
            Err(e) if !self.is_whole() && e.error_len().is_none() => {
                str::from_utf8(&self.payload[..e.valid_up_to()]).ok()
            }
            Err(_) => None,
        }
    }

    /// Code and reason of a close message that has them (RFC 6455, section 5.5.1).
    pub fn close(&self) -> Option<(u16, String)> {
        match (self.kind, &*self.payload) {
            (Kind::Close, &[high, low, ref reason @ ..]) => Some((
                u16::from_be_bytes([high, low]),
                String::from_utf8_lossy(reason).into_owned(),
            )),
            _ => None,
        }
    }
}

/// A breach of the protocol (sections of RFC 6455). The decoder goes on regardless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A reserved bit that no extension gave a meaning (5.2).
    ReservedBits(u8),
    /// A reserved opcode (5.2). The frame's payload is skipped.
    Opcode(u8),
    /// A length that a shorter form could have held (5.2).
    LengthNotMinimal,
    /// A length of more than 63 bits (5.2).
    LengthTooLarge,
    /// A frame from the client without a mask (5.1).
    Unmasked,
    /// A frame from the server with a mask (5.1).
    Masked,
    /// A control frame with more than 125 bytes of payload (5.5).
    ControlTooLong,
    /// A control frame without FIN (5.5). It is treated as complete.
    ControlFragmented,
    /// A continuation where no message had begun (5.4). Its payload is skipped.
    NothingToContinue,
    /// A new message before the last one had ended (5.4). That one is dropped.
    Interrupted,
    /// A text message or the reason of a close that is not UTF-8 (8.1).
    NotUtf8,
    /// A close frame with a payload of a single byte (5.5.1).
    CloseTooShort,
    /// A close code that must not be sent (7.4).
    CloseCode(u16),
    /// A data frame, or a second close, after a close frame (5.5.1).
    AfterClose,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReservedBits(bits) => {
                return write!(f, "reserved bits {bits:03b}");
            }
            Self::Opcode(code) => return write!(f, "reserved opcode {code}"),
            Self::CloseCode(code) => {
                return write!(f, "close code {code} must not be sent");
            }
            Self::LengthNotMinimal => "a length in a longer form than it needs",
            Self::LengthTooLarge => "a length of more than 63 bits",
            Self::Unmasked => "a frame from the client without a mask",
            Self::Masked => "a frame from the server with a mask",
            Self::ControlTooLong => "a control frame of more than 125 bytes",
            Self::ControlFragmented => "a control frame without FIN",
            Self::NothingToContinue => "a continuation of nothing",
            Self::Interrupted => "a new message before the last one had ended",
            Self::NotUtf8 => "text that is not UTF-8",
            Self::CloseTooShort => "a close frame with half a code",
            Self::AfterClose => "a frame after the close",
        })
    }
}

/// Decodes one direction of a WebSocket.
#[derive(Clone, Debug)]
pub struct Decoder {
    direction: Direction,
    limits: Limits,
    /// Whether RSV1 means "compressed" here (RFC 7692).
    deflate: bool,
    head: Vec<u8>,
    /// The frame whose payload is arriving, and how much of that has arrived.
    frame: Option<(Frame, u64)>,
    /// The text or binary message whose last frame has not arrived.
    message: Option<Message>,
    control: Vec<u8>,
    closed: bool,
}

impl Decoder {
    /// A decoder that begins with the first frame. `deflate` says that RSV1 marks what is
    /// compressed (RFC 7692).
    pub fn new(direction: Direction, limits: Limits, deflate: bool) -> Self {
        Self {
            direction,
            limits,
            deflate,
            head: Vec::with_capacity(14),
            frame: None,
            message: None,
            control: Vec::new(),
            closed: false,
        }
    }

    pub(crate) fn buffered(&self) -> usize {
        let message = self.message.as_ref().map_or(0, |m| m.payload.len());
        self.head.len() + self.control.len() + message
    }

    /// The frame that the end cuts off.
    pub(crate) fn cut(&self) -> Option<Event> {
        self.frame.map(|(frame, came)| Event::Cut { frame, came })
    }

    /// How many bytes of an incomplete head have arrived, and of an incomplete message
    /// without the frame that is cut off.
    pub(crate) fn unread(&self) -> u64 {
        let in_frame = match self.frame {
            Some((frame, came)) if frame.opcode <= 2 => came,
            _ => 0,
        };
        let message = self.message.as_ref().map_or(0, |m| m.length - in_frame);
        self.head.len() as u64 + message
    }

    /// Takes all of `input`, and appends to `out` what it completes.
    pub fn feed(&mut self, mut input: &[u8], out: &mut Vec<Event>) {
        loop {
            if let Some((frame, came)) = self.frame {
                let left = usize::try_from(frame.length - came);
                let length = input.len().min(left.unwrap_or(usize::MAX));
                let (payload, rest) = input.split_at(length);
                self.payload(frame, came, payload);
                input = rest;
                let came = came + length as u64;
                if came < frame.length {
                    self.frame = Some((frame, came));
                    return;
                }
                self.frame = None;
                self.end_frame(frame, out);
            }
            let Some((&byte, rest)) = input.split_first() else {
                return;
            };
            input = rest;
            self.head.push(byte);
            if let Some((frame, _)) = Frame::parse(&self.head) {
                self.start_frame(frame, out);
            }
        }
    }

    fn start_frame(&mut self, frame: Frame, out: &mut Vec<Event>) {
        let short = self.head[1] & 0x7f;
        self.head.clear();
        let length = frame.length;
        out.push(Event::Frame(frame));
        let mut fault = |is: bool, fault| {
            if is {
                out.push(Event::Fault(fault));
            }
        };
        let control = frame.opcode >= 8;
        let compressed =
            self.deflate && frame.rsv == 4 && matches!(frame.opcode, 1 | 2);
        let masks = self.direction == Direction::ToServer;
        let least = match short {
            126 => 126,
            127 => 1 << 16,
            _ => 0,
        };
        fault(
            self.closed && !matches!(frame.opcode, 9 | 10),
            Fault::AfterClose,
        );
        fault(
            frame.rsv != 0 && !compressed,
            Fault::ReservedBits(frame.rsv),
        );
        let known = matches!(frame.opcode, 0..=2 | 8..=10);
        fault(!known, Fault::Opcode(frame.opcode));
        fault(masks && frame.mask.is_none(), Fault::Unmasked);
        fault(!masks && frame.mask.is_some(), Fault::Masked);
        fault(length < least, Fault::LengthNotMinimal);
        fault(length >> 63 != 0, Fault::LengthTooLarge);
        fault(control && length > 125, Fault::ControlTooLong);
        fault(control && !frame.fin, Fault::ControlFragmented);
        if frame.opcode == 0 {
            fault(self.message.is_none(), Fault::NothingToContinue);
        }
        if let Some(kind @ (Kind::Text | Kind::Binary)) = Kind::of(frame.opcode) {
            fault(self.message.is_some(), Fault::Interrupted);
            self.message = Some(Message {
                kind,
                payload: Vec::new(),
                length: 0,
                compressed,
                masked: false,
                frames: 0,
            });
        }
        self.frame = Some((frame, 0));
    }

    /// A part of the frame's payload, which begins at its byte `from`.
    fn payload(&mut self, frame: Frame, from: u64, bytes: &[u8]) {
        let (kept, limit) = match (frame.opcode, &mut self.message) {
            (0..=2, Some(message)) => {
                message.length = message.length.saturating_add(bytes.len() as u64);
                (&mut message.payload, self.limits.message)
            }
            (8..=10, _) => (&mut self.control, MOST_CONTROL),
            _ => return,
        };
        let start = kept.len();
        keep(kept, bytes, limit);
        if let Some(key) = frame.mask {
            mask(key, from, &mut kept[start..]);
        }
    }

    fn end_frame(&mut self, frame: Frame, out: &mut Vec<Event>) {
        if let (0..=2, Some(message)) = (frame.opcode, &mut self.message) {
            message.masked = frame.mask.is_some();
            message.frames += 1;
        }
        let message = match Kind::of(frame.opcode) {
            Some(kind @ (Kind::Close | Kind::Ping | Kind::Pong)) => Some(Message {
                kind,
                payload: std::mem::take(&mut self.control),
                length: frame.length,
                compressed: false,
                masked: frame.mask.is_some(),
                frames: 1,
            }),
            _ if frame.opcode <= 2 && frame.fin => self.message.take(),
            _ => None,
        };
        let Some(message) = message else { return };
        if message.kind == Kind::Close {
            self.closed = true;
        }
        out.extend(faults(&message).into_iter().flatten().map(Event::Fault));
        out.push(Event::Message(message));
    }
}

/// The longest payload that a control frame may have, and the most that is kept of it.
pub(crate) const MOST_CONTROL: usize = 125;

fn faults(message: &Message) -> [Option<Fault>; 2] {
    match (message.kind, &*message.payload) {
        (Kind::Text, _) if !message.compressed && message.text().is_none() => {
            [Some(Fault::NotUtf8), None]
        }
        (Kind::Close, [_]) => [Some(Fault::CloseTooShort), None],
        (Kind::Close, &[high, low, ref reason @ ..]) => {
            let code = u16::from_be_bytes([high, low]);
            // RFC 6455, section 7.4, and the registry that it sets up.
            let good = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            let utf8 = str::from_utf8(reason).is_ok() || !message.is_whole();
            [
                (!good).then_some(Fault::CloseCode(code)),
                (!utf8).then_some(Fault::NotUtf8),
            ]
        }
        _ => [None, None],
    }
}
