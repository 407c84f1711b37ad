//! What a transcript looks like, as text and as a diagram.

mod support;

use std::time::Duration;

use mermaid_rs_renderer::{RenderOptions, render_strict};
use support::*;
use wire::{Event, Record, Style, Tcp, Transcript, http, websocket};

/// A transcript of these connections, an event a millisecond.
fn transcript(connections: &[Wire]) -> Transcript {
    let mut transcript = Transcript::default();
    for (connection, wire) in (1..).zip(connections) {
        for (direction, event) in decode(wire) {
            let at = Duration::from_millis(transcript.records().len() as u64);
            transcript.push(Record {
                connection,
                at,
                direction,
                event,
            });
        }
    }
    transcript
}

fn chat() -> Transcript {
    transcript(&[opened(
        "/socket.io/?EIO=4&transport=websocket&sid=lv_VI97HAXpY6yYWAAAC",
        vec![
            (ToServer, said("42[\"say\",\"<b>hi</b> -->> %% \\n\"]")),
            (ToServer, frame(0x89, MASK, b"")),
            (ToClient, frame(0x01, None, b"42[\"x")),
            (ToClient, frame(0x80, None, b"\"]")),
            (ToClient, frame(0x82, None, &[1, 2, 250])),
            (ToClient, frame(0x88, None, b"\x03\xe8bye")),
        ],
    )])
}

#[test]
fn each_line_says_who_sent_it_and_what_a_packet_means() {
    let expected = r#"> GET /socket.io/?EIO=4&transport=websocket&sid=lv_VI97HAXpY6yYWAAAC HTTP/1.1
> Host: 127.0.0.1:40123
> Upgrade: websocket
> Connection: Upgrade
> Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
> Sec-WebSocket-Version: 13
>
< HTTP/1.1 101 Switching Protocols
< Upgrade: websocket
< Connection: Upgrade
< Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
<
> text, masked: 42["say","<b>hi</b> -->> %% \\n"]
>   Engine.IO 4 message, Socket.IO 2 EVENT "say"
> ping, masked, empty
< text, more follows: 5 bytes
< continuation: 2 bytes
< text, in 2 frames: 42["x"]
<   Engine.IO 4 message, Socket.IO 2 EVENT "x"
< binary: 3 bytes: 01 02 fa
<   ! Socket.IO: bytes that no packet has announced
< close: 1000 "bye"
"#;
    assert_eq!(chat().to_string(), expected);
}

#[test]
fn what_the_end_cuts_off_is_told() {
    let response = |framing: &str, body: &str| {
        let head = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n{body}");
        vec![(ToClient, head.into())]
    };
    let websocket = |bytes: &[u8]| opened("/", vec![(ToClient, bytes.to_vec())]);
    let part = frame(0x01, None, b"hel");
    for (wire, last) in [
        (
            response("Content-Length: 9", "hi"),
            "< hi\n< ! missing: 7 bytes\n",
        ),
        (
            response("Content-Length: 1", ""),
            "<\n< ! missing: 1 byte\n",
        ),
        (
            response("Transfer-Encoding: chunked", "2\r\nhi\r\n"),
            "< hi\n< ! missing: the end of the body\n",
        ),
        (websocket(b"\x81\x05"), "<\n< ! text: 0 of 5 bytes came\n"),
        (
            websocket(b"\x81\x0ahello"),
            "<\n< ! text: 5 of 10 bytes came\n",
        ),
        (
            websocket(&[&part, &b"\x80\x05lo"[..]].concat()),
            "< ! continuation: 2 of 5 bytes came\n< ! 3 bytes of an unfinished message\n",
        ),
    ] {
        let text = transcript(&[wire]).to_string();
        assert!(text.ends_with(last), "{last:?} in\n{text}");
    }
}

#[test]
fn a_packet_is_told_with_its_namespace_id_and_attachments() {
    let text = transcript(&sessions()).to_string();
    for line in [
        "#1 < 0{\"sid\":\"lv_VI97HAXpY6yYWAAAC\",\"upgrades\":[\"websocket\"],",
        "#1 <   Engine.IO 0 open\n",
        "#1 > 42[\"hello\"]\\u{1e}451-[\"b\",{\"_placeholder\":true,\"num\":0}]\\u{1e}bAQIDBA==\n",
        "#1 >   Engine.IO 4 message, Socket.IO 5 BINARY_EVENT \"b\", 1 attachment\n",
        "#2 >   Engine.IO 2 ping\n",
        "#2 >   Engine.IO 4 message, Socket.IO 0 CONNECT in /admin\n",
        "#2 >   Engine.IO 4 message, Socket.IO 2 EVENT \"é\" in /admin, id 13\n",
        "#2 <   Engine.IO 4 message, Socket.IO 3 ACK in /admin, id 13\n",
        "#2 < binary: 300 bytes: 03 03 03 03 03 03 03 03 …\n",
        "#2 <   Engine.IO 4 message, Socket.IO 5 BINARY_EVENT \"baz\", 2 attachments\n",
        "#2 > close, masked: 1000 \"bye\"\n",
        "#2 < close: 1000\n",
    ] {
        assert!(text.contains(line), "{line:?} in\n{text}");
    }
}

#[test]
fn times_connections_and_colours_are_shown_when_asked_for() {
    let style = Style {
        connections: true,
        times: true,
        ..Style::default()
    };
    let more = chat().text(style);
    assert!(more.starts_with("#1      0 ms > GET /"), "{more}");
    assert!(
        more.contains("\n#1      0 ms > Upgrade: websocket\n"),
        "{more}"
    );
    let colour = Style {
        colour: true,
        ..Style::default()
    };
    let coloured = chat().text(colour);
    assert!(coloured.contains("\x1b[36m> "), "{coloured}");
    let mut stripped = coloured.replace("\x1b[0m", "");
    for code in ["\x1b[36m", "\x1b[33m"] {
        stripped = stripped.replace(code, "");
    }
    assert_eq!(stripped, chat().to_string());
}

#[test]
fn what_differs_from_run_to_run_becomes_placeholders() {
    let text = transcript(&sessions()).normalised().to_string();
    for part in [
        "#1 > GET /socket.io/?EIO=4&transport=polling&t=0 HTTP/1.1\n",
        "&t=0&sid=sid-1 HTTP/1.1\n",
        "< 0{\"sid\":\"sid-1\",\"upgrades\"",
        "< 40{\"sid\":\"sid-2\"}\n",
        "#2 > GET /socket.io/?EIO=4&transport=websocket&sid=sid-1 HTTP/1.1\n",
        "< text: 40/admin,{\"sid\":\"sid-3\"}\n",
        "< text: 43/admin,13[\"sid-2\"]\n",
        "> Host: 127.0.0.1:3000\n",
        "< Date: Thu, 01 Jan 1970 00:00:00 GMT\n",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    let key = "Sec-WebSocket-Key: ";
    let wire = vec![(
        ToServer,
        format!("GET / HTTP/1.1\r\n{key}AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n").into(),
    )];
    let text = transcript(&[wire]).normalised().to_string();
    let of_the_rfc = format!("{key}dGhlIHNhbXBsZSBub25jZQ==");
    assert!(text.contains(&of_the_rfc), "{text}");
}

#[test]
fn a_wrong_answer_to_a_key_stays_wrong() {
    let wrong = str::from_utf8(SWITCHING)
        .expect("it is")
        .replace("s3pP", "AAAA");
    let handshake = |key: &str| {
        let upgrade = String::from_utf8(upgrade("/")).expect("it is UTF-8");
        let upgrade = upgrade.replace("dGhlIHNhbXBsZSBub25jZQ==", key);
        let wire =
            vec![(ToServer, upgrade.into()), (ToClient, wrong.clone().into())];
        transcript(&[wire]).normalised().to_string()
    };
    let of_the_rfc = handshake("dGhlIHNhbXBsZSBub25jZQ==");
    assert!(of_the_rfc.contains("Accept: AAAALMB"), "{of_the_rfc}");
    // Whether it is the answer to another key is not known.
    let other = handshake("AAAAAAAAAAAAAAAAAAAAAA==");
    assert!(other.contains("Accept: s3pPLMB"), "{other}");
}

#[test]
fn a_payload_longer_than_its_length_is_normalised_too() {
    let event = |bytes: &str, length| {
        let body = http::Body {
            bytes: bytes.into(),
            length,
            complete: true,
        };
        let record = Record {
            connection: 1,
            at: Duration::ZERO,
            direction: ToServer,
            event: Event::Http(http::Event::Body(body)),
        };
        Transcript::from_iter([record])
    };
    let port = event("localhost:40123", 0).normalised();
    assert_eq!(port, event("localhost:3000", 14));
}

#[test]
fn the_same_session_with_other_ids_is_normalised_to_the_same() {
    let other = |wire: &Wire| -> Wire {
        let replaced = wire.iter().map(|(direction, bytes)| {
            let text: Vec<u8> = match str::from_utf8(bytes) {
                Ok(text) => text
                    .replace("lv_VI97HAXpY6yYWAAAC", "AAAAAAAAAAAAAAAAAAAA")
                    .replace("wZX3oN0bSVIhsaknAAAI", "BBBBBBBBBBBBBBBBBBBB")
                    .replace(":40123", ":51000")
                    .replace("22 Nov", "23 Nov")
                    .into(),
                Err(_) => bytes.clone(),
            };
            (*direction, text)
        });
        replaced.collect()
    };
    let sessions = &sessions()[..1];
    let others: Vec<Wire> = sessions.iter().map(other).collect();
    assert_ne!(sessions, others);
    let normalised = transcript(sessions).normalised();
    assert_eq!(transcript(&others).normalised(), normalised);
    assert_eq!(normalised.normalised(), normalised);
}

#[test]
fn an_id_that_has_a_name_is_normalised_to_it() {
    let named = || {
        let mut transcript = transcript(&sessions());
        // One that the wire shows to be a session's, and one that could be any word.
        transcript.name_id("wZX3oN0bSVIhsaknAAAI", "id-of-Ada");
        transcript.name_id("upgrades", "id-of-Bob");
        transcript
    };
    let normalised = named().normalised();
    let text = normalised.to_string();
    for part in [
        "< 0{\"sid\":\"sid-1\",\"id-of-Bob\"",
        "< 40{\"sid\":\"id-of-Ada\"}\n",
        "< text: 43/admin,13[\"id-of-Ada\"]\n",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    assert_eq!(normalised.normalised(), normalised);
}

#[test]
fn masks_uuids_and_ports_are_placeholders_too() {
    let uuid = "0b2f9c1e-7a64-4a53-8d0c-1f1f6a3f2b11";
    let text = format!("{{\"id\":\"{uuid}\",\"at\":\"http://localhost:5123/x\"}}");
    let wire = opened("/", vec![(ToServer, said(&text))]);
    let normalised = transcript(&[wire]).normalised();
    let shown = normalised.to_string();
    let expected =
        "text, masked: {\"id\":\"uuid-1\",\"at\":\"http://localhost:3001/x\"}";
    assert!(shown.contains(expected), "{shown}");
    let masks =
        normalised
            .records()
            .iter()
            .filter_map(|record| match &record.event {
                Event::WebSocket(websocket::Event::Frame(frame)) => frame.mask,
                _ => None,
            });
    assert!(masks.eq([[0; 4]]));
}

#[test]
fn what_is_not_printable_is_escaped_and_what_is_long_is_cut() {
    let wire = opened(
        "/",
        vec![
            (ToServer, said("\u{1b}[31m\u{202e}é")),
            (ToServer, said(&"y".repeat(1000))),
            (ToServer, frame(0x81, MASK, b"a\xff")),
            (ToServer, said(&"\u{2066}".repeat(160))),
        ],
    );
    let text = transcript(&[wire]).to_string();
    assert!(
        text.contains("text, masked: \\u{1b}[31m\\u{202e}é\n"),
        "{text}"
    );
    assert!(text.contains("yyy… (1000 bytes in all)\n"), "{text}");
    assert!(text.contains("! text that is not UTF-8\n"), "{text}");
    assert!(text.contains("text, masked: a\\xff\n"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() < 230),
        "{text}"
    );
}

#[test]
fn what_differs_is_shown_differently() {
    let shown = |payload: &[u8]| {
        let message = vec![(ToServer, frame(0x81, MASK, payload))];
        let text = transcript(&[opened("/", message)]).to_string();
        let (_, shown) = text.rsplit_once("masked: ").expect("the payload");
        shown.trim_end_matches('\n').to_owned()
    };
    let pairs: [(&str, &str); 12] = [
        ("a\nb", "a\\nb"),
        ("a\\nb", "a\\\\nb"),
        ("a\\\nb", "a\\\\\\nb"),
        ("\\x41 \\u0041", "\\\\x41 \\\\u0041"),
        ("{\"a\":\"\\\"\"}", "{\"a\":\"\\\"\"}"),
        ("hello ", "hello\\u{20}"),
        ("hello\u{a0}", "hello\\u{a0}"),
        ("  hello", "  hello"),
        ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
        ("\u{200e}\u{200f}\u{61c}", "\\u{200e}\\u{200f}\\u{61c}"),
        ("👩\u{200d}🚀 한국어", "👩\u{200d}🚀 한국어"),
        ("\\ ", "\\\\\\u{20}"),
    ];
    for (payload, expected) in pairs {
        assert_eq!(shown(payload.as_bytes()), expected);
    }
    assert!(shown(b"\\\xff").starts_with("\\\\\\xff"));
}

#[test]
fn a_body_is_shown_line_by_line_up_to_a_limit() {
    let response = |body: &[u8]| {
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        let wire = vec![
            (ToServer, b"GET / HTTP/1.1\r\n\r\n".to_vec()),
            (ToClient, [head.as_bytes(), body].concat()),
        ];
        let text = transcript(&[wire]).to_string();
        let (_, body) = text.split_once("\n<\n").expect("the end of the head");
        body.to_owned()
    };
    assert_eq!(response(b"one\r\n\ntwo"), "< one\n<\n< two\n");
    assert_eq!(response(b"\xff\x00"), "< 2 bytes: ff 00\n");
    let long = response(&b"<p>\n".repeat(1000));
    assert_eq!(long.matches("< <p>\n").count(), 20);
    assert!(long.ends_with("< <p>\n< … (4000 bytes in all)\n"), "{long}");
    let wide = response(&b"x".repeat(2 << 20));
    assert!(wide.ends_with("xxx… (2097152 bytes in all)\n"), "{wide}");
    assert_eq!(wide.lines().count(), 1);
    let both = response(format!("{}\ny\n", "x".repeat(1000)).as_bytes());
    assert!(
        both.ends_with("xxx…\n< y\n< … (1003 bytes in all)\n"),
        "{both}"
    );
}

#[test]
fn a_diagram_shows_the_highest_layer_of_each_message() {
    let expected = "sequenceDiagram
  participant C1 as client
  participant S as server
  C1->>S: GET /socket.io/?<br/>EIO=4&transport=websoc<br/>ket&si…, upgrade: websocket
  S->>C1: 101 Switching Protocols
  C1->>S: EVENT [\"say\",\"‹b›hi‹/<br/>b› --›› ％％ ∖∖n\"]
  C1->>S: ping, empty
  S->>C1: EVENT [\"x\"]
  S->>C1: ! bytes that no packet has announced
  S->>C1: close: 1000 \"bye\"
";
    assert_eq!(chat().mermaid(), expected);
}

#[test]
fn named_clients_stand_on_both_sides_of_the_server() {
    let hello = || opened("/", vec![(ToServer, said("hello"))]);
    let mut both = transcript(&[hello(), hello()]);
    both.name(1, "Ada");
    both.name(2, "Bob");
    let text = both.to_string();
    assert!(text.starts_with("Ada > GET / HTTP/1.1\n"), "{text}");
    assert!(text.ends_with("\nBob > text, masked: hello\n"), "{text}");
    let diagram = both.mermaid();
    let expected = "sequenceDiagram
  participant C1 as Ada
  participant S as server
  participant C2 as Bob
  C1->>S: GET /, upgrade: websocket
";
    assert!(diagram.starts_with(expected), "{diagram}");
    assert!(diagram.ends_with("  C2->>S: text: hello\n"), "{diagram}");
}

/// What crates/book asks of a sequence diagram, what mermaid's own grammar does, and then
/// the renderer.
fn assert_renders(source: &str, messages: usize) {
    for mark in MERMAID {
        assert!(!source.contains(mark), "{mark} in\n{source}");
    }
    let mut lines = source.lines();
    assert_eq!(lines.next(), Some("sequenceDiagram"));
    let arrows = lines.filter(|line| {
        let message = line.split_once(": ");
        message.is_some_and(|(ends, text)| ends.contains("->>") && !text.is_empty())
    });
    assert_eq!(arrows.count(), messages, "{source}");
    let svg = render_strict(source, RenderOptions::default());
    let svg = svg.unwrap_or_else(|error| panic!("{error}:\n{source}"));
    assert!(svg.contains("<text"), "{source}");
}

#[test]
fn any_payload_makes_a_diagram_with_one_arrow_a_message() {
    let mut random = Random(11);
    let parts = [
        "-->>",
        "->>",
        "<-",
        "%%",
        "%%{init: {}}%%",
        "\n",
        "\\n",
        ";",
        ":",
        "#35;",
        "end",
        "loop",
        "\"",
        "'",
        "`",
        "```",
        "---",
        "<br/>",
        "</script>",
        "&lt;",
        "wrap:",
        "\u{2028}",
        "\u{85}",
        "😀",
        "한국어",
        " ",
        "{",
        "}",
        "$$",
        "\0",
        "Note over C",
    ];
    for _ in 0..150 {
        let mut text = String::new();
        for _ in 0..random.below(8) {
            text += random.one(&parts);
        }
        let wire = opened(
            "/",
            vec![(ToServer, said(&text)), (ToClient, answered(&text))],
        );
        let diagram = transcript(&[wire]).mermaid();
        assert_renders(&diagram, 4);
    }
}

#[test]
fn several_connections_are_several_participants() {
    let diagram = transcript(&sessions()).mermaid();
    assert!(
        diagram.contains("  participant C2 as client 2\n"),
        "{diagram}"
    );
    assert!(diagram.contains("  C2->>S: ping probe\n"), "{diagram}");
    // One arrow for a packet that came as a text and two binary messages.
    assert_eq!(diagram.matches("\"baz\"").count(), 1, "{diagram}");
    assert!(!diagram.contains("binary"), "{diagram}");
    assert_renders(&diagram, diagram.matches("->>").count());
}

#[test]
fn an_empty_transcript_is_still_a_diagram() {
    let records =
        [(1, Tcp::Opened), (1, Tcp::Reset)].map(|(connection, tcp)| Record {
            connection,
            at: Duration::ZERO,
            direction: ToServer,
            event: Event::Tcp(tcp),
        });
    let transcript: Transcript = records.into_iter().collect();
    assert_renders(&transcript.mermaid(), 1);
    assert_renders(&Transcript::default().mermaid(), 0);
}

#[test]
fn a_remark_and_what_was_not_decoded_are_shown() {
    let wire = vec![
        (ToServer, b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        (
            ToClient,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nno"
                .to_vec(),
        ),
        (ToClient, b" size\r\n".to_vec()),
    ];
    let mut transcript = transcript(&[wire]);
    transcript.push(Record {
        connection: 1,
        at: Duration::ZERO,
        direction: ToServer,
        event: Event::Note("told to stop; %% <-- loop".into()),
    });
    transcript.push(Record {
        connection: 1,
        at: Duration::ZERO,
        direction: ToServer,
        event: Event::Missed { n: 900 },
    });
    let text = transcript.normalised().to_string();
    for line in [
        "< hi\n< ! a broken chunk; shown as it came:\n< no size\n",
        "# told to stop; %% <-- loop\n# 900 events left out here\n",
    ] {
        assert!(text.contains(line), "{line:?} in\n{text}");
    }
    let diagram = transcript.mermaid();
    let notes = "  Note over C1,S: told to stop； ％％ ‹-- loop\n  \
        Note over C1,S: 900 events left out here\n";
    assert!(diagram.contains(notes), "{diagram}");
    assert_renders(&diagram, diagram.matches("->>").count());
}

#[test]
fn a_header_is_found_in_any_case() {
    let headers = vec![("X-Y".to_owned(), "1".to_owned())];
    assert_eq!(http::header(&headers, "x-y"), Some("1"));
    assert_eq!(http::header(&headers, "x-z"), None);
}
