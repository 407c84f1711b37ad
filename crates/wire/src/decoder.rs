use std::{collections::VecDeque, mem};

use crate::{engineio, http, keep, socketio, websocket};

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

impl Direction {
    /// The opposite one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }
}

/// How much a [`Decoder`] keeps, in bytes, for each direction. What exceeds a limit is
/// still counted, and followed where the protocol allows it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The head of an HTTP message, or one line of its framing. Beyond it, or beyond
    /// 100 header fields, the direction is opaque. 64 KiB by default.
    pub head: usize,
    /// An HTTP body. Its first bytes are kept. 1 MiB by default.
    pub body: usize,
    /// A WebSocket message, of which the first bytes are kept; also all the attachments
    /// of a Socket.IO packet, which is dropped if they are larger. 1 MiB by default.
    pub message: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 64 << 10,
            body: 1 << 20,
            message: 1 << 20,
        }
    }
}

impl Limits {
    /// The most bytes of what it was fed that a decoder with these limits keeps between
    /// two calls, for both directions together. They may take twice that in memory, as a
    /// `Vec` grows. During a call, the events that it returns are extra.
    pub fn total(&self) -> usize {
        let heads = self.head.max(MOST_SHOWN) + websocket::MOST_CONTROL + 14;
        // One message, a packet from an earlier one, and that packet's attachments.
        let messages = 3 * self.body.max(self.message);
        2 * (heads + messages) + MOST_PIPELINED * size_of::<Exchange>()
    }
}

/// Something that a decoder or a tap saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The connection itself. A decoder does not see it; a [`Tap`](crate::Tap) does.
    Tcp(Tcp),
    /// HTTP/1.1 (RFC 9112).
    Http(http::Event),
    /// A WebSocket (RFC 6455).
    WebSocket(websocket::Event),
    /// An Engine.IO packet, or why there is none where one should be. Those that carry
    /// Socket.IO are not reported: the packet in them is. Bytes are, where the packet
    /// that they belong to is not known.
    EngineIo(Result<engineio::Packet, engineio::Fault>),
    /// A Socket.IO packet, or why there is none where one should be. In long-polling
    /// a packet is joined with its attachments only if one body holds them all: what is
    /// missing may come on another connection.
    SocketIo(Result<socketio::Packet, socketio::Fault>),
    /// From here on this direction is not decoded.
    Opaque(Opaque),
    /// Bytes that were not decoded, reported when the direction ends or is
    /// [flushed](Decoder::flush).
    Undecoded {
        /// How many: those of an opaque direction, or of what the end cut off. Those of
        /// a body, or of an unfinished frame, are reported with it.
        bytes: u64,
        /// The first 256 of them, except where they were part of a WebSocket message.
        start: Vec<u8>,
    },
    /// A remark by whoever writes the transcript, for what the wire does not show.
    Note(String),
    /// Events that were here and were not kept.
    Missed {
        /// How many.
        n: u64,
    },
}

impl Event {
    /// The memory that it takes, in bytes: its own, and that of the text and payload
    /// in it.
    pub fn size(&self) -> usize {
        // Heads are taken apart field by field, so that a new one is noticed here.
        let of_headers = |headers: &http::Headers| {
            let own = size_of_val(&**headers);
            let texts = headers.iter().map(|(name, value)| name.len() + value.len());
            own + texts.sum::<usize>()
        };
        let held = match self {
            Self::Tcp(Tcp::Unreachable(why)) => why.len(),
            Self::Http(http::Event::Request(http::Request {
                method,
                target,
                version: _,
                headers,
            })) => method.len() + target.len() + of_headers(headers),
            Self::Http(http::Event::Response(http::Response {
                status: _,
                reason,
                version: _,
                headers,
            })) => reason.len() + of_headers(headers),
            Self::Http(http::Event::Part(body) | http::Event::Body(body)) => {
                body.bytes.len()
            }
            Self::WebSocket(websocket::Event::Message(m)) => m.payload.len(),
            Self::EngineIo(Ok(packet)) => match packet {
                engineio::Packet::Open(text)
                | engineio::Packet::Ping(text)
                | engineio::Packet::Pong(text)
                | engineio::Packet::Message(text) => text.len(),
                engineio::Packet::Binary(bytes) => bytes.len(),
                _ => 0,
            },
            Self::SocketIo(Ok(packet)) => {
                let attached = packet.attachments.iter().map(Vec::len);
                let own = size_of_val(&*packet.attachments);
                let text = packet.json.len() + packet.namespace.len();
                text + own + attached.sum::<usize>()
            }
            Self::Undecoded { start, .. } => start.len(),
            Self::Note(text) => text.len(),
            _ => 0,
        };
        size_of::<Self>() + held
    }
}

/// The life of a TCP connection (RFC 9293, section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tcp {
    /// Client and server are connected.
    Opened,
    /// The server cannot be reached, for this reason.
    Unreachable(String),
    /// The sender will send no more.
    Fin,
    /// The sender has aborted the connection.
    Reset,
}

/// Why a direction is no longer decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opaque {
    /// It is not HTTP, or not HTTP that can be followed.
    Http(http::Fault),
    /// The connection has switched to a protocol other than WebSocket, or is a tunnel
    /// (RFC 9110, sections 7.8 and 9.3.6).
    Switched,
    /// More than [`Limits::head`] bytes before the answer to an upgrade, or a thousand
    /// requests without an answer.
    TooFarAhead,
}

/// Requests that may wait for their response (RFC 9112, section 9.3.2).
const MOST_PIPELINED: usize = 1000;

/// Decodes both directions of one connection, from its first byte.
///
/// However the bytes are split, each direction yields the same events. A response makes
/// sense only with its request, so feed them in the order in which they were seen.
#[derive(Clone, Debug)]
pub struct Decoder {
    limits: Limits,
    to_server: Side,
    to_client: Side,
    /// Requests whose response has not arrived.
    exchanges: VecDeque<Exchange>,
}

#[derive(Clone, Debug)]
struct Side {
    layer: Layer,
    /// What speaks in the body now arriving, or on the WebSocket.
    engine: Engine,
    /// Whether that body has a content coding.
    compressed: bool,
    socketio: socketio::Decoder,
}

#[derive(Clone, Debug)]
enum Layer {
    Http(http::Decoder),
    /// The client has asked for an upgrade: what it sends is neither HTTP nor WebSocket
    /// until the server has answered.
    Waiting(Vec<u8>),
    WebSocket(websocket::Decoder),
    Opaque(Unread),
}

/// Bytes that were not decoded.
#[derive(Clone, Debug, Default)]
struct Unread {
    bytes: u64,
    start: Vec<u8>,
}

impl Unread {
    fn add(&mut self, bytes: &[u8]) {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        keep(&mut self.start, bytes, MOST_SHOWN);
    }

    fn from(bytes: &[u8]) -> Self {
        let mut unread = Self::default();
        unread.add(bytes);
        unread
    }

    fn event(self) -> Option<Event> {
        let Self { bytes, start } = self;
        (bytes > 0).then_some(Event::Undecoded { bytes, start })
    }
}

/// How many of the bytes that were not decoded are kept.
const MOST_SHOWN: usize = 256;

/// What has to be known about a request to read what follows it.
#[derive(Clone, Copy, Debug, Default)]
struct Exchange {
    method: Method,
    upgrade: bool,
    engine: Engine,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Method {
    Get,
    Head,
    Connect,
    #[default]
    Other,
}

/// What speaks on top of HTTP or WebSocket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Engine {
    #[default]
    None,
    Bare,
    WithSocketIo,
}

impl Exchange {
    fn of(request: &http::Request) -> Self {
        let method = match &*request.method {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "CONNECT" => Method::Connect,
            _ => Method::Other,
        };
        let (path, query) = request.target.split_once('?').unwrap_or_default();
        let engine = match path.strip_suffix('/').unwrap_or(path) {
            _ if query.split('&').all(|pair| pair != "EIO=4") => Engine::None,
            "/socket.io" => Engine::WithSocketIo,
            "/engine.io" => Engine::Bare,
            _ => Engine::None,
        };
        Self {
            method,
            upgrade: request.is_websocket(),
            engine,
        }
    }
}

/// What has to be known about a response to read what follows it.
#[derive(Clone, Copy)]
struct Answer {
    status: u16,
    websocket: bool,
    deflate: bool,
}

impl Answer {
    fn of(response: &http::Response) -> Self {
        let (headers, list) = (&response.headers, "sec-websocket-extensions");
        Self {
            status: response.status,
            websocket: response.is_websocket(),
            deflate: http::lists(headers, list, "permessage-deflate"),
        }
    }
}

fn is_compressed(headers: &http::Headers) -> bool {
    let mut codings = http::members(headers, "content-encoding");
    codings.any(|coding| !coding.eq_ignore_ascii_case("identity"))
}

type Events = Vec<(Direction, Event)>;

impl Decoder {
    /// A decoder for a new connection.
    pub fn new(limits: Limits) -> Self {
        let side = |direction| Side {
            layer: Layer::Http(http::Decoder::new(direction, limits)),
            engine: Engine::None,
            compressed: false,
            socketio: socketio::Decoder::new(limits),
        };
        Self {
            limits,
            to_server: side(Direction::ToServer),
            to_client: side(Direction::ToClient),
            exchanges: VecDeque::new(),
        }
    }

    /// Takes the next bytes in a direction. Returns the events that they complete,
    /// sometimes also those of the other direction that had to wait for them.
    pub fn feed(&mut self, direction: Direction, bytes: &[u8]) -> Events {
        let mut out = Vec::new();
        self.run(direction, bytes, &mut out);
        out
    }

    /// Reports what has arrived in a direction and would be reported later: a part of
    /// an HTTP body, unless it is one of Engine.IO, or bytes that are not decoded. Call
    /// it where a reader should see that they came before what follows.
    pub fn flush(&mut self, direction: Direction) -> Events {
        let side = self.side(direction);
        let event = match &mut side.layer {
            // A part of a payload of Engine.IO could not be read as packets.
            Layer::Http(_) if side.engine != Engine::None => None,
            Layer::Http(http) => http.flush().map(Event::Http),
            Layer::Opaque(unread) => mem::take(unread).event(),
            _ => None,
        };
        event.map(|event| (direction, event)).into_iter().collect()
    }

    /// Ends a direction, with FIN. What is incomplete is reported as far as it arrived.
    pub fn finish(&mut self, direction: Direction) -> Events {
        self.end(direction, true)
    }

    /// The same where there was no FIN: the connection was aborted, or is not over. So
    /// a body that lasts until the end is incomplete (RFC 9112, section 8).
    pub fn abort(&mut self, direction: Direction) -> Events {
        self.end(direction, false)
    }

    fn end(&mut self, direction: Direction, fin: bool) -> Events {
        let cut = match &self.side(direction).layer {
            Layer::Http(http) => http.cut(fin).map(Event::Http),
            Layer::WebSocket(websocket) => websocket.cut().map(Event::WebSocket),
            _ => None,
        };
        let mut out = Vec::new();
        let unread = self.leave(direction, fin, &mut out);
        out.extend(cut.map(|event| (direction, event)));
        if let Some(fault) = self.side(direction).socketio.finish() {
            out.push((direction, Event::SocketIo(Err(fault))));
        }
        out.extend(unread.event().map(|event| (direction, event)));
        out
    }

    /// How many bytes are kept now; never more than [`Limits::total`].
    pub fn buffered(&self) -> usize {
        let sides = [&self.to_server, &self.to_client];
        let buffered = sides.map(|side| {
            let layer = match &side.layer {
                Layer::Http(http) => http.buffered(),
                Layer::Waiting(held) => held.len(),
                Layer::WebSocket(websocket) => websocket.buffered(),
                Layer::Opaque(unread) => unread.start.len(),
            };
            layer + side.socketio.buffered()
        });
        let exchanges = self.exchanges.len() * size_of::<Exchange>();
        exchanges + buffered.iter().sum::<usize>()
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    fn run(&mut self, direction: Direction, mut input: &[u8], out: &mut Events) {
        let limit = self.limits.head;
        while !input.is_empty() {
            let asked = self.exchanges.front();
            let bodiless = asked.is_some_and(|asked| asked.method == Method::Head);
            match &mut self.side(direction).layer {
                Layer::Opaque(unread) => {
                    unread.add(input);
                    return;
                }
                Layer::Waiting(held) if held.len() + input.len() > limit => {
                    self.give_up(direction, Opaque::TooFarAhead, out);
                }
                Layer::Waiting(held) => {
                    held.extend_from_slice(input);
                    return;
                }
                Layer::WebSocket(websocket) => {
                    let mut events = Vec::new();
                    websocket.feed(input, &mut events);
                    for event in events {
                        self.websocket(direction, event, out);
                    }
                    return;
                }
                Layer::Http(http) => match http.next(&mut input, bodiless) {
                    Ok(None) => {}
                    Ok(Some(event)) => self.http(direction, event, out),
                    Err(fault) => self.give_up(direction, Opaque::Http(fault), out),
                },
            }
        }
    }

    /// Reports that a direction is not decoded from here on, unless it is so already.
    fn give_up(&mut self, direction: Direction, why: Opaque, out: &mut Events) {
        if matches!(self.side(direction).layer, Layer::Opaque(_)) {
            return;
        }
        let unread = self.leave(direction, false, out);
        out.push((direction, Event::Opaque(why)));
        self.side(direction).layer = Layer::Opaque(unread);
    }

    /// Stops decoding a direction. Returns what it has not decoded.
    fn leave(
        &mut self,
        direction: Direction,
        fin: bool,
        out: &mut Events,
    ) -> Unread {
        let layer = &mut self.side(direction).layer;
        match mem::replace(layer, Layer::Opaque(Unread::default())) {
            Layer::Http(mut http) => {
                if let Some(body) = http.finish(fin) {
                    self.http(direction, body, out);
                }
                Unread::from(http.unread())
            }
            Layer::Waiting(held) => Unread::from(&held),
            Layer::WebSocket(websocket) => Unread {
                bytes: websocket.unread(),
                start: Vec::new(),
            },
            Layer::Opaque(unread) => unread,
        }
    }

    fn http(&mut self, direction: Direction, event: http::Event, out: &mut Events) {
        let side = self.side(direction);
        match &event {
            http::Event::Request(request) => {
                let exchange = Exchange::of(request);
                side.engine = match &*request.method {
                    "POST" => exchange.engine,
                    _ => Engine::None,
                };
                side.compressed = is_compressed(&request.headers);
                out.push((direction, Event::Http(event)));
                self.request(exchange, out);
            }
            http::Event::Response(response) => {
                let answer = Answer::of(response);
                side.compressed = is_compressed(&response.headers);
                out.push((direction, Event::Http(event)));
                self.response(answer, out);
            }
            http::Event::Body(body) if side.engine != Engine::None => {
                let fault = match body {
                    _ if side.compressed => Some(engineio::Fault::Compressed),
                    body if !body.is_whole() => Some(engineio::Fault::Cut),
                    _ => None,
                };
                let payload = body.bytes.clone();
                out.push((direction, Event::Http(event)));
                if let Some(fault) = fault {
                    self.engine(direction, Err(fault), out);
                    return;
                }
                for packet in engineio::parse_payload(&payload) {
                    self.engine(direction, packet, out);
                }
                // What goes on in the next body may do so on another connection.
                self.side(direction).socketio = socketio::Decoder::new(self.limits);
            }
            _ => out.push((direction, Event::Http(event))),
        }
    }

    fn request(&mut self, exchange: Exchange, out: &mut Events) {
        // Where no answers are read, none are waited for.
        if !matches!(self.to_client.layer, Layer::Opaque(_)) {
            if self.exchanges.len() >= MOST_PIPELINED {
                self.give_up(Direction::ToServer, Opaque::TooFarAhead, out);
                return;
            }
            self.exchanges.push_back(exchange);
        }
        if let Layer::Http(http) = &self.to_server.layer
            && exchange.upgrade
            && http.is_between()
        {
            self.to_server.layer = Layer::Waiting(Vec::new());
        }
    }

    fn response(&mut self, answer: Answer, out: &mut Events) {
        // RFC 9110, section 15.2: an interim response; the final one is still to come.
        if matches!(answer.status, 100..=199) && answer.status != 101 {
            return;
        }
        let exchange = self.exchanges.pop_front().unwrap_or_default();
        self.to_client.engine = match (exchange.method, answer.status) {
            (Method::Get, 200) => exchange.engine,
            _ => Engine::None,
        };
        let waits = matches!(self.to_server.layer, Layer::Waiting(_));
        let tunnel =
            exchange.method == Method::Connect && matches!(answer.status, 200..=299);
        if answer.websocket && exchange.upgrade {
            let [to_server, to_client] = [Direction::ToServer, Direction::ToClient]
                .map(|direction| {
                    let (limits, deflate) = (self.limits, answer.deflate);
                    let decoder =
                        websocket::Decoder::new(direction, limits, deflate);
                    Layer::WebSocket(decoder)
                });
            self.to_client.engine = exchange.engine;
            self.to_client.layer = to_client;
            if waits {
                self.to_server.engine = exchange.engine;
                self.release(to_server, out);
            } else {
                // Where its WebSocket begins is not known.
                self.give_up(Direction::ToServer, Opaque::Switched, out);
            }
        } else if answer.status == 101 || tunnel {
            for direction in [Direction::ToServer, Direction::ToClient] {
                self.give_up(direction, Opaque::Switched, out);
            }
        } else if waits && exchange.upgrade {
            let http = http::Decoder::new(Direction::ToServer, self.limits);
            self.release(Layer::Http(http), out);
        }
    }

    /// The upgrade has been answered, so what the client has sent since can be read.
    fn release(&mut self, layer: Layer, out: &mut Events) {
        let waited = mem::replace(&mut self.to_server.layer, layer);
        if let Layer::Waiting(held) = waited {
            self.run(Direction::ToServer, &held, out);
        }
    }

    fn websocket(
        &mut self,
        direction: Direction,
        event: websocket::Event,
        out: &mut Events,
    ) {
        let packet = match &event {
            websocket::Event::Message(message)
                if self.side(direction).engine != Engine::None =>
            {
                packet_in(message)
            }
            _ => None,
        };
        out.push((direction, Event::WebSocket(event)));
        if let Some(packet) = packet {
            self.engine(direction, packet, out);
        }
    }

    fn engine(
        &mut self,
        direction: Direction,
        packet: Result<engineio::Packet, engineio::Fault>,
        out: &mut Events,
    ) {
        use engineio::Packet;
        let Side {
            engine, socketio, ..
        } = self.side(direction);
        let above = *engine == Engine::WithSocketIo;
        let packets = match &packet {
            Ok(Packet::Message(text)) if above => socketio.text(text),
            Ok(Packet::Binary(bytes)) if above && !socketio.is_unsure() => {
                [socketio.binary(bytes), None]
            }
            Ok(_) => {
                out.push((direction, Event::EngineIo(packet)));
                return;
            }
            Err(_) => {
                let lost = socketio.lost(socketio::Fault::Lost).map(Err);
                out.push((direction, Event::EngineIo(packet)));
                [lost, None]
            }
        };
        let packets = packets.into_iter().flatten();
        out.extend(packets.map(|packet| (direction, Event::SocketIo(packet))));
    }
}

/// The Engine.IO packet that a message is, unless it is a control frame.
fn packet_in(
    message: &websocket::Message,
) -> Option<Result<engineio::Packet, engineio::Fault>> {
    use websocket::Kind;
    Some(match message.kind {
        Kind::Close | Kind::Ping | Kind::Pong => return None,
        _ if message.compressed => Err(engineio::Fault::Compressed),
        _ if !message.is_whole() => Err(engineio::Fault::Cut),
        Kind::Binary => Ok(engineio::Packet::Binary(message.payload.clone())),
        Kind::Text => match message.text() {
            Some(text) => engineio::Packet::parse(text),
            None => Err(engineio::Fault::NotUtf8),
        },
    })
}
