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

/// A session that is connected to `/`, with `auth` out of the way. Its transcript begins
/// after that.
async fn connected(server: &Server) -> Result<EngineIo> {
    let mut engine = server.engineio().await?;
    connect(&mut engine, "/").await?;
    engine.websocket().connection().forget();
    Ok(engine)
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
    let mut engine = connected(server).await?;
    echoes(&mut engine, "/").await
}

async fn echoes(engine: &mut EngineIo, namespace: &str) -> Result {
    let mut socket = engine.of(namespace);
    socket.emit("message", json!(["still there?"])).await?;
    let back = socket.expect_event("message-back", json!(["still there?"]));
    back.await.map(drop)
}

/// `tests/official/lesson_08.mjs`. The heartbeat is fast, for it to see several.
#[tokio::test]
#[ignore = "needs Node.js: npm ci --prefix examples"]
async fn the_official_client_works_with_it() -> Result {
    let brisk = lesson().env("PING_INTERVAL", 200);
    brisk.official_client("lesson_08", "websocket").await
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
        let get = Request::get;
        let post = |path| Request::new("POST", path);
        for (request, code, message) in [
            (get("/socket.io/"), 0, "Transport unknown"),
            (get("/socket.io/?EIO=4"), 0, "Transport unknown"),
            (
                get("/socket.io/?EIO=4&transport=polling"),
                0,
                "Transport unknown",
            ),
            (get("/socket.io/socket.io.js"), 0, "Transport unknown"),
            (
                post("/socket.io/?EIO=4&transport=polling"),
                0,
                "Transport unknown",
            ),
            (
                get("/socket.io/?EIO=4&transport=websocket&sid=abc"),
                1,
                "Session ID unknown",
            ),
            (post(ENGINE_IO), 2, "Bad handshake method"),
            (get(ENGINE_IO), 3, "Bad request"),
        ] {
            let response = server.request(request).await?;
            response
                .expect_status(400)?
                .expect_header("content-type", "application/json")?
                .expect_json(&json!({"code": code, "message": message}))?;
        }
        Ok(())
    }

    /// Node says it in plain words to whoever asks for an upgrade.
    #[tokio::test]
    async fn a_refused_upgrade_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        for (query, code, message) in [
            ("EIO=4&transport=polling", 0, "Transport unknown"),
            ("EIO=4&transport=websocket&sid=a", 1, "Session ID unknown"),
        ] {
            let request = handshake(&format!("/socket.io/?{query}"));
            let response = server.request(request).await?;
            response.expect_status(400)?;
            match peer() {
                Peer::Rust => response
                    .expect_json(&json!({"code": code, "message": message}))?,
                Peer::Node => response.expect_body(message)?,
            };
        }
        Ok(())
    }

    /// In Node, whoever knows the id of a session can take it over. The lesson has no way
    /// to come back to a session at all.
    #[tokio::test]
    async fn the_id_of_a_session_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let mut victim = connected(&server).await?;
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

    /// Node finds out too late: it has said 101, and writes an HTTP response into what is
    /// a WebSocket by then.
    #[tokio::test]
    async fn an_older_version_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        for path in [
            "/socket.io/?EIO=3&transport=websocket",
            "/socket.io/?transport=websocket",
        ] {
            let response = server.request(handshake(path)).await?;
            match peer() {
                Peer::Rust => {
                    let message = "Unsupported protocol version";
                    response
                        .expect_status(400)?
                        .expect_json(&json!({"code": 5, "message": message}))?;
                }
                Peer::Node => {
                    response.expect_status(101)?;
                }
            }
        }
        Ok(())
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
        for (frame, code) in [
            (unmasked, 1002),
            (Frame::new(Opcode::Reserved(3), "40"), 1002),
            (Frame::new(Opcode::Text, *b"42\xff"), 1007),
            (Frame::new(Opcode::Binary, vec![0; LIMIT + 1]), 1009),
        ] {
            let mut engine = connected(&server).await?;
            let socket = engine.websocket();
            socket.send(frame).await?;
            socket.expect_close(Some(code)).await?;
        }
        still_answers(&server).await
    }

    #[tokio::test]
    async fn websocket_has_pings_and_a_close_of_its_own() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        let socket = engine.websocket();
        socket.send(Frame::new(Opcode::Ping, "there?")).await?;
        socket.expect(Opcode::Pong, "there?").await?;
        socket.send(Frame::close(1000, "done")).await?;
        socket.expect_close(Some(1000)).await
    }

    #[tokio::test]
    async fn a_message_at_the_limit_is_taken() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        let around = r#"42["message",""]"#.len();
        let long = json!(["x".repeat(LIMIT - around)]);
        let mut socket = engine.of("/");
        socket.emit("message", long.clone()).await?;
        socket.expect_event("message-back", long).await?;
        Ok(())
    }

    #[tokio::test]
    async fn the_server_pings_and_whoever_answers_stays() -> Result {
        let server = lesson().env("PING_INTERVAL", 50).start().await?;
        let mut engine = connected(&server).await?;
        assert_eq!(engine.handshake()["pingInterval"], 50);
        engine.answer_pings(false);
        for _ in 0..5 {
            engine.expect("2").await?;
            engine.send("3").await?;
        }
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

    /// Only a pong will do.
    #[tokio::test]
    async fn whoever_says_something_else_to_a_ping_is_closed() -> Result {
        let hasty = lesson().env("PING_INTERVAL", 50).env("PING_TIMEOUT", 50);
        let server = hasty.start().await?;
        let mut busy = server.engineio().await?;
        busy.answer_pings(false);
        busy.expect("2").await?;
        busy.send("6").await?;
        busy.expect_closed().await
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
        let hasty = lesson()
            .env("PING_INTERVAL", 100)
            .env("CONNECT_TIMEOUT", 100);
        let server = hasty.start().await?;
        let mut engine = connected(&server).await?;
        engine.of("/").disconnect().await?;
        engine.answer_pings(false);
        for _ in 0..3 {
            engine.expect("2").await?;
            engine.send("3").await?;
        }
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
    /// ping's time is over. Node reads on, and keeps all the answers.
    #[tokio::test]
    async fn a_client_that_does_not_read_is_where_the_two_differ() -> Result {
        let server = lesson().env("PING_TIMEOUT", 300).start().await?;
        let mut deaf = connected(&server).await?;
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
        match peer() {
            Peer::Rust => assert!(failure.contains("hung up"), "{failure}"),
            Peer::Node => assert_eq!(failure, ""),
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
        for namespace in ["/", "/custom"] {
            let sid = connect(&mut engine, namespace).await?;
            assert!(!sids.contains(&json!(sid)), "{sid} twice");
            sids.push(sid.into());
        }
        Ok(())
    }

    #[tokio::test]
    async fn the_auth_payload_comes_back_as_an_event() -> Result {
        let server = lesson().start().await?;
        for namespace in ["/", "/custom"] {
            for auth in [
                json!({}),
                json!({"token": "x", "deep": {"하늘": [1, null]}}),
            ] {
                let mut socket = server.socketio(namespace, auth.clone()).await?;
                socket.expect_event("auth", json!([auth])).await?;
            }
            let mut socket = server.socketio(namespace, Value::Null).await?;
            socket.expect_event("auth", json!([{}])).await?;
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
        let server = lesson().start().await?;
        let mut engine = server.engineio().await?;
        connect(&mut engine, "/custom").await?;
        connect(&mut engine, "/").await?;
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
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        for unknown in [
            "/nope",
            "/custom/",
            "/Custom",
            "/custom?token=1",
            "//",
            "/하늘",
            "/__proto__",
        ] {
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
        for packet in [
            r#"42/custom,["message"]"#,
            r#"42/nope,["message"]"#,
            "43/custom,0[]",
            "41/custom,",
            "40",
            "40{}",
        ] {
            let mut engine = connected(&server).await?;
            engine.send(packet).await?;
            engine.expect_closed().await?;
        }
        for packet in [r#"42["message"]"#, "430[]", "41"] {
            let mut engine = server.engineio().await?;
            engine.send(packet).await?;
            engine.expect_closed().await?;
        }
        // One that was connected, and is no more.
        let mut engine = connected(&server).await?;
        engine.of("/").disconnect().await?;
        engine.of("/").expect_nothing().await?;
        engine.send(r#"42["message"]"#).await?;
        engine.expect_closed().await?;
        still_answers(&server).await
    }
}

mod events {
    use super::*;

    fn all_kinds() -> Vec<Value> {
        vec![
            json!([]),
            json!([1]),
            json!([null]),
            json!([[]]),
            json!(["hello", 10, {"name": "allie"}]),
            json!([1, 2.5, -3e-9, true, null, "", [], {}, [[1], {"a": [null]}]]),
            json!(["하늘", "\u{1F980}", "\"\\\u{0}\u{2028}", "1-[", "/custom,"]),
            json!([{"__proto__": 1, "constructor": 2, "toString": 3}]),
            Value::Array((0..1_000).map(Value::from).collect()),
        ]
    }

    #[tokio::test]
    async fn a_message_comes_back_with_all_its_arguments() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        connect(&mut engine, "/custom").await?;
        for namespace in ["/", "/custom"] {
            let mut socket = engine.of(namespace);
            for arguments in all_kinds() {
                socket.emit("message", arguments.clone()).await?;
                let back = socket.expect_event("message-back", arguments).await?;
                assert_eq!(back.id, None);
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn an_ack_has_all_the_arguments_of_its_event() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        connect(&mut engine, "/custom").await?;
        for namespace in ["/", "/custom"] {
            let mut socket = engine.of(namespace);
            for arguments in all_kinds() {
                let acked =
                    socket.emit_with_ack("message-with-ack", arguments.clone());
                assert_eq!(acked.await?, arguments);
            }
            socket.expect_nothing().await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn an_ack_has_the_id_of_its_event() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        for (id, same) in [
            ("0", "0"),
            ("7", "7"),
            ("7", "7"),
            ("007", "7"),
            ("9007199254740991", "9007199254740991"),
        ] {
            let ask = format!(r#"42{id}["message-with-ack","a"]"#);
            engine.send(&ask).await?;
            engine.expect(&format!(r#"43{same}["a"]"#)).await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn nobody_acks_what_did_not_ask_for_it() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        let mut socket = engine.of("/");
        socket.emit("message-with-ack", json!([1])).await?;
        socket.expect_nothing().await
    }

    #[tokio::test]
    async fn an_unknown_event_is_not_answered() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        let mut socket = engine.of("/");
        for name in [
            "nothing",
            "",
            "Message",
            "message ",
            "constructor",
            "toString",
        ] {
            socket.emit(name, json!([1])).await?;
            socket.ask(name, json!([1])).await?;
        }
        // A number may be a name.
        socket.engine().send("42[1]").await?;
        // Nobody has asked these.
        socket.engine().send("437[]").await?;
        socket.engine().send(r#"43123["a"]"#).await?;
        socket.expect_nothing().await?;
        echoes(&mut engine, "/").await
    }

    #[tokio::test]
    async fn the_server_asks_and_says_what_it_was_answered() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        connect(&mut engine, "/custom").await?;
        for namespace in ["/", "/custom"] {
            let mut socket = engine.of(namespace);
            for arguments in all_kinds() {
                socket.emit("ask-me", arguments.clone()).await?;
                let question =
                    socket.expect_event("question", arguments.clone()).await?;
                socket.ack(&question, arguments.clone()).await?;
                socket.expect_event("answered", arguments).await?;
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn questions_may_be_answered_in_any_order_but_once() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        let mut socket = engine.of("/");
        let mut questions = Vec::new();
        for n in 0..5 {
            socket.emit("ask-me", json!([n])).await?;
            questions.push(socket.expect_event("question", json!([n])).await?);
        }
        for question in questions.iter().rev() {
            socket.ack(question, question.arguments.clone()).await?;
            let answered =
                socket.expect_event("answered", question.arguments.clone());
            answered.await?;
        }
        for question in &questions {
            socket.ack(question, json!(["again"])).await?;
        }
        socket.expect_nothing().await
    }

    #[tokio::test]
    async fn nobody_can_answer_for_another() -> Result {
        let server = lesson().start().await?;
        let mut asked = connected(&server).await?;
        connect(&mut asked, "/custom").await?;
        let mut other = connected(&server).await?;
        asked.of("/").emit("ask-me", json!([])).await?;
        let question = asked.of("/").expect_event("question", json!([])).await?;
        other.of("/").ack(&question, json!(["I know"])).await?;
        other.of("/").expect_nothing().await?;
        let mut custom = asked.of("/custom");
        custom.ack(&question, json!(["I know"])).await?;
        custom.expect_nothing().await?;
        let mut socket = asked.of("/");
        socket.expect_nothing().await?;
        socket.ack(&question, json!(["me"])).await?;
        socket.expect_event("answered", json!(["me"])).await?;
        Ok(())
    }

    #[tokio::test]
    async fn a_client_hears_nothing_of_another() -> Result {
        let server = lesson().start().await?;
        let (mut one, mut two) =
            (connected(&server).await?, connected(&server).await?);
        echoes(&mut one, "/").await?;
        one.of("/").emit("ask-me", json!([])).await?;
        one.of("/").expect_event("question", json!([])).await?;
        two.of("/").expect_nothing().await?;
        drop(one);
        two.of("/").expect_nothing().await
    }

    #[tokio::test]
    async fn answers_come_in_the_order_of_the_events() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        let mut socket = engine.of("/");
        for n in 0..500 {
            socket.emit("message", json!([n, bytes([0; 3])])).await?;
        }
        for n in 0..500 {
            let expected = json!([n, bytes([0; 3])]);
            socket.expect_event("message-back", expected).await?;
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
                    let mut socket = engine.of("/");
                    let arguments = json!([client, n]);
                    socket.emit("message", arguments.clone()).await?;
                    socket.expect_event("message-back", arguments).await?;
                }
                Ok(20)
            });
        }
        let answered: Vec<Result<u32>> = clients.join_all().await;
        assert_eq!(answered.into_iter().sum::<Result<u32>>()?, 1_000);
        Ok(())
    }

    #[tokio::test]
    async fn bytes_come_back_as_bytes() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        connect(&mut engine, "/custom").await?;
        let ten: Vec<Value> = (0..10).map(|n| bytes([n; 3])).collect();
        for namespace in ["/", "/custom"] {
            let mut socket = engine.of(namespace);
            for arguments in [
                json!([bytes(b"\x00\x01\xff")]),
                json!([bytes(b"")]),
                json!(["a", bytes(b"1"), {"b": [null, bytes(b"2")]}, bytes(b"3")]),
                json!([bytes(vec![7; LIMIT])]),
                json!(ten),
            ] {
                socket.emit("message", arguments.clone()).await?;
                socket
                    .expect_event("message-back", arguments.clone())
                    .await?;
                let acked =
                    socket.emit_with_ack("message-with-ack", arguments.clone());
                assert_eq!(acked.await?, arguments);
                socket.emit("ask-me", arguments.clone()).await?;
                let question =
                    socket.expect_event("question", arguments.clone()).await?;
                socket.ack(&question, arguments.clone()).await?;
                socket.expect_event("answered", arguments).await?;
            }
        }
        Ok(())
    }

    /// In this order on the wire, and numbered the other way round.
    #[tokio::test]
    async fn a_placeholder_says_which_attachment_it_stands_for() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        let placeholder = |num| json!({"_placeholder": true, "num": num});
        let payload = json!(["message", placeholder(1), placeholder(0)]);
        engine.send(&format!("452-{payload}")).await?;
        // The heartbeat is a layer below, and may come in between.
        engine.send("3").await?;
        engine.send_bytes(b"first").await?;
        engine.send("3").await?;
        engine.send_bytes(b"second").await?;
        let expected = json!([bytes(b"second"), bytes(b"first")]);
        let mut socket = engine.of("/");
        socket.expect_event("message-back", expected).await?;
        Ok(())
    }

    /// In a packet that announces no attachments.
    #[tokio::test]
    async fn what_only_looks_like_a_placeholder_is_an_argument() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        let look_alike = r#"{"_placeholder":true,"num":0}"#;
        engine
            .send(&format!(r#"42["message",{look_alike}]"#))
            .await?;
        engine
            .expect(&format!(r#"42["message-back",{look_alike}]"#))
            .await
    }
}

mod malformed {
    use super::*;

    #[tokio::test]
    async fn what_is_no_packet_closes_the_connection() -> Result {
        let server = lesson().start().await?;
        for bad in [
            // Engine.IO: no packet, or one that only a server may send.
            "",
            "7",
            "x",
            "{}",
            "2",
            "2probe",
            // Socket.IO: no kind of packet.
            "4",
            "47",
            "4x",
            "4-1",
            "4하",
            // The wrong payload for its kind.
            "40[]",
            "40null",
            "40\"x\"",
            "40{",
            "41{}",
            "41[]",
            "42{}",
            "42[]",
            "42null",
            "42[null]",
            "42[{}]",
            "42[[\"message\"]]",
            "42[\"message\"",
            "42[\"message\"] x",
            "42[\"message\",]",
            "42message",
            "430{}",
            "430null",
            // An id is digits.
            "42-1[\"message-with-ack\"]",
            "42x[\"message-with-ack\"]",
            // Only a server refuses.
            "44",
            "44{\"message\":\"no\"}",
            "44\"no\"",
            // The number of attachments: none, or too many.
            "45",
            "45[\"message\"]",
            "45-[\"message\"]",
            "450-[\"message\"]",
            "45x-[\"message\"]",
            "45-1-[\"message\"]",
            "4511-[\"message\"]",
            "4599999999999999999999-[\"message\"]",
            "451[\"message\"]",
            "460-0[]",
            "460[]",
        ] {
            let mut engine = connected(&server).await?;
            engine.send(bad).await?;
            engine.expect_closed().await.map_err(|failure| {
                contract::Failure::new(format!("{bad}: {failure}"))
            })?;
        }
        still_answers(&server).await
    }

    #[tokio::test]
    async fn attachments_that_do_not_fit_close_the_connection() -> Result {
        let server = lesson().start().await?;
        let event = |placeholder| format!(r#"451-["message",{placeholder}]"#);
        let good = event(r#"{"_placeholder":true,"num":0}"#);
        // Bytes that nothing has announced.
        let mut engine = connected(&server).await?;
        engine.send_bytes(b"a").await?;
        engine.expect_closed().await?;
        // One more than announced.
        let mut engine = connected(&server).await?;
        engine.send(&good).await?;
        engine.send_bytes(b"a").await?;
        engine
            .of("/")
            .expect_event("message-back", json!([bytes(b"a")]))
            .await?;
        engine.send_bytes(b"b").await?;
        engine.expect_closed().await?;
        // A packet where bytes are due.
        let mut engine = connected(&server).await?;
        engine.send(&good).await?;
        engine.send(r#"42["message"]"#).await?;
        engine.expect_closed().await?;
        // Placeholders for what is not there.
        for bad in [
            r#"{"_placeholder":true,"num":1}"#,
            r#"{"_placeholder":true,"num":-1}"#,
            r#"{"_placeholder":true,"num":"0"}"#,
            r#"{"_placeholder":true}"#,
        ] {
            let mut engine = connected(&server).await?;
            engine.send(&event(bad)).await?;
            engine.send_bytes(b"a").await?;
            engine.expect_closed().await?;
        }
        still_answers(&server).await
    }

    /// What a server sends, or what belongs to another transport.
    #[tokio::test]
    async fn engine_io_packets_without_a_meaning_here_are_ignored() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        for packet in ["0", "0{}", "1", "3", "3probe", "5", "6"] {
            engine.send(packet).await?;
        }
        engine.of("/").expect_nothing().await?;
        echoes(&mut engine, "/").await
    }
}

/// Where the readings of the protocol differ. Each row is what is sent, and what the
/// lesson and the twin do then: answer with a packet, ignore it, or close.
mod differences {
    use super::*;

    enum Then {
        Answers(&'static str),
        Ignores,
        Closes,
    }
    use Then::{Answers, Closes, Ignores};

    async fn differ(rows: &[(&str, Then, Then)]) -> Result {
        let server = lesson().start().await?;
        for (packet, rust, node) in rows {
            let mut engine = connected(&server).await?;
            engine.send(packet).await?;
            let then = match peer() {
                Peer::Rust => rust,
                Peer::Node => node,
            };
            match then {
                Answers(answer) => engine.expect(answer).await?,
                Ignores => engine.of("/").expect_nothing().await?,
                Closes => engine.expect_closed().await?,
            }
        }
        still_answers(&server).await
    }

    /// Some names are the EventEmitter's own, and `Number(' ')` is 0 in JavaScript.
    #[tokio::test]
    async fn odd_packets_are_where_the_two_differ() -> Result {
        differ(&[
            (r#"42["connect"]"#, Ignores, Closes),
            (r#"42["disconnecting"]"#, Ignores, Closes),
            (r#"42["newListener"]"#, Ignores, Closes),
            (r#"42 ["message-with-ack"]"#, Ignores, Answers("430[]")),
            ("42", Closes, Ignores),
            ("427", Closes, Ignores),
            ("437", Closes, Ignores),
        ])
        .await
    }

    /// A double is exact up to 2^53, and has no limit that would be an error.
    #[tokio::test]
    async fn numbers_are_where_the_two_differ() -> Result {
        differ(&[
            (
                r#"42["message",1.0]"#,
                Answers(r#"42["message-back",1.0]"#),
                Answers(r#"42["message-back",1]"#),
            ),
            (
                r#"42["message",9007199254740993]"#,
                Answers(r#"42["message-back",9007199254740993]"#),
                Answers(r#"42["message-back",9007199254740992]"#),
            ),
            (
                r#"42["message",1e400]"#,
                Closes,
                Answers(r#"42["message-back",null]"#),
            ),
            (
                r#"4218446744073709551615["message-with-ack"]"#,
                Answers("4318446744073709551615[]"),
                Answers("4318446744073709552000[]"),
            ),
            (
                r#"4218446744073709551616["message-with-ack"]"#,
                Closes,
                Answers("4318446744073709552000[]"),
            ),
        ])
        .await
    }

    /// Half of a surrogate pair is a string in JavaScript, and none in Rust.
    #[tokio::test]
    async fn half_a_character_is_where_the_two_differ() -> Result {
        differ(&[(
            r#"42["message","\ud800"]"#,
            Closes,
            Answers(r#"42["message-back","\ud800"]"#),
        )])
        .await
    }

    /// serde_json reads 127 lists in lists. Node reads any number, but cannot write 5000:
    /// that is an exception, and the twin catches it.
    #[tokio::test]
    async fn lists_in_lists_are_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let nested = |depth| {
            let (open, close) = ("[".repeat(depth), "]".repeat(depth));
            format!("{open}{close}")
        };
        let event = |depth| format!(r#"42["message",{}]"#, nested(depth));
        let back = |depth| format!(r#"42["message-back",{}]"#, nested(depth));

        let mut engine = connected(&server).await?;
        engine.send(&event(100)).await?;
        engine.expect(&back(100)).await?;
        engine.send(&event(200)).await?;
        match peer() {
            Peer::Rust => engine.expect_closed().await?,
            Peer::Node => engine.expect(&back(200)).await?,
        }
        for depth in [5_000, LIMIT / 3] {
            let mut engine = connected(&server).await?;
            engine.send(&event(depth)).await?;
            if peer() == Peer::Node {
                engine.expect("41").await?;
            }
            engine.expect_closed().await?;
        }
        still_answers(&server).await
    }

    /// Node takes an attachment that no placeholder stands for, and two placeholders for
    /// one attachment, which it sends back twice: a short packet can make a long one.
    #[tokio::test]
    async fn placeholders_are_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let placeholder = r#"{"_placeholder":true,"num":0}"#;
        for (packet, back) in [
            (r#"451-["message"]"#.to_owned(), json!([])),
            (
                format!(r#"451-["message",{placeholder},{placeholder}]"#),
                json!([bytes(b"a"), bytes(b"a")]),
            ),
        ] {
            let mut engine = connected(&server).await?;
            engine.send(&packet).await?;
            engine.send_bytes(b"a").await?;
            match peer() {
                Peer::Rust => engine.expect_closed().await?,
                Peer::Node => {
                    engine.of("/").expect_event("message-back", back).await?;
                }
            }
        }
        Ok(())
    }

    /// In Base64, bytes are text, as in long-polling.
    #[tokio::test]
    async fn bytes_in_a_text_are_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        let event = r#"451-["message",{"_placeholder":true,"num":0}]"#;
        engine.send(event).await?;
        engine.send("bYWJj").await?;
        match peer() {
            Peer::Rust => engine.expect_closed().await,
            Peer::Node => {
                let back = json!([bytes(b"abc")]);
                let mut socket = engine.of("/");
                socket.expect_event("message-back", back).await?;
                Ok(())
            }
        }
    }

    /// In Node the callback is one more argument. The twin passes all of them to `emit`,
    /// which takes it for its own: the client's answer goes back to the client.
    #[tokio::test]
    async fn a_message_that_wants_an_ack_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
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

    #[tokio::test]
    async fn recorded_session() -> Result {
        let server = lesson().start().await?;
        let mut engine = server.engineio().await?;
        engine.send(r#"40{"token":"x"}"#).await?;
        let mut socket = engine.of("/");
        socket.expect_event("auth", json!([{"token": "x"}])).await?;
        socket.emit("message", json!(["hello", 10])).await?;
        let back = socket.expect_event("message-back", json!(["hello", 10]));
        back.await?;
        socket
            .emit_with_ack("message-with-ack", json!(["hello"]))
            .await?;
        socket.emit("ask-me", json!(["ready"])).await?;
        let question = socket.expect_event("question", json!(["ready"])).await?;
        socket.ack(&question, json!(["yes"])).await?;
        socket.expect_event("answered", json!(["yes"])).await?;
        compare_with_the_book(
            "08-session",
            engine.websocket().connection().transcript(),
        )
    }

    #[tokio::test]
    async fn recorded_acks() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        let mut socket = engine.of("/");
        socket
            .emit_with_ack("message-with-ack", json!(["hello"]))
            .await?;
        socket.emit("ask-me", json!(["ready"])).await?;
        let question = socket.expect_event("question", json!(["ready"])).await?;
        socket.ack(&question, json!(["yes"])).await?;
        socket.expect_event("answered", json!(["yes"])).await?;
        let transcript = engine.websocket().connection().transcript();
        compare_diagram_with_the_book("08-acks", transcript)
    }

    #[tokio::test]
    async fn recorded_namespaces() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        let mut custom = engine.of("/custom");
        custom.connect(Value::Null).await?;
        custom.expect_event("auth", json!([{}])).await?;
        custom.emit("message", json!(["here"])).await?;
        custom.expect_event("message-back", json!(["here"])).await?;
        custom.disconnect().await?;
        engine.of("/nope").connect_error(Value::Null).await?;
        compare_with_the_book(
            "08-namespaces",
            engine.websocket().connection().transcript(),
        )
    }

    #[tokio::test]
    async fn recorded_bytes() -> Result {
        let server = lesson().start().await?;
        let mut engine = connected(&server).await?;
        let arguments = json!(["a file", bytes(b"\x01\x02\xff")]);
        let mut socket = engine.of("/");
        socket.emit("message", arguments.clone()).await?;
        socket.expect_event("message-back", arguments).await?;
        compare_with_the_book(
            "08-bytes",
            engine.websocket().connection().transcript(),
        )
    }

    #[tokio::test]
    async fn recorded_heartbeat() -> Result {
        let brisk = lesson().env("PING_INTERVAL", 50).env("PING_TIMEOUT", 200);
        let server = brisk.start().await?;
        let mut engine = server.engineio().await?;
        engine.websocket().connection().forget();
        engine.answer_pings(false);
        engine.expect("2").await?;
        engine.send("3").await?;
        engine.expect("2").await?;
        engine
            .websocket()
            .connection()
            .note("this time it does not answer");
        engine.expect_closed().await?;
        compare_with_the_book(
            "08-heartbeat",
            engine.websocket().connection().transcript(),
        )
    }

    #[tokio::test]
    async fn recorded_polling() -> Result {
        let server = lesson().start().await?;
        let mut connection = server.connect().await?;
        let polling = Request::get("/socket.io/?EIO=4&transport=polling");
        connection.request(&polling).await?.expect_status(400)?;
        compare_with_the_book("08-polling", connection.transcript())
    }
}
