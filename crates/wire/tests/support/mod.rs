//! What several test files share: a generator with a seed, and frames to decode.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

use wire::{Decoder, Direction, Event, Limits, websocket::Frame};

pub use Direction::{ToClient, ToServer};

/// SplitMix64: the same seed, the same numbers.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `below` - 1.
    pub fn below(&mut self, below: usize) -> usize {
        (self.next() % below as u64) as usize
    }

    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend(self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

/// What in a text would end a statement, begin a comment or say how to break lines, for
/// mermaid's own grammar. The renderer here does not mind.
pub const MERMAID: [&str; 4] = [";", "#", "%%", "wrap:"];

/// A frame (RFC 6455, section 5.2) whose first byte is `first`.
pub fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let head = Frame {
        fin: first & 0x80 != 0,
        rsv: first >> 4 & 7,
        opcode: first & 0xf,
        mask,
        length: 0,
    };
    head.encode(payload)
}

pub const MASK: Option<[u8; 4]> = Some([0x37, 0xfa, 0x21, 0x3d]);

/// Text from the client.
pub fn said(text: &str) -> Vec<u8> {
    frame(0x81, MASK, text.as_bytes())
}

/// Text from the server.
pub fn answered(text: &str) -> Vec<u8> {
    frame(0x81, None, text.as_bytes())
}

pub fn upgrade(target: &str) -> Vec<u8> {
    format!(
        "GET {target} HTTP/1.1\r\nHost: 127.0.0.1:40123\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\r\n"
    )
    .into()
}

pub const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Runs of bytes, and which way they went.
pub type Wire = Vec<(Direction, Vec<u8>)>;

/// Everything that a decoder makes of them, ends included.
pub fn decode(wire: &Wire) -> Vec<(Direction, Event)> {
    let mut decoder = Decoder::new(Limits::default());
    let mut events = Vec::new();
    for (direction, bytes) in wire {
        events.extend(decoder.feed(*direction, bytes));
    }
    events.extend(decoder.finish(ToServer));
    events.extend(decoder.finish(ToClient));
    events
}

/// The events of one direction.
pub fn of(direction: Direction, events: &[(Direction, Event)]) -> Vec<Event> {
    let of = events.iter().filter(|(d, _)| *d == direction);
    of.map(|(_, event)| event.clone()).collect()
}

/// A WebSocket at `target` that has just opened, and then these bytes.
pub fn opened(target: &str, then: Wire) -> Wire {
    let mut wire = vec![(ToServer, upgrade(target)), (ToClient, SWITCHING.to_vec())];
    wire.extend(then);
    wire
}

/// What a Socket.IO session looks like that begins with polling, as two connections.
pub fn sessions() -> Vec<Wire> {
    let post = |body: &str| {
        let length = body.len();
        format!(
            "POST /socket.io/?EIO=4&transport=polling&t=N8hyd7H&sid=lv_VI97HAXpY6yYWAAAC \
             HTTP/1.1\r\nHost: 127.0.0.1:40123\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    };
    let ok = |body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 20:04:16 GMT\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    };
    let poll = b"GET /socket.io/?EIO=4&transport=polling&t=N8hyd6w HTTP/1.1\r\n\
        Host: 127.0.0.1:40123\r\n\r\n"
        .to_vec();
    let open = "0{\"sid\":\"lv_VI97HAXpY6yYWAAAC\",\"upgrades\":[\"websocket\"],\
        \"pingInterval\":25000,\"pingTimeout\":5000,\"maxPayload\":1000000}";
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        c;x=y\r\n42[\"hey\",\"Ju\r\n4\r\nde\"]\r\n0\r\nX: y\r\n\r\n"
        .to_vec();
    let polling = vec![
        (ToServer, poll.clone()),
        (ToClient, ok(open)),
        (ToServer, post("40")),
        (ToClient, ok("ok")),
        (ToServer, poll.clone()),
        (ToClient, ok("40{\"sid\":\"wZX3oN0bSVIhsaknAAAI\"}")),
        (ToServer, poll),
        (ToClient, chunked),
        (
            ToServer,
            post(
                "42[\"hello\"]\u{1e}451-[\"b\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQIDBA==",
            ),
        ),
        (ToClient, ok("ok")),
    ];
    let target = "/socket.io/?EIO=4&transport=websocket&sid=lv_VI97HAXpY6yYWAAAC";
    let websocket = opened(
        target,
        vec![
            (ToServer, said("2probe")),
            (ToClient, answered("3probe")),
            (ToServer, said("5")),
            (ToServer, said("40/admin,{\"token\":\"123\"}")),
            (
                ToClient,
                answered("40/admin,{\"sid\":\"oSO0OpakMV_3jnilAAAA\"}"),
            ),
            (ToServer, frame(0x01, MASK, b"42/adm")),
            (ToServer, frame(0x89, MASK, b"alive?")),
            (ToClient, frame(0x8a, None, b"alive?")),
            (ToServer, frame(0x80, MASK, "in,13[\"é\"]".as_bytes())),
            (ToClient, answered("43/admin,13[\"wZX3oN0bSVIhsaknAAAI\"]")),
            (
                ToClient,
                answered(
                    "452-[\"baz\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]",
                ),
            ),
            (ToClient, frame(0x82, None, &[1, 2])),
            (ToClient, frame(0x82, None, &[3; 300])),
            (ToClient, answered("2")),
            (ToServer, said("3")),
            (ToServer, frame(0x88, MASK, b"\x03\xe8bye")),
            (ToClient, frame(0x88, None, b"\x03\xe8")),
        ],
    );
    vec![polling, websocket]
}
