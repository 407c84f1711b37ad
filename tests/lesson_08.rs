//! The contract of lesson 08, `examples/08_socketio_by_hand`, and of its Node twin.

use contract::{
    ENGINE_IO, EngineIo, Frame, Lesson, Opcode, Peer, Request, Result, Server,
    bytes, handshake, peer,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

#[path = "contracts/program.rs"]
mod program;

fn lesson() -> Lesson {
    Lesson::new("08_socketio_by_hand")
}

/// The longest message, in bytes.
const LIMIT: usize = 1_000_000;

/// The namespaces that there are.
const BOTH: [&str; 2] = ["/", "/custom"];

/// Stands for the first attachment.
const PLACEHOLDER: &str = r#"{"_placeholder":true,"num":0}"#;

/// A session that is connected to `/`, with `auth` out of the way. Its transcript begins
/// after that.
async fn connected(server: &Server) -> Result<EngineIo> {
    let mut engine = server.engineio().await?;
    connect(&mut engine, "/").await?;
    engine.websocket().connection().forget();
    Ok(engine)
}

/// A server, and a session that is connected to `/`.
async fn one_client() -> Result<(Server, EngineIo)> {
    let server = lesson().start().await?;
    let engine = connected(&server).await?;
    Ok((server, engine))
}

/// Connects to a namespace, and returns the session id there.
async fn connect(engine: &mut EngineIo, namespace: &str) -> Result<String> {
    let mut socket = engine.of(namespace);
    let sid = socket.connect(Value::Null).await?;
    socket.expect_event("auth", json!([{}])).await?;
    Ok(sid)
}

/// Whether a new client gets its answer, whatever the others did.
async fn still_answers(server: &Server) -> Result {
    echoes(&mut connected(server).await?, "/").await
}

async fn echoes(engine: &mut EngineIo, namespace: &str) -> Result {
    comes_back(engine, namespace, json!(["still there?"])).await
}

/// Sends a message, and waits for it to come back.
async fn comes_back(
    engine: &mut EngineIo,
    namespace: &str,
    arguments: Value,
) -> Result {
    let mut socket = engine.of(namespace);
    socket.emit("message", arguments.clone()).await?;
    let back = socket.expect_event("message-back", arguments).await?;
    assert_eq!(back.id, None, "an ack is wanted");
    Ok(())
}

/// What happens after `packet`: `"closes"`, `"ignored"`, or the packet that answers it.
async fn expect_after(packet: &str, engine: &mut EngineIo, then: &str) -> Result {
    engine.send(packet).await?;
    match then {
        "closes" => engine.expect_closed().await,
        "ignored" => engine.of("/").expect_nothing().await,
        answer => engine.expect(answer).await,
    }
}

/// Each of these ends the session that sends it, and no other.
async fn each_closes<'a>(
    server: &Server,
    packets: impl IntoIterator<Item = &'a str>,
) -> Result {
    for packet in packets {
        let mut engine = connected(server).await?;
        expect_after(packet, &mut engine, "closes").await?;
    }
    still_answers(server).await
}

/// `tests/official/lesson_08.mjs`. The heartbeat is fast, for it to see several.
#[tokio::test]
#[ignore = "needs Node.js: npm ci --prefix examples"]
async fn the_official_client_works_with_it() -> Result {
    let brisk = lesson().env("PING_INTERVAL", 200);
    brisk.official_client("lesson_08", "websocket").await
}

#[tokio::test]
async fn a_bad_time_is_refused_in_one_line() -> Result {
    for (name, bad) in [
        ("PING_INTERVAL", ""),
        ("PING_INTERVAL", "-1"),
        ("PING_INTERVAL", "2147483648"),
        ("PING_TIMEOUT", "1.5"),
        ("CONNECT_TIMEOUT", "soon"),
    ] {
        let exit = lesson().env(name, bad).run().await?;
        let cause = format!("{name}={bad} is not a number of milliseconds");
        exit.expect_refusal(&cause)?;
    }
    Ok(())
}

mod engine_io {
    use super::*;

    #[tokio::test]
    async fn the_page_and_its_files_are_served() -> Result {
        let server = lesson().start().await?;
        for (path, content_type) in [
            ("/", "text/html; charset=utf-8"),
            ("/style.css", "text/css; charset=utf-8"),
            ("/page.js", "text/javascript; charset=utf-8"),
        ] {
            let response = server.request(Request::get(path)).await?;
            response
                .expect_status(200)?
                .expect_header("content-type", content_type)?;
        }
        for path in ["/nothing", "//", "/socket.io", "/socket.iox/"] {
            let response = server.request(Request::get(path)).await?;
            response.expect_status(404)?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn the_first_packet_says_how_the_session_goes() -> Result {
        let server = lesson().start().await?;
        let (one, two) = (server.engineio().await?, server.engineio().await?);
        let mut open = one.handshake().clone();
        let sid = open["sid"].take();
        let expected = json!({
            "sid": null,
            "upgrades": [],
            "pingInterval": 25_000,
            "pingTimeout": 20_000,
            "maxPayload": LIMIT,
        });
        assert_eq!(open, expected);
        assert_ne!(sid, two.handshake()["sid"]);
        let sid = sid.as_str().unwrap_or_default();
        assert!(sid.len() >= 20, "{sid:?} can be guessed");
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        assert!(sid.chars().all(safe), "{sid:?} does not fit in a URL");
        Ok(())
    }

    #[tokio::test]
    async fn what_does_not_open_a_session_is_refused_in_json() -> Result {
        let server = lesson().start().await?;
        let transport = (0, "Transport unknown");
        let resume = format!("{ENGINE_IO}&sid=abc");
        for (method, path, (code, message)) in [
            ("GET", "/socket.io/", transport),
            ("GET", "/socket.io/?EIO=4", transport),
            ("GET", "/socket.io/?EIO=4&transport=polling", transport),
            ("POST", "/socket.io/?EIO=4&transport=polling", transport),
            ("GET", "/socket.io/socket.io.js", transport),
            ("GET", &resume, (1, "Session ID unknown")),
            ("POST", ENGINE_IO, (2, "Bad handshake method")),
            ("GET", ENGINE_IO, (3, "Bad request")),
        ] {
            let response = server.request(Request::new(method, path)).await?;
            response
                .expect_status(400)?
                .expect_header("content-type", "application/json")?
                .expect_json(&json!({"code": code, "message": message}))?;
        }
        Ok(())
    }

    /// Node says it in plain words to whoever asks for an upgrade. Of an older version it
    /// finds out too late: it has said 101, and writes an HTTP response into what is a
    /// WebSocket by then.
    #[tokio::test]
    async fn a_refused_upgrade_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let version = "Unsupported protocol version";
        for (query, code, message) in [
            ("EIO=4&transport=polling", 0, "Transport unknown"),
            ("EIO=4&transport=websocket&sid=a", 1, "Session ID unknown"),
            ("EIO=3&transport=websocket", 5, version),
            ("transport=websocket", 5, version),
        ] {
            let request = handshake(&format!("/socket.io/?{query}"));
            let response = server.request(request).await?;
            match peer() {
                Peer::Rust => response
                    .expect_status(400)?
                    .expect_json(&json!({"code": code, "message": message}))?,
                Peer::Node if code == 5 => response.expect_status(101)?,
                Peer::Node => response.expect_status(400)?.expect_body(message)?,
            };
        }
        Ok(())
    }

    /// In Node, whoever knows the id of a session can take it over. The lesson has no way
    /// to come back to a session at all.
    #[tokio::test]
    async fn the_id_of_a_session_is_where_the_two_differ() -> Result {
        let (server, mut victim) = one_client().await?;
        let sid = victim.handshake()["sid"].as_str().unwrap_or_default();
        let path = format!("{ENGINE_IO}&sid={sid}");
        match peer() {
            Peer::Rust => {
                let message = "Session ID unknown";
                let response = server.request(handshake(&path)).await?;
                response
                    .expect_status(400)?
                    .expect_json(&json!({"code": 1, "message": message}))?;
                echoes(&mut victim, "/").await
            }
            Peer::Node => {
                let mut thief = server.websocket(&path).await?;
                thief.send_text("2probe").await?;
                thief.expect_text("3probe").await?;
                thief.send_text("5").await?;
                victim.expect_closed().await?;
                thief.send_text(r#"42["message","mine now"]"#).await?;
                thief.expect_text(r#"42["message-back","mine now"]"#).await
            }
        }
    }

    #[tokio::test]
    async fn what_breaks_the_rules_of_websocket_is_refused_with_its_code() -> Result
    {
        let server = lesson().start().await?;
        let keyless = handshake(ENGINE_IO).without("sec-websocket-key");
        server.request(keyless).await?.expect_status(400)?;
        let unmasked = Frame {
            masked: false,
            ..Frame::new(Opcode::Text, "40")
        };
        let half = vec![0; LIMIT / 2 + 1];
        for (frames, code) in [
            (vec![unmasked], 1002),
            (vec![Frame::new(Opcode::Reserved(3), "40")], 1002),
            (vec![Frame::new(Opcode::Text, *b"42\xff")], 1007),
            (vec![Frame::new(Opcode::Binary, vec![0; LIMIT + 1])], 1009),
            (
                vec![
                    Frame::new(Opcode::Binary, half.clone()).more_follows(),
                    Frame::new(Opcode::Continuation, half),
                ],
                1009,
            ),
        ] {
            let mut engine = connected(&server).await?;
            let socket = engine.websocket();
            for frame in frames {
                socket.send(frame).await?;
            }
            socket.expect_close(Some(code)).await?;
        }
        still_answers(&server).await
    }

    #[tokio::test]
    async fn websocket_has_pings_and_a_close_of_its_own() -> Result {
        let (_server, mut engine) = one_client().await?;
        let socket = engine.websocket();
        socket.send(Frame::new(Opcode::Ping, "there?")).await?;
        socket.expect(Opcode::Pong, "there?").await?;
        socket.send(Frame::close(1000, "done")).await?;
        socket.expect_close(Some(1000)).await
    }

    /// A packet is a message, in as many frames as the client likes.
    #[tokio::test]
    async fn packets_and_attachments_may_come_in_pieces() -> Result {
        let (_server, mut engine) = one_client().await?;
        let packet = format!(r#"451-["message",{PLACEHOLDER}]"#);
        let (start, end) = packet.split_at(9);
        let socket = engine.websocket();
        for (opcode, start, end) in [
            (Opcode::Text, start.as_bytes(), end.as_bytes()),
            (Opcode::Binary, b"by", b"tes"),
        ] {
            let start = Frame::new(opcode, start).more_follows();
            socket.send(start).await?;
            socket.send(Frame::new(Opcode::Ping, "")).await?;
            socket.expect(Opcode::Pong, "").await?;
            socket.send(Frame::new(Opcode::Continuation, end)).await?;
        }
        let back = json!([bytes(b"bytes")]);
        engine.of("/").expect_event("message-back", back).await?;
        Ok(())
    }

    #[tokio::test]
    async fn a_message_at_the_limit_is_taken() -> Result {
        let (_server, mut engine) = one_client().await?;
        let around = r#"42["message",""]"#.len();
        let long = json!(["x".repeat(LIMIT - around)]);
        comes_back(&mut engine, "/", long).await
    }

    /// Answers so many pings, however fast they come.
    async fn pings(engine: &mut EngineIo, count: usize) -> Result {
        engine.answer_pings(false);
        for _ in 0..count {
            engine.expect("2").await?;
            engine.send("3").await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn the_server_pings_and_whoever_answers_stays() -> Result {
        let server = lesson().env("PING_INTERVAL", 50).start().await?;
        let mut engine = connected(&server).await?;
        assert_eq!(engine.handshake()["pingInterval"], 50);
        pings(&mut engine, 5).await?;
        engine.answer_pings(true);
        echoes(&mut engine, "/").await
    }

    #[tokio::test]
    async fn whoever_does_not_answer_a_ping_is_closed() -> Result {
        let hasty = lesson().env("PING_INTERVAL", 50).env("PING_TIMEOUT", 50);
        let server = hasty.start().await?;
        let mut silent = server.engineio().await?;
        silent.websocket().connection().forget();
        silent.answer_pings(false);
        silent.expect("2").await?;
        silent.expect_closed().await
    }

    /// A pong may be behind something long, so the first packet that is no pong puts the
    /// deadline off. The second does not. The pings of another client are the clock.
    #[tokio::test]
    async fn whoever_says_something_else_to_a_ping_gets_more_time_once() -> Result {
        let patient = lesson()
            .env("PING_INTERVAL", 300)
            .env("PING_TIMEOUT", 2_000);
        let server = patient.start().await?;
        let mut busy = connected(&server).await?;
        let mut clock = connected(&server).await?;
        busy.answer_pings(false);
        busy.expect("2").await?;
        // After 900 ms of the 2000, it says something.
        pings(&mut clock, 4).await?;
        busy.send("6").await?;
        // After 2100 ms, it is still there, and says so.
        pings(&mut clock, 4).await?;
        echoes(&mut busy, "/").await?;
        // That has not put the deadline off again: since 2900 ms, nobody listens.
        pings(&mut clock, 4).await?;
        expect_after(r#"42["message"]"#, &mut busy, "closes").await
    }

    #[tokio::test]
    async fn without_a_namespace_in_time_a_session_is_closed() -> Result {
        let server = lesson().env("CONNECT_TIMEOUT", 50).start().await?;
        server.engineio().await?.expect_closed().await?;

        let mut lost = server.engineio().await?;
        lost.of("/nope").connect_error(Value::Null).await?;
        lost.expect_closed().await
    }

    #[tokio::test]
    async fn with_a_namespace_in_time_a_session_stays_even_without_one() -> Result {
        let server = lesson()
            .env("PING_INTERVAL", 100)
            .env("CONNECT_TIMEOUT", 1_000)
            .start()
            .await?;
        let mut engine = connected(&server).await?;
        engine.of("/").disconnect().await?;
        // The last of them comes after that time.
        pings(&mut engine, 12).await?;
        connect(&mut engine, "/").await.map(drop)
    }

    #[tokio::test]
    async fn clients_that_vanish_do_no_harm() -> Result {
        let server = lesson().start().await?;
        for half in [
            &[][..],
            &["40"],
            &["40", r#"42["ask-me"]"#],
            &["40", r#"451-["message",{"_placeholder":true,"num":0}]"#],
        ] {
            server.engineio_that_vanishes(half).await?;
        }
        still_answers(&server).await
    }

    /// The lesson does not read on while its answer finds no room, so it hangs up when the
    /// ping's time is over. Node reads on, and keeps all the answers, here of 30 MB.
    #[tokio::test]
    #[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
    async fn a_client_that_does_not_read_is_where_the_two_differ() -> Result {
        let server = lesson().env("PING_TIMEOUT", 300).start().await?;
        let mut deaf = connected(&server).await?;
        let before = server.memory()?;
        let long = json!(["x".repeat(LIMIT / 2)]);
        let mut failure = String::new();
        for _ in 0..60 {
            let sent = deaf.of("/").emit("message", long.clone()).await;
            if let Err(why) = sent {
                failure = why.to_string();
                break;
            }
            still_answers(&server).await?;
        }
        let grown = server.memory()?.saturating_sub(before) / 1_000_000;
        match peer() {
            Peer::Rust => {
                assert!(failure.contains("hung up"), "{failure}");
                assert!(grown < 10, "{grown} MB");
            }
            Peer::Node => {
                assert_eq!(failure, "");
                assert!(grown >= 30, "{grown} MB");
            }
        }
        still_answers(&server).await
    }
}

mod namespaces {
    use super::*;

    #[tokio::test]
    async fn each_has_a_session_id_of_its_own() -> Result {
        let server = lesson().start().await?;
        let mut engine = server.engineio().await?;
        let mut sids = vec![engine.handshake()["sid"].clone()];
        for namespace in BOTH {
            let sid = connect(&mut engine, namespace).await?;
            assert!(!sids.contains(&json!(sid)), "{sid} twice");
            sids.push(sid.into());
        }
        Ok(())
    }

    #[tokio::test]
    async fn the_auth_payload_comes_back_as_an_event() -> Result {
        let server = lesson().start().await?;
        let auth = json!({"token": "x", "deep": {"하늘": [1, null]}});
        for namespace in BOTH {
            for (auth, back) in [
                (Value::Null, json!({})),
                (json!({}), json!({})),
                (auth.clone(), auth.clone()),
            ] {
                let mut socket = server.socketio(namespace, auth).await?;
                socket.expect_event("auth", json!([back])).await?;
            }
        }
        Ok(())
    }

    /// The comma after a namespace may be left out if nothing follows.
    #[tokio::test]
    async fn the_shortest_way_to_connect_will_do() -> Result {
        let server = lesson().start().await?;
        for (packet, namespace) in
            [("40", "/"), ("40/,", "/"), ("40/custom", "/custom")]
        {
            let mut engine = server.engineio().await?;
            engine.send(packet).await?;
            let mut socket = engine.of(namespace);
            socket.expect_event("auth", json!([{}])).await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn two_share_a_connection_and_hear_nothing_of_each_other() -> Result {
        let (_server, mut engine) = one_client().await?;
        connect(&mut engine, "/custom").await?;
        for (one, other) in [("/", "/custom"), ("/custom", "/")] {
            echoes(&mut engine, one).await?;
            let mut socket = engine.of(one);
            let acked = socket.emit_with_ack("message-with-ack", json!([1]));
            assert_eq!(acked.await?, json!([1]));
            engine.of(other).expect_nothing().await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn to_leave_one_is_not_to_leave_the_other() -> Result {
        let server = lesson().start().await?;
        let mut engine = server.engineio().await?;
        let first = connect(&mut engine, "/").await?;
        connect(&mut engine, "/custom").await?;
        engine.websocket().connection().forget();
        engine.of("/").disconnect().await?;
        echoes(&mut engine, "/custom").await?;
        engine.of("/").expect_nothing().await?;
        // And it is possible to come back, as somebody else.
        assert_ne!(connect(&mut engine, "/").await?, first);
        echoes(&mut engine, "/").await
    }

    #[tokio::test]
    async fn an_unknown_one_is_an_error_and_the_connection_goes_on() -> Result {
        let (_server, mut engine) = one_client().await?;
        let unknown = "/nope /custom/ /Custom /custom?token=1 // /하늘 /__proto__";
        for unknown in unknown.split(' ') {
            let error = engine.of(unknown).connect_error(json!({"a": 1})).await?;
            assert_eq!(error, json!({"message": "Invalid namespace"}));
            echoes(&mut engine, "/").await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_packet_for_one_that_is_not_connected_closes_the_connection() -> Result
    {
        let server = lesson().start().await?;
        for packet in [r#"42["message"]"#, "430[]", "41"] {
            let mut engine = server.engineio().await?;
            expect_after(packet, &mut engine, "closes").await?;
        }
        // One that was connected, and is no more.
        let mut engine = connected(&server).await?;
        engine.of("/").disconnect().await?;
        engine.of("/").expect_nothing().await?;
        expect_after(r#"42["message"]"#, &mut engine, "closes").await?;
        // Another one than the one that is. Or to be connected twice.
        let packets = r#"42/custom,["message"]  42/nope,["message"]  43/custom,0[]
            41/custom,  40  40{}"#;
        each_closes(&server, packets.split_whitespace()).await
    }
}

mod events {
    use super::*;

    #[tokio::test]
    async fn what_is_sent_comes_back_in_an_event_an_ack_and_an_answer() -> Result {
        let (_server, mut engine) = one_client().await?;
        connect(&mut engine, "/custom").await?;
        let ten: Vec<Value> = (0..10).map(|n| bytes([n; 3])).collect();
        for namespace in BOTH {
            for arguments in [
                json!([]),
                json!([1]),
                json!([null]),
                json!([[]]),
                json!(["hello", 10, {"name": "allie"}]),
                json!([1, 2.5, -3e-9, true, null, "", [], {}, [[1], {"a": [null]}]]),
                json!(["하늘", "\u{1F980}", "\"\\\u{0}\u{2028}", "1-[", "/custom,"]),
                json!([{"__proto__": 1, "constructor": 2, "toString": 3}]),
                Value::Array((0..1_000).map(Value::from).collect()),
                json!([bytes(b"\x00\x01\xff")]),
                json!([bytes(b"")]),
                json!(["a", bytes(b"1"), {"b": [null, bytes(b"2")]}, bytes(b"3")]),
                json!([bytes(vec![7; LIMIT])]),
                json!(ten),
            ] {
                comes_back(&mut engine, namespace, arguments.clone()).await?;
                let mut socket = engine.of(namespace);
                let acked =
                    socket.emit_with_ack("message-with-ack", arguments.clone());
                assert_eq!(acked.await?, arguments);
                socket.emit("ask-me", arguments.clone()).await?;
                let question = socket.expect_event("question", arguments.clone());
                let question = question.await?;
                socket.ack(&question, arguments.clone()).await?;
                socket.expect_event("answered", arguments).await?;
            }
            engine.of(namespace).expect_nothing().await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn an_ack_has_the_id_of_its_event() -> Result {
        let (_server, mut engine) = one_client().await?;
        for id in ["0", "7", "7", "007", "9007199254740991"] {
            let packet = format!(r#"42{id}["message-with-ack","a"]"#);
            let id: u64 = id.parse().expect("digits");
            let ack = format!(r#"43{id}["a"]"#);
            expect_after(&packet, &mut engine, &ack).await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn what_asks_for_no_answer_gets_none() -> Result {
        let (_server, mut engine) = one_client().await?;
        let mut socket = engine.of("/");
        for name in "nothing| |Message|message |constructor|toString".split('|') {
            socket.emit(name, json!([1])).await?;
            socket.ask(name, json!([1])).await?;
        }
        socket.emit("message-with-ack", json!([1])).await?;
        // A name may be empty, or a number. And nobody has asked the last two.
        for packet in [r#"42["",1]"#, "42[1]", "437[]", r#"43123["a"]"#] {
            socket.engine().send(packet).await?;
        }
        socket.expect_nothing().await?;
        echoes(&mut engine, "/").await
    }

    #[tokio::test]
    async fn questions_may_be_answered_in_any_order_but_once() -> Result {
        let (_server, mut engine) = one_client().await?;
        let mut socket = engine.of("/");
        let mut questions = Vec::new();
        for n in 0..5 {
            socket.emit("ask-me", json!([n])).await?;
            questions.push(socket.expect_event("question", json!([n])).await?);
        }
        for question in questions.iter().rev() {
            let arguments = &question.arguments;
            socket.ack(question, arguments.clone()).await?;
            socket.expect_event("answered", arguments.clone()).await?;
        }
        for question in &questions {
            socket.ack(question, json!(["again"])).await?;
        }
        socket.expect_nothing().await
    }

    #[tokio::test]
    async fn nobody_can_answer_for_another() -> Result {
        let (server, mut asked) = one_client().await?;
        connect(&mut asked, "/custom").await?;
        let mut other = connected(&server).await?;
        asked.of("/").emit("ask-me", json!([])).await?;
        let question = asked.of("/").expect_event("question", json!([])).await?;
        for mut socket in [other.of("/"), asked.of("/custom")] {
            socket.ack(&question, json!(["I know"])).await?;
            socket.expect_nothing().await?;
        }
        let mut socket = asked.of("/");
        socket.expect_nothing().await?;
        socket.ack(&question, json!(["me"])).await?;
        socket.expect_event("answered", json!(["me"])).await?;
        Ok(())
    }

    #[tokio::test]
    async fn a_client_hears_nothing_of_another() -> Result {
        let (server, mut one) = one_client().await?;
        let mut two = connected(&server).await?;
        echoes(&mut one, "/").await?;
        one.of("/").emit("ask-me", json!([])).await?;
        one.of("/").expect_event("question", json!([])).await?;
        two.of("/").expect_nothing().await?;
        drop(one);
        two.of("/").expect_nothing().await
    }

    #[tokio::test]
    async fn answers_come_in_the_order_of_the_events() -> Result {
        let (_server, mut engine) = one_client().await?;
        let mut socket = engine.of("/");
        let arguments = |n| json!([n, bytes([0; 3])]);
        for n in 0..500 {
            socket.emit("message", arguments(n)).await?;
        }
        for n in 0..500 {
            socket.expect_event("message-back", arguments(n)).await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn many_clients_each_get_their_own_back() -> Result {
        let server = lesson().start().await?;
        let mut clients = JoinSet::new();
        for client in 0..50 {
            let mut engine = connected(&server).await?;
            clients.spawn(async move {
                for n in 0..20 {
                    comes_back(&mut engine, "/", json!([client, n])).await?;
                }
                Ok(20)
            });
        }
        let answered: Vec<Result<u32>> = clients.join_all().await;
        assert_eq!(answered.into_iter().sum::<Result<u32>>()?, 1_000);
        Ok(())
    }

    /// In this order on the wire, and numbered the other way round.
    #[tokio::test]
    async fn a_placeholder_says_which_attachment_it_stands_for() -> Result {
        let (_server, mut engine) = one_client().await?;
        let placeholder = |num| json!({"_placeholder": true, "num": num});
        let payload = json!(["message", placeholder(1), placeholder(0)]);
        engine.send(&format!("452-{payload}")).await?;
        // The heartbeat is a layer below, and may come in between.
        engine.send("3").await?;
        engine.send_bytes(b"first").await?;
        engine.send("3").await?;
        engine.send_bytes(b"second").await?;
        let back = json!([bytes(b"second"), bytes(b"first")]);
        engine.of("/").expect_event("message-back", back).await?;
        Ok(())
    }

    /// In a packet that announces no attachments.
    #[tokio::test]
    async fn what_only_looks_like_a_placeholder_is_an_argument() -> Result {
        let (_server, mut engine) = one_client().await?;
        let packet = format!(r#"42["message",{PLACEHOLDER}]"#);
        let back = format!(r#"42["message-back",{PLACEHOLDER}]"#);
        expect_after(&packet, &mut engine, &back).await
    }
}

mod malformed {
    use super::*;

    #[tokio::test]
    async fn what_is_no_packet_closes_the_connection() -> Result {
        let server = lesson().start().await?;
        // Two spaces between them; one is a part of a packet.
        let packets = [
            // Engine.IO: no packet, or one that only a server may send.
            "",
            "7  x  {}  2  2probe",
            // Socket.IO: no kind of packet.
            "4  47  4x  4-1  4하",
            // The wrong payload for its kind.
            r#"40[]  40null  40"x"  40{  41{}  41[]"#,
            r#"42{}  42[]  42null  42[null]  42[{}]  42[["message"]]"#,
            r#"42["message"  42["message"] x  42["message",]  42message"#,
            "430{}  430null",
            // An id is digits.
            r#"42-1["message-with-ack"]  42x["message-with-ack"]"#,
            // Only a server refuses.
            r#"44  44{"message":"no"}  44"no""#,
            // The number of attachments: none, or too many.
            r#"45  45["message"]  45-["message"]  450-["message"]  45x-["message"]"#,
            r#"45-1-["message"]  4511-["message"]  4599999999999999999999-["message"]"#,
            r#"451["message"]  460-0[]  460[]"#,
        ];
        let packets = packets.iter().flat_map(|line| line.split("  "));
        each_closes(&server, packets).await
    }

    #[tokio::test]
    async fn attachments_that_do_not_fit_close_the_connection() -> Result {
        let (server, mut engine) = one_client().await?;
        let event = |placeholder: &str| format!(r#"451-["message",{placeholder}]"#);
        // Bytes that nothing has announced.
        engine.send_bytes(b"a").await?;
        engine.expect_closed().await?;
        // One more than announced.
        let mut engine = connected(&server).await?;
        engine.send(&event(PLACEHOLDER)).await?;
        engine.send_bytes(b"a").await?;
        let back = json!([bytes(b"a")]);
        engine.of("/").expect_event("message-back", back).await?;
        engine.send_bytes(b"b").await?;
        engine.expect_closed().await?;
        // A packet where bytes are due.
        let mut engine = connected(&server).await?;
        engine.send(&event(PLACEHOLDER)).await?;
        expect_after(r#"42["message"]"#, &mut engine, "closes").await?;
        // Placeholders for what is not there.
        for num in ["1", "-1", "\"0\"", "null"] {
            let bad = PLACEHOLDER.replace('0', num);
            let mut engine = connected(&server).await?;
            engine.send(&event(&bad)).await?;
            engine.send_bytes(b"a").await?;
            engine.expect_closed().await?;
        }
        still_answers(&server).await
    }

    /// What a server sends, or what belongs to another transport.
    #[tokio::test]
    async fn engine_io_packets_without_a_meaning_here_are_ignored() -> Result {
        let (_server, mut engine) = one_client().await?;
        for packet in ["0", "0{}", "1", "3", "3probe", "5", "6"] {
            expect_after(packet, &mut engine, "ignored").await?;
        }
        echoes(&mut engine, "/").await
    }
}

/// Where the readings of the protocol differ. Each row is what is sent, and what the
/// lesson and the twin do then.
mod differences {
    use super::*;

    async fn differ(
        server: &Server,
        packet: &str,
        rust: &str,
        node: &str,
    ) -> Result {
        let then = match peer() {
            Peer::Rust => rust,
            Peer::Node => node,
        };
        let mut engine = connected(server).await?;
        expect_after(packet, &mut engine, then).await?;
        still_answers(server).await
    }

    #[tokio::test]
    async fn odd_packets_are_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        for (packet, rust, node) in [
            // Some names are the EventEmitter's own.
            (r#"42["connect"]"#, "ignored", "closes"),
            (r#"42["connect_error"]"#, "ignored", "closes"),
            (r#"42["disconnect"]"#, "ignored", "closes"),
            (r#"42["disconnecting"]"#, "ignored", "closes"),
            (r#"42["newListener"]"#, "ignored", "closes"),
            (r#"42["removeListener"]"#, "ignored", "closes"),
            // `Number(' ')` is 0 in JavaScript.
            (r#"42 ["message-with-ack"]"#, "ignored", "430[]"),
            // No payload.
            ("42", "closes", "ignored"),
            ("427", "closes", "ignored"),
            ("437", "closes", "ignored"),
        ] {
            differ(&server, packet, rust, node).await?;
        }
        Ok(())
    }

    /// What comes back, if anything does.
    #[tokio::test]
    async fn values_are_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let lists = |depth| "[".repeat(depth) + &"]".repeat(depth);
        let (ok, too_deep) = (lists(126), lists(127));
        for (value, rust, node) in [
            // A double is exact up to 2^53, and has no limit that would be an error.
            ("1.0", "1.0", "1"),
            ("9007199254740993", "9007199254740993", "9007199254740992"),
            ("1e400", "closes", "null"),
            // Half of a surrogate pair is a string in JavaScript, and none in Rust.
            (r#""\ud800""#, "closes", r#""\ud800""#),
            // serde_json reads 127 lists in lists: with the payload's own, 126.
            (&ok, &ok, &ok),
            (&too_deep, "closes", &too_deep),
        ] {
            let [rust, node] = [rust, node].map(|then| match then {
                "closes" => then.to_owned(),
                value => format!(r#"42["message-back",{value}]"#),
            });
            let packet = format!(r#"42["message",{value}]"#);
            differ(&server, &packet, &rust, &node).await?;
        }
        Ok(())
    }

    /// An id is an integer of 64 bits in Rust, and a double in JavaScript.
    #[tokio::test]
    async fn large_ids_are_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let rounded = "4318446744073709552000[]";
        for (id, rust) in [
            ("18446744073709551615", "4318446744073709551615[]"),
            ("18446744073709551616", "closes"),
        ] {
            let packet = format!(r#"42{id}["message-with-ack"]"#);
            differ(&server, &packet, rust, rounded).await?;
        }
        Ok(())
    }

    /// Node reads any number of lists in lists, but cannot write 5000: that is an
    /// exception, and the twin catches it.
    #[tokio::test]
    async fn thousands_of_lists_in_lists_are_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        for depth in [5_000, LIMIT / 3] {
            let mut engine = connected(&server).await?;
            let lists = "[".repeat(depth) + &"]".repeat(depth);
            let packet = format!(r#"42["message",{lists}]"#);
            engine.send(&packet).await?;
            if peer() == Peer::Node {
                engine.expect("41").await?;
            }
            engine.expect_closed().await?;
        }
        still_answers(&server).await
    }

    /// Node takes an attachment that no placeholder stands for, and two placeholders for
    /// one attachment, which it sends back twice: a short packet can make a long one. In
    /// Base64, bytes may be text, as in long-polling.
    #[tokio::test]
    async fn attachments_are_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let placeholders = |n| format!(",{PLACEHOLDER}").repeat(n);
        let a = || bytes(b"a");
        for (count, in_base64, back) in [
            (0, false, json!([])),
            (2, false, json!([a(), a()])),
            (1, true, json!([a()])),
        ] {
            let mut engine = connected(&server).await?;
            let packet = format!(r#"451-["message"{}]"#, placeholders(count));
            engine.send(&packet).await?;
            match in_base64 {
                true => engine.send("bYQ==").await?,
                false => engine.send_bytes(b"a").await?,
            }
            match peer() {
                Peer::Rust => engine.expect_closed().await?,
                Peer::Node => {
                    engine.of("/").expect_event("message-back", back).await?;
                }
            }
        }
        Ok(())
    }

    /// In Node the callback is one more argument. The twin passes all of them to `emit`,
    /// which takes it for its own: the client's answer goes back to the client.
    #[tokio::test]
    async fn a_message_that_wants_an_ack_is_where_the_two_differ() -> Result {
        let (_server, mut engine) = one_client().await?;
        let mut socket = engine.of("/");
        let id = socket.ask("message", json!([1])).await?;
        let back = socket.expect_event("message-back", json!([1])).await?;
        match peer() {
            Peer::Rust => assert_eq!(back.id, None),
            Peer::Node => {
                socket.ack(&back, json!(["mine"])).await?;
                assert_eq!(socket.acked(id).await?, json!(["mine"]));
            }
        }
        socket.expect_nothing().await
    }
}

mod recorded {
    use super::*;
    use contract::{compare_diagram_with_the_book, compare_with_the_book};

    fn compare(name: &str, mut engine: EngineIo) -> Result {
        compare_with_the_book(name, engine.websocket().connection().transcript())
    }

    /// An ack from the server, and one from the client.
    async fn acks(engine: &mut EngineIo) -> Result {
        let mut socket = engine.of("/");
        let acked = socket.emit_with_ack("message-with-ack", json!(["hello"]));
        acked.await?;
        socket.emit("ask-me", json!(["ready"])).await?;
        let question = socket.expect_event("question", json!(["ready"])).await?;
        socket.ack(&question, json!(["yes"])).await?;
        socket.expect_event("answered", json!(["yes"])).await?;
        Ok(())
    }

    #[tokio::test]
    async fn recorded_session() -> Result {
        let server = lesson().start().await?;
        let mut engine = server.engineio().await?;
        engine.send(r#"40{"token":"x"}"#).await?;
        let auth = json!([{"token": "x"}]);
        engine.of("/").expect_event("auth", auth).await?;
        comes_back(&mut engine, "/", json!(["hello", 10])).await?;
        acks(&mut engine).await?;
        compare("08-session", engine)
    }

    #[tokio::test]
    async fn recorded_acks() -> Result {
        let (_server, mut engine) = one_client().await?;
        acks(&mut engine).await?;
        let transcript = engine.websocket().connection().transcript();
        compare_diagram_with_the_book("08-acks", transcript)
    }

    #[tokio::test]
    async fn recorded_namespaces() -> Result {
        let (_server, mut engine) = one_client().await?;
        connect(&mut engine, "/custom").await?;
        comes_back(&mut engine, "/custom", json!(["here"])).await?;
        engine.of("/custom").disconnect().await?;
        engine.of("/nope").connect_error(Value::Null).await?;
        compare("08-namespaces", engine)
    }

    #[tokio::test]
    async fn recorded_bytes() -> Result {
        let (_server, mut engine) = one_client().await?;
        let arguments = json!(["a file", bytes(b"\x01\x02\xff")]);
        comes_back(&mut engine, "/", arguments).await?;
        compare("08-bytes", engine)
    }

    #[tokio::test]
    async fn recorded_heartbeat() -> Result {
        let brisk = lesson().env("PING_INTERVAL", 50).env("PING_TIMEOUT", 1_000);
        let server = brisk.start().await?;
        let mut engine = server.engineio().await?;
        engine.websocket().connection().forget();
        engine.answer_pings(false);
        engine.expect("2").await?;
        engine.send("3").await?;
        engine.expect("2").await?;
        let connection = engine.websocket().connection();
        connection.note("this time it does not answer");
        engine.expect_closed().await?;
        compare("08-heartbeat", engine)
    }
}
