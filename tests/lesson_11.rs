//! The contract of lesson 11, `examples/11_acks`, and of its Node twin.

use contract::{
    EngineIo, Event, Failure, Frame, Lesson, Peer, Result, Server, Signal, SocketIo,
    bytes, peer,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

#[path = "contracts/program.rs"]
mod program;
#[path = "contracts/socketio.rs"]
mod socketio;

fn lesson() -> Lesson {
    Lesson::new("11_acks")
}

/// A server that waits for answers for longer than this kit waits for anything. What a
/// test sees of it did not come from a timeout.
fn patient() -> Lesson {
    lesson().env("ANSWER_TIMEOUT", 600_000)
}

/// A server that hardly waits for answers.
fn hasty() -> Lesson {
    lesson().env("ANSWER_TIMEOUT", 100)
}

type Client = SocketIo<EngineIo>;

/// A client that knows its public id. Its transcript begins after that.
async fn member(server: &Server) -> Result<(Client, String)> {
    let engine = socketio::after_the_first_ping(server).await?;
    let mut client = engine.into_namespace("/");
    client.connect(Value::Null).await?;
    let welcome = client.next_event().await?;
    let id = match (&*welcome.name, welcome.arguments[0].as_str()) {
        ("welcome", Some(id)) => id.to_owned(),
        _ => return Err(Failure::new(format!("no welcome: {welcome:?}"))),
    };
    client.engine().websocket().connection().forget();
    Ok((client, id))
}

async fn connected(server: &Server) -> Result<Client> {
    Ok(member(server).await?.0)
}

/// Emits an event, and fails unless its ack has these arguments.
async fn expect_ack(
    client: &mut Client,
    name: &str,
    arguments: Value,
    expected: Value,
) -> Result {
    let id = client.ask(name, arguments).await?;
    expect_answer(client, id, expected).await
}

/// Fails unless the ack with this id has these arguments.
async fn expect_answer(client: &mut Client, id: u64, expected: Value) -> Result {
    let got = client.acked(id).await?;
    if got == expected {
        return Ok(());
    }
    let (expected, got) = (format_args!("{expected}"), format_args!("{got}"));
    let failure = Failure::expected("ack", &expected, &got);
    Err(failure.with(client.engine().websocket().connection().transcript()))
}

/// Fails unless the ack with this id is `{"error": …}`.
async fn expect_error(client: &mut Client, id: u64) -> Result<String> {
    let got = client.acked(id).await?;
    match got[0]["error"].as_str() {
        Some(error) if !error.is_empty() && is_alone(&got) => Ok(error.into()),
        _ => {
            let expected = format_args!(r#"[{{"error":"…"}}]"#);
            let failure =
                Failure::expected("ack", &expected, &format_args!("{got}"));
            Err(failure.with(client.engine().websocket().connection().transcript()))
        }
    }
}

/// Whether it is one argument with one key.
fn is_alone(answer: &Value) -> bool {
    let keys = answer[0].as_object().map(serde_json::Map::len);
    keys == Some(1) && answer.as_array().map(Vec::len) == Some(1)
}

async fn save(client: &mut Client, name: &str, note: Value) -> Result {
    let saved = json!([{"saved": name}]);
    expect_ack(client, "save", json!([name, note]), saved).await
}

async fn expect_note(client: &mut Client, name: &str, note: Value) -> Result {
    expect_ack(client, "load", json!([name]), json!([{"note": note}])).await
}

/// Saves what is there already, as far as the server's question. Returns the id of the
/// save, and the question.
async fn overwrite(
    client: &mut Client,
    name: &str,
    old: Value,
    new: Value,
) -> Result<(u64, Event)> {
    let save = client.ask("save", json!([name, new])).await?;
    let question = client.expect_event("overwrite", json!([name, old])).await?;
    Ok((save, question))
}

/// Whether a new client gets its answer, whatever the others did.
async fn still_answers(server: &Server) -> Result {
    let mut client = connected(server).await?;
    let arguments = json!(["still there?", 1, {"name": "me"}]);
    expect_ack(&mut client, "event_name", arguments.clone(), arguments).await
}

/// `tests/official/lesson_11.mjs`.
#[tokio::test]
#[ignore = "needs Node.js: npm ci --prefix examples"]
async fn the_official_client_works_with_it() -> Result {
    official("websocket").await
}

/// The same, from long-polling on.
#[tokio::test]
#[ignore = "needs Node.js: npm ci --prefix examples"]
async fn the_official_client_works_with_it_on_polling() -> Result {
    official("polling,websocket").await
}

async fn official(transports: &str) -> Result {
    let lesson = lesson().env("ANSWER_TIMEOUT", 1_000);
    lesson.official_client("lesson_11", transports).await
}

#[tokio::test]
async fn a_bad_timeout_is_refused_in_one_line() -> Result {
    for bad in ["abc", "-1", "1.5", ""] {
        let exit = lesson().env("ANSWER_TIMEOUT", bad).run().await?;
        exit.expect_refusal(&format!("ANSWER_TIMEOUT={bad} is not a number"))?;
    }
    Ok(())
}

mod the_client_asks {
    use super::*;

    #[tokio::test]
    async fn the_ack_has_three_arguments() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        for three in [
            json!(["hello", 10, {"name": "allie"}]),
            json!(["", -1, {"name": ""}]),
            json!(["하늘 🦀 \"\\\u{0}", 9_007_199_254_740_991_i64, {"name": "[1]"}]),
        ] {
            expect_ack(&mut client, "event_name", three.clone(), three).await?;
        }
        client.expect_nothing().await
    }

    /// `[]` on the wire, which is not `[null]`.
    #[tokio::test]
    async fn an_ack_may_have_no_arguments() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        save(&mut client, "todo", json!("buy milk")).await?;
        for _ in 0..2 {
            expect_ack(&mut client, "remove", json!(["todo"]), json!([])).await?;
        }
        let load = client.ask("load", json!(["todo"])).await?;
        let error = expect_error(&mut client, load).await?;
        assert!(error.contains("todo"), "{error}");
        client.expect_nothing().await
    }

    #[tokio::test]
    async fn a_note_comes_back_to_everyone() -> Result {
        let server = lesson().start().await?;
        let mut author = connected(&server).await?;
        let mut reader = connected(&server).await?;
        for name in ["todo", "", "__proto__", "하늘"] {
            let note = json!(format!("of {name}"));
            save(&mut author, name, note.clone()).await?;
            expect_note(&mut reader, name, note).await?;
        }
        reader.expect_nothing().await
    }

    #[tokio::test]
    async fn bytes_go_and_come_back_as_bytes() -> Result {
        let server = lesson().start().await?;
        let mut author = connected(&server).await?;
        let mut reader = connected(&server).await?;
        for (name, note) in [
            ("three", bytes(b"\x00\x01\xff")),
            ("none", bytes(b"")),
            ("many", bytes(vec![7; 50_000])),
        ] {
            save(&mut author, name, note.clone()).await?;
            expect_note(&mut reader, name, note.clone()).await?;
            // And in a question of the server's.
            let (save, question) =
                overwrite(&mut author, name, note, json!("text")).await?;
            author.ack(&question, json!([true])).await?;
            let saved = json!([{"saved": name}]);
            expect_answer(&mut author, save, saved).await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn the_ack_has_the_id_of_its_event() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        for id in ["0", "7", "7", "9007199254740991"] {
            let engine = client.engine();
            engine.send(&format!(r#"42{id}["remove","x"]"#)).await?;
            engine.expect(&format!("43{id}[]")).await?;
        }
        Ok(())
    }

    /// A callback may be left out: `socket.emit('save', name, note)`.
    #[tokio::test]
    async fn what_did_not_ask_for_an_ack_gets_none() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        let three = json!(["hello", 10, {"name": "allie"}]);
        client.emit("event_name", three).await?;
        client.emit("save", json!(["todo", "buy milk"])).await?;
        client.emit("load", json!(["todo"])).await?;
        client.emit("load", json!([1])).await?;
        client.emit("ask", json!(["is anybody there?"])).await?;
        expect_note(&mut client, "todo", json!("buy milk")).await?;
        client.emit("remove", json!(["todo"])).await?;
        client.expect_nothing().await
    }

    #[tokio::test]
    async fn an_event_that_nobody_handles_is_not_acked() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        for name in ["nothing", "Save", "overwrite", "question", "constructor"] {
            client.ask(name, json!(["todo"])).await?;
        }
        client.expect_nothing().await?;
        still_answers(&server).await
    }

    /// Where there is no answer for it, the client gets an event instead of its ack.
    #[tokio::test]
    async fn wrong_arguments_are_a_problem_and_no_ack() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        let person = json!({"name": "allie"});
        for (event, arguments) in [
            ("event_name", json!([])),
            ("event_name", json!(["hello", 10])),
            ("event_name", json!(["hello", 10, person, 1])),
            ("event_name", json!([["hello", 10, person]])),
            ("event_name", json!([10, "hello", person])),
            ("event_name", json!(["hello", "10", person])),
            ("event_name", json!(["hello", 1.5, person])),
            ("event_name", json!(["hello", 10, null])),
            ("event_name", json!(["hello", 10, {"name": 1}])),
            ("event_name", json!(["hello", 10, {}])),
            ("event_name", json!([bytes(b"hello"), 10, person])),
            ("remove", json!([])),
            ("remove", json!([null])),
            ("ask", json!([])),
            ("ask", json!([{"text": "why?"}])),
        ] {
            for wants_ack in [true, false] {
                match wants_ack {
                    true => drop(client.ask(event, arguments.clone()).await?),
                    false => client.emit(event, arguments.clone()).await?,
                }
                let problem = client.next_event().await?;
                assert_eq!(problem.name, "problem", "{event} {arguments}");
                let about = &problem.arguments[0];
                assert_eq!(about["event"], event);
                let error = about["error"].as_str().unwrap_or_default();
                assert_ne!(error, "", "{event} {arguments}");
                client.expect_nothing().await?;
            }
        }
        still_answers(&server).await
    }

    /// Where there is an answer for errors, whoever asks gets it.
    #[tokio::test]
    async fn wrong_arguments_are_an_error_in_the_ack() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        for (event, arguments) in [
            ("save", json!([])),
            ("save", json!(["todo"])),
            ("save", json!(["todo", "a", "b"])),
            ("save", json!([1, "a"])),
            ("save", json!([["todo", "a"]])),
            ("save", json!(["todo", 1])),
            ("save", json!(["todo", null])),
            ("save", json!(["todo", {"text": "a"}])),
            ("save", json!(["todo", [bytes(b"a")]])),
            ("load", json!([])),
            ("load", json!([1])),
            ("load", json!([bytes(b"todo")])),
        ] {
            let id = client.ask(event, arguments).await?;
            expect_error(&mut client, id).await?;
        }
        client.expect_nothing().await?;
        let load = client.ask("load", json!(["todo"])).await?;
        expect_error(&mut client, load).await?;
        Ok(())
    }

    /// A handler of one argument takes the first of several. The twin counts them.
    #[tokio::test]
    async fn an_argument_too_many_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        save(&mut client, "todo", json!("buy milk")).await?;
        let load = client.ask("load", json!(["todo", 1])).await?;
        match peer() {
            Peer::Rust => {
                let note = json!([{"note": "buy milk"}]);
                expect_answer(&mut client, load, note).await?;
            }
            Peer::Node => drop(expect_error(&mut client, load).await?),
        }
        client.expect_nothing().await
    }

    #[tokio::test]
    async fn two_thousand_questions_in_a_row_each_get_their_own_answer() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        let three = |n: u64| json!(["hello", n, {"name": n.to_string()}]);
        let mut ids = Vec::new();
        for n in 0..2_000 {
            ids.push(client.ask("event_name", three(n)).await?);
        }
        for (n, id) in (0..).zip(ids) {
            expect_answer(&mut client, id, three(n)).await?;
        }
        client.expect_nothing().await
    }

    /// The long answers fill all buffers of the system. Of the short ones, most have to
    /// wait in the server.
    #[tokio::test]
    async fn who_reads_late_misses_no_answer() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        let long = "x".repeat(900_000);
        save(&mut client, "long", json!(long)).await?;
        save(&mut client, "short", json!("hello")).await?;
        client.engine().websocket().connection().forget();
        let mut ids = Vec::new();
        for (name, count) in [("long", 45), ("short", 500)] {
            for _ in 0..count {
                ids.push(client.ask("load", json!([name])).await?);
            }
        }
        for (n, id) in ids.into_iter().enumerate() {
            let answer = client.acked(id).await?;
            let note = answer[0]["note"].as_str().unwrap_or_default();
            let expected = if n < 45 { long.len() } else { "hello".len() };
            assert_eq!(note.len(), expected);
        }
        client.expect_nothing().await
    }

    #[tokio::test]
    async fn many_clients_each_get_their_own_answers() -> Result {
        let server = lesson().start().await?;
        let mut clients = JoinSet::new();
        for client in 0..50 {
            let mut socket = connected(&server).await?;
            clients.spawn(async move {
                let name = format!("note of {client}");
                for n in 0..10 {
                    save(&mut socket, &name, json!(n.to_string())).await?;
                    expect_note(&mut socket, &name, json!(n.to_string())).await?;
                    expect_ack(&mut socket, "remove", json!([name]), json!([]))
                        .await?;
                }
                socket.expect_nothing().await?;
                Ok(10)
            });
        }
        let answered: Vec<Result<u32>> = clients.join_all().await;
        assert_eq!(answered.into_iter().sum::<Result<u32>>()?, 500);
        Ok(())
    }
}

mod the_server_asks {
    use super::*;

    /// The ack means that the work is done: whoever looks right after it sees it.
    #[tokio::test]
    async fn the_ack_comes_after_the_work() -> Result {
        let server = patient().start().await?;
        let mut author = connected(&server).await?;
        let mut reader = connected(&server).await?;
        save(&mut author, "todo", json!("buy milk")).await?;
        let (save, question) =
            overwrite(&mut author, "todo", json!("buy milk"), json!("sleep"))
                .await?;

        author.expect_nothing().await?;
        expect_note(&mut reader, "todo", json!("buy milk")).await?;

        author.ack(&question, json!([true])).await?;
        let saved = json!([{"saved": "todo"}]);
        expect_answer(&mut author, save, saved).await?;
        expect_note(&mut reader, "todo", json!("sleep")).await?;
        author.expect_nothing().await?;
        reader.expect_nothing().await
    }

    #[tokio::test]
    async fn a_no_leaves_the_note_as_it_was() -> Result {
        let server = patient().start().await?;
        let mut client = connected(&server).await?;
        save(&mut client, "todo", json!("buy milk")).await?;
        let (save, question) =
            overwrite(&mut client, "todo", json!("buy milk"), json!("sleep"))
                .await?;
        client.ack(&question, json!([false])).await?;
        let no = json!([{"error": "you said no"}]);
        expect_answer(&mut client, save, no).await?;
        expect_note(&mut client, "todo", json!("buy milk")).await
    }

    #[tokio::test]
    async fn an_answer_of_the_wrong_type_is_an_error() -> Result {
        let server = patient().start().await?;
        let mut client = connected(&server).await?;
        save(&mut client, "todo", json!("buy milk")).await?;
        for wrong in [
            json!([]),
            json!(["yes"]),
            json!(["true"]),
            json!([1]),
            json!([null]),
            json!([[true]]),
            json!([{"answer": true}]),
            json!([bytes(b"\x01")]),
        ] {
            let (save, question) =
                overwrite(&mut client, "todo", json!("buy milk"), json!("sleep"))
                    .await?;
            client.ack(&question, wrong).await?;
            let error = json!([{"error": "you said neither yes nor no"}]);
            expect_answer(&mut client, save, error).await?;
        }
        expect_note(&mut client, "todo", json!("buy milk")).await?;
        client.expect_nothing().await
    }

    #[tokio::test]
    async fn of_an_answer_with_two_arguments_the_first_counts() -> Result {
        let server = patient().start().await?;
        let mut client = connected(&server).await?;
        save(&mut client, "todo", json!("buy milk")).await?;
        let (save, question) =
            overwrite(&mut client, "todo", json!("buy milk"), json!("sleep"))
                .await?;
        client.ack(&question, json!([true, false])).await?;
        let saved = json!([{"saved": "todo"}]);
        expect_answer(&mut client, save, saved).await
    }

    #[tokio::test]
    async fn the_first_of_two_answers_counts() -> Result {
        let server = patient().start().await?;
        let mut client = connected(&server).await?;
        save(&mut client, "todo", json!("buy milk")).await?;
        for (first, second, note) in [
            (false, true, json!("buy milk")),
            (true, false, json!("sleep")),
        ] {
            let (save, question) =
                overwrite(&mut client, "todo", json!("buy milk"), json!("sleep"))
                    .await?;
            client.ack(&question, json!([first])).await?;
            client.ack(&question, json!([second])).await?;
            client.acked(save).await?;
            expect_note(&mut client, "todo", note).await?;
            client.expect_nothing().await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn no_answer_in_time_is_an_error_and_a_late_one_is_ignored() -> Result {
        let server = hasty().start().await?;
        let mut client = connected(&server).await?;
        save(&mut client, "todo", json!("buy milk")).await?;
        let (save, question) =
            overwrite(&mut client, "todo", json!("buy milk"), json!("sleep"))
                .await?;
        let error = json!([{"error": "you did not answer in time"}]);
        expect_answer(&mut client, save, error).await?;
        client.ack(&question, json!([true])).await?;
        client.expect_nothing().await?;
        expect_note(&mut client, "todo", json!("buy milk")).await
    }

    /// The handler waits, the client's other events do not.
    #[tokio::test]
    async fn while_it_waits_for_an_answer_it_goes_on() -> Result {
        let server = patient().start().await?;
        let mut client = connected(&server).await?;
        let mut saves = Vec::new();
        for n in 0..5 {
            let name = n.to_string();
            save(&mut client, &name, json!("old")).await?;
            saves.push(
                overwrite(&mut client, &name, json!("old"), json!("new")).await?,
            );
        }
        expect_note(&mut client, "0", json!("old")).await?;
        // In another order than they were asked.
        for (n, (save, question)) in saves.iter().enumerate().rev() {
            client.ack(question, json!([true])).await?;
            let saved = json!([{"saved": n.to_string()}]);
            expect_answer(&mut client, *save, saved).await?;
            expect_note(&mut client, &n.to_string(), json!("new")).await?;
        }
        client.expect_nothing().await
    }

    /// Somebody else has written while the client thought about it: it has agreed to
    /// overwrite one note, and not another.
    #[tokio::test]
    async fn what_has_changed_meanwhile_is_asked_about_again() -> Result {
        let server = patient().start().await?;
        let mut slow = connected(&server).await?;
        let mut quick = connected(&server).await?;
        save(&mut slow, "todo", json!("one")).await?;
        let (slow_save, question) =
            overwrite(&mut slow, "todo", json!("one"), json!("three")).await?;

        let (quick_save, quick_question) =
            overwrite(&mut quick, "todo", json!("one"), json!("two")).await?;
        quick.ack(&quick_question, json!([true])).await?;
        let saved = json!([{"saved": "todo"}]);
        expect_answer(&mut quick, quick_save, saved.clone()).await?;

        slow.ack(&question, json!([true])).await?;
        let again = json!(["todo", "two"]);
        let question = slow.expect_event("overwrite", again).await?;
        expect_note(&mut quick, "todo", json!("two")).await?;
        slow.ack(&question, json!([true])).await?;
        expect_answer(&mut slow, slow_save, saved).await?;
        expect_note(&mut quick, "todo", json!("three")).await
    }

    /// Where nothing is left to overwrite, nobody is asked.
    #[tokio::test]
    async fn what_was_removed_meanwhile_is_not_asked_about_again() -> Result {
        let server = patient().start().await?;
        let mut client = connected(&server).await?;
        save(&mut client, "todo", json!("one")).await?;
        let (save, question) =
            overwrite(&mut client, "todo", json!("one"), json!("two")).await?;
        expect_ack(&mut client, "remove", json!(["todo"]), json!([])).await?;
        client.ack(&question, json!([true])).await?;
        expect_answer(&mut client, save, json!([{"saved": "todo"}])).await?;
        expect_note(&mut client, "todo", json!("two")).await
    }

    #[tokio::test]
    async fn nobody_can_answer_for_another() -> Result {
        let server = patient().start().await?;
        let mut asked = connected(&server).await?;
        let mut other = connected(&server).await?;
        save(&mut asked, "todo", json!("buy milk")).await?;
        let (save, question) =
            overwrite(&mut asked, "todo", json!("buy milk"), json!("sleep")).await?;
        other.ack(&question, json!([true])).await?;
        other.expect_nothing().await?;
        asked.expect_nothing().await?;
        expect_note(&mut other, "todo", json!("buy milk")).await?;
        asked.ack(&question, json!([false])).await?;
        expect_error(&mut asked, save).await?;
        Ok(())
    }

    #[tokio::test]
    async fn an_answer_to_nothing_is_ignored() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        for packet in ["430[true]", "437[]", r#"439007199254740991["a"]"#] {
            client.engine().send(packet).await?;
        }
        client.expect_nothing().await?;
        still_answers(&server).await
    }

    #[tokio::test]
    async fn who_leaves_in_the_middle_of_it_has_saved_nothing() -> Result {
        let server = patient().start().await?;
        let mut reader = connected(&server).await?;
        save(&mut reader, "todo", json!("buy milk")).await?;
        for how in [Leaves::Says, Leaves::Closes, Leaves::Vanishes] {
            let mut author = connected(&server).await?;
            overwrite(&mut author, "todo", json!("buy milk"), json!("sleep"))
                .await?;
            leave(author, how).await?;
            expect_note(&mut reader, "todo", json!("buy milk")).await?;
        }
        reader.expect_nothing().await?;
        still_answers(&server).await
    }

    /// Neither the timer of the question nor its client hold it up.
    #[tokio::test]
    #[cfg_attr(windows, ignore = "needs a system with signals")]
    async fn an_open_question_does_not_hold_up_the_end() -> Result {
        let server = patient().start().await?;
        let mut client = connected(&server).await?;
        save(&mut client, "todo", json!("buy milk")).await?;
        overwrite(&mut client, "todo", json!("buy milk"), json!("sleep")).await?;
        let mut gone = connected(&server).await?;
        overwrite(&mut gone, "todo", json!("buy milk"), json!("sleep")).await?;
        drop(gone);
        let (exit, ()) = tokio::join!(server.stop(Signal::Terminate), async move {
            // Until the server hangs up.
            while client.next_event().await.is_ok() {}
        });
        exit?.expect_clean()
    }
}

/// How a client goes.
#[derive(Clone, Copy)]
enum Leaves {
    /// It leaves the namespace, as `socket.disconnect()` does.
    Says,
    /// It closes the WebSocket.
    Closes,
    /// It is gone without a word.
    Vanishes,
}

async fn leave(mut client: Client, how: Leaves) -> Result {
    match how {
        Leaves::Says => client.disconnect().await,
        Leaves::Closes => {
            let socket = client.engine().websocket();
            socket.send(Frame::close(1001, "")).await
        }
        Leaves::Vanishes => Ok(()),
    }
}

mod everybody_is_asked {
    use super::*;

    #[tokio::test]
    async fn the_answers_are_those_of_all_others_by_their_public_ids() -> Result {
        let server = patient().start().await?;
        let mut asker = connected(&server).await?;
        let (mut one, first) = member(&server).await?;
        let (mut two, second) = member(&server).await?;
        let ask = asker.ask("ask", json!(["tea or coffee?"])).await?;
        for (client, answer) in [(&mut two, "coffee"), (&mut one, "tea")] {
            let question = client
                .expect_event("question", json!(["tea or coffee?"]))
                .await?;
            asker.expect_nothing().await?;
            client.ack(&question, json!([answer])).await?;
            client.expect_nothing().await?;
        }
        let answers = json!([{first: "tea", second: "coffee"}, []]);
        expect_answer(&mut asker, ask, answers).await?;
        asker.expect_nothing().await
    }

    #[tokio::test]
    async fn with_nobody_else_there_is_no_answer_and_nobody_silent() -> Result {
        let server = patient().start().await?;
        let mut asker = connected(&server).await?;
        let none = json!([{}, []]);
        expect_ack(&mut asker, "ask", json!(["anybody?"]), none).await?;
        asker.expect_nothing().await
    }

    #[tokio::test]
    async fn who_is_silent_is_named() -> Result {
        let server = hasty().start().await?;
        let mut asker = connected(&server).await?;
        let (mut awake, id) = member(&server).await?;
        let (mut asleep, silent) = member(&server).await?;
        let ask = asker.ask("ask", json!(["awake?"])).await?;
        let question = awake.expect_event("question", json!(["awake?"])).await?;
        awake.ack(&question, json!(["yes"])).await?;
        expect_answer(&mut asker, ask, json!([{id: "yes"}, [silent]])).await?;
        // Too late.
        let question = asleep.expect_event("question", json!(["awake?"])).await?;
        asleep.ack(&question, json!(["now I am"])).await?;
        asleep.expect_nothing().await?;
        asker.expect_nothing().await
    }

    #[tokio::test]
    async fn an_answer_of_the_wrong_type_counts_as_silence() -> Result {
        let server = patient().start().await?;
        let mut asker = connected(&server).await?;
        let (mut asked, id) = member(&server).await?;
        for wrong in [
            json!([]),
            json!([1]),
            json!([null]),
            json!([["tea"]]),
            json!([{"tea": 1}]),
            json!([bytes(b"tea")]),
        ] {
            let ask = asker.ask("ask", json!(["tea?"])).await?;
            let question = asked.expect_event("question", json!(["tea?"])).await?;
            asked.ack(&question, wrong).await?;
            expect_answer(&mut asker, ask, json!([{}, [id]])).await?;
        }
        asker.expect_nothing().await
    }

    /// Not when the time is over, which is after this test.
    #[tokio::test]
    async fn who_leaves_in_the_middle_of_it_is_silent_at_once() -> Result {
        let server = patient().start().await?;
        let mut asker = connected(&server).await?;
        for how in [Leaves::Says, Leaves::Closes, Leaves::Vanishes] {
            let (mut leaver, id) = member(&server).await?;
            let ask = asker.ask("ask", json!(["still here?"])).await?;
            leaver
                .expect_event("question", json!(["still here?"]))
                .await?;
            leave(leaver, how).await?;
            expect_answer(&mut asker, ask, json!([{}, [id]])).await?;
        }
        // They are not asked again.
        let none = json!([{}, []]);
        expect_ack(&mut asker, "ask", json!(["and now?"]), none).await
    }

    #[tokio::test]
    async fn an_asker_that_leaves_does_no_harm() -> Result {
        let server = patient().start().await?;
        let (mut asked, id) = member(&server).await?;
        let mut asker = connected(&server).await?;
        asker.ask("ask", json!(["quick?"])).await?;
        let question = asked.expect_event("question", json!(["quick?"])).await?;
        drop(asker);
        asked.ack(&question, json!(["yes"])).await?;
        asked.expect_nothing().await?;

        let mut asker = connected(&server).await?;
        let ask = asker.ask("ask", json!(["again?"])).await?;
        let question = asked.expect_event("question", json!(["again?"])).await?;
        asked.ack(&question, json!(["yes"])).await?;
        let got = asker.acked(ask).await?;
        assert_eq!(got[0][&id], "yes");
        Ok(())
    }

    /// Each client is asked by all others, and all of that is open at once.
    #[tokio::test]
    async fn many_ask_many_and_each_answer_finds_its_question() -> Result {
        let server = patient().start().await?;
        let mut clients = Vec::new();
        for _ in 0..15 {
            clients.push(member(&server).await?);
        }
        let ids: Vec<String> = clients.iter().map(|(_, id)| id.clone()).collect();
        let mut asks = Vec::new();
        for (client, id) in &mut clients {
            asks.push(client.ask("ask", json!([id])).await?);
        }
        for (client, id) in &mut clients {
            let mut questions = Vec::new();
            for _ in 1..ids.len() {
                questions.push(client.next_event().await?);
            }
            // The last first.
            for question in questions.iter().rev() {
                let asker = question.arguments[0].as_str().unwrap_or_default();
                let answer = json!([format!("{id} to {asker}")]);
                client.ack(question, answer).await?;
            }
        }
        for ((client, asker), ask) in clients.iter_mut().zip(asks) {
            let others = ids.iter().filter(|id| *id != asker);
            let answers: serde_json::Map<String, Value> = others
                .map(|id| (id.clone(), json!(format!("{id} to {asker}"))))
                .collect();
            expect_answer(client, ask, json!([answers, []])).await?;
            client.expect_nothing().await?;
        }
        Ok(())
    }

    /// Whoever knows the id of a session can act for that client. (Node has a second
    /// one for the public.)
    #[tokio::test]
    async fn nobody_learns_the_id_of_a_session() -> Result {
        let server = patient().start().await?;
        let (mut client, id) = member(&server).await?;
        let sid = client.engine().handshake()["sid"].clone();
        assert_ne!(json!(id), sid);
        assert!(id.len() >= 16, "{id}");
        Ok(())
    }
}

mod recorded {
    use super::*;
    use contract::{
        Recording, compare_diagram_with_the_book, compare_with_the_book,
    };

    #[tokio::test]
    async fn recorded_answers() -> Result {
        let server = lesson().start().await?;
        let mut client = connected(&server).await?;
        let three = json!(["hello", 10, {"name": "allie"}]);
        expect_ack(&mut client, "event_name", three.clone(), three).await?;
        save(&mut client, "todo", bytes(b"\x01\x02\xff")).await?;
        expect_note(&mut client, "todo", bytes(b"\x01\x02\xff")).await?;
        expect_ack(&mut client, "remove", json!(["todo"]), json!([])).await?;
        client.emit_with_ack("load", json!(["todo"])).await?;
        client.emit_with_ack("load", json!([10])).await?;
        client.ask("remove", json!([10])).await?;
        client.next_event().await?;
        let connection = client.engine().websocket().connection();
        compare_with_the_book("11-answers", connection.transcript())
    }

    #[tokio::test]
    async fn recorded_overwrite() -> Result {
        let server = patient().start().await?;
        let mut client = connected(&server).await?;
        save(&mut client, "todo", json!("buy milk")).await?;
        client.engine().websocket().connection().forget();
        let (save, question) =
            overwrite(&mut client, "todo", json!("buy milk"), json!("sleep"))
                .await?;
        client.ack(&question, json!([true])).await?;
        let saved = json!([{"saved": "todo"}]);
        expect_answer(&mut client, save, saved).await?;
        let connection = client.engine().websocket().connection();
        compare_diagram_with_the_book("11-overwrite", connection.transcript())
    }

    #[tokio::test]
    async fn recorded_ask() -> Result {
        let server = patient().start().await?;
        let (mut ada, _) = member(&server).await?;
        let (mut bob, bobs_id) = member(&server).await?;
        let (mut cy, cys_id) = member(&server).await?;
        let recording = Recording::new();
        for (name, client) in [("Ada", &mut ada), ("Bob", &mut bob), ("Cy", &mut cy)]
        {
            recording.add(name, client.engine().websocket().connection());
        }
        let ask = ada.ask("ask", json!(["tea or coffee?"])).await?;
        let question = json!(["tea or coffee?"]);
        let question_to_bob = bob.expect_event("question", question.clone()).await?;
        cy.expect_event("question", question).await?;
        bob.ack(&question_to_bob, json!(["tea"])).await?;
        cy.disconnect().await?;
        ada.acked(ask).await?;
        let mut transcript = recording.transcript();
        transcript.name_id(bobs_id, "id-of-Bob");
        transcript.name_id(cys_id, "id-of-Cy");
        compare_diagram_with_the_book("11-ask", &transcript)?;
        compare_with_the_book("11-ask", &transcript)
    }
}
