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
            (ToClient, frame(0x82, None, &[1, 2, 250])),
            (ToClient, frame(0x01, None, b"42[\"x")),
            (ToClient, frame(0x80, None, b"\"]")),
            (ToClient, frame(0x88, None, b"\x03\xe8bye")),
        ],
    )])
}

#[test]
fn a_line_tells_connection_time_direction_layer_and_what_was_said() {
    let expected = r#"#1      0 ms →   http             GET /socket.io/?EIO=4&transport=websocket&sid=lv_VI97HAXpY6yYWAAAC HTTP/1.1
#1      1 ms ←   http             HTTP/1.1 101 Switching Protocols
#1      3 ms →     websocket      text 42["say","<b>hi</b> -->> %% \n"]
#1      4 ms →       engine.io    message 2["say","<b>hi</b> -->> %% \n"]
#1      5 ms →         socket.io  EVENT ["say","<b>hi</b> -->> %% \n"]
#1      7 ms →     websocket      ping
#1      9 ms ←     websocket      binary <01 02 fa> 3 bytes
#1     10 ms ←       engine.io    binary <01 02 fa> 3 bytes
#1     11 ms ←         socket.io  ! bytes that no packet has announced
#1     12 ms ←     websocket      the first frame, 5 bytes
#1     13 ms ←     websocket      the last frame, 2 bytes
#1     14 ms ←     websocket      text 42["x"]
#1     15 ms ←       engine.io    message 2["x"]
#1     16 ms ←         socket.io  EVENT ["x"]
#1     18 ms ←     websocket      close 1000 bye
"#;
    assert_eq!(chat().to_string(), expected);
}

#[test]
fn headers_frames_and_colours_are_shown_when_asked_for() {
    let plain = chat().text(Style::default());
    let style = Style {
        headers: true,
        frames: true,
        ..Style::default()
    };
    let more = chat().text(style);
    assert!(more.contains("→ "), "{more}");
    assert!(more.contains("  Upgrade: websocket\n"), "{more}");
    assert!(more.contains("the only frame, 0 bytes, masked"), "{more}");
    let colour = Style {
        colour: true,
        ..Style::default()
    };
    let coloured = chat().text(colour);
    assert!(coloured.contains("\x1b[36m→ "), "{coloured}");
    let mut stripped = coloured.replace("\x1b[0m", "");
    for code in ["\x1b[36m", "\x1b[33m"] {
        stripped = stripped.replace(code, "");
    }
    assert_eq!(stripped, plain);
}

#[test]
fn what_differs_from_run_to_run_becomes_placeholders() {
    let text = transcript(&sessions()).normalised().text(Style {
        headers: true,
        ..Style::default()
    });
    for part in [
        "#1 →   http             GET /socket.io/?EIO=4&transport=polling&t=0 HTTP/1.1\n",
        "&t=0&sid=sid-1 HTTP/1.1\n",
        "open {\"sid\":\"sid-1\",\"upgrades\"",
        "CONNECT {\"sid\":\"sid-2\"}\n",
        "#2 →   http             GET /socket.io/?EIO=4&transport=websocket&sid=sid-1 ",
        "CONNECT /admin {\"sid\":\"sid-3\"}\n",
        "ACK /admin id 13 [\"sid-2\"]\n",
        "Host: 127.0.0.1:3000\n",
        "Date: Thu, 01 Jan 1970 00:00:00 GMT\n",
        "Sec-WebSocket-Key: key-1\n",
        "Sec-WebSocket-Accept: accept-1\n",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    assert!(!text.contains(" ms "), "{text}");
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
fn masks_uuids_and_ports_are_placeholders_too() {
    let uuid = "0b2f9c1e-7a64-4a53-8d0c-1f1f6a3f2b11";
    let text = format!("{{\"id\":\"{uuid}\",\"at\":\"http://localhost:5123/x\"}}");
    let wire = opened("/", vec![(ToServer, said(&text))]);
    let normalised = transcript(&[wire]).normalised();
    let shown = normalised.to_string();
    let expected = "text {\"id\":\"uuid-1\",\"at\":\"http://localhost:3001/x\"}";
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
        ],
    );
    let text = transcript(&[wire]).to_string();
    assert!(text.contains("text \\u{1b}[31m\\u{202e}é\n"), "{text}");
    assert!(text.contains("yyy… (1000 bytes in all)\n"), "{text}");
    assert!(text.contains("! text that is not UTF-8\n"), "{text}");
    assert!(text.contains("text a\\xff\n"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() < 230),
        "{text}"
    );
}

#[test]
fn a_diagram_shows_the_highest_layer_of_each_message() {
    let expected = "%% title: A ‹chat›
sequenceDiagram
  participant C as client
  participant S as server
  C->>S: GET /socket.io/?<br/>EIO=4&transport=websoc<br/>ket&si… HTTP/1.1
  S->>C: HTTP/1.1 101 Switching Protocols
  C->>S: EVENT [\"say\",\"‹b›hi‹/<br/>b› --›› ％％ ∖n\"]
  C->>S: ping
  S->>C: binary ‹01 02 fa› 3 bytes
  S->>C: ! bytes that no packet has announced
  S->>C: EVENT [\"x\"]
  S->>C: close 1000 bye
";
    assert_eq!(chat().mermaid("A <chat>"), expected);
}

/// What crates/book asks of a sequence diagram, and then the renderer itself.
fn assert_renders(source: &str, messages: usize) {
    let mut lines = source.lines();
    let title = lines
        .next()
        .and_then(|line| line.strip_prefix("%% title: "));
    assert!(
        title.is_some_and(|title| !title.trim().is_empty()),
        "{source}"
    );
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
        let diagram = transcript(&[wire]).mermaid(&text);
        assert_renders(&diagram, 4);
    }
}

#[test]
fn several_connections_are_several_participants() {
    let diagram = transcript(&sessions()).mermaid("Two connections");
    assert!(
        diagram.contains("  participant C2 as connection 2\n"),
        "{diagram}"
    );
    assert!(diagram.contains("  C2->>S: ping probe\n"), "{diagram}");
    // One arrow for a packet that came as a text and two binary messages.
    assert_eq!(diagram.matches("\"baz\"").count(), 1, "{diagram}");
    assert!(!diagram.contains("binary"), "{diagram}");
    assert_renders(&diagram, diagram.matches("->>").count());
}

#[test]
fn an_empty_transcript_and_an_empty_title_are_still_a_diagram() {
    let records =
        [(1, Tcp::Opened), (1, Tcp::Reset)].map(|(connection, tcp)| Record {
            connection,
            at: Duration::ZERO,
            direction: ToServer,
            event: Event::Tcp(tcp),
        });
    let transcript: Transcript = records.into_iter().collect();
    assert_renders(&transcript.mermaid(" "), 1);
    assert_renders(&Transcript::default().mermaid("Nothing"), 0);
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
    let text = transcript.normalised().to_string();
    for line in [
        "#1 ←   http             body, 2 bytes, cut off: hi\n",
        "#1 ← bytes              not decoded from here on: a broken chunk\n",
        "#1 ← bytes              9 bytes were not decoded: no size\\r\\n\n",
        "#1 → note               # told to stop; %% <-- loop\n",
    ] {
        assert!(text.contains(line), "{line:?} in\n{text}");
    }
    let diagram = transcript.mermaid("Remarks");
    assert!(
        diagram.contains("  Note over C,S: # told to stop; ％％ ‹-- loop\n"),
        "{diagram}"
    );
    assert_renders(&diagram, diagram.matches("->>").count());
}

#[test]
fn a_header_is_found_in_any_case() {
    let headers = vec![("X-Y".to_owned(), "1".to_owned())];
    assert_eq!(http::header(&headers, "x-y"), Some("1"));
    assert_eq!(http::header(&headers, "x-z"), None);
}
