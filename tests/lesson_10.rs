//! The contract of lesson 10, `examples/10_events`, and of its Node twin.

use std::borrow::BorrowMut;

use contract::{
    EngineIo, Failure, Lesson, Peer, Result, Server, SocketIo, bytes,
    compare_diagram_with_the_book, compare_with_the_book, peer,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

#[path = "contracts/program.rs"]
mod program;
#[path = "contracts/socketio.rs"]
mod socketio;

type Client = SocketIo<EngineIo>;

fn lesson() -> Lesson {
    Lesson::new("10_events")
}

/// A client of its own. Its transcript begins when it is connected.
async fn connected(server: &Server) -> Result<Client> {
    let mut client = server.socketio("/", Value::Null).await?;
    client.engine().websocket().connection().forget();
    Ok(client)
}

/// A session in `/` whose transcript has no ping in it.
async fn calm(server: &Server) -> Result<EngineIo> {
    let mut engine = socketio::after_the_first_ping(server).await?;
    engine.of("/").connect(Value::Null).await?;
    engine.websocket().connection().forget();
    Ok(engine)
}

fn three() -> Value {
    json!(["hello", 10, {"name": "allie"}])
}

/// Sends three arguments that fit, and expects them back. A client's events are answered
/// in their order, so all that earlier ones were answered with must have come before.
async fn three_come_back(client: &mut SocketIo<impl BorrowMut<EngineIo>>) -> Result {
    client.emit("event_name", three()).await?;
    client.expect_event("event_back", three()).await?;
    Ok(())
}

/// Expects a `problem` with this event, which says why.
async fn expect_problem(
    client: &mut SocketIo<impl BorrowMut<EngineIo>>,
    event: &str,
) -> Result {
    let got = client.next_event().await?;
    let says = |key: &str| got.arguments[0][key].as_str().unwrap_or_default();
    let fields = got.arguments[0].as_object().map(serde_json::Map::len);
    let fits = got.name == "problem"
        && got.arguments.as_array().map(Vec::len) == Some(1)
        && fields == Some(2)
        && says("event") == event
        && !says("error").is_empty();
    if fits {
        return Ok(());
    }
    let expected = format!(r#"problem [{{"event":"{event}","error":"…"}}]"#);
    let got = format!("{} {}", got.name, got.arguments);
    let (expected, got) = (format_args!("{expected}"), format_args!("{got}"));
    let failure = Failure::expected("event", &expected, &got);
    Err(failure.with(client.engine().websocket().connection().transcript()))
}

/// Whether a new client gets its answer, whatever the others did.
async fn still_answers(server: &Server) -> Result {
    three_come_back(&mut connected(server).await?).await
}

/// Expects the end of the connection, without a word but pings and a goodbye in Engine.IO.
async fn expect_closed(client: &mut Client) -> Result {
    let heard = socketio::last_words(client.engine()).await?;
    assert!(
        heard.iter().all(|text| text == "1" || text == "2"),
        "{heard:?}"
    );
    Ok(())
}

/// `tests/official/lesson_10.mjs`, with a client that begins with a WebSocket …
#[tokio::test]
#[ignore = "needs Node.js: npm ci --prefix examples"]
async fn the_official_client_works_with_it() -> Result {
    lesson().official_client("lesson_10", "websocket").await
}

/// … and with one that begins with HTTP.
#[tokio::test]
#[ignore = "needs Node.js: npm ci --prefix examples"]
async fn the_official_client_works_with_it_on_polling() -> Result {
    let transports = "polling,websocket";
    lesson().official_client("lesson_10", transports).await
}

mod arguments {
    use super::*;

    #[tokio::test]
    async fn the_three_come_back_as_they_were() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        let long = "x".repeat(500_000);
        for three in [
            three(),
            json!(["", 0, {"name": ""}]),
            json!(["하늘 🦀", -1, {"name": "\"\\\n\u{0}\u{2028}"}]),
            json!(["<b>", 9_007_199_254_740_991_i64, {"name": "__proto__"}]),
            json!(["1-[", -9_007_199_254_740_991_i64, {"name": "/custom,"}]),
            json!([long, 1, {"name": "allie"}]),
        ] {
            client.emit("event_name", three.clone()).await?;
            let back = client.expect_event("event_back", three).await?;
            assert_eq!(back.id, None);
        }
        Ok(())
    }

    /// The order of an object's keys means nothing, nor does how they are written.
    #[tokio::test]
    async fn it_is_the_value_that_counts_and_not_its_spelling() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        for spelling in [
            r#"42 ["event_name","hello",10,{"name":"allie"}]"#,
            r#"42[ "event_name" , "hello" , 10 , { "name" : "allie" } ]"#,
            r#"42["event_name","h\u0065llo",10,{"n\u0061me":"allie"}]"#,
        ] {
            client.engine().send(spelling).await?;
            client.expect_event("event_back", three()).await?;
        }
        Ok(())
    }

    /// After each of them, the connection is as good as before.
    async fn are_a_problem<const N: usize>(
        event: &str,
        wrong: [Value; N],
    ) -> Result {
        let server = lesson().start().await?;
        let mut engine = calm(&server).await?;
        for arguments in wrong {
            engine.websocket().connection().forget();
            let mut client = engine.of("/");
            client.emit(event, arguments).await?;
            // Sent before anything is awaited: silence is noticed at once.
            client.emit("event_name", three()).await?;
            expect_problem(&mut client, event).await?;
            client.expect_event("event_back", three()).await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn too_few_too_many_or_of_the_wrong_type_are_a_problem() -> Result {
        are_a_problem(
            "event_name",
            [
                json!([]),
                json!(["hello"]),
                json!(["hello", 10]),
                json!(["hello", 10, {"name": "allie"}, null]),
                json!([["hello", 10, {"name": "allie"}]]),
                json!([10, "hello", {"name": "allie"}]),
                json!([null, 10, {"name": "allie"}]),
                json!(["hello", "10", {"name": "allie"}]),
                json!(["hello", null, {"name": "allie"}]),
                json!(["hello", 10.5, {"name": "allie"}]),
                json!(["hello", 1e300, {"name": "allie"}]),
                json!(["hello", true, {"name": "allie"}]),
                json!(["hello", 10, "allie"]),
                json!(["hello", 10, null]),
                json!(["hello", 10, []]),
                json!(["hello", 10, {}]),
                json!(["hello", 10, {"name": 7}]),
                json!(["hello", 10, {"name": null}]),
                json!(["hello", 10, {"Name": "allie"}]),
                json!(["hello", 10, {"name": bytes(b"allie")}]),
                json!([bytes(b"hello"), 10, {"name": "allie"}]),
            ],
        )
        .await
    }

    #[tokio::test]
    async fn a_field_that_nobody_knows_is_a_problem() -> Result {
        let more = json!(["hello", 10, {"name": "allie", "age": 7}]);
        are_a_problem("event_name", [more]).await
    }

    #[tokio::test]
    async fn what_nobody_can_count_to_is_a_problem() -> Result {
        are_a_problem(
            "count",
            [
                json!(["ten"]),
                json!([]),
                json!([null]),
                json!([-1]),
                json!([1.5]),
                json!([[3]]),
                json!([3, 3]),
                json!([5_001]),
                json!([u64::MAX]),
            ],
        )
        .await
    }

    #[tokio::test]
    async fn what_is_not_a_name_with_bytes_is_a_problem() -> Result {
        are_a_problem(
            "upload",
            [
                json!([]),
                json!([bytes(b"abc")]),
                json!([{"name": "a"}]),
                json!([{"data": bytes(b"abc")}]),
                json!([{"name": "a", "data": "abc"}]),
                json!([{"name": "a", "data": [97, 98]}]),
                json!([{"name": "a", "data": null}]),
                json!([{"name": 7, "data": bytes(b"abc")}]),
                json!([{"name": "a", "data": bytes(b"abc")}, 1]),
                json!([{"name": "a", "data": bytes(b"a"), "b": bytes(b"b")}]),
            ],
        )
        .await
    }

    /// A problem is the sender's alone.
    #[tokio::test]
    async fn nobody_else_hears_of_a_problem() -> Result {
        let server = lesson().start().await?;
        let (mut one, mut two) =
            (connected(&server).await?, connected(&server).await?);
        one.emit("event_name", json!(["hello"])).await?;
        expect_problem(&mut one, "event_name").await?;
        three_come_back(&mut two).await
    }

    /// Lesson 11 answers those.
    #[tokio::test]
    async fn a_callback_is_not_an_argument() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        client.ask("event_name", three()).await?;
        client.expect_event("event_back", three()).await?;
        client.ask("echo", json!([1])).await?;
        let back = client.expect_event("echo", json!([1])).await?;
        assert_eq!(back.id, None, "nobody is asked for an ack");
        client.expect_event("echoed", json!([1])).await?;
        client.ask("count", json!([0, 0])).await?;
        expect_problem(&mut client, "count").await?;
        three_come_back(&mut client).await?;
        // An ack would be among what has come and was not asked for.
        client.expect_nothing().await
    }
}

mod echo {
    use super::*;

    #[tokio::test]
    async fn any_number_of_any_values_comes_back() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        let many = Value::Array((0..1_000).map(Value::from).collect());
        for (n, arguments) in (1..).zip([
            json!([]),
            json!([null]),
            json!([null, null]),
            json!([[]]),
            json!(["hello", 10, {"name": "allie"}]),
            json!([1, 2.5, -3e-9, true, null, "", [], {}, [[1], {"a": [null]}]]),
            json!(["하늘", "\u{1F980}", "\"\\\u{0}\u{2028}", "1-[", "/custom,"]),
            json!([{"b": 1, "하늘": {"c": [{}]}, "": 0, "a": 2}]),
            json!([{"__proto__": 1, "constructor": 2, "toString": 3}]),
            json!([{"_placeholder": true, "num": 0}, {"_placeholder": "no"}]),
            json!([many]),
            many,
        ]) {
            client.emit("echo", arguments.clone()).await?;
            client.expect_event("echo", arguments).await?;
            client.expect_event("echoed", json!([n])).await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn bytes_come_back_wherever_they_are() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        let ten: Vec<Value> = (0..10).map(|n| bytes([n; 3])).collect();
        for (n, arguments) in (1..).zip([
            json!([bytes(b"\x00\x01\xff")]),
            json!([bytes(b"")]),
            json!([bytes(b"1"), "a", bytes(b"2")]),
            json!([{"file": {"data": bytes(b"1"), "name": "a"}}, [bytes(b"2")]]),
            json!([bytes(vec![7; 500_000])]),
            json!([ten]),
        ]) {
            client.emit("echo", arguments.clone()).await?;
            client.expect_event("echo", arguments).await?;
            client.expect_event("echoed", json!([n])).await?;
        }
        Ok(())
    }

    /// In the order in which they were added. Each client has its own count.
    #[tokio::test]
    async fn two_handlers_of_one_event_both_run() -> Result {
        let server = lesson().start().await?;
        let (mut one, mut two) =
            (connected(&server).await?, connected(&server).await?);
        for n in 1..=3 {
            for client in [&mut one, &mut two] {
                client.emit("echo", json!(["a", n])).await?;
                client.expect_event("echo", json!(["a", n])).await?;
                client.expect_event("echoed", json!([n])).await?;
            }
        }
        let mut third = connected(&server).await?;
        third.emit("echo", json!([])).await?;
        third.expect_event("echo", json!([])).await?;
        third.expect_event("echoed", json!([1])).await?;
        Ok(())
    }
}

mod upload {
    use super::*;

    #[tokio::test]
    async fn bytes_in_an_object_are_received_and_bytes_are_sent() -> Result {
        let server = lesson().start().await?;
        let mut engine = calm(&server).await?;
        let mut client = engine.of("/");
        for (name, data) in [
            ("four", &b"1234"[..]),
            ("", b""),
            ("short", b"\x00\xff"),
            ("하늘.txt", b"more than four"),
            ("long", &[7; 500_000]),
        ] {
            let upload = json!([{"name": name, "data": bytes(data)}]);
            client.emit("upload", upload).await?;
            let head = &data[..data.len().min(4)];
            let uploaded = json!([name, data.len(), bytes(head)]);
            client.expect_event("uploaded", uploaded).await?;
        }
        Ok(())
    }
}

mod order {
    use super::*;

    const EVENTS: u32 = 2_000;
    const BURST: u32 = 5_000;

    /// The first takes longest. If each event were a task of its own, others would overtake
    /// it.
    #[tokio::test]
    async fn two_thousand_events_in_a_row_come_back_in_their_order() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        let long = "x".repeat(500_000);
        for n in 0..EVENTS {
            let text = if n == 0 { &long } else { "short" };
            let three = json!([text, n, {"name": "allie"}]);
            client.emit("event_name", three).await?;
        }
        let mut back = Vec::new();
        for _ in 0..EVENTS {
            back.push(client.next_event().await?.arguments[1].clone());
        }
        if back.into_iter().eq((0..EVENTS).map(Value::from)) {
            return Ok(());
        }
        let what = format!("{EVENTS} events in a row came back in another order");
        Err(Failure::new(what))
    }

    /// Those of two handlers, and of two events.
    #[tokio::test]
    async fn all_that_one_client_asks_for_comes_in_order() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        for n in 1..=200 {
            client.emit("echo", json!([n, bytes([7; 3])])).await?;
            client.emit("event_name", json!([n])).await?;
        }
        for n in 1..=200 {
            client
                .expect_event("echo", json!([n, bytes([7; 3])]))
                .await?;
            client.expect_event("echoed", json!([n])).await?;
            expect_problem(&mut client, "event_name").await?;
        }
        Ok(())
    }

    async fn count(client: &mut Client, to: u32) -> Result {
        client.emit("count", json!([to])).await?;
        let mut numbers = Vec::new();
        loop {
            let event = client.next_event().await?;
            match event.name.as_str() {
                "number" => numbers.push(event.arguments),
                _ if event.name == "counted" && event.arguments == json!([to]) => {
                    break;
                }
                other => return Err(Failure::new(format!("{other} came"))),
            }
        }
        let all = Vec::from_iter((0..to).map(|n| json!([n])));
        if numbers == all {
            return Ok(());
        }
        let what = if numbers.len() == all.len() {
            format!("{to} events in a row came in another order")
        } else {
            format!("of {to} events in a row, some did not come")
        };
        Err(Failure::new(what))
    }

    #[tokio::test]
    async fn five_thousand_emits_in_a_row_all_arrive() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        for to in [BURST, 0, 1, BURST] {
            count(&mut client, to).await?;
        }
        Ok(())
    }

    /// In Node, `emit` never waits, so that the whole burst comes first. In the lesson the
    /// handler waits for room, and meanwhile the next event has its turn.
    #[tokio::test]
    async fn an_event_after_a_burst_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        client.emit("count", json!([BURST])).await?;
        client.emit("event_name", three()).await?;
        let mut last = String::new();
        for _ in 0..BURST + 2 {
            last = client.next_event().await?.name;
        }
        let expected = match peer() {
            Peer::Rust => "counted",
            Peer::Node => "event_back",
        };
        assert_eq!(last, expected);
        Ok(())
    }

    #[tokio::test]
    async fn bursts_to_several_clients_all_arrive() -> Result {
        let server = lesson().start().await?;
        let mut clients = JoinSet::new();
        for _ in 0..5 {
            let mut client = connected(&server).await?;
            clients.spawn(async move { count(&mut client, BURST).await });
        }
        // Meanwhile nobody has to wait.
        still_answers(&server).await?;
        clients.join_all().await.into_iter().collect()
    }
}

mod names {
    use super::*;

    #[tokio::test]
    async fn an_event_that_nobody_listens_to_harms_nothing() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        for name in [
            "nothing",
            "",
            " ",
            "Echo",
            "echo ",
            "하늘",
            "🦀",
            "event_back",
            "problem",
            "error",
            "message",
            "connection",
            "constructor",
            "toString",
            "__proto__",
        ] {
            client.emit(name, json!([1])).await?;
            client.ask(name, json!([{"a": bytes(b"1")}])).await?;
        }
        three_come_back(&mut client).await
    }

    /// Node keeps these names for itself, and closes the connection. To socketioxide they
    /// are names like any other, and nobody listens.
    #[tokio::test]
    async fn reserved_names_are_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        for name in [
            "connect",
            "connect_error",
            "disconnect",
            "disconnecting",
            "newListener",
            "removeListener",
        ] {
            let mut client = connected(&server).await?;
            client.emit(name, json!([])).await?;
            match peer() {
                Peer::Rust => three_come_back(&mut client).await?,
                Peer::Node => expect_closed(&mut client).await?,
            }
        }
        still_answers(&server).await
    }

    /// socketioxide reads a name only as it is written, and closes the connection if there
    /// is a backslash in it. JSON has to have one where there is a quotation mark.
    #[tokio::test]
    async fn an_escape_in_a_name_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        for (packet, is_echo) in [
            (r#"42["say \"hi\""]"#, false),
            (r#"42["two\nlines"]"#, false),
            (r#"42["back\\slash"]"#, false),
            (r#"42["ech\u006f"]"#, true),
        ] {
            let mut client = connected(&server).await?;
            client.engine().send(packet).await?;
            match peer() {
                Peer::Rust => expect_closed(&mut client).await?,
                Peer::Node => {
                    if is_echo {
                        client.expect_event("echo", json!([])).await?;
                        client.expect_event("echoed", json!([1])).await?;
                    }
                    three_come_back(&mut client).await?;
                }
            }
        }
        still_answers(&server).await
    }

    #[tokio::test]
    async fn a_number_for_a_name_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        client.engine().send("42[1]").await?;
        match peer() {
            Peer::Rust => expect_closed(&mut client).await,
            Peer::Node => three_come_back(&mut client).await,
        }
    }
}

mod clients {
    use super::*;

    #[tokio::test]
    async fn many_each_get_their_own_back() -> Result {
        let server = lesson().start().await?;
        let mut clients = JoinSet::new();
        for client in 0..50 {
            let mut socket = connected(&server).await?;
            clients.spawn(async move {
                for n in 1..=20 {
                    let arguments = json!([client, n]);
                    socket.emit("echo", arguments.clone()).await?;
                    socket.expect_event("echo", arguments).await?;
                    socket.expect_event("echoed", json!([n])).await?;
                }
                Ok(20)
            });
        }
        let answered: Vec<Result<u32>> = clients.join_all().await;
        assert_eq!(answered.into_iter().sum::<Result<u32>>()?, 1_000);
        Ok(())
    }

    #[tokio::test]
    async fn one_hears_nothing_of_another() -> Result {
        let server = lesson().start().await?;
        let (mut one, mut two) =
            (connected(&server).await?, connected(&server).await?);
        one.emit("echo", json!(["secret"])).await?;
        one.emit("count", json!([3])).await?;
        one.expect_event("echo", json!(["secret"])).await?;
        one.expect_event("echoed", json!([1])).await?;
        for n in 0..3 {
            one.expect_event("number", json!([n])).await?;
        }
        one.expect_event("counted", json!([3])).await?;
        three_come_back(&mut two).await
    }

    #[tokio::test]
    async fn those_that_vanish_do_no_harm() -> Result {
        let server = lesson().start().await?;
        for half in [
            &[][..],
            &["40"],
            &["40", r#"42["count",5000]"#, r#"42["count",5000]"#],
            &["40", r#"42["echo","a"]"#, r#"42["event_name"]"#],
            &["40", r#"451-["echo",{"_placeholder":true,"num":0}]"#],
        ] {
            server.engineio_that_vanishes(half).await?;
        }
        still_answers(&server).await
    }

    /// And nobody else is.
    #[tokio::test]
    async fn one_that_breaks_the_rules_is_closed_alone() -> Result {
        let server = lesson().start().await?;
        let mut other = connected(&server).await?;
        for bad in [
            "x",
            "4",
            "47",
            "42{}",
            "42[]",
            "42[null]",
            "42[{}]",
            r#"42"echo""#,
            r#"42["echo""#,
            r#"42["echo",]"#,
            r#"45["echo"]"#,
        ] {
            let mut client = connected(&server).await?;
            client.engine().send(bad).await?;
            expect_closed(&mut client).await?;
            three_come_back(&mut other).await?;
        }
        // Bytes that nothing has announced, and a packet where bytes are due.
        let mut client = connected(&server).await?;
        client.engine().send_bytes(b"a").await?;
        expect_closed(&mut client).await?;
        let mut client = connected(&server).await?;
        let event = r#"451-["echo",{"_placeholder":true,"num":0}]"#;
        client.engine().send(event).await?;
        client.engine().send(r#"42["echo"]"#).await?;
        expect_closed(&mut client).await?;
        three_come_back(&mut other).await
    }
}

/// Where serde and the checks of the twin, or the two parsers below them, disagree.
mod differences {
    use super::*;

    enum Then {
        Back(Value),
        Problem,
    }
    use Then::{Back, Problem};

    async fn differ(event: &str, rows: &[(&str, Then, Then)]) -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        for (packet, rust, node) in rows {
            client.engine().send(packet).await?;
            let then = match peer() {
                Peer::Rust => rust,
                Peer::Node => node,
            };
            match (then, event) {
                (Back(back), "echo") => {
                    client.expect_event("echo", back.clone()).await?;
                }
                (Back(back), _) => {
                    client.expect_event("event_back", back.clone()).await?;
                }
                (Problem, _) => expect_problem(&mut client, event).await?,
            }
            if event == "echo" {
                // The second handler has no arguments that could be wrong.
                assert_eq!(client.next_event().await?.name, "echoed");
            }
        }
        three_come_back(&mut client).await
    }

    fn back(number: i64) -> Then {
        Back(json!(["a", number, {"name": "b"}]))
    }

    /// A number in JavaScript is a double, exact up to 2^53, and `1.0` is the integer 1.
    #[tokio::test]
    async fn integers_are_where_the_two_differ() -> Result {
        let packets = [
            r#"42["event_name","a",9007199254740993,{"name":"b"}]"#,
            r#"42["event_name","a",-9223372036854775808,{"name":"b"}]"#,
            r#"42["event_name","a",1.0,{"name":"b"}]"#,
            r#"42["event_name","a",1e2,{"name":"b"}]"#,
        ];
        differ(
            "event_name",
            &[
                (packets[0], back(9_007_199_254_740_993), Problem),
                (packets[1], back(i64::MIN), Problem),
                (packets[2], Problem, back(1)),
                (packets[3], Problem, back(100)),
            ],
        )
        .await
    }

    /// serde reads a struct from a list as well, and refuses a key that comes twice.
    #[tokio::test]
    async fn objects_are_where_the_two_differ() -> Result {
        let packets = [
            r#"42["event_name","a",1,["b"]]"#,
            r#"42["event_name","a",1,{"name":"c","name":"b"}]"#,
        ];
        differ(
            "event_name",
            &[
                (packets[0], back(1), Problem),
                (packets[1], Problem, back(1)),
            ],
        )
        .await
    }

    /// socketioxide looks for a placeholder's key, and reads the first key of every object
    /// only as it is written.
    #[tokio::test]
    async fn an_escape_in_a_key_is_where_the_two_differ() -> Result {
        let object = json!([{"say \"hi\"": 1, "a": 2}]);
        let later = || Back(json!([{"a": 2, "say \"hi\"": 1}]));
        differ(
            "echo",
            &[
                (
                    r#"42["echo",{"say \"hi\"":1,"a":2}]"#,
                    Problem,
                    Back(object),
                ),
                (r#"42["echo",{"a":2,"say \"hi\"":1}]"#, later(), later()),
            ],
        )
        .await
    }

    /// Half of a surrogate pair is a string in JavaScript, and none in Rust. No number is
    /// too large for `JSON.parse`, which makes infinity of it, which is null in JSON.
    #[tokio::test]
    async fn what_json_may_hold_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        let nested = |depth| {
            let (open, close) = ("[".repeat(depth), "]".repeat(depth));
            format!(r#"["echo",{open}{close}]"#)
        };
        for (event, node) in [
            (
                r#"["echo","\ud800"]"#.into(),
                Some(r#"["echo","\ud800"]"#.into()),
            ),
            (r#"["echo",1e400]"#.into(), Some(r#"["echo",null]"#.into())),
            (nested(200), Some(nested(200))),
            // `JSON.parse` can read it, and `JSON.stringify` cannot write it.
            (nested(10_000), None),
        ] {
            client.engine().send(&format!("42{event}")).await?;
            match (peer(), node) {
                (Peer::Node, Some(back)) => {
                    client.engine().expect(&format!("42{back}")).await?;
                }
                _ => expect_problem(&mut client, "echo").await?,
            }
            assert_eq!(client.next_event().await?.name, "echoed");
        }
        three_come_back(&mut client).await
    }

    /// socketioxide takes the attachments in the order in which they come, whatever numbers
    /// the placeholders have.
    #[tokio::test]
    async fn the_numbers_of_placeholders_are_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        let placeholder = |num| json!({"_placeholder": true, "num": num});
        let payload = json!(["echo", placeholder(1), placeholder(0)]);
        client.engine().send(&format!("452-{payload}")).await?;
        client.engine().send_bytes(b"first").await?;
        client.engine().send_bytes(b"second").await?;
        let back = match peer() {
            Peer::Rust => json!([bytes(b"first"), bytes(b"second")]),
            Peer::Node => json!([bytes(b"second"), bytes(b"first")]),
        };
        client.expect_event("echo", back).await?;
        Ok(())
    }
}

mod recorded {
    use super::*;

    #[tokio::test]
    async fn recorded_arguments() -> Result {
        let server = lesson().start().await?;
        let mut engine = calm(&server).await?;
        let mut client = engine.of("/");
        three_come_back(&mut client).await?;
        for wrong in [
            json!(["hello", "ten", {"name": "allie"}]),
            json!(["hello", 10]),
            json!(["hello", 10, {"age": 7, "name": "allie"}]),
        ] {
            client.emit("event_name", wrong).await?;
            expect_problem(&mut client, "event_name").await?;
        }
        let transcript = engine.websocket().connection().transcript();
        compare_with_the_book("10-arguments", transcript)
    }

    /// Short ones, which fit on an arrow.
    #[tokio::test]
    async fn recorded_picture() -> Result {
        let server = lesson().start().await?;
        let mut engine = calm(&server).await?;
        let mut client = engine.of("/");
        let three = json!(["hi", 10, {"name": "allie"}]);
        client.emit("event_name", three.clone()).await?;
        client.expect_event("event_back", three).await?;
        client.emit("event_name", json!(["hi", "ten"])).await?;
        expect_problem(&mut client, "event_name").await?;
        client.emit("count", json!([2])).await?;
        client.expect_event("number", json!([0])).await?;
        client.expect_event("number", json!([1])).await?;
        client.expect_event("counted", json!([2])).await?;
        let transcript = engine.websocket().connection().transcript();
        compare_diagram_with_the_book("10-events", transcript)
    }

    #[tokio::test]
    async fn recorded_echo() -> Result {
        let server = lesson().start().await?;
        let mut engine = calm(&server).await?;
        let mut client = engine.of("/");
        for (n, arguments) in
            (1..).zip([json!([]), json!([1, 2, 3]), json!([[1, 2, 3]])])
        {
            client.emit("echo", arguments.clone()).await?;
            client.expect_event("echo", arguments).await?;
            client.expect_event("echoed", json!([n])).await?;
        }
        let transcript = engine.websocket().connection().transcript();
        compare_with_the_book("10-echo", transcript)
    }

    #[tokio::test]
    async fn recorded_bytes() -> Result {
        let server = lesson().start().await?;
        let mut engine = calm(&server).await?;
        let mut client = engine.of("/");
        let file = json!([{"name": "hello.txt", "data": bytes(b"hello")}]);
        client.emit("upload", file).await?;
        let uploaded = json!(["hello.txt", 5, bytes(b"hell")]);
        client.expect_event("uploaded", uploaded).await?;
        let transcript = engine.websocket().connection().transcript();
        compare_with_the_book("10-bytes", transcript)
    }
}
