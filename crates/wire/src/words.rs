//! Events in words: lines of text, and labels for a diagram.

use std::fmt::Write as _;

use crate::{Event, Opaque, Tcp, engineio, http, socketio, websocket};

/// A line of more characters than this is cut.
const LONGEST_LINE: usize = 160;

/// Of a body with more lines than this, the first are shown.
const MOST_LINES: usize = 20;

/// The most characters of a payload in the label of an arrow.
const LONGEST_IN_LABEL: usize = 40;

/// Bytes that are not text are all shown up to this number of them …
const MOST_BYTES: usize = 16;

/// … and so many where there are more.
const FIRST_BYTES: usize = 8;

/// What a transcript shows of an event: no line, one, or several.
pub(crate) fn lines(event: &Event) -> Vec<String> {
    let line = match event {
        Event::Http(http::Event::Request(request)) => {
            return head(&request_line(request), &request.headers);
        }
        Event::Http(http::Event::Response(response)) => {
            return head(&status_line(response), &response.headers);
        }
        Event::Http(http::Event::Part(body) | http::Event::Body(body)) => {
            return block(&body.bytes, body.length);
        }
        Event::WebSocket(websocket::Event::Frame(frame)) => {
            // A frame that is a whole message is shown as one.
            if frame.fin && matches!(frame.opcode, 1 | 2 | 8..=10) {
                return Vec::new();
            }
            let length = count(frame.length, "byte");
            format!("{}: {length}", frame_name(frame, ""))
        }
        Event::WebSocket(websocket::Event::Message(m)) => {
            message(m, m.masked, m.frames, LONGEST_LINE)
        }
        Event::WebSocket(websocket::Event::Fault(fault)) => format!("! {fault}"),
        Event::EngineIo(Ok(packet)) => format!("  Engine.IO {}", engineio(packet)),
        Event::EngineIo(Err(fault)) => format!("  ! Engine.IO: {fault}"),
        Event::SocketIo(Ok(packet)) => socketio(packet),
        Event::SocketIo(Err(fault)) => format!("  ! Socket.IO: {fault}"),
        Event::Opaque(why) => format!("! {}; shown as it came:", opaque(why)),
        Event::Undecoded { bytes, start } if !start.is_empty() => {
            return block(start, *bytes);
        }
        event => label(event),
    };
    vec![line]
}

/// The label of an arrow, or of a note.
pub(crate) fn label(event: &Event) -> String {
    let text = |text: &str| printable(text, LONGEST_IN_LABEL);
    let payload = |bytes: &[u8], length| payload(bytes, length, LONGEST_IN_LABEL);
    match event {
        Event::Tcp(Tcp::Opened) => "connected".into(),
        Event::Tcp(Tcp::Unreachable(why)) => {
            format!("! no connection: {}", text(why))
        }
        Event::Tcp(Tcp::Fin) => "closed (FIN)".into(),
        Event::Tcp(Tcp::Reset) => "aborted (RST)".into(),
        Event::Http(http::Event::Request(request)) => {
            let upgrade = match request.is_websocket() {
                true => ", upgrade: websocket",
                false => "",
            };
            format!(
                "{} {}{upgrade}",
                text(&request.method),
                text(&request.target)
            )
        }
        Event::Http(http::Event::Response(response)) => {
            let line = format!("{} {}", response.status, text(&response.reason));
            line.trim_end().into()
        }
        Event::Http(http::Event::Part(body) | http::Event::Body(body)) => {
            payload(&body.bytes, body.length)
        }
        Event::Http(http::Event::Cut { missing: None }) => {
            "! missing: the end of the body".into()
        }
        Event::Http(http::Event::Cut { missing: Some(n) }) => {
            format!("! missing: {}", count(*n, "byte"))
        }
        Event::WebSocket(websocket::Event::Cut { frame, came }) => {
            let (name, length) =
                (frame_name(frame, ""), count(frame.length, "byte"));
            format!("! {name}: {came} of {length} came")
        }
        Event::WebSocket(websocket::Event::Frame(frame)) => frame_name(frame, ""),
        Event::WebSocket(websocket::Event::Message(m)) => {
            message(m, false, 1, LONGEST_IN_LABEL)
        }
        Event::WebSocket(websocket::Event::Fault(fault)) => format!("! {fault}"),
        Event::EngineIo(Err(fault)) => format!("! {fault}"),
        Event::SocketIo(Err(fault)) => format!("! {fault}"),
        Event::EngineIo(Ok(packet)) => {
            let (_, name) = packet.kind();
            let said = match packet {
                engineio::Packet::Binary(data) => payload(data, data.len() as u64),
                packet => text(&packet.encode()[1..]),
            };
            format!("{name} {said}").trim_end().into()
        }
        Event::SocketIo(Ok(packet)) => {
            let mut label = packet.kind.name().to_owned();
            if packet.namespace != "/" {
                let _ = write!(label, " {}", text(&packet.namespace));
            }
            if let Some(id) = packet.id {
                let _ = write!(label, " id {id}");
            }
            if !packet.json.is_empty() {
                let _ = write!(label, " {}", text(&packet.json));
            }
            for data in &packet.attachments {
                let _ = write!(label, " + {}", payload(data, data.len() as u64));
            }
            label
        }
        Event::Opaque(why) => format!("! {}", opaque(why)),
        Event::Undecoded { bytes, start } => match &**start {
            [] => format!("! {} of an unfinished message", count(*bytes, "byte")),
            start => payload(start, *bytes),
        },
        Event::Note(note) => printable(note, LONGEST_LINE),
        Event::Missed { n } => format!("{} left out here", count(*n, "event")),
    }
}

fn opaque(why: &Opaque) -> String {
    match why {
        Opaque::Http(fault) => fault.to_string(),
        Opaque::Switched => "another protocol".into(),
        Opaque::TooFarAhead => "too much before an answer".into(),
    }
}

fn request_line(request: &http::Request) -> String {
    let (method, target) = (&request.method, &request.target);
    format!("{method} {target} HTTP/1.{}", request.version)
}

fn status_line(response: &http::Response) -> String {
    let (status, reason) = (response.status, &response.reason);
    format!("HTTP/1.{} {status} {reason}", response.version)
}

/// The lines of a head, with the empty one at its end (RFC 9112, section 2.1).
fn head(first: &str, headers: &http::Headers) -> Vec<String> {
    let line = |text: &str| printable(text.trim_end(), LONGEST_LINE);
    let mut lines = vec![line(first)];
    for (name, value) in headers {
        lines.push(line(&format!("{name}: {value}")));
    }
    lines.push(String::new());
    lines
}

/// Text line by line, other bytes in one line.
fn block(kept: &[u8], length: u64) -> Vec<String> {
    let text = match as_text(kept, length) {
        Some(text) if text.contains('\n') => text,
        _ => return vec![payload(kept, length, LONGEST_LINE)],
    };
    let mut all = (text.len() as u64) == length;
    let mut lines = Vec::new();
    for line in text.lines() {
        if lines.len() == MOST_LINES {
            all = false;
            break;
        }
        let (mut shown, taken) = escaped(line.as_bytes(), LONGEST_LINE);
        if taken < line.len() {
            shown.push('…');
            all = false;
        }
        lines.push(shown);
    }
    if !all {
        lines.push(format!("… ({} in all)", count(length, "byte")));
    }
    lines
}

impl websocket::Frame {
    /// The frame in a line: `text, masked: hello`, `binary: 3 bytes: 01 02 ff`,
    /// `close: 1000 "done"`. Of a long payload, the beginning.
    pub fn in_words(&self, payload: &[u8]) -> String {
        let said = said(self.opcode, payload, payload.len() as u64, LONGEST_LINE);
        frame_name(self, "") + &said
    }
}

fn frame_name(frame: &websocket::Frame, more: &str) -> String {
    let mut name = match (frame.opcode, websocket::Kind::of(frame.opcode)) {
        (0, _) => "continuation".to_owned(),
        (_, Some(kind)) => kind.name().to_owned(),
        (code, None) => format!("opcode {code}"),
    };
    if !frame.fin {
        name += ", more follows";
    }
    if frame.rsv != 0 {
        let _ = write!(name, ", reserved bits {:03b}", frame.rsv);
    }
    name += more;
    if frame.mask.is_some() {
        name += ", masked";
    }
    name
}

fn message(
    message: &websocket::Message,
    masked: bool,
    frames: u64,
    longest: usize,
) -> String {
    let frame = websocket::Frame {
        fin: true,
        rsv: 0,
        opcode: message.kind as u8,
        mask: masked.then_some([0; 4]),
        length: message.length,
    };
    let more = match frames {
        1 => String::new(),
        n => format!(", in {n} frames"),
    };
    if message.compressed {
        let length = count(message.length, "byte");
        return format!(
            "{}: {length}",
            frame_name(&frame, &(more + ", compressed"))
        );
    }
    let said = said(frame.opcode, &message.payload, message.length, longest);
    frame_name(&frame, &more) + &said
}

/// What follows the name of a frame.
fn said(opcode: u8, kept: &[u8], length: u64, longest: usize) -> String {
    match (opcode, kept) {
        (8, []) => String::new(),
        (8, &[high, low]) => format!(": {}", u16::from_be_bytes([high, low])),
        (8, &[high, low, ref reason @ ..]) => {
            let code = u16::from_be_bytes([high, low]);
            let reason = printable_bytes(reason, reason.len() as u64, longest);
            format!(": {code} \"{reason}\"")
        }
        (2, _) => format!(": {}", hex(kept, length)),
        (_, []) => ", empty".into(),
        (1, _) => format!(": {}", printable_bytes(kept, length, longest)),
        _ => format!(": {}", payload(kept, length, longest)),
    }
}

/// The packet's type, as a digit and as a word.
fn engineio(packet: &engineio::Packet) -> String {
    match packet.kind() {
        ('b', name) => name.into(),
        (digit, name) => format!("{digit} {name}"),
    }
}

/// What the digits and the rest of the packet's text mean, which is shown above.
fn socketio(packet: &socketio::Packet) -> String {
    let (digit, name) = (packet.kind as u8, packet.kind.name());
    let mut line = format!("  Engine.IO 4 message, Socket.IO {digit} {name}");
    if matches!(
        packet.kind,
        socketio::Kind::Event | socketio::Kind::BinaryEvent
    ) {
        let event = packet.value()[0].to_string();
        let _ = write!(line, " {}", printable(&event, LONGEST_IN_LABEL));
    }
    if packet.namespace != "/" {
        let namespace = printable(&packet.namespace, LONGEST_IN_LABEL);
        let _ = write!(line, " in {namespace}");
    }
    if let Some(id) = packet.id {
        let _ = write!(line, ", id {id}");
    }
    if !packet.attachments.is_empty() {
        let attachments = packet.attachments.len() as u64;
        let _ = write!(line, ", {}", count(attachments, "attachment"));
    }
    line
}

fn count(n: u64, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

/// `kept`, the beginning of `length` bytes, if it can be read as text.
fn as_text(kept: &[u8], length: u64) -> Option<&str> {
    let text = match str::from_utf8(kept) {
        Ok(text) => text,
        // Cut in the middle of a character.
        Err(e) if (kept.len() as u64) < length && e.error_len().is_none() => {
            str::from_utf8(&kept[..e.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let readable = |c: char| !c.is_control() || " \t\r\n\x1e".contains(c);
    text.chars().any(readable).then_some(text)
}

/// Text as text, other bytes in hexadecimal.
fn payload(kept: &[u8], length: u64, longest: usize) -> String {
    match as_text(kept, length) {
        Some(text) => printable_bytes(text.as_bytes(), length, longest),
        None => hex(kept, length),
    }
}

fn hex(kept: &[u8], length: u64) -> String {
    let all = length <= MOST_BYTES as u64 && kept.len() as u64 == length;
    let shown = &kept[..kept.len().min(if all { MOST_BYTES } else { FIRST_BYTES })];
    let mut text = count(length, "byte");
    for (n, byte) in shown.iter().enumerate() {
        let _ = write!(text, "{} {byte:02x}", if n == 0 { ":" } else { "" });
    }
    if !all {
        text += " …";
    }
    text
}

/// Text in one line, of at most `longest` characters.
pub(crate) fn printable(text: &str, longest: usize) -> String {
    printable_bytes(text.as_bytes(), text.len() as u64, longest)
}

/// The same of `kept`, which is the beginning of `length` bytes.
fn printable_bytes(kept: &[u8], length: u64, longest: usize) -> String {
    let (mut out, taken) = escaped(kept, longest);
    if (taken as u64) < length {
        out.push('…');
        if longest > LONGEST_IN_LABEL {
            let _ = write!(out, " ({} in all)", count(length, "byte"));
        }
    }
    out
}

/// At most `longest` characters, and how many bytes they stand for. What cannot be seen
/// is escaped as in Rust, and a backslash where it would look like such an escape.
fn escaped(bytes: &[u8], longest: usize) -> (String, usize) {
    let pieces = bytes.utf8_chunks().flat_map(|chunk| {
        let (text, invalid) = (chunk.valid(), chunk.invalid());
        let chars = text.char_indices().map(move |(at, char)| {
            let rest = &text[at + char.len_utf8()..];
            let ends = rest.is_empty() && invalid.is_empty();
            let escapes = |next| is_hidden(next) || "\\nrtux".contains(next);
            let piece = match char {
                '\\' if rest.trim().is_empty() || rest.starts_with(escapes) => {
                    "\\\\".to_owned()
                }
                _ if is_hidden(char) => char.escape_default().to_string(),
                _ if ends && char.is_whitespace() => {
                    char.escape_unicode().to_string()
                }
                _ => char.to_string(),
            };
            (piece, char.len_utf8())
        });
        chars.chain(invalid.iter().map(|byte| (format!("\\x{byte:02x}"), 1)))
    });
    let mut out = String::new();
    let (mut shown, mut taken) = (0, 0);
    for (piece, length) in pieces {
        shown += piece.chars().count();
        if shown > longest {
            break;
        }
        out += &piece;
        taken += length;
    }
    (out, taken)
}

/// Marks that change the direction of writing or break a line, and what has no width but
/// the joiners, which emoji and some scripts are made of.
fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}'
                | '\u{feff}'
        )
}
