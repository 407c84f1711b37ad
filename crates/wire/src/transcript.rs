use std::{
    fmt::{self, Write as _},
    time::Duration,
};

use crate::{
    Direction, Event, Opaque, Record, Tcp, engineio, http, normalise::Names,
    websocket,
};

/// What went over the wire, to be shown.
///
/// Its `Display` is [`text`](Self::text) in the default style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    records: Vec<Record>,
    /// Times differ from run to run, so they are left out.
    timeless: bool,
}

/// How a transcript is shown as text. Nothing is on by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Colours (ANSI), which say the same as the arrows.
    pub colour: bool,
    /// The header fields of HTTP, each on its own line below the head.
    pub headers: bool,
    /// Every WebSocket frame, even one that is a whole message.
    pub frames: bool,
}

/// Payloads of more characters than this are cut. Text has room for their length in
/// bytes.
const LONGEST_IN_TEXT: usize = 160;
const LONGEST_IN_DIAGRAM: usize = 40;

/// A label of more characters than this is cut, whatever it is made of.
const LONGEST_LABEL: usize = 80;

/// A longer word does not fit between two lifelines, and would be drawn beside them.
const LONGEST_WORD: usize = 22;

impl Extend<Record> for Transcript {
    fn extend<T: IntoIterator<Item = Record>>(&mut self, records: T) {
        self.records.extend(records);
    }
}

impl FromIterator<Record> for Transcript {
    fn from_iter<T: IntoIterator<Item = Record>>(records: T) -> Self {
        let mut transcript = Self::default();
        transcript.extend(records);
        transcript
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Style::default()))
    }
}

impl Transcript {
    /// Adds one event.
    pub fn push(&mut self, record: Record) {
        self.records.push(record);
    }

    /// The events, in order.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// A line for each event: connection, milliseconds, direction (`→` to the server,
    /// `←` to the client), layer, and what was said. Higher layers are indented more.
    pub fn text(&self, style: Style) -> String {
        let mut out = String::new();
        for record in &self.records {
            if is_plain_frame(&record.event) && !style.frames {
                continue;
            }
            let (layer, depth) = layer(&record.event);
            let (arrow, colour) = match record.direction {
                Direction::ToServer => ('→', "36"),
                Direction::ToClient => ('←', "33"),
            };
            let mut start = format!("#{} ", record.connection);
            if !self.timeless {
                let _ = write!(start, "{:>6} ms ", record.at.as_millis());
            }
            let pad = "  ".repeat(depth);
            let layer = format!("{pad}{layer}");
            let said = describe(&record.event, LONGEST_IN_TEXT);
            let line = format!("{arrow} {layer:<18} {said}");
            match style.colour {
                true => {
                    let _ = writeln!(out, "{start}\x1b[{colour}m{line}\x1b[0m");
                }
                false => {
                    let _ = writeln!(out, "{start}{line}");
                }
            }
            if let (true, Event::Http(event)) = (style.headers, &record.event) {
                for (name, value) in headers(event) {
                    let value = printable(value, LONGEST_IN_TEXT);
                    let line =
                        format!("{start}{arrow} {:<18}   {name}: {value}", "");
                    let _ = writeln!(out, "{}", line.trim_end());
                }
            }
        }
        out
    }

    /// The same transcript without what differs from run to run, to be committed.
    ///
    /// Times are left out. Dates, local ports, WebSocket keys and masks, session ids
    /// and UUIDs become placeholders: `sid-1` wherever the first id was, in headers,
    /// paths and payloads alike. A session id is a string of 8 or more characters that
    /// appears as `sid` or `pid` in a handshake or as `sid=` in a path.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let mut names = Names::default();
        for record in &self.records {
            names.collect(&record.event);
        }
        names.longest_first();
        let records = self.records.iter().map(|record| Record {
            at: Duration::ZERO,
            event: names.normalise(&record.event),
            ..record.clone()
        });
        Self {
            records: records.collect(),
            timeless: true,
        }
    }

    /// A mermaid `sequenceDiagram`, whose first line is `%% title: …`. For a message it
    /// shows the highest layer that was decoded; for TCP, how a connection ends.
    pub fn mermaid(&self, title: &str) -> String {
        let title = match plain(title) {
            title if title.is_empty() => "On the wire".into(),
            title => title,
        };
        let mut out = format!("%% title: {title}\nsequenceDiagram\n");
        let mut connections = Vec::new();
        for record in &self.records {
            if !connections.contains(&record.connection) {
                connections.push(record.connection);
            }
        }
        match &*connections {
            [] | [_] => out += "  participant C as client\n",
            _ => {
                for (n, _) in connections.iter().enumerate() {
                    let n = n + 1;
                    let _ = writeln!(out, "  participant C{n} as connection {n}");
                }
            }
        }
        out += "  participant S as server\n";
        for (at, record) in self.records.iter().enumerate() {
            let event = &record.event;
            let after = &self.records[at + 1..];
            if matches!(event, Event::WebSocket(websocket::Event::Frame(_)))
                || *event == Event::Tcp(Tcp::Opened)
                || is_told_above(record, after)
            {
                continue;
            }
            let client = match connections.len() {
                0 | 1 => "C".to_owned(),
                _ => {
                    let at =
                        connections.iter().position(|&c| c == record.connection);
                    format!("C{}", at.unwrap_or_default() + 1)
                }
            };
            let arrow = match record.direction {
                Direction::ToServer => format!("{client}->>S"),
                Direction::ToClient => format!("S->>{client}"),
            };
            let said = label(&describe(event, LONGEST_IN_DIAGRAM));
            let _ = match event {
                Event::Note(_) => writeln!(out, "  Note over {client},S: {said}"),
                _ => writeln!(out, "  {arrow}: {said}"),
            };
        }
        out
    }
}

/// A frame that is a whole message: the message says the same.
fn is_plain_frame(event: &Event) -> bool {
    match event {
        Event::WebSocket(websocket::Event::Frame(frame)) => {
            frame.fin && frame.opcode != 0
        }
        _ => false,
    }
}

/// Whether the layer above shows it as well, in an event that follows at once.
fn is_told_above(record: &Record, after: &[Record]) -> bool {
    let same = after.iter().filter(|next| {
        (next.connection, next.direction) == (record.connection, record.direction)
    });
    let mut events = same.map(|next| &next.event);
    match &record.event {
        Event::Http(http::Event::Body(_))
        | Event::WebSocket(websocket::Event::Message(_)) => {
            matches!(events.next(), Some(Event::EngineIo(Ok(_))))
        }
        Event::EngineIo(Ok(
            engineio::Packet::Message(_) | engineio::Packet::Binary(_),
        )) => {
            let next = events.find(|event| !carries_attachment(event));
            matches!(next, Some(Event::SocketIo(Ok(_))))
        }
        _ => false,
    }
}

/// Whether it may come between the text of a Socket.IO packet and that packet.
fn carries_attachment(event: &Event) -> bool {
    match event {
        Event::WebSocket(websocket::Event::Frame(_))
        | Event::EngineIo(Ok(engineio::Packet::Binary(_))) => true,
        Event::WebSocket(websocket::Event::Message(message)) => {
            message.kind == websocket::Kind::Binary
        }
        _ => false,
    }
}

/// The name of an event's layer, and how many layers are below it.
fn layer(event: &Event) -> (&'static str, usize) {
    match event {
        Event::Tcp(_) => ("tcp", 0),
        Event::Http(_) => ("http", 1),
        Event::WebSocket(_) => ("websocket", 2),
        Event::EngineIo(_) => ("engine.io", 3),
        Event::SocketIo(_) => ("socket.io", 4),
        Event::Opaque(_) | Event::Undecoded { .. } => ("bytes", 0),
        Event::Missed { .. } => ("tap", 0),
        Event::Note(_) => ("note", 0),
    }
}

pub(crate) fn headers(event: &http::Event) -> &[(String, String)] {
    match event {
        http::Event::Request(request) => &request.headers,
        http::Event::Response(response) => &response.headers,
        http::Event::Body(_) => &[],
    }
}

/// One line for an event, with at most `longest` characters of its payload.
fn describe(event: &Event, longest: usize) -> String {
    let text = |text: &str| printable(text, longest);
    match event {
        Event::Tcp(Tcp::Opened) => "connected".into(),
        Event::Tcp(Tcp::Unreachable(why)) => format!("no connection: {}", text(why)),
        Event::Tcp(Tcp::Fin) => "FIN: nothing more to send".into(),
        Event::Tcp(Tcp::Reset) => "RST: connection aborted".into(),
        Event::Http(http::Event::Request(request)) => {
            let (method, target) = (text(&request.method), text(&request.target));
            format!("{method} {target} HTTP/1.{}", request.version)
        }
        Event::Http(http::Event::Response(response)) => {
            let reason = text(&response.reason);
            let line =
                format!("HTTP/1.{} {} {reason}", response.version, response.status);
            line.trim_end().into()
        }
        Event::Http(http::Event::Body(body)) => {
            let cut = if body.complete { "" } else { ", cut off" };
            let shown = bytes(&body.bytes, body.length, longest);
            format!("body, {} bytes{cut}: {shown}", body.length)
        }
        Event::WebSocket(websocket::Event::Frame(frame)) => {
            let part = match (frame.opcode, frame.fin) {
                (0, false) => "a middle",
                (0, true) => "the last",
                (_, false) => "the first",
                (_, true) => "the only",
            };
            let masked = match frame.mask {
                Some(_) => ", masked",
                None => "",
            };
            format!("{part} frame, {} bytes{masked}", frame.length)
        }
        Event::WebSocket(websocket::Event::Message(message)) => {
            websocket_message(message, longest)
        }
        Event::WebSocket(websocket::Event::Fault(fault)) => format!("! {fault}"),
        Event::EngineIo(Err(fault)) => format!("! {fault}"),
        Event::SocketIo(Err(fault)) => format!("! {fault}"),
        Event::EngineIo(Ok(packet)) => {
            use engineio::Packet;
            let (name, said) = match packet {
                Packet::Open(json) => ("open", text(json)),
                Packet::Close => ("close", String::new()),
                Packet::Ping(said) => ("ping", text(said)),
                Packet::Pong(said) => ("pong", text(said)),
                Packet::Message(said) => ("message", text(said)),
                Packet::Binary(data) => {
                    ("binary", bytes(data, data.len() as u64, longest))
                }
                Packet::Upgrade => ("upgrade", String::new()),
                Packet::Noop => ("noop", String::new()),
            };
            format!("{name} {said}").trim_end().into()
        }
        Event::SocketIo(Ok(packet)) => {
            let mut line = packet.kind.name().to_owned();
            if packet.namespace != "/" {
                let _ = write!(line, " {}", text(&packet.namespace));
            }
            if let Some(id) = packet.id {
                let _ = write!(line, " id {id}");
            }
            if !packet.json.is_empty() {
                let _ = write!(line, " {}", text(&packet.json));
            }
            for data in &packet.attachments {
                let shown = bytes(data, data.len() as u64, longest);
                let _ = write!(line, " + {shown}");
            }
            line
        }
        Event::Opaque(why) => {
            let why = match why {
                Opaque::Http(fault) => fault.to_string(),
                Opaque::Switched => "another protocol".into(),
                Opaque::TooFarAhead => "too much before an answer".into(),
            };
            format!("not decoded from here on: {why}")
        }
        Event::Undecoded {
            bytes: length,
            start,
        } => {
            let told = format!("{length} bytes were not decoded");
            match &**start {
                [] => told,
                start => format!("{told}: {}", bytes(start, *length, longest)),
            }
        }
        Event::Note(note) => format!("# {}", text(note)),
        Event::Missed { n } => format!("{n} events were missed"),
    }
}

fn websocket_message(message: &websocket::Message, longest: usize) -> String {
    use websocket::Kind;
    let name = match message.kind {
        Kind::Text => "text",
        Kind::Binary => "binary",
        Kind::Close => "close",
        Kind::Ping => "ping",
        Kind::Pong => "pong",
    };
    if message.compressed {
        return format!("{name}, {} bytes, compressed", message.length);
    }
    let said = match (message.close(), message.kind) {
        (Some((code, reason)), _) => {
            format!("{code} {}", printable(&reason, longest))
        }
        (None, Kind::Binary) => bytes(&message.payload, message.length, longest),
        (None, _) => printable_bytes(&message.payload, message.length, longest),
    };
    format!("{name} {said}").trim_end().into()
}

/// Text as text, anything else in hexadecimal.
fn bytes(kept: &[u8], length: u64, longest: usize) -> String {
    let is_text =
        |byte: &u8| byte.is_ascii_graphic() || b" \t\r\n\x1e".contains(byte);
    if str::from_utf8(kept).is_ok() && kept.iter().any(is_text) {
        return printable_bytes(kept, length, longest);
    }
    let shown = &kept[..kept.len().min(longest / 8)];
    let mut hex: Vec<_> = shown.iter().map(|byte| format!("{byte:02x}")).collect();
    if (shown.len() as u64) < length {
        hex.push("…".into());
    }
    format!("<{}> {length} bytes", hex.join(" "))
}

fn printable(text: &str, longest: usize) -> String {
    printable_bytes(text.as_bytes(), text.len() as u64, longest)
}

/// What is not printable is escaped, as in Rust.
fn printable_bytes(kept: &[u8], length: u64, longest: usize) -> String {
    let mut out = String::new();
    let (mut shown, mut taken) = (0, 0);
    for chunk in kept.utf8_chunks() {
        for char in chunk.valid().chars().take(longest.saturating_sub(shown)) {
            match char {
                // U+2028 and the marks that change the direction of writing.
                '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                    out.extend(char.escape_unicode());
                }
                char if char.is_control() => out.extend(char.escape_default()),
                char => out.push(char),
            }
            shown += 1;
            taken += char.len_utf8();
        }
        for byte in chunk.invalid().iter().take(longest.saturating_sub(shown)) {
            let _ = write!(out, "\\x{byte:02x}");
            shown += 1;
            taken += 1;
        }
    }
    if (taken as u64) < length {
        out.push('…');
        if longest > LONGEST_IN_DIAGRAM {
            let _ = write!(out, " ({length} bytes in all)");
        }
    }
    out
}

/// Text that means nothing to mermaid: no comment, arrow, tag or line break. Characters
/// that would mean something are replaced by lookalikes.
fn plain(text: &str) -> String {
    let text = printable(text, usize::MAX).replace("%%", "％％");
    let text = text.replace('<', "‹").replace('>', "›").replace('\\', "∖");
    text.trim().into()
}

/// Plain text, cut and with long words broken, to fit a diagram.
fn label(text: &str) -> String {
    let text = plain(text);
    let mut out = String::new();
    let mut word = 0;
    for (n, char) in text.chars().enumerate() {
        if n == LONGEST_LABEL {
            out.push('…');
            break;
        }
        out.push(char);
        word += 1;
        let joint = word > LONGEST_WORD / 2 && ",&?/:+".contains(char);
        if char == ' ' {
            word = 0;
        } else if joint || word == LONGEST_WORD {
            out += "<br/>";
            word = 0;
        }
    }
    out.trim_end_matches("<br/>").into()
}
