//! What the decoder makes of the examples in the specifications, and of what breaks them.

mod support;

use support::*;
use wire::{
    Decoder, Direction, Event, Limits, Opaque,
    engineio::{self, Packet as Engine},
    http,
    socketio::{self, Kind, Packet},
    websocket::{self, Fault, Frame, Message},
};

/// The messages and faults of a WebSocket in one direction, without frames.
fn websocket(direction: Direction, bytes: &[u8]) -> Vec<websocket::Event> {
    let events = decode(&opened("/", vec![(direction, bytes.to_vec())]));
    let websocket = events.into_iter().filter_map(|(_, event)| match event {
        Event::WebSocket(websocket::Event::Frame(_)) => None,
        Event::WebSocket(event) => Some(event),
        _ => None,
    });
    websocket.collect()
}

/// A message from `sender`, who masks if it is a client, in this many frames.
fn message(
    sender: Direction,
    frames: u64,
    kind: websocket::Kind,
    payload: &[u8],
) -> websocket::Event {
    websocket::Event::Message(Message {
        kind,
        payload: payload.to_vec(),
        length: payload.len() as u64,
        compressed: false,
        masked: sender == ToServer,
        frames,
    })
}

fn faults(direction: Direction, bytes: &[u8]) -> Vec<Fault> {
    let events = websocket(direction, bytes).into_iter();
    let faults = events.filter_map(|event| match event {
        websocket::Event::Fault(fault) => Some(fault),
        _ => None,
    });
    faults.collect()
}

#[test]
fn the_examples_of_rfc_6455_section_5_7_are_read() {
    use websocket::Kind::*;
    let hello = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    assert_eq!(
        websocket(ToClient, &hello),
        [message(ToClient, 1, Text, b"Hello")]
    );
    let masked = [
        0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    assert_eq!(
        websocket(ToServer, &masked),
        [message(ToServer, 1, Text, b"Hello")]
    );
    let fragments = [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f];
    assert_eq!(
        websocket(ToClient, &fragments),
        [message(ToClient, 2, Text, b"Hello")]
    );
    let ping = [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    assert_eq!(
        websocket(ToClient, &ping),
        [message(ToClient, 1, Ping, b"Hello")]
    );
    let pong = [
        0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    assert_eq!(
        websocket(ToServer, &pong),
        [message(ToServer, 1, Pong, b"Hello")]
    );
    let short = [&[0x82, 0x7e, 0x01, 0x00][..], &[7; 256]].concat();
    assert_eq!(
        websocket(ToClient, &short),
        [message(ToClient, 1, Binary, &[7; 256])]
    );
    let head = [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0];
    let long = [&head[..], &[7; 65536]].concat();
    assert_eq!(
        websocket(ToClient, &long),
        [message(ToClient, 1, Binary, &[7; 65536])]
    );
}

#[test]
fn the_head_of_a_frame_makes_the_round_trip() {
    for length in [0, 125, 126, 65_535, 65_536] {
        for mask in [None, MASK] {
            let payload = vec![7; length];
            let head = Frame {
                fin: false,
                rsv: 5,
                opcode: 3,
                mask,
                length: length as u64,
            };
            let bytes = head.encode(&payload);
            let start = bytes.len() - length;
            assert_eq!(Frame::parse(&bytes), Some((head, start)));
            assert_eq!(Frame::parse(&bytes[..start - 1]), None);
            assert_eq!(Frame::parse(&bytes[..1]), None);
        }
    }
}

#[test]
fn a_control_frame_may_come_between_fragments() {
    use websocket::Kind::*;
    let frames = [
        frame(0x01, MASK, b"Hel"),
        frame(0x89, MASK, b"?"),
        frame(0x80, MASK, b"lo"),
    ];
    let expected = [
        message(ToServer, 1, Ping, b"?"),
        message(ToServer, 2, Text, b"Hello"),
    ];
    assert_eq!(websocket(ToServer, &frames.concat()), expected);
}

#[test]
fn each_breach_of_rfc_6455_is_named_and_the_next_message_still_read() {
    let text = |first, payload: &[u8]| frame(first, MASK, payload);
    for (bytes, fault) in [
        (text(0xc1, b"a"), Fault::ReservedBits(4)),
        (text(0x83, b"a"), Fault::Opcode(3)),
        (text(0x8b, b"a"), Fault::Opcode(11)),
        (frame(0x81, None, b"a"), Fault::Unmasked),
        (text(0x89, &[b'a'; 126]), Fault::ControlTooLong),
        (text(0x09, b"a"), Fault::ControlFragmented),
        (text(0x80, b"a"), Fault::NothingToContinue),
        (
            [text(0x01, b"a"), text(0x81, b"b")].concat(),
            Fault::Interrupted,
        ),
        (text(0x81, b"\xff"), Fault::NotUtf8),
        (text(0x81, b"\xe2\x82"), Fault::NotUtf8),
        (
            vec![0x82, 0xfe, 0, 1, 0, 0, 0, 0, b'a'],
            Fault::LengthNotMinimal,
        ),
    ] {
        let bytes = [bytes, said("next")].concat();
        assert_eq!(faults(ToServer, &bytes), [fault], "{bytes:x?}");
        let last = websocket(ToServer, &bytes).pop();
        assert_eq!(
            last,
            Some(message(ToServer, 1, websocket::Kind::Text, b"next"))
        );
    }
    for (payload, fault) in [
        (&b"\x03"[..], Fault::CloseTooShort),
        (b"\x03\xed", Fault::CloseCode(1005)),
        (b"\x03\xe8\xff", Fault::NotUtf8),
    ] {
        assert_eq!(faults(ToServer, &frame(0x88, MASK, payload)), [fault]);
    }
    let after = [frame(0x88, None, b""), answered("a")].concat();
    assert_eq!(faults(ToClient, &after), [Fault::AfterClose]);
    // RFC 6455, sections 5.5.2 and 5.5.3: these are no data frames.
    let after = [0x88, 0x89, 0x8a].map(|first| frame(first, None, b""));
    assert_eq!(faults(ToClient, &after.concat()), []);
    assert_eq!(faults(ToClient, &said("a")), [Fault::Masked]);
    let huge = [0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0, b'a'];
    assert_eq!(faults(ToClient, &huge), [Fault::LengthTooLarge]);
}

#[test]
fn a_close_code_that_must_not_be_sent_is_named() {
    let faults = |code: u16| {
        let close = frame(0x88, MASK, &code.to_be_bytes());
        faults(ToServer, &close)
    };
    for code in [1000, 1003, 1007, 1014, 3000, 4999] {
        assert_eq!(faults(code), []);
    }
    for code in [0, 999, 1004, 1006, 1015, 2999, 5000] {
        assert_eq!(faults(code), [Fault::CloseCode(code)]);
    }
}

#[test]
fn what_the_end_cuts_off_is_counted() {
    let first = frame(0x01, MASK, b"Hel");
    let ping = frame(0x89, MASK, b"alive?");
    let second = frame(0x80, MASK, b"lo");
    for (bytes, opcode, came, undecoded) in [
        (first[..1].to_vec(), None, 0, 1),
        (first[..6].to_vec(), Some(1), 0, 0),
        (first[..8].to_vec(), Some(1), 2, 0),
        (first.clone(), None, 0, 3),
        ([&first[..], &ping[..9]].concat(), Some(9), 3, 3),
        ([&first[..], &second[..7]].concat(), Some(0), 1, 3),
        ([&first[..], &second[..2]].concat(), None, 0, 5),
    ] {
        let events = decode(&opened("/", vec![(ToServer, bytes)]));
        let (mut cut, mut counted) = (None, 0);
        for event in of(ToServer, &events) {
            match event {
                Event::WebSocket(websocket::Event::Cut { frame, came }) => {
                    cut = Some((frame.opcode, came));
                }
                Event::Undecoded { bytes, .. } => counted = bytes,
                _ => {}
            }
        }
        let expected = (opcode.map(|opcode| (opcode, came)), undecoded);
        assert_eq!((cut, counted), expected, "{events:?}");
    }
    let start = b"GET / HTT".to_vec();
    let events = decode(&vec![(ToServer, start.clone())]);
    let bytes = start.len() as u64;
    assert_eq!(events, [(ToServer, Event::Undecoded { bytes, start })]);
}

#[test]
fn a_close_has_a_code_and_a_reason_or_neither() {
    let close = |payload: &[u8]| match websocket(
        ToServer,
        &frame(0x88, MASK, payload),
    )
    .pop()
    {
        Some(websocket::Event::Message(message)) => message.close(),
        other => panic!("{other:?}"),
    };
    assert_eq!(close(b"\x03\xe9going"), Some((1001, "going".into())));
    assert_eq!(close(b"\x03\xe8"), Some((1000, String::new())));
    assert_eq!(close(b""), None);
}

const DEFLATING: &[u8] = b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Extensions: x-permessage-deflate-y\r\n\
    Sec-WebSocket-Extensions: a, permessage-deflate; server_max_window_bits=9\r\n\r\n";

#[test]
fn rsv1_is_compression_only_where_it_was_negotiated() {
    let wire = vec![
        (ToServer, upgrade("/socket.io/?EIO=4")),
        (ToClient, DEFLATING.to_vec()),
        (ToServer, frame(0xc1, MASK, b"\xf2\x48")),
    ];
    let events = of(ToServer, &decode(&wire));
    let [
        _,
        _,
        Event::WebSocket(websocket::Event::Message(message)),
        engine,
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert!(message.compressed && message.text().is_none());
    assert_eq!(*engine, Event::EngineIo(Err(engineio::Fault::Compressed)));

    let other = b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Extensions: x-permessage-deflate-y\r\n\r\n";
    let wire = vec![
        (ToServer, upgrade("/")),
        (ToClient, other.to_vec()),
        (ToServer, frame(0xc1, MASK, b"a")),
    ];
    let fault = websocket::Event::Fault(Fault::ReservedBits(4));
    assert!(of(ToServer, &decode(&wire)).contains(&Event::WebSocket(fault)));
}

fn http(wire: &Wire, direction: Direction) -> Vec<String> {
    let events = of(direction, &decode(wire)).into_iter();
    let told = events.map(|event| match event {
        Event::Http(http::Event::Request(r)) => format!("{} {}", r.method, r.target),
        Event::Http(http::Event::Response(r)) => r.status.to_string(),
        Event::Http(http::Event::Body(b)) => {
            let end = if b.complete { "" } else { "…" };
            format!("{}{end}", String::from_utf8_lossy(&b.bytes))
        }
        other => format!("{other:?}"),
    });
    told.collect()
}

#[test]
fn a_body_ends_where_rfc_9112_section_6_3_says() {
    for (method, response, expected) in [
        (
            "GET",
            "200 OK\r\nContent-Length: 2\r\n\r\nhi",
            &["200", "hi"][..],
        ),
        (
            "GET",
            "200 OK\r\nContent-Length: 2, 2\r\n\r\nhi",
            &["200", "hi"],
        ),
        ("GET", "200 OK\r\nContent-Length: 0\r\n\r\n", &["200"]),
        (
            "GET",
            "200 OK\r\n\r\nuntil the end",
            &["200", "until the end"],
        ),
        (
            "GET",
            "200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 9\r\n\r\n\
             2\r\nhi\r\n3;a=b\r\n, t\r\n0\r\nTrailer: x\r\n\r\n",
            &["200", "hi, t"],
        ),
        (
            "GET",
            "200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
            &["200", "x"],
        ),
        // RFC 9110, section 5.6.1.2: empty members of a list do not count.
        (
            "GET",
            "200 OK\r\nTransfer-Encoding: Chunked ,\r\nTransfer-Encoding:\r\n\r\n\
             2\r\nhi\r\n0\r\n\r\n",
            &["200", "hi"],
        ),
        ("HEAD", "200 OK\r\nContent-Length: 2\r\n\r\n", &["200"]),
        ("GET", "204 No Content\r\n\r\n", &["204"]),
        (
            "GET",
            "304 Not Modified\r\nContent-Length: 2\r\n\r\n",
            &["304"],
        ),
        (
            "HEAD",
            "103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
            &["103", "200"],
        ),
        (
            "GET",
            "200 OK\r\nContent-Length: 9\r\n\r\nhi",
            &["200", "hi…", "Http(Cut { missing: Some(7) })"],
        ),
        (
            "GET",
            "200 OK\r\nContent-Length: 9\r\n\r\n",
            &["200", "Http(Cut { missing: Some(9) })"],
        ),
        (
            "GET",
            "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            &["200", "Http(Cut { missing: None })"],
        ),
    ] {
        let wire = vec![
            (
                ToServer,
                format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").into(),
            ),
            (ToClient, format!("HTTP/1.1 {response}").into()),
        ];
        assert_eq!(http(&wire, ToClient), expected, "{response}");
    }
}

#[test]
fn a_body_until_close_is_complete_only_after_a_fin() {
    for (fin, expected) in [(true, true), (false, false)] {
        let mut decoder = Decoder::new(Limits::default());
        decoder.feed(ToClient, b"HTTP/1.1 200 OK\r\n\r\nhal");
        let events = match fin {
            true => decoder.finish(ToClient),
            false => decoder.abort(ToClient),
        };
        let [(_, Event::Http(http::Event::Body(body)))] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!(body.complete, expected);
    }
}

#[test]
fn requests_may_come_ahead_of_their_responses() {
    let requests = "HEAD /a HTTP/1.1\r\n\r\n\r\nPOST /b HTTP/1.0\r\nContent-Length: 2\
                    \r\n\r\nhiGET /c HTTP/1.1\r\n\r\n";
    let responses = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\
        HTTP/1.1 201 C\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 404 N\r\n\r\n";
    let wire = vec![(ToServer, requests.into()), (ToClient, responses.into())];
    assert_eq!(
        http(&wire, ToServer),
        ["HEAD /a", "POST /b", "hi", "GET /c"]
    );
    assert_eq!(http(&wire, ToClient), ["200", "201", "x", "404"]);
}

#[test]
fn what_is_not_http_is_counted_and_the_other_direction_goes_on() {
    use http::Fault::*;
    for (garbage, fault) in [
        (&b"\x16\x03\x01\x02\0\x01"[..], NotHttp),
        (b"GET / HTTP/3.0\r\n\r\n", NotHttp),
        (b"GET / HTTP/1.1\r\nno colon\r\n", NotHttp),
        (
            b"POST / HTTP/1.1\r\nContent-Length: +2\r\n\r\nhi",
            ContentLength,
        ),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 2, 3\r\n\r\nhi",
            ContentLength,
        ),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
            TransferEncoding,
        ),
    ] {
        let wire = vec![
            (ToServer, garbage.to_vec()),
            (ToClient, b"HTTP/1.1 400 Bad\r\n\r\n".to_vec()),
        ];
        let events = decode(&wire);
        let bytes = garbage.len() as u64;
        let start = garbage.to_vec();
        let expected = [
            Event::Opaque(Opaque::Http(fault)),
            Event::Undecoded { bytes, start },
        ];
        assert_eq!(of(ToServer, &events), expected);
        assert_eq!(http(&wire, ToClient), ["400"]);
    }
    let long = [b"GET /".to_vec(), vec![b'a'; 65 << 10]].concat();
    let many = [&b"GET / HTTP/1.1\r\n"[..], &b"x: y\r\n".repeat(101)].concat();
    for head in [long, many] {
        let events = of(ToServer, &decode(&vec![(ToServer, head)]));
        assert_eq!(events[0], Event::Opaque(Opaque::Http(TooLong)));
    }
}

#[test]
fn with_no_room_for_a_head_every_byte_is_counted() {
    for direction in [ToServer, ToClient] {
        let mut decoder = Decoder::new(Limits {
            head: 0,
            ..Limits::default()
        });
        let too_long = Event::Opaque(Opaque::Http(http::Fault::TooLong));
        assert_eq!(decoder.feed(direction, b"G"), [(direction, too_long)]);
        let (bytes, start) = (1, b"G".to_vec());
        let undecoded = Event::Undecoded { bytes, start };
        assert_eq!(decoder.finish(direction), [(direction, undecoded)]);
    }
}

#[test]
fn an_upgrade_counts_once_the_server_has_agreed() {
    let early = |answer: &[u8], next: Vec<u8>| {
        let ahead = [upgrade("/"), next].concat();
        decode(&vec![(ToServer, ahead), (ToClient, answer.to_vec())])
    };
    let events = of(ToServer, &early(SWITCHING, said("early")));
    let text = message(ToServer, 1, websocket::Kind::Text, b"early");
    assert_eq!(events.last(), Some(&Event::WebSocket(text)));

    let refused = b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n";
    let next = b"GET /next HTTP/1.1\r\n\r\n".to_vec();
    let events = of(ToServer, &early(refused, next));
    assert!(
        matches!(&events[..], [_, Event::Http(http::Event::Request(r))] if r.target == "/next"),
        "{events:?}"
    );

    let other = b"HTTP/1.1 101 S\r\nUpgrade: h2c\r\n\r\n";
    let events = early(other, b"PRI".to_vec());
    for direction in [ToServer, ToClient] {
        let events = of(direction, &events);
        assert_eq!(events[1], Event::Opaque(Opaque::Switched), "{events:?}");
    }
}

#[test]
fn what_the_server_says_on_a_websocket_is_read_without_the_client() {
    let body =
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhi";
    let ahead = [upgrade("/"), vec![b'a'; 65 << 10]].concat();
    for (request, ends) in
        [(upgrade("/"), true), (ahead, false), (body.into(), false)]
    {
        let mut decoder = Decoder::new(Limits::default());
        decoder.feed(ToServer, &request);
        if ends {
            decoder.finish(ToServer);
        }
        let said = [SWITCHING, &answered("hello")].concat();
        let events = of(ToClient, &decoder.feed(ToClient, &said));
        let hello = message(ToClient, 1, websocket::Kind::Text, b"hello");
        assert_eq!(events.last(), Some(&Event::WebSocket(hello)), "{events:?}");
    }
}

#[test]
fn what_came_ahead_of_a_switch_is_counted() {
    let ahead = b"EHLO x";
    let request = [&b"CONNECT a:1 HTTP/1.1\r\n\r\n"[..], ahead].concat();
    let answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let events = decode(&vec![(ToServer, request), (ToClient, answer)]);
    let (bytes, start) = (ahead.len() as u64, ahead.to_vec());
    assert_eq!(
        of(ToServer, &events)[1..],
        [
            Event::Opaque(Opaque::Switched),
            Event::Undecoded { bytes, start }
        ]
    );

    let request = b"POST / HTTP/1.1\r\nUpgrade: a\r\nContent-Length: 9\r\n\r\nhi";
    let answer = b"HTTP/1.1 101 S\r\nUpgrade: a\r\n\r\n";
    let wire = vec![(ToServer, request.to_vec()), (ToClient, answer.to_vec())];
    assert_eq!(http(&wire, ToServer), ["POST /", "hi…", "Opaque(Switched)"]);
}

#[test]
fn requests_are_read_though_the_answers_cannot_be() {
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(ToClient, b"220 a\r\n");
    let requests = b"GET / HTTP/1.1\r\n\r\n".repeat(2000);
    assert_eq!(decoder.feed(ToServer, &requests).len(), 2000);
}

#[test]
fn every_engineio_packet_makes_the_round_trip() {
    for (text, packet) in [
        ("0{\"sid\":\"x\"}", Engine::Open("{\"sid\":\"x\"}".into())),
        ("1", Engine::Close),
        ("2", Engine::Ping(String::new())),
        ("2probe", Engine::Ping("probe".into())),
        ("3probe", Engine::Pong("probe".into())),
        ("4HelloWorld", Engine::Message("HelloWorld".into())),
        ("5", Engine::Upgrade),
        ("6", Engine::Noop),
    ] {
        assert_eq!(Engine::parse(text), Ok(packet.clone()));
        assert_eq!(packet.encode(), text);
    }
    // The examples of the specification for HTTP long-polling.
    let hello = |text: &str| Ok(Engine::Message(text.into()));
    let payload = engineio::parse_payload(b"4hello\x1e2\x1e4world");
    let expected = [
        hello("hello"),
        Ok(Engine::Ping(String::new())),
        hello("world"),
    ];
    assert!(payload.eq(expected));
    let binary = Engine::Binary(vec![1, 2, 3, 4]);
    assert_eq!(binary.encode(), "bAQIDBA==");
    let payload = engineio::parse_payload(b"4hello\x1ebAQIDBA==");
    assert!(payload.eq([hello("hello"), Ok(binary)]));
}

#[test]
fn what_is_not_an_engineio_packet_is_named() {
    use engineio::Fault::*;
    for (payload, fault) in [
        (&b""[..], Empty),
        (b"7", Type('7')),
        ("é".as_bytes(), Type('é')),
        (b"1x", UnexpectedText),
        (b"4\xff", NotUtf8),
        (b"bA", NotBase64),
    ] {
        assert!(
            engineio::parse_payload(payload).eq([Err(fault)]),
            "{payload:?}"
        );
    }
    // As in the reference parser, nothing is read after it.
    let payload = engineio::parse_payload(b"2\x1e\x1e\x1e2");
    assert!(payload.eq([Ok(Engine::Ping(String::new())), Err(Empty)]));
}

fn packet(kind: Kind, namespace: &str, id: Option<u64>, json: &str) -> Packet {
    Packet {
        kind,
        namespace: namespace.into(),
        id,
        json: json.into(),
        attachments: Vec::new(),
    }
}

#[test]
fn the_examples_of_the_socketio_specification_make_the_round_trip() {
    use Kind::*;
    let sid = "{\"sid\":\"oSO0OpakMV_3jnilAAAA\"}";
    let refused = "{\"message\":\"Not authorized\"}";
    let one = "[\"baz\",{\"_placeholder\":true,\"num\":0}]";
    let two = "[\"baz\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]";
    let four: &[u8] = &[1, 2, 3, 4];
    let none: &[&[u8]] = &[];
    for (text, expected, attachments) in [
        ("0".into(), packet(Connect, "/", None, ""), none),
        (format!("0{sid}"), packet(Connect, "/", None, sid), none),
        ("0/admin,".into(), packet(Connect, "/admin", None, ""), none),
        (
            format!("0/admin,{sid}"),
            packet(Connect, "/admin", None, sid),
            none,
        ),
        (
            format!("4{refused}"),
            packet(ConnectError, "/", None, refused),
            none,
        ),
        (
            "2[\"foo\"]".into(),
            packet(Event, "/", None, "[\"foo\"]"),
            none,
        ),
        (
            "2/admin,[\"bar\"]".into(),
            packet(Event, "/admin", None, "[\"bar\"]"),
            none,
        ),
        (
            format!("51-{one}"),
            packet(BinaryEvent, "/", None, one),
            &[four],
        ),
        (
            format!("52-/admin,{two}"),
            packet(BinaryEvent, "/admin", None, two),
            &[&[1, 2], &[3, 4]],
        ),
        (
            "212[\"foo\"]".into(),
            packet(Event, "/", Some(12), "[\"foo\"]"),
            none,
        ),
        ("312[]".into(), packet(Ack, "/", Some(12), "[]"), none),
        (
            "2/admin,13[\"foo\"]".into(),
            packet(Event, "/admin", Some(13), "[\"foo\"]"),
            none,
        ),
        (
            "3/admin,13[\"bar\"]".into(),
            packet(Ack, "/admin", Some(13), "[\"bar\"]"),
            none,
        ),
        (
            format!("51-14{one}"),
            packet(BinaryEvent, "/", Some(14), one),
            &[four],
        ),
        (
            "314[\"bar\"]".into(),
            packet(Ack, "/", Some(14), "[\"bar\"]"),
            none,
        ),
        (
            format!("61-15{one}"),
            packet(BinaryAck, "/", Some(15), one),
            &[four],
        ),
        ("1".into(), packet(Disconnect, "/", None, ""), none),
        (
            "1/admin,".into(),
            packet(Disconnect, "/admin", None, ""),
            none,
        ),
    ] {
        let mut expected = expected;
        expected.attachments = attachments.iter().map(|a| a.to_vec()).collect();
        assert_eq!(expected.encode(), text);
        let mut wire = vec![(ToServer, said(&format!("4{text}")))];
        for attachment in attachments {
            wire.push((ToServer, frame(0x82, MASK, attachment)));
        }
        let events = decode(&opened("/socket.io/?EIO=4&transport=websocket", wire));
        let (_, last) = events.last().expect("there are events");
        assert_eq!(*last, wire::Event::SocketIo(Ok(expected)), "{text}");
    }
}

/// The Socket.IO layer of what a client says on a WebSocket.
fn socketio(messages: &[Vec<u8>]) -> Vec<Result<Packet, socketio::Fault>> {
    let wire = vec![
        (ToServer, upgrade("/socket.io/?EIO=4")),
        (ToClient, DEFLATING.to_vec()),
        (ToServer, messages.concat()),
    ];
    let events = decode(&wire).into_iter();
    let packets = events.filter_map(|(_, event)| match event {
        Event::SocketIo(packet) => Some(packet),
        _ => None,
    });
    packets.collect()
}

#[test]
fn what_is_not_a_socketio_packet_is_named() {
    use socketio::Fault::*;
    for (text, fault) in [
        ("", Empty),
        ("7", Type('7')),
        ("é", Type('é')),
        ("5[\"a\"]", Attachments),
        ("599-[\"a\"]", Attachments),
        ("5-[\"a\"]", Attachments),
        ("50-[\"a\"]", Attachments),
        ("51-[\"a\",{\"_placeholder\":true,\"num\":1}]", Placeholder),
        ("61-[{\"a\":[{\"_placeholder\":true}]}]", Placeholder),
        ("299999999999999999999[\"a\"]", Id),
        ("2[\"a\"", Json),
        ("2[]", Payload(Kind::Event)),
        ("2{}", Payload(Kind::Event)),
        ("2", Payload(Kind::Event)),
        ("2[{}]", Payload(Kind::Event)),
        ("0[]", Payload(Kind::Connect)),
        ("1{}", Payload(Kind::Disconnect)),
        ("3{}", Payload(Kind::Ack)),
        ("4[]", Payload(Kind::ConnectError)),
    ] {
        assert_eq!(
            socketio(&[said(&format!("4{text}"))]),
            [Err(fault)],
            "{text}"
        );
    }
    // Only `true` makes a placeholder, and a number may be written in any form.
    for json in [
        "[0,{\"_placeholder\":1}]",
        "[0,{\"_placeholder\":true,\"num\":0.0}]",
    ] {
        assert!(Packet::parse(&format!("51-{json}")).is_ok(), "{json}");
    }
    let nested = "[".repeat(100_000);
    assert_eq!(socketio(&[said(&format!("42{nested}"))]), [Err(Json)]);
}

#[test]
fn attachments_that_are_missing_surplus_or_too_large_are_named() {
    use socketio::Fault::*;
    let waits = || said("452-[\"a\",{},{}]");
    let bytes = |length| frame(0x82, MASK, &vec![7; length]);
    let next = || Ok(packet(Kind::Event, "/", None, "[\"b\"]"));
    let got = socketio(&[waits(), bytes(1), said("42[\"b\"]"), bytes(1)]);
    assert_eq!(got, [Err(Missing(1)), next(), Err(UnexpectedBinary)]);
    let got =
        socketio(&[waits(), bytes(600_000), bytes(600_000), said("42[\"b\"]")]);
    assert_eq!(got, [Err(TooLarge), next()]);
    assert_eq!(socketio(&[waits()]), [Err(Missing(2))]);
}

#[test]
fn what_cannot_be_read_is_not_held_against_the_sender() {
    use socketio::Fault::*;
    let waits = || said("452-[\"a\",{},{}]");
    let bytes = |length| frame(0x82, MASK, &vec![7; length]);
    let next = || Ok(packet(Kind::Event, "/", None, "[\"b\"]"));
    let then = said("42[\"b\"]");
    let refused = [said("4599-[\"a\"]"), bytes(1), then.clone()];
    assert_eq!(socketio(&refused), [Err(Attachments), next()]);
    let refused = [said("451-{}"), bytes(1), then.clone()];
    assert_eq!(
        socketio(&refused),
        [Err(Payload(Kind::BinaryEvent)), next()]
    );
    let cut = [waits(), bytes(2 << 20), bytes(1), then.clone()];
    assert_eq!(socketio(&cut), [Err(Lost), next()]);

    let deflated = |first| frame(first, MASK, b"\xf2\x48");
    let cut = [waits(), bytes(1), deflated(0xc2), then.clone()];
    assert_eq!(socketio(&cut), [Err(Lost), next()]);
    let cut = [deflated(0xc1), bytes(1), bytes(1), then];
    assert_eq!(socketio(&cut), [next()]);
}

#[test]
fn a_packet_whose_attachments_may_come_on_another_connection_is_no_fault() {
    let post = |body: &str| {
        let length = body.len();
        let head = "POST /socket.io/?EIO=4 HTTP/1.1\r\nContent-Length";
        (ToServer, format!("{head}: {length}\r\n\r\n{body}").into())
    };
    let packets = |wire| {
        let mut events = of(ToServer, &decode(&wire));
        events.retain(|event| !matches!(event, Event::Http(_)));
        events
    };
    let (text, bytes) = ("451-[\"a\",{\"_placeholder\":true,\"num\":0}]", "bAQ==");
    assert_eq!(packets(vec![post(text)]), []);
    let binary = || Event::EngineIo(Ok(Engine::Binary(vec![1])));
    assert_eq!(packets(vec![post(bytes)]), [binary()]);
    assert_eq!(packets(vec![post(text), post(bytes)]), [binary()]);
    let upgraded = [upgrade("/socket.io/?EIO=4&sid=a"), frame(0x82, MASK, &[1])];
    let wire = vec![
        post(text),
        (
            ToClient,
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".into(),
        ),
        (ToServer, upgraded.concat()),
        (ToClient, SWITCHING.to_vec()),
    ];
    assert!(packets(wire).contains(&binary()));
}

#[test]
fn engineio_is_looked_for_only_where_it_is_spoken() {
    for (target, engine, socket) in [
        ("/socket.io/?EIO=4&transport=websocket", true, true),
        ("/engine.io/?transport=websocket&EIO=4", true, false),
        ("/socket.io?EIO=4", true, true),
        ("/socket.io/?EIO=3&transport=websocket", false, false),
        ("/socket.io/more?EIO=4", false, false),
        ("/chat?EIO=4", false, false),
    ] {
        let said = [said("2probe"), said("42[\"a\"]")].concat();
        let events = decode(&opened(target, vec![(ToServer, said)]));
        let has = |f: fn(&Event) -> bool| events.iter().any(|(_, event)| f(event));
        assert_eq!(has(|e| matches!(e, Event::EngineIo(_))), engine, "{target}");
        assert_eq!(has(|e| matches!(e, Event::SocketIo(_))), socket, "{target}");
    }
}

#[test]
fn a_session_is_read_from_polling_to_the_close() {
    let name = |event| match event {
        Event::EngineIo(Ok(packet)) => Some(packet.encode()),
        Event::SocketIo(Ok(packet)) => {
            Some(format!("{} +{}", packet.encode(), packet.attachments.len()))
        }
        Event::EngineIo(Err(_)) | Event::SocketIo(Err(_)) | Event::Opaque(_) => {
            panic!("{event:?}")
        }
        _ => None,
    };
    let mut got = Vec::new();
    for wire in sessions() {
        got.extend(
            decode(&wire)
                .into_iter()
                .filter_map(|(_, event)| name(event)),
        );
    }
    let packets: Vec<_> = got.iter().filter(|text| text.contains(" +")).collect();
    assert_eq!(
        packets,
        [
            "0 +0",
            "0{\"sid\":\"wZX3oN0bSVIhsaknAAAI\"} +0",
            "2[\"hey\",\"Jude\"] +0",
            "2[\"hello\"] +0",
            "51-[\"b\",{\"_placeholder\":true,\"num\":0}] +1",
            "0/admin,{\"token\":\"123\"} +0",
            "0/admin,{\"sid\":\"oSO0OpakMV_3jnilAAAA\"} +0",
            "2/admin,13[\"é\"] +0",
            "3/admin,13[\"wZX3oN0bSVIhsaknAAAI\"] +0",
            "52-[\"baz\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}] +2",
        ]
    );
}

#[test]
fn what_has_arrived_is_reported_when_asked_for() {
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(ToServer, b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhe");
    let part = decoder.flush(ToServer);
    let rest = decoder.feed(ToServer, b"llo");
    let body = |bytes: &[u8], complete| http::Body {
        bytes: bytes.to_vec(),
        length: bytes.len() as u64,
        complete,
    };
    let event = |event| vec![(ToServer, Event::Http(event))];
    assert_eq!(part, event(http::Event::Part(body(b"he", false))));
    assert_eq!(rest, event(http::Event::Body(body(b"llo", true))));
    // A part of a payload would be no payload.
    let post = b"POST /engine.io/?EIO=4 HTTP/1.1\r\nContent-Length: 6\r\n\r\n2p";
    decoder.feed(ToServer, post);
    assert_eq!(decoder.flush(ToServer), []);
    let ping = engineio::Packet::Ping("probe".into());
    let events = decoder.feed(ToServer, b"robe");
    assert_eq!(events[1..], [(ToServer, Event::EngineIo(Ok(ping)))]);

    decoder.feed(ToServer, b"no HTTP\r\n");
    for bytes in [&b"no HTTP\r\n"[..], b"more"] {
        let start = bytes.to_vec();
        let bytes = bytes.len() as u64;
        let undecoded = Event::Undecoded { bytes, start };
        assert_eq!(decoder.flush(ToServer), [(ToServer, undecoded)]);
        assert_eq!(decoder.flush(ToServer), []);
        decoder.feed(ToServer, b"more");
    }
}

#[test]
fn what_exceeds_a_limit_is_counted_and_followed() {
    let limits = Limits {
        head: 1000,
        body: 4,
        message: 4,
    };
    let mut decoder = Decoder::new(limits);
    let post = b"POST /socket.io/?EIO=4 HTTP/1.1\r\nContent-Length: 6\r\n\r\n4hello";
    let mut events = decoder.feed(ToServer, post);
    events.extend(decoder.feed(ToServer, &upgrade("/")));
    events.extend(
        decoder.feed(ToClient, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    );
    events.extend(decoder.feed(ToClient, SWITCHING));
    events.extend(decoder.feed(ToServer, &[said("hello é"), said("b")].concat()));
    let events = of(ToServer, &events);
    assert!(
        matches!(&events[1], Event::Http(http::Event::Body(b)) if b.bytes == b"4hel" && b.length == 6),
        "{events:?}"
    );
    assert_eq!(events[2], Event::EngineIo(Err(engineio::Fault::Cut)));
    let messages = events.iter().filter_map(|event| match event {
        Event::WebSocket(websocket::Event::Message(m)) => Some((m.text(), m.length)),
        _ => None,
    });
    assert!(messages.eq([(Some("hell"), 8), (Some("b"), 1)]));
}
