//! Properties that hold for any bytes, split anywhere. The seeds are fixed.

mod support;

use std::time::Instant;

use support::*;
use wire::{Decoder, Direction, Event, Limits, Record, Transcript};

/// Small, so that every limit is reached.
const SMALL: Limits = Limits {
    head: 400,
    body: 40,
    message: 40,
};

/// The smallest, where nothing fits.
fn of_bytes(limit: usize) -> Limits {
    Limits {
        head: limit,
        body: limit,
        message: limit,
    }
}

type End = fn(&mut Decoder, Direction) -> Vec<(Direction, Event)>;

/// Decodes in pieces of any size, and holds the decoder to its bound.
fn decode_split(
    wire: &Wire,
    limits: Limits,
    end: End,
    random: &mut Random,
) -> Vec<(Direction, Event)> {
    let mut decoder = Decoder::new(limits);
    let mut events = Vec::new();
    let most = random.one(&[1, 3, 20, 5000]);
    for (direction, bytes) in wire {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, after) =
                rest.split_at(rest.len().min(1 + random.below(most)));
            events.extend(decoder.feed(*direction, piece));
            let (buffered, total) = (decoder.buffered(), limits.total());
            assert!(buffered <= total, "{buffered} of {total} bytes: {wire:?}");
            rest = after;
        }
    }
    for direction in [ToServer, ToClient] {
        events.extend(end(&mut decoder, direction));
    }
    events
}

/// Bytes with some of what matters to these protocols in them.
fn noise(random: &mut Random) -> Vec<u8> {
    const WORDS: [&[u8]; 31] = [
        b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n\r\n",
        b"POST /socket.io/?EIO=4 HTTP/1.1\r\nContent-Length: 20\r\n\r\n",
        b"HEAD / HTTP/1.1\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 101 \r\nUpgrade: websocket\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 7\r\n",
        b"Upgrade: websocket\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"\x1e",
        b"42[\"a\",1]",
        b"451-[\"a\",{\"_placeholder\":true,\"num\":0}]",
        b"bAQIDBA==",
        b"\x81\x05Hello",
        b"\x82\xff\xff\xff",
        b"\x88\x02\x03\xe8",
        b"\x01\x7e\x01\x00",
        b"\x80\x85\x01\x02\x03\x04",
        b"\xc1\x03abc",
        b"\x89\x00",
        b"HTTP/1.1 101 \r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
        b"\x81\x09452-[\"a\"]",
        b"\x81\x0a4599-[\"a\"]",
        b"\xc2\x02\xf2\x48",
        b"\x82\x01a",
        b"\x88\x00\x8a\x00",
        b"\x81\x0b%%{#1;wrap:",
    ];
    let mut bytes = Vec::new();
    for _ in 0..random.below(12) {
        match random.below(3) {
            0 => {
                let length = random.below(60);
                bytes.extend(random.bytes(length));
            }
            _ => bytes.extend(random.one(&WORDS)),
        }
    }
    bytes
}

/// A session with a few bytes changed, dropped or doubled.
fn mutated(random: &mut Random) -> Wire {
    let sessions = sessions();
    let mut wire = sessions[random.below(sessions.len())].clone();
    for _ in 0..random.below(6) {
        let run = random.below(wire.len());
        let (direction, bytes) = &mut wire[run];
        let at = random.below(bytes.len() + 1);
        match random.below(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.next() as u8),
            2 => {
                let noise = noise(random);
                bytes.splice(at..at, noise);
            }
            3 => *direction = random.one(&[ToServer, ToClient]),
            4 => {
                let other = random.below(wire.len());
                wire.swap(run, other);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
    wire
}

fn any_wire(random: &mut Random) -> Wire {
    match random.below(3) {
        0 => {
            let mut runs = Vec::new();
            for _ in 0..1 + random.below(4) {
                runs.push((random.one(&[ToServer, ToClient]), noise(random)));
            }
            runs
        }
        1 => {
            let noise = vec![
                (ToServer, noise(random)),
                (ToClient, noise(random)),
                (ToServer, noise(random)),
            ];
            opened("/socket.io/?EIO=4", noise)
        }
        _ => mutated(random),
    }
}

/// Decodes one wire whole and split; both must give the same events.
fn check(random: &mut Random) -> usize {
    let wire = any_wire(random);
    let limits = random.one(&[SMALL, Limits::default(), of_bytes(0), of_bytes(1)]);
    let end: End = random.one(&[Decoder::finish, Decoder::abort]);
    let mut whole = Decoder::new(limits);
    let mut expected = Vec::new();
    for (direction, bytes) in &wire {
        expected.extend(whole.feed(*direction, bytes));
    }
    for direction in [ToServer, ToClient] {
        expected.extend(end(&mut whole, direction));
    }
    let events = decode_split(&wire, limits, end, random);
    for direction in [ToServer, ToClient] {
        assert_eq!(
            of(direction, &events),
            of(direction, &expected),
            "{direction:?} of {wire:?}"
        );
    }
    // What is shown of it is as arbitrary.
    let record = |(direction, event)| Record {
        connection: 1,
        at: Default::default(),
        direction,
        event,
    };
    let transcript: Transcript = events.into_iter().map(record).collect();
    let normalised = transcript.normalised();
    assert_eq!(normalised.to_string(), normalised.normalised().to_string());
    let diagram = transcript.mermaid();
    for mark in MERMAID {
        assert!(!diagram.contains(mark), "{mark} in\n{diagram}");
    }
    wire.iter().map(|(_, bytes)| bytes.len()).sum()
}

#[test]
fn any_bytes_in_any_split_give_the_same_events_within_the_bound() {
    let mut random = Random(1);
    for _ in 0..5_000 {
        check(&mut random);
    }
}

#[test]
fn a_session_gives_the_same_events_at_every_split() {
    for wire in sessions() {
        let expected = decode(&wire);
        for (run, (direction, bytes)) in wire.iter().enumerate() {
            for at in 0..=bytes.len() {
                let mut split = wire.clone();
                split[run].1.truncate(at);
                split.insert(run + 1, (*direction, bytes[at..].to_vec()));
                assert_eq!(decode(&split), expected, "run {run} split at {at}");
            }
        }
    }
}

#[test]
fn how_the_directions_of_a_websocket_interleave_does_not_matter() {
    let mut random = Random(2);
    let session = &sessions()[1];
    let expected = decode(session);
    for _ in 0..200 {
        let mut wire = session[..2].to_vec();
        let mut queues = [ToServer, ToClient].map(|direction| {
            let runs = session[2..].iter().filter(|(d, _)| *d == direction);
            let bytes: Vec<u8> = runs.flat_map(|(_, b)| b.clone()).collect();
            (direction, bytes)
        });
        while queues.iter().any(|(_, bytes)| !bytes.is_empty()) {
            let (direction, bytes) = &mut queues[random.below(2)];
            let length = bytes.len().min(random.below(40));
            wire.push((*direction, bytes.drain(..length).collect()));
        }
        let events = decode(&wire);
        for direction in [ToServer, ToClient] {
            assert_eq!(of(direction, &events), of(direction, &expected));
        }
    }
}

#[test]
fn endless_input_stays_within_the_bound() {
    let requests = b"GET / HTTP/1.1\r\n\r\n";
    let sources: [(&[u8], &[u8]); 6] = [
        (b"GET / HTTP/1.1\r\nx: ", b"yyyyyyyy"),
        (b"", requests),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1\r\na\r\n",
        ),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
            b"aaaaaaaa",
        ),
        (
            b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
            b"\x01\x01a",
        ),
        (b"", b"\r\n\r\n"),
    ];
    for (start, more) in sources {
        let mut decoder = Decoder::new(SMALL);
        decoder.feed(ToServer, start);
        // Less than a limit at once: it is the sum that has to be noticed.
        let more = more.repeat(5);
        for _ in 0..20_000 {
            decoder.feed(ToServer, &more);
            assert!(decoder.buffered() <= SMALL.total());
        }
    }
    let mut decoder = Decoder::new(SMALL);
    decoder.feed(ToServer, &upgrade("/socket.io/?EIO=4"));
    decoder.feed(ToClient, SWITCHING);
    let messages = [
        &[0x01, 0x01, b'4'][..],
        &answered("45999-[\"a\"]"),
        &answered("4564-[\"a\"]"),
        &[0x82, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9].repeat(9),
    ];
    for _ in 0..10_000 {
        decoder.feed(ToServer, &messages.concat());
        assert!(decoder.buffered() <= SMALL.total());
    }
}

/// `WIRE_INPUTS=5000000` makes it longer, `WIRE_SEED=7` another one.
#[test]
#[ignore = "takes a minute: cargo test --release -p wire -- --ignored --nocapture"]
fn a_million_inputs_find_nothing() {
    let number = |name, default| {
        let set = std::env::var(name).ok();
        set.map_or(default, |n| n.parse().expect("it is a number"))
    };
    let (inputs, seed) = (number("WIRE_INPUTS", 1_000_000), number("WIRE_SEED", 3));
    let mut random = Random(seed);
    let start = Instant::now();
    let mut bytes = 0;
    // A finding panics, which ends the run and prints the input.
    for _ in 0..inputs {
        bytes += check(&mut random);
    }
    println!(
        "seed {seed}: {inputs} inputs, {bytes} bytes, {:?}: no findings",
        start.elapsed()
    );
}
