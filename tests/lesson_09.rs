//! The contract of lesson 09, `examples/09_connect`, and of its Node twin.

use std::sync::Arc;

use contract::{
    EngineIo, Failure, Frame, Lesson, Opcode, Peer, Request, Result, Server,
    SocketIo, peer,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

#[path = "contracts/program.rs"]
mod program;

#[path = "contracts/socketio.rs"]
mod socketio;

use socketio::{Polling, after_the_first_ping};

fn lesson() -> Lesson {
    Lesson::new("09_connect")
}

/// `tests/official/lesson_09.mjs`. The heartbeat is fast, for it to miss one.
#[tokio::test]
#[ignore = "needs Node.js: npm ci --prefix examples"]
async fn the_official_client_works_with_it() -> Result {
    let brisk = lesson().env("PING_INTERVAL", 300);
    brisk.official_client("lesson_09", "websocket").await
}

/// As a browser does it: HTTP first, then a WebSocket.
#[tokio::test]
#[ignore = "needs Node.js: npm ci --prefix examples"]
async fn the_official_client_works_with_it_when_it_begins_with_polling() -> Result {
    let brisk = lesson().env("PING_INTERVAL", 300);
    brisk
        .official_client("lesson_09", "polling,websocket")
        .await
}

/// Somebody in the lobby, on a WebSocket.
struct Guest {
    engine: EngineIo,
    /// What CONNECT was answered with: `socket.id` in a page.
    id: String,
    /// What others know this one by.
    user: Value,
    /// How many were in the lobby then.
    here: u64,
}

impl Guest {
    async fn arrive(server: &Server) -> Result<Self> {
        Self::enter(server.engineio().await?).await
    }

    async fn enter(mut engine: EngineIo) -> Result<Self> {
        let id = engine.of("/").connect(Value::Null).await?;
        let mut guest = Self {
            engine,
            id,
            user: Value::Null,
            here: 0,
        };
        guest.user = guest.hear("welcome").await?[1].take();
        let joined = guest.hear_of("joined", &guest.user.clone()).await?;
        guest.here = joined[1].as_u64().unwrap_or_default();
        Ok(guest)
    }

    fn socket(&mut self) -> SocketIo<&mut EngineIo> {
        self.engine.of("/")
    }

    /// The arguments of the next event with this name. Others are not looked at.
    async fn hear(&mut self, name: &str) -> Result<Value> {
        loop {
            let event = self.socket().next_event().await?;
            if event.name == name {
                return Ok(event.arguments);
            }
        }
    }

    /// The same, for an event that is about `user`.
    async fn hear_of(&mut self, name: &str, user: &Value) -> Result<Value> {
        loop {
            let arguments = self.hear(name).await?;
            if arguments[0] == *user {
                return Ok(arguments);
            }
        }
    }

    /// Says hello, and hears it back.
    async fn says_hello(&mut self) -> Result {
        self.socket().emit("hello", json!(["still there?"])).await?;
        assert_eq!(self.hear("hello").await?, json!(["still there?"]));
        Ok(())
    }
}

/// Whether a new client gets its answer, whatever the others did.
async fn still_answers(server: &Server) -> Result {
    Guest::arrive(server).await?.says_hello().await
}

mod connecting {
    use super::*;

    #[tokio::test]
    async fn both_sides_know_the_same_socket_id() -> Result {
        let server = lesson().start().await?;
        let mut engine = server.engineio().await?;
        let mut socket = engine.of("/");
        let id = socket.connect(Value::Null).await?;
        let welcome = socket.next_event().await?;
        assert_eq!(welcome.name, "welcome");
        assert_eq!(welcome.arguments[0], id);

        let mut polling = Polling::open(&server).await?;
        polling.send(&["40"]).await?;
        let connected = polling.receive().await?;
        let json = connected.strip_prefix("40").unwrap_or_default();
        let connected: Value = serde_json::from_str(json)?;
        let welcome = polling.receive().await?;
        let json = welcome.strip_prefix("42").unwrap_or_default();
        let welcome: Value = serde_json::from_str(json)?;
        assert_eq!(welcome[1], connected["sid"]);
        Ok(())
    }

    /// In Node a socket has an id of its own, which is no secret. In socketioxide it has
    /// that of the session.
    #[tokio::test]
    async fn socket_id_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let guest = Guest::arrive(&server).await?;
        let session = &guest.engine.handshake()["sid"];
        match peer() {
            Peer::Rust => {
                assert_eq!(*session, guest.id);
                assert_ne!(guest.user, guest.id);
            }
            Peer::Node => {
                assert_ne!(*session, guest.id);
                assert_eq!(guest.user, guest.id);
            }
        }
        Ok(())
    }

    /// What that secret is good for: here somebody else says hello in the client's name,
    /// and then sends it away.
    #[tokio::test]
    async fn whoever_knows_the_id_of_a_session_can_speak_for_it() -> Result {
        let server = lesson().start().await?;
        let mut watcher = Guest::arrive(&server).await?;
        let mut victim = Polling::connect(&server).await?;
        let user = watcher.hear("joined").await?[0].take();
        let mut thief = Polling::open(&server).await?;
        thief.path.clone_from(&victim.path);
        thief.send(&[r#"42["hello","it is me"]"#]).await?;
        while victim.receive().await? != r#"42["hello","it is me"]"# {}
        thief.send(&["41"]).await?;
        let left = json!([user, "client namespace disconnect", ["lobby"]]);
        assert_eq!(watcher.hear("left").await?, left);
        Ok(())
    }

    #[tokio::test]
    async fn the_id_of_a_session_stays_with_its_owner() -> Result {
        let server = lesson().start().await?;
        let mut watcher = server.engineio().await?;
        watcher.of("/").connect(Value::Null).await?;
        let mut guest = server.engineio().await?;
        guest.of("/").connect(Value::Null).await?;
        guest.of("/").emit("bye", json!([])).await?;
        let secret = guest.handshake()["sid"].as_str().expect("it has an id");
        loop {
            let event = watcher.of("/").next_event().await?;
            if event.arguments.to_string().contains(secret) {
                let what = format!("`{}` gives a session away", event.name);
                return Err(Failure::new(what));
            }
            if event.name == "left" {
                return Ok(());
            }
        }
    }

    #[tokio::test]
    async fn everybody_in_the_lobby_hears_who_joins() -> Result {
        let server = lesson().start().await?;
        let mut guests = Vec::<Guest>::new();
        for n in 1..=5 {
            let newcomer = Guest::arrive(&server).await?;
            assert_eq!(newcomer.here, n);
            for guest in &mut guests {
                let joined = json!([newcomer.user, n]);
                guest.socket().expect_event("joined", joined).await?;
            }
            guests.push(newcomer);
        }
        for guest in &mut guests {
            guest.socket().expect_nothing().await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn the_first_event_is_not_lost() -> Result {
        let server = lesson().start().await?;
        let mut engine = after_the_first_ping(&server).await?;
        engine.of("/").connect(Value::Null).await?;
        engine.websocket().connection().forget();
        let mut socket = engine.of("/");
        socket.emit("hello", json!(["first"])).await?;
        while socket.next_event().await?.name != "hello" {}
        Ok(())
    }

    /// 25 at a time, as each of them hears of all the others.
    #[tokio::test]
    async fn of_2000_clients_that_emit_at_once_none_loses_its_event() -> Result {
        let server = Arc::new(lesson().start().await?);
        let mut clients = JoinSet::new();
        for _ in 0..25 {
            let server = server.clone();
            clients.spawn(async move {
                for _ in 0..80 {
                    let mut engine = server.engineio().await?;
                    let mut socket = engine.of("/");
                    socket.connect(Value::Null).await?;
                    socket.emit("hello", json!(["at once"])).await?;
                    while socket.next_event().await?.name != "hello" {}
                }
                Ok(80)
            });
        }
        let heard: Vec<Result<u32>> = clients.join_all().await;
        assert_eq!(heard.into_iter().sum::<Result<u32>>()?, 2_000);
        Ok(())
    }

    #[tokio::test]
    async fn many_at_once_are_all_counted() -> Result {
        let server = Arc::new(lesson().start().await?);
        let mut clients = JoinSet::new();
        for _ in 0..100 {
            let server = server.clone();
            clients.spawn(async move { Guest::arrive(&server).await });
        }
        let guests: Vec<Result<Guest>> = clients.join_all().await;
        let mut guests = guests.into_iter().collect::<Result<Vec<_>>>()?;
        guests.sort_by_key(|guest| guest.here);
        assert_eq!(guests.last().map(|guest| guest.here), Some(100));
        for guest in &mut guests {
            guest.says_hello().await?;
        }
        Ok(())
    }
}

mod leaving {
    use super::*;

    /// A guest leaves in some way, and somebody else hears that it was for this reason.
    async fn others_hear(
        reason: &str,
        leave: impl AsyncFnOnce(Guest) -> Result,
    ) -> Result {
        let server = lesson().start().await?;
        let mut watcher = Guest::arrive(&server).await?;
        let guest = Guest::arrive(&server).await?;
        let user = guest.user.clone();
        watcher.hear_of("joined", &user).await?;
        leave(guest).await?;
        let left = json!([user, reason, ["lobby"]]);
        watcher.socket().expect_event("left", left).await?;
        watcher.socket().expect_nothing().await
    }

    #[tokio::test]
    async fn a_client_that_disconnects() -> Result {
        others_hear("client namespace disconnect", async |mut guest| {
            guest.socket().disconnect().await?;
            // It does not hear of itself, or of anything else.
            guest.socket().expect_nothing().await
        })
        .await
    }

    #[tokio::test]
    async fn a_client_that_is_disconnected() -> Result {
        others_hear("server namespace disconnect", async |mut guest| {
            guest.socket().emit("bye", json!([])).await?;
            // The connection stays, for other namespaces.
            while guest.engine.receive().await?.encode() != "41" {}
            guest.socket().expect_nothing().await
        })
        .await
    }

    #[tokio::test]
    async fn a_client_that_closes_its_websocket() -> Result {
        others_hear("transport close", async |mut guest| {
            let close = Frame::new(Opcode::Close, "");
            guest.engine.websocket().send(close).await
        })
        .await
    }

    #[tokio::test]
    async fn a_client_that_vanishes() -> Result {
        others_hear("transport close", async |guest| {
            drop(guest);
            Ok(())
        })
        .await
    }

    /// And one that has several packets under way, which the system answers with a reset.
    #[tokio::test]
    async fn a_client_that_vanishes_in_the_middle_of_a_sentence() -> Result {
        others_hear("transport close", async |mut guest| {
            let half = Frame::new(Opcode::Text, "42[").to_bytes();
            guest.engine.websocket().connection().send(&half[..5]).await
        })
        .await
    }

    #[tokio::test]
    async fn a_client_that_closes_its_session() -> Result {
        others_hear("transport close", async |mut guest| {
            guest.engine.send("1").await
        })
        .await
    }

    #[tokio::test]
    async fn a_client_that_does_not_answer_a_ping() -> Result {
        let hasty = lesson().env("PING_INTERVAL", 50).env("PING_TIMEOUT", 1_000);
        let server = hasty.start().await?;
        let mut watcher = Guest::arrive(&server).await?;
        let mut silent = Guest::arrive(&server).await?;
        silent.engine.answer_pings(false);
        let left = watcher.hear_of("left", &silent.user).await?;
        assert_eq!(left, json!([silent.user, "ping timeout", ["lobby"]]));
        // Who does answer is still there.
        watcher.says_hello().await
    }

    #[tokio::test]
    async fn a_client_that_polls() -> Result {
        let server = lesson().start().await?;
        let mut watcher = Guest::arrive(&server).await?;
        let mut guest = Polling::connect(&server).await?;
        let joined = watcher.hear("joined").await?;
        guest.send(&["1"]).await?;
        let left = json!([joined[0], "transport close", ["lobby"]]);
        assert_eq!(watcher.hear("left").await?, left);
        Ok(())
    }

    /// In Engine.IO, both have the same name for it. Of a packet of Socket.IO that is none,
    /// Node tells only the socket's `error` event, and then closes.
    #[tokio::test]
    async fn nonsense_is_where_the_two_differ() -> Result {
        others_hear("parse error", async |mut guest| {
            guest.engine.send("x").await
        })
        .await?;
        let reason = match peer() {
            Peer::Rust => "parse error",
            Peer::Node => "forced close",
        };
        others_hear(reason, async |mut guest| guest.engine.send("47").await).await
    }

    #[tokio::test]
    async fn who_has_left_is_not_in_the_lobby() -> Result {
        let server = lesson().start().await?;
        let mut watcher = Guest::arrive(&server).await?;
        for _ in 0..5 {
            let mut polite = Guest::arrive(&server).await?;
            polite.socket().disconnect().await?;
            watcher.hear_of("left", &polite.user).await?;
            let mut asked = Guest::arrive(&server).await?;
            asked.socket().emit("bye", json!([])).await?;
            watcher.hear_of("left", &asked.user).await?;
        }
        expect_in_lobby(&server, 1).await?;
        watcher.says_hello().await
    }

    #[tokio::test]
    async fn who_vanishes_is_not_in_the_lobby() -> Result {
        let server = lesson().start().await?;
        let mut watcher = Guest::arrive(&server).await?;
        for _ in 0..5 {
            let vanished = Guest::arrive(&server).await?.user;
            watcher.hear_of("left", &vanished).await?;
        }
        expect_in_lobby(&server, 1).await?;
        watcher.says_hello().await
    }

    /// socketioxide takes a client out of its rooms once its handler is done, which is a
    /// moment after the others have heard of it.
    async fn expect_in_lobby(server: &Server, expected: u64) -> Result {
        let mut guests = Vec::new();
        let mut left = 0;
        for before in 0..20 {
            let guest = Guest::arrive(server).await?;
            // Without itself, and without those that came to count.
            left = guest.here - 1 - before;
            if left == expected {
                return Ok(());
            }
            guests.push(guest);
        }
        let what = "how many are left in the lobby";
        Err(Failure::expected(what, &expected, &left))
    }

    #[tokio::test]
    async fn who_comes_back_is_somebody_else() -> Result {
        let server = lesson().start().await?;
        let mut guest = Guest::arrive(&server).await?;
        let (id, user) = (guest.id.clone(), guest.user.clone());
        guest.socket().disconnect().await?;
        guest.socket().expect_nothing().await?;
        // Before that, socketioxide would take it for connected, and not answer.
        expect_in_lobby(&server, 0).await?;
        let mut again = Guest::enter(guest.engine).await?;
        assert_ne!(again.user, user);
        match peer() {
            // The session is the same.
            Peer::Rust => assert_eq!(again.id, id),
            Peer::Node => assert_ne!(again.id, id),
        }
        again.says_hello().await
    }

    #[tokio::test]
    async fn clients_that_vanish_half_way_do_no_harm() -> Result {
        let server = lesson().start().await?;
        for half in [
            &[][..],
            &["40"],
            &["40", r#"42["hello","x"]"#],
            &["40", r#"42["bye"]"#],
            &["40", r#"42["bye"]"#, "41"],
            &["40", r#"451-["hello",{"_placeholder":true,"num":0}]"#],
        ] {
            server.engineio_that_vanishes(half).await?;
        }
        still_answers(&server).await?;
        expect_in_lobby(&server, 0).await
    }

    #[tokio::test]
    async fn a_bad_interval_is_refused_in_one_line() -> Result {
        for name in ["PING_INTERVAL", "PING_TIMEOUT"] {
            let exit = lesson().env(name, "soon").run().await?;
            exit.expect_refusal(&format!("{name}=soon is not a number"))?;
        }
        Ok(())
    }
}

/// What one of them takes and the other does not. Each row is what is sent, and what the
/// lesson and the twin do then.
mod differences {
    use super::*;

    enum Then {
        Hears(&'static str, Value),
        /// What `parity` answers to arguments that do not fit.
        HearsOfAProblem,
        HearsNothing,
        IsClosed,
    }
    use Then::{Hears, HearsNothing, HearsOfAProblem, IsClosed};

    async fn differ(rows: Vec<(&str, Then, Then)>) -> Result {
        let server = lesson().start().await?;
        let mut watcher = Guest::arrive(&server).await?;
        for (packet, rust, node) in rows {
            let mut guest = Guest::arrive(&server).await?;
            guest.engine.send(packet).await?;
            let then = match peer() {
                Peer::Rust => rust,
                Peer::Node => node,
            };
            match then {
                Hears(name, arguments) => {
                    guest.socket().expect_event(name, arguments).await?;
                }
                HearsOfAProblem => {
                    let problem = guest.hear("problem").await?;
                    assert_eq!(problem[0]["event"], "hello");
                    let error = problem[0]["error"].as_str();
                    assert_ne!(error.unwrap_or_default(), "");
                }
                HearsNothing => guest.socket().expect_nothing().await?,
                IsClosed => {
                    socketio::last_words(&mut guest.engine).await?;
                }
            }
            // The next one must not hear of this one.
            let user = guest.user.clone();
            drop(guest);
            watcher.hear_of("left", &user).await?;
        }
        still_answers(&server).await
    }

    /// JavaScript does not look at types.
    #[tokio::test]
    async fn wrong_arguments_are_where_the_two_differ() -> Result {
        let hello = |arguments| Hears("hello", arguments);
        differ(vec![
            (r#"42["hello",7]"#, HearsOfAProblem, hello(json!([7]))),
            (r#"42["hello"]"#, HearsOfAProblem, hello(json!([null]))),
            (
                r#"42["hello",["a"]]"#,
                HearsOfAProblem,
                hello(json!([["a"]])),
            ),
        ])
        .await
    }

    /// A `String` is the first argument, as in a function with one parameter.
    #[tokio::test]
    async fn more_arguments_than_expected_are_not_looked_at() -> Result {
        let hello = || Hears("hello", json!(["a"]));
        differ(vec![
            (r#"42["hello","a","b"]"#, hello(), hello()),
            (r#"427["hello","a"]"#, hello(), hello()),
        ])
        .await
    }

    #[tokio::test]
    async fn packets_at_the_wrong_time_are_where_the_two_differ() -> Result {
        differ(vec![
            // Connected already.
            ("40", HearsNothing, IsClosed),
            // Nobody is connected there.
            (r#"42/nowhere,["hello","x"]"#, HearsNothing, IsClosed),
            ("41/nowhere,", HearsNothing, IsClosed),
            // An event without a name.
            ("42", IsClosed, HearsNothing),
            (r#"42["disconnect"]"#, HearsNothing, IsClosed),
        ])
        .await
    }

    #[tokio::test]
    async fn an_event_that_nobody_handles_is_not_answered() -> Result {
        differ(vec![
            (r#"42["Hello","x"]"#, HearsNothing, HearsNothing),
            (r#"421["nothing"]"#, HearsNothing, HearsNothing),
            (r#"43123["an ack"]"#, HearsNothing, HearsNothing),
            // In Node this is the event that tells of errors, and nobody listens either.
            (r#"42["error","x"]"#, HearsNothing, HearsNothing),
        ])
        .await
    }

    /// Node takes 1,000,000 bytes. socketioxide takes 100,000, and counts them on
    /// long-polling alone.
    #[tokio::test]
    async fn how_long_a_message_may_be_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let hello = |length| format!(r#"42["hello","{}"]"#, "x".repeat(length));
        for (length, rust, node) in [
            (90_000, true, true),
            (110_000, false, true),
            (1_100_000, false, false),
        ] {
            let client = Polling::connect(&server).await?;
            let post = Request::new("POST", &client.path).body(hello(length));
            let status = server.request(post).await?.status();
            let is_taken = match peer() {
                Peer::Rust => rust,
                Peer::Node => node,
            };
            assert_eq!(status, if is_taken { 200 } else { 413 }, "{length}");
        }
        for (length, node) in [(900_000, true), (1_100_000, false)] {
            let mut guest = Guest::arrive(&server).await?;
            guest.engine.send(&hello(length)).await?;
            if peer() == Peer::Rust || node {
                let text = "x".repeat(length);
                assert_eq!(guest.hear("hello").await?, json!([text]));
            } else {
                socketio::last_words(&mut guest.engine).await?;
            }
        }
        still_answers(&server).await
    }
}

mod recorded {
    use super::*;
    use contract::{
        Recording, Transcript, compare_diagram_with_the_book, compare_with_the_book,
    };

    /// Bob joins Ada, says hello and then bye.
    async fn visit() -> Result<Transcript> {
        let server = lesson().start().await?;
        let mut ada = Guest::enter(after_the_first_ping(&server).await?).await?;
        let mut bob = after_the_first_ping(&server).await?;
        let recording = Recording::new();
        recording.add("Ada", ada.engine.websocket().connection());
        recording.add("Bob", bob.websocket().connection());
        recording.forget();
        let mut bob = Guest::enter(bob).await?;
        ada.hear("joined").await?;
        bob.socket().emit("hello", json!(["hello"])).await?;
        bob.hear("hello").await?;
        bob.socket().emit("bye", json!([])).await?;
        bob.engine.expect("41").await?;
        ada.hear("left").await?;
        let mut transcript = recording.transcript();
        transcript.name_id(bob.user.as_str().unwrap_or_default(), "user-1");
        Ok(transcript)
    }

    #[tokio::test]
    async fn recorded_visit() -> Result {
        compare_with_the_book("09-visit", visit().await?)
    }

    #[tokio::test]
    async fn recorded_diagram() -> Result {
        compare_diagram_with_the_book("09-visit", visit().await?)
    }

    #[tokio::test]
    async fn recorded_polling() -> Result {
        let server = lesson().start().await?;
        let mut client = Polling::open(&server).await?;
        if peer() == Peer::Rust {
            let mut other = server.connect().await?;
            let ping = other.request(&Request::get(&client.path)).await?;
            ping.expect_body("2")?;
            let pong = Request::new("POST", &client.path).body("3");
            other.request(&pong).await?.expect_body("ok")?;
            let note = "the first ping came and was answered";
            client.connection.note(note);
        }
        client.send(&["40/nowhere,"]).await?;
        client.receive().await?;
        compare_with_the_book("09-polling", client.connection.transcript())
    }
}
