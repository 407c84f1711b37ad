//! What differs from run to run, and the placeholders for it in a committed transcript.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::{Event, Record, Tcp, engineio, http, socketio, websocket};

/// Which placeholder stands for what.
#[derive(Default)]
pub(crate) struct Names {
    /// In the order in which they were found, then the longest first.
    ids: Vec<(String, String)>,
    count: HashMap<&'static str, usize>,
    ports: HashMap<String, String>,
    /// The connections whose key is not [`KEY`], so that the answer to it differs too.
    other_keys: HashSet<u64>,
}

/// The key of the handshake in RFC 6455, section 1.3, and the answer to it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Shorter strings may occur by chance where they mean something else.
const SHORTEST_ID: usize = 8;

impl Names {
    /// With names for ids that are known to be some.
    pub(crate) fn new(ids: &[(String, String)]) -> Self {
        let ids = ids.iter().filter(|(id, _)| id.len() >= SHORTEST_ID);
        Self {
            ids: ids.cloned().collect(),
            ..Self::default()
        }
    }

    fn add(&mut self, kind: &'static str, id: &str) {
        if id.len() < SHORTEST_ID || self.ids.iter().any(|(known, _)| known == id) {
            return;
        }
        let count = self.count.entry(kind).or_default();
        *count += 1;
        self.ids.push((id.into(), format!("{kind}-{count}")));
    }

    /// An id may be the beginning of another.
    pub(crate) fn longest_first(&mut self) {
        self.ids.sort_by_key(|(id, _)| std::cmp::Reverse(id.len()));
    }

    pub(crate) fn collect(&mut self, record: &Record) {
        match &record.event {
            Event::Http(event) => {
                if let http::Event::Request(request) = event {
                    let query = request.target.split_once('?').unwrap_or_default().1;
                    for pair in query.split('&') {
                        if let Some(sid) = pair.strip_prefix("sid=") {
                            self.add("sid", sid);
                        }
                    }
                    self.text(&request.target);
                    let key = http::header(&request.headers, "sec-websocket-key");
                    if key.is_some_and(|key| key != KEY) {
                        self.other_keys.insert(record.connection);
                    }
                }
                for (_, value) in headers(event) {
                    self.text(value);
                }
                if let http::Event::Part(body) | http::Event::Body(body) = event {
                    self.text(&String::from_utf8_lossy(&body.bytes));
                }
            }
            Event::WebSocket(websocket::Event::Message(message)) => {
                self.text(message.text().unwrap_or_default());
            }
            Event::EngineIo(Ok(engineio::Packet::Open(json))) => {
                self.handshake(json)
            }
            Event::SocketIo(Ok(packet))
                if packet.kind == socketio::Kind::Connect =>
            {
                self.handshake(&packet.json);
            }
            _ => {}
        }
    }

    fn handshake(&mut self, json: &str) {
        let json: Value = serde_json::from_str(json).unwrap_or_default();
        for key in ["sid", "pid"] {
            if let Some(id) = json[key].as_str() {
                self.add("sid", id);
            }
        }
    }

    /// UUIDs and local ports.
    fn text(&mut self, text: &str) {
        let word = |c: char| !c.is_ascii_alphanumeric() && c != '-';
        for word in text.split(word) {
            let shape = word.split('-').map(str::len);
            let hex = |b: u8| b.is_ascii_hexdigit() || b == b'-';
            if shape.eq([8, 4, 4, 4, 12]) && word.bytes().all(hex) {
                self.add("uuid", word);
            }
        }
        for (_, port) in ports(text) {
            let next = 3000 + self.ports.len();
            let name = self.ports.entry(port.into());
            name.or_insert_with(|| next.to_string());
        }
    }

    fn replace(&self, text: &str) -> String {
        // Ports first: they are recognised by what precedes them.
        let mut out = String::new();
        let mut from = 0;
        for (at, port) in ports(text) {
            out += &text[from..at];
            out += self.ports.get(port).map_or(port, String::as_str);
            from = at + port.len();
        }
        out += &text[from..];
        let ids = self.ids.iter();
        ids.fold(out, |out, (id, name)| out.replace(id, name))
    }

    fn replace_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        match str::from_utf8(bytes) {
            Ok(text) => self.replace(text).into_bytes(),
            Err(_) => bytes.to_vec(),
        }
    }

    pub(crate) fn normalise(&self, record: &Record) -> Event {
        let mut event = record.event.clone();
        let other_key = self.other_keys.contains(&record.connection);
        match &mut event {
            Event::Tcp(Tcp::Unreachable(why)) => *why = "unreachable".into(),
            Event::Note(note) => *note = self.replace(note),
            Event::Http(http::Event::Request(request)) => {
                request.target = self.target(&request.target);
                self.headers(&mut request.headers, other_key);
            }
            Event::Http(http::Event::Response(response)) => {
                self.headers(&mut response.headers, other_key);
            }
            Event::Undecoded { bytes, start } => self.payload(start, bytes),
            Event::Http(http::Event::Part(body) | http::Event::Body(body)) => {
                let (kept, length) = (&mut body.bytes, &mut body.length);
                self.payload(kept, length);
            }
            Event::WebSocket(websocket::Event::Frame(frame)) => {
                frame.mask = frame.mask.map(|_| [0; 4]);
            }
            Event::WebSocket(websocket::Event::Message(message)) => {
                let (kept, length) = (&mut message.payload, &mut message.length);
                self.payload(kept, length);
            }
            Event::EngineIo(Ok(
                engineio::Packet::Open(text)
                | engineio::Packet::Ping(text)
                | engineio::Packet::Pong(text)
                | engineio::Packet::Message(text),
            )) => *text = self.replace(text),
            Event::SocketIo(Ok(packet)) => {
                packet.json = self.replace(&packet.json);
                packet.namespace = self.replace(&packet.namespace);
            }
            _ => {}
        }
        event
    }

    /// The length is adapted to the new payload.
    fn payload(&self, kept: &mut Vec<u8>, length: &mut u64) {
        let replaced = self.replace_bytes(kept);
        let cut = length.saturating_sub(kept.len() as u64);
        *length = cut + replaced.len() as u64;
        *kept = replaced;
    }

    fn headers(&self, headers: &mut http::Headers, other_key: bool) {
        for (name, value) in headers {
            *value = match &*name.to_ascii_lowercase() {
                "date" => "Thu, 01 Jan 1970 00:00:00 GMT".into(),
                "sec-websocket-key" => KEY.into(),
                "sec-websocket-accept" if other_key => ACCEPT.into(),
                _ => self.replace(value),
            };
        }
    }

    /// Engine.IO's `t=…` only keeps a poll out of caches.
    fn target(&self, target: &str) -> String {
        let Some((path, query)) = target.split_once('?') else {
            return self.replace(target);
        };
        let pairs = query.split('&').map(|pair| match pair.starts_with("t=") {
            true if query.contains("EIO=") => "t=0",
            _ => pair,
        });
        let query = pairs.collect::<Vec<_>>().join("&");
        self.replace(&format!("{path}?{query}"))
    }
}

fn headers(event: &http::Event) -> &[(String, String)] {
    match event {
        http::Event::Request(request) => &request.headers,
        http::Event::Response(response) => &response.headers,
        _ => &[],
    }
}

/// The ports in `text` that follow the name of this machine, and where they are.
fn ports(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices(':').filter_map(|(colon, _)| {
        let hosts = ["127.0.0.1", "localhost", "[::1]"];
        let host = hosts.iter().find(|host| text[..colon].ends_with(**host));
        let rest = &text[colon + 1..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let is_port = host.is_some() && (1..=5).contains(&digits);
        is_port.then(|| (colon + 1, &rest[..digits]))
    })
}
