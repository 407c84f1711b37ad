//! The contract of lesson 14, `examples/14_namespaces_auth`, and of its Node twin.

use std::sync::Arc;

use contract::{
    EngineIo, Event, Failure, Lesson, Peer, Recording, Result, Server, Signal,
    compare_diagram_with_the_book, compare_with_the_book, peer, within,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

#[path = "contracts/program.rs"]
mod program;
#[path = "contracts/socketio.rs"]
mod socketio;

fn lesson() -> Lesson {
    Lesson::new("14_namespaces_auth")
}

fn token() -> Value {
    json!({"token": "let-me-in"})
}

fn reason(message: &str) -> Value {
    json!({"message": message})
}

/// A session in `/`, that has been welcomed there.
async fn visitor(server: &Server) -> Result<EngineIo> {
    let mut engine = server.engineio().await?;
    enter(&mut engine, "/", Value::Null).await?;
    Ok(engine)
}

/// A session in `/admin` alone.
async fn admin(server: &Server) -> Result<EngineIo> {
    let mut engine = server.engineio().await?;
    enter(&mut engine, "/admin", token()).await?;
    Ok(engine)
}

/// Connects to a namespace, and returns the arguments of its welcome: a user id, the
/// name of the place, and how many are there.
async fn enter(
    engine: &mut EngineIo,
    namespace: &str,
    auth: Value,
) -> Result<Value> {
    let mut socket = engine.of(namespace);
    socket.connect(auth).await?;
    welcome(engine, namespace).await
}

async fn welcome(engine: &mut EngineIo, namespace: &str) -> Result<Value> {
    let event = engine.of(namespace).next_event().await?;
    assert_eq!(event.name, "welcome", "{event:?}");
    assert!(event.arguments[0].is_string(), "{event:?}");
    Ok(event.arguments)
}

/// Asks to be let into a room, and does not wait for the answer.
async fn ask_for(engine: &mut EngineIo, room: u8) -> Result {
    engine.send(&format!("40/room-{room},")).await
}

/// Waits for the knock of somebody who wants into `room`.
async fn knocked(admin: &mut EngineIo, room: u8) -> Result<Event> {
    admin
        .of("/admin")
        .expect_event("knock", json!([room]))
        .await
}

async fn answer(admin: &mut EngineIo, knock: &Event, answer: Value) -> Result {
    admin.of("/admin").ack(knock, json!([answer])).await
}

/// Enters a room, with the help of an admin.
async fn enter_room(
    guest: &mut EngineIo,
    admin: &mut EngineIo,
    room: u8,
) -> Result<Value> {
    ask_for(guest, room).await?;
    let knock = knocked(admin, room).await?;
    answer(admin, &knock, json!(true)).await?;
    guest.expect_connected(&format!("/room-{room}")).await?;
    welcome(guest, &format!("/room-{room}")).await
}

trait Answered {
    /// Waits for the answer to a CONNECT that was sent before.
    async fn expect_connected(&mut self, namespace: &str) -> Result;

    /// Waits until the server ends the session. The lesson says so in Engine.IO too.
    async fn expect_thrown_out(&mut self) -> Result;
}

impl Answered for EngineIo {
    async fn expect_thrown_out(&mut self) -> Result {
        match peer() {
            Peer::Rust => {
                self.expect("1").await?;
                assert!(self.receive().await.is_err(), "it is over");
                Ok(())
            }
            Peer::Node => self.expect_closed().await,
        }
    }

    async fn expect_connected(&mut self, namespace: &str) -> Result {
        let answer = self.receive().await?.encode();
        match answer.starts_with(&format!("40{namespace},{{\"sid\":")) {
            true => Ok(()),
            false => Err(Failure::expected("packet", &namespace, &answer)),
        }
    }
}

/// Says something in a namespace, and waits until it is heard there.
async fn says(engine: &mut EngineIo, namespace: &str, text: &str) -> Result<Value> {
    let mut socket = engine.of(namespace);
    socket.emit("say", json!([text])).await?;
    let heard = socket.next_event().await?;
    assert_eq!(heard.name, "said", "{heard:?}");
    assert_eq!(heard.arguments[1], text, "{heard:?}");
    Ok(heard.arguments[0].clone())
}

/// `tests/official/lesson_14.mjs`, on a WebSocket from the start.
#[tokio::test]
#[ignore = "needs Node.js: npm ci --prefix examples"]
async fn the_official_client_works_with_it() -> Result {
    lesson().official_client("lesson_14", "websocket").await
}

/// The same, beginning with HTTP.
#[tokio::test]
#[ignore = "needs Node.js: npm ci --prefix examples"]
async fn the_official_client_works_with_it_from_polling_on() -> Result {
    let transports = "polling,websocket";
    lesson().official_client("lesson_14", transports).await
}

mod token {
    use super::*;

    /// Tries `auth` at the door of `/admin`, on a connection of its own: socketioxide can
    /// miss a CONNECT that comes the very moment the one before it has been refused.
    async fn refused(server: &Server, auth: Value) -> Result<Value> {
        let mut engine = server.engineio().await?;
        engine.of("/admin").connect_error(auth).await
    }

    #[tokio::test]
    async fn the_right_one_opens_the_door() -> Result {
        let server = lesson().start().await?;
        let mut one = server.engineio().await?;
        let welcome = enter(&mut one, "/admin", token()).await?;
        assert_eq!(welcome[1], "the office");
        assert_eq!(welcome[2], 1);
        let more = json!({"token": "let-me-in", "name": "allie"});
        let mut two = server.engineio().await?;
        let welcome = enter(&mut two, "/admin", more).await?;
        assert_eq!(welcome[2], 2);
        Ok(())
    }

    #[tokio::test]
    async fn a_wrong_one_is_refused_with_the_reason() -> Result {
        let server = lesson().start().await?;
        let long = "let-me-in".repeat(10_000);
        for wrong in [
            "",
            "let-me-i",
            "let-me-in ",
            "LET-ME-IN",
            "let-me-in\0",
            "비밀",
            &long,
        ] {
            let auth = json!({"token": wrong});
            let error = refused(&server, auth).await?;
            assert_eq!(error, reason("wrong token"), "{wrong:?}");
        }
        Ok(())
    }

    /// Serde says what it has wanted and found, the twin says it in words of its own.
    #[tokio::test]
    async fn the_words_for_what_is_no_token_are_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        for (auth, words) in [
            (Value::Null, "missing field `token`"),
            (json!({}), "missing field `token`"),
            (json!({"Token": "let-me-in"}), "missing field `token`"),
            (
                json!({"token": 7}),
                "invalid type: integer `7`, expected a string",
            ),
            (
                json!({"token": null}),
                "invalid type: null, expected a string",
            ),
            (
                json!({"token": ["let-me-in"]}),
                "invalid type: sequence, expected a string",
            ),
            (
                json!({"token": {"length": 9}}),
                "invalid type: map, expected a string",
            ),
        ] {
            let error = refused(&server, auth).await?;
            let message = error["message"].as_str().unwrap_or_default();
            match peer() {
                Peer::Rust => assert!(message.contains(words), "{message}"),
                Peer::Node => {
                    assert_eq!(message, "auth has no token that is a string");
                }
            }
        }
        Ok(())
    }

    /// A struct can be written as a list of its fields in JSON, for serde. In Node `auth`
    /// has to be an object, or the packet is against the protocol.
    #[tokio::test]
    async fn auth_that_is_no_object_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        for (auth, is_let_in) in [
            (r#"["let-me-in"]"#, true),
            (r#""let-me-in""#, false),
            ("true", false),
            ("[]", false),
            (r#"{"token":"let-me-in""#, false),
        ] {
            let mut engine = visitor(&server).await?;
            engine.send(&format!("40/admin,{auth}")).await?;
            match peer() {
                Peer::Node => engine.expect_thrown_out().await?,
                Peer::Rust if is_let_in => engine.expect_connected("/admin").await?,
                Peer::Rust => {
                    let refusal = engine.receive().await?.encode();
                    let begin = r#"44/admin,{"message":""#;
                    assert!(refusal.starts_with(begin), "{auth}: {refusal}");
                    says(&mut engine, "/", "still here").await?;
                }
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn it_comes_from_the_environment() -> Result {
        for own in ["open sesame", "12345678", "비밀번호"] {
            let server = lesson().env("ADMIN_TOKEN", own).start().await?;
            let error = refused(&server, token()).await?;
            assert_eq!(error, reason("wrong token"));
            let mut engine = server.engineio().await?;
            enter(&mut engine, "/admin", json!({"token": own})).await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_short_one_in_the_environment_is_refused_in_one_line() -> Result {
        for bad in ["", "sesame", "비밀"] {
            let exit = lesson().env("ADMIN_TOKEN", bad).run().await?;
            exit.expect_refusal("ADMIN_TOKEN is too short")?;
            let told = !bad.is_empty() && exit.stderr.contains(bad);
            assert!(!told, "{:?} has the token in it", exit.stderr);
        }
        Ok(())
    }

    #[tokio::test]
    #[cfg_attr(windows, ignore = "needs a system with signals")]
    async fn neither_it_nor_an_attempt_is_printed() -> Result {
        let server = lesson().env("ADMIN_TOKEN", "open sesame").start().await?;
        let listening = format!("listening on http://{}\n", server.addr());
        for auth in [Value::Null, json!({"token": 7}), token()] {
            refused(&server, auth).await?;
        }
        let mut engine = server.engineio().await?;
        let auth = json!({"token": "open sesame"});
        enter(&mut engine, "/admin", auth).await?;
        let exit = server.stop(Signal::Terminate).await?;
        exit.expect_clean()?;
        assert_eq!(exit.stdout, listening);
        Ok(())
    }

    #[tokio::test]
    async fn whoever_is_refused_stays_in_the_lobby_and_may_try_again() -> Result {
        let server = lesson().start().await?;
        let mut engine = visitor(&server).await?;
        for _ in 0..3 {
            let error = engine.of("/admin").connect_error(Value::Null).await?;
            assert!(error["message"].is_string());
            says(&mut engine, "/", "still here").await?;
        }
        enter(&mut engine, "/admin", token()).await?;
        says(&mut engine, "/admin", "and here").await?;
        says(&mut engine, "/", "and there").await?;
        Ok(())
    }

    #[tokio::test]
    async fn whoever_is_refused_is_never_told_that_it_is_inside() -> Result {
        let server = lesson().start().await?;
        for auth in ["", "{}", r#"{"token":7}"#, r#"{"token":"let me in"}"#] {
            let mut engine = server.engineio().await?;
            engine.send(&format!("40/admin,{auth}")).await?;
            let answer = engine.receive().await?.encode();
            let (kind, _) = answer.split_once(',').unwrap_or_default();
            if kind != "44/admin" {
                let what = format!("answer to CONNECT with {auth:?}");
                return Err(Failure::expected(&what, &"44/admin", &kind));
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn whoever_is_refused_hears_nothing_and_is_not_there() -> Result {
        let server = lesson().start().await?;
        let mut refused = visitor(&server).await?;
        let wrong = json!({"token": "let me in"});
        refused.of("/admin").connect_error(wrong).await?;
        let mut inside = server.engineio().await?;
        let welcome = enter(&mut inside, "/admin", token()).await?;
        assert_eq!(welcome[2], 1, "nobody else is there");
        says(&mut inside, "/admin", "among us").await?;
        refused.of("/").ask("alert", json!(["hello?"])).await?;
        inside.of("/admin").next_event().await?;
        refused.of("/admin").expect_nothing().await
    }

    /// Their connection is closed, as both take it for a client that has lost count.
    #[tokio::test]
    async fn whoever_speaks_in_there_all_the_same_is_thrown_out() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        for attempt in [
            r#"42/admin,["say","I am an admin"]"#,
            r#"42/admin,7["say","I am an admin"]"#,
            r#"43/admin,0[true]"#,
            "41/admin,",
        ] {
            let mut refused = visitor(&server).await?;
            let wrong = json!({"token": "let me in"});
            refused.of("/admin").connect_error(wrong).await?;
            refused.send(attempt).await?;
            refused.expect_thrown_out().await?;
            inside.of("/admin").expect_nothing().await?;
        }
        says(&mut inside, "/admin", "still just me").await?;
        Ok(())
    }

    #[tokio::test]
    async fn of_2000_wrong_ones_in_a_row_none_does_harm() -> Result {
        let server = Arc::new(lesson().start().await?);
        let mut inside = admin(&server).await?;
        let mut tries = JoinSet::new();
        for _ in 0..4 {
            let server = server.clone();
            tries.spawn(async move {
                for n in 0..500 {
                    let auth = json!({"token": format!("let-me-{n}")});
                    let error = refused(&server, auth).await?;
                    assert_eq!(error, reason("wrong token"));
                }
                Ok(500)
            });
        }
        let tried: Vec<Result<u32>> = tries.join_all().await;
        assert_eq!(tried.into_iter().sum::<Result<u32>>()?, 2_000);
        inside.of("/admin").expect_nothing().await?;
        let mut another = server.engineio().await?;
        let welcome = enter(&mut another, "/admin", token()).await?;
        assert_eq!(welcome[2], 2);
        Ok(())
    }
}

mod namespaces {
    use super::*;

    #[tokio::test]
    async fn each_is_a_place_of_its_own_on_one_connection() -> Result {
        let server = lesson().start().await?;
        let mut engine = server.engineio().await?;
        let lobby = enter(&mut engine, "/", Value::Null).await?;
        assert_eq!((&lobby[1], &lobby[2]), (&json!("the lobby"), &json!(1)));
        let office = enter(&mut engine, "/admin", token()).await?;
        assert_eq!((&office[1], &office[2]), (&json!("the office"), &json!(1)));
        assert_ne!(lobby[0], office[0], "an id belongs to one namespace");
        assert_eq!(says(&mut engine, "/", "hello").await?, lobby[0]);
        assert_eq!(says(&mut engine, "/admin", "hello").await?, office[0]);
        Ok(())
    }

    #[tokio::test]
    async fn one_does_not_need_the_other() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        says(&mut inside, "/admin", "alone").await?;
        inside.of("/").expect_nothing().await
    }

    #[tokio::test]
    async fn one_that_does_not_exist_is_refused() -> Result {
        let server = lesson().start().await?;
        let mut engine = visitor(&server).await?;
        for name in [
            "/nope", "/Admin", "/admin/", "/admin/x", "/ADMIN", "//admin",
        ] {
            let error = engine.of(name).connect_error(token()).await?;
            assert_eq!(error, reason("Invalid namespace"), "{name}");
        }
        says(&mut engine, "/", "still here").await.map(drop)
    }

    #[tokio::test]
    async fn what_an_admin_says_is_heard_in_the_office() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        let mut outside = visitor(&server).await?;
        let (mut office, mut lobby) = (inside.of("/admin"), outside.of("/"));
        office.emit("say", json!(["among us"])).await?;
        let heard_in = tokio::select! {
            heard = office.next_event() => heard.map(|_| "the office"),
            heard = lobby.next_event() => heard.map(|_| "the lobby"),
        };
        match heard_in? {
            "the office" => lobby.expect_nothing().await,
            place => {
                let what = "place where an admin is heard";
                Err(Failure::expected(what, &"the office", &place))
            }
        }
    }

    /// Everyone is in a room called `here`, in each namespace.
    #[tokio::test]
    async fn rooms_of_the_same_name_do_not_mix() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        let mut outside = visitor(&server).await?;
        let mut both = visitor(&server).await?;
        enter(&mut both, "/admin", token()).await?;

        let id = says(&mut both, "/", "to the lobby").await?;
        let said = json!([id, "to the lobby"]);
        outside.of("/").expect_event("said", said).await?;
        both.of("/admin").expect_nothing().await?;
        inside.of("/admin").expect_nothing().await?;

        let id = says(&mut both, "/admin", "to the office").await?;
        let said = json!([id, "to the office"]);
        inside.of("/admin").expect_event("said", said).await?;
        both.of("/").expect_nothing().await?;
        outside.of("/").expect_nothing().await
    }

    #[tokio::test]
    async fn an_alert_in_the_lobby_rings_in_the_office() -> Result {
        let server = lesson().start().await?;
        let (mut one, mut two) = (admin(&server).await?, admin(&server).await?);
        let mut visitor = server.engineio().await?;
        let id = enter(&mut visitor, "/", Value::Null).await?[0].take();
        let mut other = super::visitor(&server).await?;
        for text in ["fire!", "", "하늘 <b>"] {
            let mut lobby = visitor.of("/");
            let acked = lobby.emit_with_ack("alert", json!([text])).await?;
            assert_eq!(acked, json!(["they know"]));
            for admin in [&mut one, &mut two] {
                let mut office = admin.of("/admin");
                office.expect_event("alert", json!([id, text])).await?;
            }
        }
        visitor.of("/").expect_nothing().await?;
        other.of("/").expect_nothing().await
    }

    #[tokio::test]
    async fn without_an_admin_nobody_hears_it() -> Result {
        let server = lesson().start().await?;
        let mut engine = visitor(&server).await?;
        let mut lobby = engine.of("/");
        let acked = lobby.emit_with_ack("alert", json!(["anybody?"])).await?;
        assert_eq!(acked, json!(["they know"]));
        lobby.expect_nothing().await
    }

    /// Where `alert` is unknown, it is an event like any other that nobody handles.
    #[tokio::test]
    async fn only_the_lobby_has_an_alarm() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        inside.of("/admin").emit("alert", json!(["fire!"])).await?;
        says(&mut inside, "/admin", "nothing rings").await?;
        inside.of("/admin").expect_nothing().await
    }

    #[tokio::test]
    async fn what_is_no_text_is_a_problem() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        let mut engine = visitor(&server).await?;
        for event in ["say", "alert"] {
            for arguments in [json!([]), json!([7]), json!([null]), json!([["a"]])] {
                let mut lobby = engine.of("/");
                lobby.emit(event, arguments.clone()).await?;
                let problem = lobby.next_event().await?;
                assert_eq!(problem.name, "problem", "{arguments}");
                let problem = &problem.arguments[0];
                assert_eq!(problem["event"], event, "{problem}");
                let error = problem["error"].as_str().unwrap_or_default();
                assert!(!error.is_empty(), "{problem}");
            }
        }
        inside.of("/admin").expect_nothing().await?;
        says(&mut engine, "/", "a text").await.map(drop)
    }

    #[tokio::test]
    async fn to_leave_one_is_not_to_leave_the_other() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        let mut both = visitor(&server).await?;
        enter(&mut both, "/admin", token()).await?;
        both.of("/admin").disconnect().await?;
        both.of("/").emit_with_ack("alert", json!(["bye"])).await?;
        inside.of("/admin").next_event().await?;
        says(&mut inside, "/admin", "is it gone?").await?;
        both.of("/admin").expect_nothing().await?;
        says(&mut both, "/", "I am here").await?;

        // And the other way round.
        let welcome = enter(&mut both, "/admin", token()).await?;
        assert_eq!(welcome[2], 2);
        both.of("/").disconnect().await?;
        says(&mut both, "/admin", "now I am here").await?;
        let mut other = visitor(&server).await?;
        says(&mut other, "/", "anybody?").await?;
        both.of("/").expect_nothing().await
    }

    /// Node takes a second CONNECT for a client that has lost count.
    #[tokio::test]
    async fn to_connect_twice_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let mut engine = visitor(&server).await?;
        engine.send("40").await?;
        match peer() {
            Peer::Rust => {
                engine.of("/").expect_nothing().await?;
                says(&mut engine, "/", "once").await?;
                engine.of("/").expect_nothing().await
            }
            Peer::Node => engine.expect_thrown_out().await,
        }
    }

    #[tokio::test]
    async fn many_clients_in_two_of_them_hear_each_once() -> Result {
        let server = lesson().start().await?;
        let mut clients = Vec::new();
        for n in 1..=50 {
            let mut engine = visitor(&server).await?;
            let welcome = enter(&mut engine, "/admin", token()).await?;
            assert_eq!(welcome[2], n);
            clients.push(engine);
        }
        clients[0].of("/").emit("say", json!(["all"])).await?;
        clients[0]
            .of("/admin")
            .emit("say", json!(["admins"]))
            .await?;
        for engine in &mut clients {
            for (namespace, text) in [("/", "all"), ("/admin", "admins")] {
                let said = engine.of(namespace).next_event().await?;
                assert_eq!(said.arguments[1], text);
                engine.of(namespace).expect_nothing().await?;
            }
        }
        Ok(())
    }
}

mod rooms {
    use super::*;

    #[tokio::test]
    async fn an_admin_says_yes_and_the_room_has_its_number() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        for room in [1, 7, 10, 99] {
            let mut guest = server.engineio().await?;
            let welcome = enter_room(&mut guest, &mut inside, room).await?;
            assert_eq!(welcome[1], format!("room {room}"));
            assert_eq!(welcome[2], 1);
        }
        inside.of("/admin").expect_nothing().await
    }

    #[tokio::test]
    async fn without_an_admin_nobody_gets_in() -> Result {
        let server = lesson().start().await?;
        let mut guest = visitor(&server).await?;
        let error = guest.of("/room-7").connect_error(Value::Null).await?;
        assert_eq!(error, reason("nobody lets you in"));
        says(&mut guest, "/", "still here").await.map(drop)
    }

    #[tokio::test]
    async fn any_answer_but_yes_is_a_no() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        let mut guest = visitor(&server).await?;
        let answers = [
            json!([false]),
            json!([null]),
            json!(["true"]),
            json!([1]),
            json!([[true]]),
            json!([{"yes": true}]),
            json!([]),
        ];
        for (room, no) in (1..).zip(answers) {
            ask_for(&mut guest, room).await?;
            let knock = knocked(&mut inside, room).await?;
            inside.of("/admin").ack(&knock, no.clone()).await?;
            let refusal = guest.receive().await?.encode();
            let expected =
                format!(r#"44/room-{room},{{"message":"nobody lets you in"}}"#);
            assert_eq!(refusal, expected, "{no}");
        }
        Ok(())
    }

    /// One does not answer at all: the others have to wait for the end of its time.
    #[tokio::test]
    async fn the_yes_of_one_admin_will_do() -> Result {
        let server = lesson().start().await?;
        let mut admins = Vec::new();
        for _ in 0..3 {
            admins.push(admin(&server).await?);
        }
        let mut guest = server.engineio().await?;
        ask_for(&mut guest, 7).await?;
        let mut knocks = Vec::new();
        for admin in &mut admins {
            knocks.push(knocked(admin, 7).await?);
        }
        answer(&mut admins[1], &knocks[1], json!(true)).await?;
        answer(&mut admins[2], &knocks[2], json!(false)).await?;
        guest.expect_connected("/room-7").await
    }

    #[tokio::test]
    async fn no_answer_in_time_is_a_no() -> Result {
        let server = lesson().start().await?;
        let mut silent = admin(&server).await?;
        let mut guest = visitor(&server).await?;
        ask_for(&mut guest, 7).await?;
        let knock = knocked(&mut silent, 7).await?;
        let refusal = guest.receive().await?.encode();
        assert_eq!(refusal, r#"44/room-7,{"message":"nobody lets you in"}"#);
        // What comes later changes nothing.
        answer(&mut silent, &knock, json!(true)).await?;
        says(&mut silent, "/admin", "too late").await?;
        guest.of("/room-7").expect_nothing().await
    }

    #[tokio::test]
    async fn an_admin_who_leaves_says_no() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        let mut guest = server.engineio().await?;
        ask_for(&mut guest, 7).await?;
        knocked(&mut inside, 7).await?;
        drop(inside);
        let refusal = guest.receive().await?.encode();
        assert_eq!(refusal, r#"44/room-7,{"message":"nobody lets you in"}"#);
        Ok(())
    }

    #[tokio::test]
    async fn the_guest_goes_on_elsewhere_while_it_waits() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        let mut guest = visitor(&server).await?;
        ask_for(&mut guest, 7).await?;
        let knock = knocked(&mut inside, 7).await?;
        for n in 0..10 {
            says(&mut guest, "/", &n.to_string()).await?;
        }
        guest.of("/room-7").expect_nothing().await?;
        answer(&mut inside, &knock, json!(true)).await?;
        guest.expect_connected("/room-7").await
    }

    /// The official client keeps such an event back.
    #[tokio::test]
    async fn whoever_speaks_before_the_door_is_open_is_thrown_out() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        let mut hasty = visitor(&server).await?;
        ask_for(&mut hasty, 7).await?;
        let knock = knocked(&mut inside, 7).await?;
        hasty.of("/room-7").emit("say", json!(["hello?"])).await?;
        hasty.expect_thrown_out().await?;
        answer(&mut inside, &knock, json!(true)).await?;
        alone_in_room_7(&server, &mut inside).await
    }

    /// Node runs the middleware for each CONNECT, and there are two of this client.
    #[tokio::test]
    async fn to_ask_twice_while_waiting_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        let mut guest = server.engineio().await?;
        ask_for(&mut guest, 7).await?;
        let knock = knocked(&mut inside, 7).await?;
        ask_for(&mut guest, 7).await?;
        match peer() {
            Peer::Rust => {
                guest.of("/").connect(Value::Null).await?;
                inside.of("/admin").expect_nothing().await?;
                answer(&mut inside, &knock, json!(true)).await?;
                assert_eq!(welcome(&mut guest, "/room-7").await?[2], 1);
            }
            Peer::Node => {
                let again = knocked(&mut inside, 7).await?;
                answer(&mut inside, &knock, json!(true)).await?;
                answer(&mut inside, &again, json!(true)).await?;
                assert_eq!(welcome(&mut guest, "/room-7").await?[2], 1);
                assert_eq!(welcome(&mut guest, "/room-7").await?[2], 2);
            }
        }
        Ok(())
    }

    /// Enters until nobody else is in there.
    async fn alone_in_room_7(server: &Server, inside: &mut EngineIo) -> Result {
        within("the room is empty", async {
            loop {
                let mut guest = server.engineio().await?;
                let welcome = enter_room(&mut guest, inside, 7).await?;
                if welcome[2] == 1 {
                    return Ok(());
                }
            }
        })
        .await?
    }

    #[tokio::test]
    async fn guests_who_vanish_at_the_door_are_not_inside() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        for _ in 0..20 {
            let mut guest = server.engineio().await?;
            ask_for(&mut guest, 7).await?;
            let knock = knocked(&mut inside, 7).await?;
            drop(guest);
            answer(&mut inside, &knock, json!(true)).await?;
        }
        alone_in_room_7(&server, &mut inside).await
    }

    #[tokio::test]
    async fn what_is_said_in_one_is_heard_in_no_other() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        let mut guests = Vec::new();
        for room in [7, 7, 8] {
            let mut guest = visitor(&server).await?;
            enter_room(&mut guest, &mut inside, room).await?;
            guests.push(guest);
        }
        // The same client can be in two.
        enter_room(&mut guests[0], &mut inside, 9).await?;
        let id = says(&mut guests[0], "/room-7", "to seven").await?;
        let said = json!([id, "to seven"]);
        guests[1].of("/room-7").expect_event("said", said).await?;
        guests[0].of("/room-9").expect_nothing().await?;
        guests[2].of("/room-8").expect_nothing().await?;
        for guest in &mut guests {
            guest.of("/").expect_nothing().await?;
        }
        inside.of("/admin").expect_nothing().await
    }

    /// They are refused before anybody is asked.
    #[tokio::test]
    async fn a_room_without_a_proper_number_does_not_exist() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        let mut guest = visitor(&server).await?;
        for name in [
            "/room-0",
            "/room-100",
            "/room-256",
            "/room-07",
            "/room-+7",
            "/room--7",
            "/room-",
            "/room-7.0",
            "/room-7x",
            "/room- 7",
            "/room-7 ",
            "/room-7/",
            "/room-7/8",
            "/room-٧",
            "/room-seven",
            "/room",
            "/rooms-7",
            "/ROOM-7",
            "/room-{number}",
            "//room-7",
            "/x/room-7",
            "/room-7\n",
            "/room-7?x=1",
        ] {
            let error = guest.of(name).connect_error(token()).await?;
            if error != reason("Invalid namespace") {
                let what = format!("answer at the door of {name:?}");
                let got = error["message"].as_str().unwrap_or_default();
                return Err(Failure::expected(&what, &"Invalid namespace", &got));
            }
        }
        inside.of("/admin").expect_nothing().await
    }

    /// If it were kept, each of these would cost 4 kB and more, for ever.
    #[tokio::test]
    #[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
    async fn names_that_are_refused_are_not_kept() -> Result {
        let server = lesson().start().await?;
        let mut guest = visitor(&server).await?;
        guest.websocket().connection().record_nothing();
        let long = "x".repeat(4_000);
        let mut ask = async |from: u32, to: u32| {
            for n in from..to {
                let name = format!("/room-{n}-{long}");
                let error = guest.of(&name).connect_error(Value::Null).await?;
                assert_eq!(error, reason("Invalid namespace"));
            }
            server.memory()
        };
        let before = ask(0, 500).await?;
        let after = ask(500, 6_000).await?;
        let grown = after.saturating_sub(before);
        match grown < 12 << 20 {
            true => Ok(()),
            false => Err(Failure::new(
                "5,500 refused names take more than 12 MiB, so they are kept",
            )),
        }
    }

    #[tokio::test]
    async fn all_99_can_be_there_at_once() -> Result {
        let server = lesson().start().await?;
        let mut inside = admin(&server).await?;
        let mut guest = server.engineio().await?;
        for room in 1..=99 {
            enter_room(&mut guest, &mut inside, room).await?;
        }
        for room in 1..=99 {
            let namespace = format!("/room-{room}");
            says(&mut guest, &namespace, &namespace).await?;
        }
        for room in 1..=99 {
            guest.of(&format!("/room-{room}")).expect_nothing().await?;
        }
        Ok(())
    }
}

mod recorded {
    use super::*;

    #[tokio::test]
    async fn recorded_admin() -> Result {
        let server = lesson().start().await?;
        let mut engine = socketio::after_the_first_ping(&server).await?;
        let lobby = enter(&mut engine, "/", Value::Null).await?;
        engine.websocket().connection().forget();
        let mut office = engine.of("/admin");
        office.connect_error(json!({"token": "let me in"})).await?;
        let office = enter(&mut engine, "/admin", token()).await?;
        says(&mut engine, "/admin", "hello").await?;
        engine.of("/").emit("alert", json!(["fire!"])).await?;
        engine.of("/admin").next_event().await?;
        engine.of("/admin").disconnect().await?;
        says(&mut engine, "/", "still here").await?;
        let mut transcript = engine.websocket().connection().transcript();
        transcript.name_id(id(&lobby), "id-in-lobby");
        transcript.name_id(id(&office), "id-in-office");
        compare_with_the_book("14-admin", transcript)
    }

    fn id(welcome: &Value) -> &str {
        welcome[0].as_str().unwrap_or_default()
    }

    #[tokio::test]
    async fn recorded_knock() -> Result {
        let server = lesson().start().await?;
        let mut guest = socketio::after_the_first_ping(&server).await?;
        let mut inside = socketio::after_the_first_ping(&server).await?;
        enter(&mut inside, "/admin", token()).await?;
        let recording = Recording::new();
        recording.add("Guest", guest.websocket().connection());
        recording.add("Admin", inside.websocket().connection());
        recording.forget();
        let room = enter_room(&mut guest, &mut inside, 7).await?;
        guest.of("/room-x").connect_error(Value::Null).await?;
        let mut transcript = recording.transcript();
        transcript.name_id(id(&room), "id-7");
        compare_with_the_book("14-knock", &transcript)?;
        compare_diagram_with_the_book("14-knock", &transcript)
    }
}
