//! The contract of lesson 12, `examples/12_rooms`, and of its Node twin.

use std::collections::{BTreeMap, BTreeSet};

use contract::{
    EngineIo, Failure, Frame, Lesson, Opcode, Peer, Recording, Result, Server,
    Signal, SocketIo, bytes, peer,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::JoinSet;

#[path = "contracts/program.rs"]
mod program;
#[path = "contracts/socketio.rs"]
mod socketio;

fn lesson() -> Lesson {
    Lesson::new("12_rooms")
}

/// A client, and its public id.
struct Client {
    engine: EngineIo,
    id: String,
}

/// A client that knows its id and is in no room.
async fn client(server: &Server) -> Result<Client> {
    let mut client = Client {
        engine: socketio::after_the_first_ping(server).await?,
        id: String::new(),
    };
    client.socket().connect(Value::Null).await?;
    client.learn_id().await?;
    client.engine.websocket().connection().forget();
    Ok(client)
}

/// As many clients in a room, who have all heard of one another.
async fn members(server: &Server, room: &str, count: usize) -> Result<Vec<Client>> {
    let mut members: Vec<Client> = Vec::new();
    for _ in 0..count {
        let mut newcomer = client(server).await?;
        newcomer.join(room).await?;
        for member in &mut members {
            member.expect("joined", json!([room, newcomer.id])).await?;
        }
        members.push(newcomer);
    }
    Ok(members)
}

impl Client {
    fn socket(&mut self) -> SocketIo<&mut EngineIo> {
        self.engine.of("/")
    }

    async fn learn_id(&mut self) -> Result {
        let welcome = self.socket().next_event().await?;
        assert_eq!(welcome.name, "welcome");
        (self.id,) = serde_json::from_value(welcome.arguments)?;
        Ok(())
    }

    /// What the server answers: `{"result":…}` or `{"error":…}`.
    async fn ask(&mut self, event: &str, arguments: Value) -> Result<Value> {
        let mut answer = self.socket().emit_with_ack(event, arguments).await?;
        Ok(answer[0].take())
    }

    /// The result of an event.
    async fn call<T: DeserializeOwned>(
        &mut self,
        event: &str,
        arguments: Value,
    ) -> Result<T> {
        let mut answer = self.ask(event, arguments).await?;
        match answer.get_mut("result") {
            Some(result) => Ok(serde_json::from_value(result.take())?),
            None => self.fail(&format!("not a result: {answer}")),
        }
    }

    /// Fails unless the answer to an event is an error that contains `why`.
    async fn is_refused(
        &mut self,
        event: &str,
        arguments: Value,
        why: &str,
    ) -> Result {
        let answer = self.ask(event, arguments.clone()).await?;
        match answer["error"].as_str() {
            Some(error) if error.contains(why) => Ok(()),
            _ => {
                let what = format!("{event} {arguments} is answered {answer}");
                self.fail(&what)
            }
        }
    }

    async fn join(&mut self, room: &str) -> Result {
        self.call("join", json!([room])).await
    }

    async fn leave(&mut self, room: &str) -> Result {
        self.call("leave", json!([room])).await
    }

    async fn say(&mut self, room: &str, text: &str) -> Result {
        self.call("say", json!([room, text])).await
    }

    async fn who(&mut self, room: &str) -> Result<BTreeSet<String>> {
        self.call("who", json!([room])).await
    }

    async fn rooms(&mut self) -> Result<BTreeMap<String, BTreeSet<String>>> {
        self.call("rooms", json!([])).await
    }

    /// Fails if there are other rooms than these.
    async fn expect_rooms(&mut self, names: &[&str]) -> Result {
        let rooms = self.rooms().await?;
        match rooms.keys().eq(names) {
            true => Ok(()),
            false => self.fail(&format!("the rooms are {rooms:?}")),
        }
    }

    async fn expect(&mut self, event: &str, arguments: Value) -> Result {
        self.socket().expect_event(event, arguments).await.map(drop)
    }

    async fn hears(&mut self, room: &str, id: &str, text: &str) -> Result {
        self.expect("said", json!([room, id, text])).await
    }

    async fn hears_nothing(&mut self) -> Result {
        self.socket().expect_nothing().await
    }

    /// Asks something, and returns the packets that come before the answer, each without
    /// the `4` for a message.
    async fn before_the_ack(
        &mut self,
        event: &str,
        arguments: Value,
    ) -> Result<Vec<String>> {
        let id = self.socket().ask(event, arguments).await?;
        let ack = format!("3{id}[");
        let mut before = Vec::new();
        loop {
            let text = self.text().await?;
            match text.starts_with(&ack) {
                true => return Ok(before),
                false => before.push(text),
            }
        }
    }

    /// The next packet, without the `4` for a message.
    async fn text(&mut self) -> Result<String> {
        let packet = self.engine.receive().await?.encode();
        match packet.strip_prefix('4') {
            Some(text) => Ok(text.to_owned()),
            None => self.fail(&format!("not a message: {packet}")),
        }
    }

    fn record_nothing(&mut self) {
        let websocket = self.engine.websocket();
        websocket.connection().record_nothing();
    }

    fn fail<T>(&mut self, what: &str) -> Result<T> {
        let websocket = self.engine.websocket();
        let transcript = websocket.connection().transcript();
        Err(Failure::new(what).with(transcript))
    }
}

fn set<const N: usize>(ids: [&Client; N]) -> BTreeSet<String> {
    ids.into_iter().map(|client| client.id.clone()).collect()
}

const NOT_IN_IT: &str = "you are not in this room";

/// `tests/official/lesson_12.mjs`.
#[tokio::test]
#[ignore = "needs Node.js: npm ci --prefix examples"]
async fn the_official_client_works_with_it() -> Result {
    lesson().official_client("lesson_12", "websocket").await
}

#[tokio::test]
#[ignore = "needs Node.js: npm ci --prefix examples"]
async fn the_official_client_works_with_it_on_polling_too() -> Result {
    lesson()
        .official_client("lesson_12", "polling,websocket")
        .await
}

mod talk {
    use super::*;

    #[tokio::test]
    async fn what_is_said_is_heard_by_all_members_the_speaker_too() -> Result {
        let server = lesson().start().await?;
        let mut members = members(&server, "a", 3).await?;
        for speaker in 0..3 {
            let id = members[speaker].id.clone();
            members[speaker].say("a", "hello").await?;
            for member in &mut members {
                member.hears("a", &id, "hello").await?;
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn nobody_outside_hears_it() -> Result {
        let server = lesson().start().await?;
        let mut inside = members(&server, "a", 2).await?;
        let id = inside[0].id.clone();
        let mut elsewhere = members(&server, "b", 1).await?.remove(0);
        let mut nowhere = client(&server).await?;
        let mut left = client(&server).await?;
        left.join("a").await?;
        left.leave("a").await?;
        for member in &mut inside {
            member.expect("joined", json!(["a", left.id])).await?;
            member.expect("left", json!(["a", left.id])).await?;
        }
        for n in 0..100 {
            inside[0].say("a", &n.to_string()).await?;
        }
        for outsider in [&mut elsewhere, &mut nowhere, &mut left] {
            outsider.hears_nothing().await?;
        }
        for n in 0..100 {
            inside[1].hears("a", &id, &n.to_string()).await?;
        }
        inside[1].hears_nothing().await
    }

    #[tokio::test]
    async fn text_arrives_as_it_was_sent() -> Result {
        let server = lesson().start().await?;
        let mut members = members(&server, "a", 2).await?;
        let id = members[0].id.clone();
        let long = "x".repeat(90_000);
        for text in ["", "하늘 \u{1F980}", "\"\\\u{0}\u{2028}", "<b>", &long] {
            members[0].say("a", text).await?;
            members[1].hears("a", &id, text).await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn whoever_is_not_in_a_room_cannot_talk_there() -> Result {
        let server = lesson().start().await?;
        let mut inside = members(&server, "a", 1).await?.remove(0);
        let mut outside = members(&server, "b", 1).await?.remove(0);
        let mut nowhere = client(&server).await?;
        outside
            .is_refused("say", json!(["a", "psst"]), NOT_IN_IT)
            .await?;
        for room in ["a", "b", "c"] {
            let said = json!([room, "psst"]);
            nowhere.is_refused("say", said, NOT_IN_IT).await?;
        }
        // Nor after having been there.
        nowhere.join("a").await?;
        nowhere.leave("a").await?;
        nowhere
            .is_refused("say", json!(["a", "psst"]), NOT_IN_IT)
            .await?;
        inside.expect("joined", json!(["a", nowhere.id])).await?;
        inside.expect("left", json!(["a", nowhere.id])).await?;
        inside.hears_nothing().await?;
        outside.hears_nothing().await
    }

    /// Each client is in three of fifteen rooms, and says five things in each of them, all
    /// at the same time.
    #[tokio::test(flavor = "multi_thread")]
    async fn many_clients_in_many_rooms_hear_theirs_and_nothing_else() -> Result {
        const CLIENTS: usize = 60;
        const ROOMS: usize = 15;
        const TEXTS: usize = 5;
        let rooms_of =
            |client| [0, 4, 9].map(|n| format!("room {}", (client + n) % ROOMS));
        let server = lesson().start().await?;
        let mut clients = Vec::new();
        for n in 0..CLIENTS {
            let mut client = client(&server).await?;
            for room in rooms_of(n) {
                client.join(&room).await?;
            }
            clients.push(client);
        }
        let talks = clients.into_iter().enumerate().map(|(n, mut client)| {
            tokio::spawn(async move {
                for text in 0..TEXTS {
                    for room in rooms_of(n) {
                        client.say(&room, &format!("{room}: {text}")).await?;
                    }
                }
                let members = 3 * CLIENTS / ROOMS;
                let mut heard: BTreeMap<String, Vec<Value>> = BTreeMap::new();
                while heard.values().map(Vec::len).sum::<usize>()
                    < 3 * members * TEXTS
                {
                    let event = client.socket().next_event().await?;
                    if event.name == "joined" {
                        continue;
                    }
                    assert_eq!(event.name, "said");
                    let (room, id, text): (String, String, String) =
                        serde_json::from_value(event.arguments)?;
                    assert!(rooms_of(n).contains(&room), "{room} is not mine");
                    assert!(text.starts_with(&format!("{room}: ")), "{text}");
                    heard.entry(room).or_default().push(json!([id, text]));
                }
                Ok::<_, Failure>((client, heard))
            })
        });
        // All members of a room have heard the same in the same order.
        let mut heard_in: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let mut clients = Vec::new();
        for talk in talks.collect::<Vec<_>>() {
            let (client, heard) = talk.await??;
            clients.push(client);
            for (room, heard) in heard {
                let same = heard_in.entry(room).or_insert_with(|| heard.clone());
                assert_eq!(*same, heard);
            }
        }
        assert_eq!(heard_in.len(), ROOMS);
        for client in &mut clients {
            client.hears_nothing().await?;
        }
        Ok(())
    }

    /// Eight speak at the same time; all members hear all of it in the same order.
    #[tokio::test(flavor = "multi_thread")]
    async fn all_members_hear_the_same_order() -> Result {
        const MEMBERS: usize = 8;
        const TEXTS: usize = 400;
        let server = lesson().start().await?;
        let mut talks = JoinSet::new();
        for mut member in members(&server, "a", MEMBERS).await? {
            talks.spawn(async move {
                // All of it in one write, so that the server is busy with every
                // member at once.
                let frames = (0..TEXTS).map(|n| {
                    let said = format!(r#"42["say","a","{n}"]"#);
                    Frame::new(Opcode::Text, said).to_bytes()
                });
                let burst = frames.collect::<Vec<_>>().concat();
                let socket = member.engine.websocket();
                socket.connection().send(burst).await?;
                let mut heard = Vec::new();
                while heard.len() < MEMBERS * TEXTS {
                    heard.push(member.socket().next_event().await?.arguments);
                }
                Result::Ok(heard)
            });
        }
        let mut orders = Vec::new();
        for order in talks.join_all().await {
            orders.push(order?);
        }
        match orders.iter().all(|order| *order == orders[0]) {
            true => Ok(()),
            false => Err(Failure::new(
                "the members have heard the same things in different orders",
            )),
        }
    }

    /// While four others talk there without a pause.
    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_has_left_hears_nothing_more() -> Result {
        let server = lesson().start().await?;
        let mut speakers = JoinSet::new();
        for mut speaker in members(&server, "a", 4).await? {
            speaker.record_nothing();
            speakers.spawn(async move {
                loop {
                    let heard = speaker.before_the_ack("say", json!(["a", "x"]));
                    if let Err(failure) = heard.await {
                        return failure;
                    }
                }
            });
        }
        let mut visitor = client(&server).await?;
        let is_said = |text: &String| text.starts_with(r#"2["said","#);
        for _ in 0..50 {
            visitor.before_the_ack("join", json!(["a"])).await?;
            while !is_said(&visitor.text().await?) {}
            visitor.before_the_ack("leave", json!(["a"])).await?;
            let after = visitor.before_the_ack("who", json!(["a"])).await?;
            assert!(!after.iter().any(is_said), "{after:?}");
        }
        assert!(speakers.try_join_next().is_none(), "a speaker has failed");
        Ok(())
    }

    /// The events of a client are handled in their order, acked or not.
    #[tokio::test]
    async fn a_client_need_not_wait_for_answers() -> Result {
        let server = lesson().start().await?;
        let mut members = members(&server, "a", 1).await?;
        let mut hasty = client(&server).await?;
        let id = hasty.id.clone();
        for n in 0..100 {
            let text = n.to_string();
            hasty.socket().emit("join", json!(["a"])).await?;
            hasty.socket().emit("say", json!(["a", text])).await?;
            hasty.socket().emit("leave", json!(["a"])).await?;
        }
        for n in 0..100 {
            members[0].expect("joined", json!(["a", id])).await?;
            members[0].hears("a", &id, &n.to_string()).await?;
            members[0].expect("left", json!(["a", id])).await?;
            hasty.hears("a", &id, &n.to_string()).await?;
        }
        hasty.hears_nothing().await
    }
}

mod membership {
    use super::*;

    #[tokio::test]
    async fn the_others_hear_who_joins_and_who_leaves() -> Result {
        let server = lesson().start().await?;
        let mut members = members(&server, "a", 3).await?;
        let mut outsider = client(&server).await?;
        let mut leaving = members.remove(0);
        leaving.leave("a").await?;
        for member in &mut members {
            member.expect("left", json!(["a", leaving.id])).await?;
            member.hears_nothing().await?;
        }
        leaving.hears_nothing().await?;
        outsider.hears_nothing().await
    }

    #[tokio::test]
    async fn to_join_twice_is_to_join_once() -> Result {
        let server = lesson().start().await?;
        let mut members = members(&server, "a", 2).await?;
        let id = members[1].id.clone();
        members[1].join("a").await?;
        members[1].join("a").await?;
        members[0].hears_nothing().await?;
        assert_eq!(members[0].who("a").await?.len(), 2);
        members[0].say("a", "once").await?;
        let first = members[0].id.clone();
        members[1].hears("a", &first, "once").await?;
        members[1].hears_nothing().await?;
        // And one leave is enough.
        members[1].leave("a").await?;
        members[0].hears("a", &first, "once").await?;
        members[0].expect("left", json!(["a", id])).await?;
        members[0].say("a", "alone").await?;
        members[1].hears_nothing().await
    }

    #[tokio::test]
    async fn to_leave_a_room_one_is_not_in_changes_nothing() -> Result {
        let server = lesson().start().await?;
        let mut member = members(&server, "a", 1).await?.remove(0);
        let mut outsider = client(&server).await?;
        outsider.leave("a").await?;
        outsider.leave("nowhere").await?;
        member.hears_nothing().await?;
        assert_eq!(member.who("a").await?, set([&member]));
        member.expect_rooms(&["a"]).await
    }

    /// Whoever asks need not be in any of them.
    #[tokio::test]
    async fn anybody_may_ask_who_is_where() -> Result {
        let server = lesson().start().await?;
        let [mut a, mut b, mut c] = [
            client(&server).await?,
            client(&server).await?,
            client(&server).await?,
        ];
        assert_eq!(c.rooms().await?, BTreeMap::new());
        assert_eq!(c.who("red").await?, BTreeSet::new());
        a.join("red").await?;
        a.join("blue").await?;
        b.join("blue").await?;
        let map = [("red", set([&a])), ("blue", set([&a, &b]))];
        let map = map.map(|(room, ids)| (room.to_owned(), ids));
        assert_eq!(c.rooms().await?, BTreeMap::from(map));
        assert_eq!(c.who("red").await?, set([&a]));
        assert_eq!(c.who("blue").await?, set([&a, &b]));
        // The last one to leave takes the room away.
        a.leave("red").await?;
        assert_eq!(c.rooms().await?.len(), 1);
        assert_eq!(c.who("red").await?, BTreeSet::new());
        c.hears_nothing().await
    }

    /// The id of a session is a password (see lesson 13). Others get to see another one.
    #[tokio::test]
    async fn nobody_sees_the_session_of_another() -> Result {
        let server = lesson().start().await?;
        let mut members = members(&server, "a", 2).await?;
        let session = members[1].engine.handshake()["sid"].clone();
        let session = session.as_str().unwrap_or_default().to_owned();
        assert!(!session.is_empty());
        members[1].say("a", "hello").await?;
        members[0].call::<Value>("who", json!(["a"])).await?;
        members[0].rooms().await?;
        members[1].leave("a").await?;
        members[0].hears_nothing().await.expect_err("it has heard");
        let websocket = members[0].engine.websocket();
        let seen = websocket.connection().transcript().to_string();
        assert!(!seen.contains(&session), "{seen}");
        Ok(())
    }

    #[tokio::test]
    async fn nobody_is_in_more_than_twenty_rooms() -> Result {
        let server = lesson().start().await?;
        let mut client = client(&server).await?;
        for n in 0..20 {
            client.join(&n.to_string()).await?;
        }
        let why = "you are in 20 rooms";
        client.is_refused("join", json!(["20"]), why).await?;
        // It is in there.
        client.join("19").await?;
        client.leave("0").await?;
        client.join("20").await?;
        client.is_refused("join", json!(["0"]), why).await?;
        assert_eq!(client.rooms().await?.len(), 20);
        Ok(())
    }
}

mod names {
    use super::*;

    #[tokio::test]
    async fn any_1_to_50_characters_are_a_name() -> Result {
        let server = lesson().start().await?;
        let names = [
            " ",
            "a",
            "A",
            "room:a",
            "room:room:a",
            "하늘",
            // The same to look at: one character, and two.
            "\u{e9}",
            "e\u{301}",
            "\u{1F980}",
            "\u{0}",
            "\"\\\n",
            "/, [1]",
            "__proto__",
            "constructor",
            "1",
            "01",
            &"x".repeat(50),
            &"\u{1F980}".repeat(50),
        ];
        for name in names {
            let mut members = members(&server, name, 2).await?;
            let id = members[0].id.clone();
            members[0].say(name, "hello").await?;
            members[1].hears(name, &id, "hello").await?;
            let rooms = members[1].rooms().await?;
            let both = set([&members[0], &members[1]]);
            assert_eq!(rooms, BTreeMap::from([(name.to_owned(), both)]));
            for member in &mut members {
                member.leave(name).await?;
            }
        }
        // And no two of them are the same room.
        for name in names {
            client(&server).await?.rooms().await?;
            let mut member = members(&server, name, 1).await?.remove(0);
            for other in names.into_iter().filter(|other| *other != name) {
                let said = json!([other, "psst"]);
                member.is_refused("say", said, NOT_IN_IT).await?;
            }
            member.leave(name).await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn anything_else_is_refused() -> Result {
        let server = lesson().start().await?;
        let mut client = client(&server).await?;
        let why = "a room's name has 1 to 50 characters";
        for name in ["", &"x".repeat(51), &"\u{1F980}".repeat(51)] {
            for (event, arguments) in [
                ("join", json!([name])),
                ("leave", json!([name])),
                ("who", json!([name])),
                ("say", json!([name, "hello"])),
                ("invite", json!([name, [client.id]])),
            ] {
                client.is_refused(event, arguments, why).await?;
            }
        }
        client.expect_rooms(&[]).await?;
        client.hears_nothing().await
    }

    /// Each in the words of its language.
    #[tokio::test]
    async fn wrong_arguments_are_an_error() -> Result {
        let server = lesson().start().await?;
        let mut members = members(&server, "a", 2).await?;
        let id = members[0].id.clone();
        for (event, arguments) in [
            ("join", json!([])),
            ("join", json!([null])),
            ("join", json!([1])),
            ("join", json!([["a", "b"]])),
            ("join", json!([{"name": "b"}])),
            ("join", json!([bytes("b")])),
            ("join", json!(["b", "c"])),
            ("leave", json!([])),
            ("leave", json!([["a"]])),
            ("who", json!([])),
            ("who", json!([null])),
            ("rooms", json!(["a"])),
            ("say", json!(["a"])),
            ("say", json!([null, "hello"])),
            ("say", json!(["a", null])),
            ("say", json!(["a", {"toString": "hello"}])),
            ("say", json!(["a", bytes("hello")])),
            ("say", json!([["a"], "hello"])),
            ("say", json!(["a", "hello", "again"])),
            ("invite", json!(["a", id])),
            ("invite", json!(["a", [null]])),
            ("invite", json!(["a", {"0": id}])),
        ] {
            members[1].is_refused(event, arguments, "").await?;
        }
        for member in &mut members {
            member.hears_nothing().await?;
        }
        members[0].expect_rooms(&["a"]).await
    }

    #[tokio::test]
    async fn an_event_without_a_callback_is_not_answered() -> Result {
        let server = lesson().start().await?;
        let mut client = client(&server).await?;
        for (event, arguments) in [
            ("join", json!([""])),
            ("join", json!([])),
            ("say", json!(["a", "hello"])),
            ("who", json!(["a"])),
            ("rooms", json!([])),
            ("nothing", json!([])),
        ] {
            client.socket().emit(event, arguments).await?;
        }
        client.socket().ask("nothing", json!([])).await?;
        client.hears_nothing().await
    }
}

/// Each client is alone in a room that is named after its id. `io.to(id)` reaches it there.
mod private {
    use super::*;

    #[tokio::test]
    async fn a_room_named_after_somebody_is_not_theirs() -> Result {
        let server = lesson().start().await?;
        let mut host = members(&server, "a", 1).await?.remove(0);
        let mut victim = client(&server).await?;
        let mut spy = client(&server).await?;
        let id = victim.id.clone();
        spy.join(&id).await?;
        // Nobody else is in there, and nobody hears what the spy says there.
        if spy.who(&id).await? != set([&spy]) {
            return Err(Failure::new("whoever has this name as its id is in there"));
        }
        spy.say(&id, "psst").await?;
        spy.hears(&id, &spy.id.clone(), "psst").await?;
        victim.hears_nothing().await?;
        // And the spy does not hear what is meant for the victim.
        host.call::<()>("invite", json!(["a", [id]])).await?;
        victim.expect("invited", json!(["a", host.id])).await?;
        spy.hears_nothing().await?;
        // Nor can the spy leave the victim's room for it.
        spy.leave(&id).await?;
        victim.leave(&id).await?;
        host.call::<()>("invite", json!(["a", [id]])).await?;
        victim.expect("invited", json!(["a", host.id])).await
    }

    /// Nor in the words of the server.
    #[tokio::test]
    async fn nobody_can_guess_such_a_room_by_its_prefix() -> Result {
        let server = lesson().start().await?;
        let mut host = members(&server, "a", 1).await?.remove(0);
        let mut victim = client(&server).await?;
        let mut spy = client(&server).await?;
        let session = victim.engine.handshake()["sid"].clone();
        let session = session.as_str().unwrap_or_default().to_owned();
        for name in [
            format!("room:{}", victim.id),
            format!("user:{}", victim.id),
            format!("/#{}", victim.id),
            session,
        ] {
            spy.join(&name).await?;
            spy.say(&name, "psst").await?;
            spy.hears(&name, &spy.id.clone(), "psst").await?;
        }
        host.call::<()>("invite", json!(["a", [victim.id]])).await?;
        victim.expect("invited", json!(["a", host.id])).await?;
        victim.hears_nothing().await?;
        spy.hears_nothing().await
    }

    #[tokio::test]
    async fn an_invitation_reaches_the_invited_once_and_no_one_else() -> Result {
        let server = lesson().start().await?;
        let mut inside = members(&server, "a", 2).await?;
        let mut guests = [client(&server).await?, client(&server).await?];
        let mut bystander = client(&server).await?;
        let host = inside[0].id.clone();
        // Two of them twice, two who are in there already.
        let ids = [&guests[0], &guests[1], &guests[0], &inside[0], &inside[1]];
        let ids = ids.map(|client| client.id.clone());
        inside[0].call::<()>("invite", json!(["a", ids])).await?;
        for guest in &mut guests {
            guest.expect("invited", json!(["a", host])).await?;
            guest.hears_nothing().await?;
        }
        for other in inside.iter_mut().chain([&mut bystander]) {
            other.hears_nothing().await?;
        }
        // An invitation is an event. Whoever is invited has yet to join.
        assert_eq!(bystander.who("a").await?.len(), 2);
        Ok(())
    }

    #[tokio::test]
    async fn an_invitation_for_anybody_else_is_refused() -> Result {
        let server = lesson().start().await?;
        let mut host = members(&server, "a", 1).await?.remove(0);
        let mut other = members(&server, "b", 1).await?.remove(0);
        let mut guest = client(&server).await?;
        let mut left = client(&server).await?;
        left.join("b").await?;
        other.expect("joined", json!(["b", left.id])).await?;
        left.socket().disconnect().await?;
        other.expect("gone", json!([left.id])).await?;
        let ids = |ids: &[&str]| json!(["a", ids]);
        for strange in ["", "b", "room:b", "room:a", &left.id] {
            let invitation = ids(&[&guest.id, strange]);
            let why = "not everybody is here";
            host.is_refused("invite", invitation, why).await?;
        }
        host.is_refused("invite", ids(&[]), "nobody is invited")
            .await?;
        let invitation = ids(&[&guest.id]);
        other.is_refused("invite", invitation, NOT_IN_IT).await?;
        for silent in [&mut host, &mut other, &mut guest] {
            silent.hears_nothing().await?;
        }
        Ok(())
    }
}

mod gone {
    use super::*;

    /// However many rooms it shares with the one that goes.
    #[tokio::test]
    async fn each_member_hears_once_who_is_gone() -> Result {
        let server = lesson().start().await?;
        let mut leaving = client(&server).await?;
        let mut shares_three = client(&server).await?;
        let mut shares_one = client(&server).await?;
        let mut shares_none = client(&server).await?;
        for room in ["a", "b", "c"] {
            leaving.join(room).await?;
            shares_three.join(room).await?;
            leaving
                .expect("joined", json!([room, shares_three.id]))
                .await?;
        }
        shares_one.join("c").await?;
        shares_none.join("d").await?;
        leaving.join("of its own").await?;
        shares_three
            .expect("joined", json!(["c", shares_one.id]))
            .await?;
        leaving.socket().disconnect().await?;
        for other in [&mut shares_three, &mut shares_one] {
            other.expect("gone", json!([leaving.id])).await?;
        }
        shares_none.expect_rooms(&["a", "b", "c", "d"]).await?;
        if shares_three.hears_nothing().await.is_err() {
            let what = "who shares three rooms with it has heard it more than once";
            return Err(Failure::new(what));
        }
        for other in [&mut shares_one, &mut shares_none] {
            other.hears_nothing().await?;
            assert!(!other.who("c").await?.contains(&leaving.id));
        }
        Ok(())
    }

    /// With a goodbye to the namespace, with a close frame, or without a word.
    #[tokio::test]
    async fn whoever_goes_leaves_all_rooms() -> Result {
        let server = lesson().start().await?;
        let mut stays = members(&server, "a", 1).await?.remove(0);
        let mut leaving = Vec::new();
        for n in 0..30 {
            let mut client = client(&server).await?;
            client.join("a").await?;
            client.join(&n.to_string()).await?;
            stays.expect("joined", json!(["a", client.id])).await?;
            leaving.push(client);
        }
        let mut ids = BTreeSet::new();
        for (n, mut client) in leaving.into_iter().enumerate() {
            ids.insert(client.id.clone());
            match n % 3 {
                0 => client.socket().disconnect().await?,
                1 => client.engine.send("1").await?,
                _ => {}
            }
        }
        while !ids.is_empty() {
            let event = stays.socket().next_event().await?;
            match event.name.as_str() {
                "gone" => {
                    let (id,): (String,) = serde_json::from_value(event.arguments)?;
                    assert!(ids.remove(&id), "{id} is gone twice");
                }
                // The newcomers had heard of one another.
                name => assert_eq!(name, "gone"),
            }
        }
        let alone = BTreeMap::from([("a".to_owned(), set([&stays]))]);
        assert_eq!(stays.rooms().await?, alone);
        stays.say("a", "still here").await?;
        stays.hears("a", &stays.id.clone(), "still here").await?;
        stays.hears_nothing().await
    }

    #[tokio::test]
    async fn whoever_comes_back_is_somebody_else_and_nowhere() -> Result {
        let server = lesson().start().await?;
        let mut members = members(&server, "a", 2).await?;
        let mut back = members.pop().expect("there are two");
        back.socket().disconnect().await?;
        members[0].expect("gone", json!([back.id])).await?;
        let before = back.id.clone();
        // The old session may still be busy with its goodbye.
        back.engine = socketio::after_the_first_ping(&server).await?;
        back.socket().connect(Value::Null).await?;
        back.learn_id().await?;
        assert_ne!(back.id, before);
        back.is_refused("say", json!(["a", "me again"]), NOT_IN_IT)
            .await?;
        members[0].say("a", "hello").await?;
        back.hears_nothing().await
    }

    #[tokio::test]
    #[cfg_attr(windows, ignore = "needs a system with signals")]
    async fn a_full_room_does_not_hold_up_the_end() -> Result {
        let server = lesson().start().await?;
        let _members = members(&server, "a", 20).await?;
        server.stop(Signal::Terminate).await?.expect_clean()
    }
}

mod slow {
    use super::*;

    /// Ten mebibytes of them, and the system takes no more for one that does not read.
    const BIG: usize = 160;

    fn text(n: usize) -> String {
        match n < BIG {
            true => format!("{n} {}", "x".repeat(64 << 10)),
            false => n.to_string(),
        }
    }

    /// Says so many things to three members, of whom one does not read before all of it has
    /// been said, and the others are not delayed. Returns how many of them the one then hears
    /// without a gap, and the others.
    async fn read_late(
        server: &Server,
        texts: usize,
    ) -> Result<(usize, Vec<Client>)> {
        let mut others = members(server, "a", 3).await?;
        for member in &mut others {
            member.record_nothing();
        }
        let mut late = others.remove(0);
        let id = others[0].id.clone();
        for n in 0..texts + 50 {
            if n < texts {
                let said = json!(["a", text(n)]);
                others[0].socket().emit("say", said).await?;
            }
            if let Some(n) = n.checked_sub(50) {
                for other in &mut others {
                    other.hears("a", &id, &text(n)).await?;
                }
            }
        }
        // The answer comes after all that was said before.
        late.socket().ask("who", json!(["a"])).await?;
        for n in 0..texts {
            let next = late.text().await?;
            if next == "1" {
                return Ok((n, others));
            }
            let said = json!(["said", "a", id, text(n)]);
            if next != format!("2{said}") {
                let what = "who reads late does not hear everything";
                return Err(Failure::new(what));
            }
        }
        assert!(late.text().await?.starts_with('3'), "it hears more");
        Ok((texts, others))
    }

    #[tokio::test]
    async fn a_member_that_reads_late_delays_nobody_and_misses_nothing() -> Result {
        let server = lesson().start().await?;
        let texts = BIG + 1_000;
        let (heard, _) = read_late(&server, texts).await?;
        assert_eq!(heard, texts);
        Ok(())
    }

    /// The lesson keeps 10,000 events for a client, and then sends it away. Node keeps
    /// everything, until the client has not answered a ping.
    #[tokio::test]
    async fn a_member_that_is_too_far_behind_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let texts = BIG + 11_000;
        let (heard, mut others) = read_late(&server, texts).await?;
        match peer() {
            Peer::Rust => {
                assert!(heard < texts, "it has heard everything");
                let gone = others[0].socket().next_event().await?;
                assert_eq!(gone.name, "gone");
            }
            Peer::Node => assert_eq!(heard, texts),
        }
        Ok(())
    }
}

mod recorded {
    use super::*;
    use contract::{
        Transcript, compare_diagram_with_the_book, compare_with_the_book,
    };

    const NAMES: [&str; 3] = ["Ada", "Bob", "Cy"];

    /// Three clients, and a transcript of all three.
    async fn three(server: &Server) -> Result<([Client; 3], Recording)> {
        let mut clients = [
            client(server).await?,
            client(server).await?,
            client(server).await?,
        ];
        let recording = Recording::new();
        for (client, name) in clients.iter_mut().zip(NAMES) {
            recording.add(name, client.engine.websocket().connection());
        }
        recording.forget();
        Ok((clients, recording))
    }

    /// With names for their ids.
    fn named(
        recording: &Recording,
        clients: &[Client; 3],
        prefix: &str,
    ) -> Transcript {
        let mut transcript = recording.transcript();
        for (client, name) in clients.iter().zip(NAMES) {
            transcript.name_id(&client.id, format!("{prefix}{name}"));
        }
        transcript
    }

    #[tokio::test]
    async fn recorded_rooms() -> Result {
        let server = lesson().start().await?;
        let (mut clients, recording) = three(&server).await?;
        let [ada, bob, cy] = &mut clients;
        ada.join("red").await?;
        bob.join("red").await?;
        ada.expect("joined", json!(["red", bob.id])).await?;
        bob.say("red", "hello").await?;
        bob.hears("red", &bob.id.clone(), "hello").await?;
        ada.hears("red", &bob.id, "hello").await?;
        let said = json!(["red", "psst"]);
        cy.is_refused("say", said, NOT_IN_IT).await?;
        bob.leave("red").await?;
        ada.expect("left", json!(["red", bob.id])).await?;
        ada.say("red", "so?").await?;
        ada.hears("red", &ada.id.clone(), "so?").await?;
        let wire = named(&recording, &clients, "id-of-");
        compare_with_the_book("12-rooms", wire)
    }

    /// Shorter, without the answers.
    #[tokio::test]
    async fn recorded_diagram() -> Result {
        let server = lesson().start().await?;
        let (mut clients, recording) = three(&server).await?;
        let [ada, bob, cy] = &mut clients;
        ada.join("red").await?;
        bob.join("red").await?;
        ada.expect("joined", json!(["red", bob.id])).await?;
        recording.forget();
        bob.socket().emit("say", json!(["red", "hello"])).await?;
        bob.hears("red", &bob.id.clone(), "hello").await?;
        ada.hears("red", &bob.id, "hello").await?;
        let said = json!(["red", "psst"]);
        cy.is_refused("say", said, NOT_IN_IT).await?;
        bob.socket().emit("leave", json!(["red"])).await?;
        ada.expect("left", json!(["red", bob.id])).await?;
        ada.socket().emit("say", json!(["red", "so?"])).await?;
        ada.hears("red", &ada.id.clone(), "so?").await?;
        compare_diagram_with_the_book("12-rooms", named(&recording, &clients, ""))
    }

    #[tokio::test]
    async fn recorded_private() -> Result {
        let server = lesson().start().await?;
        let (mut clients, recording) = three(&server).await?;
        let [ada, bob, cy] = &mut clients;
        recording.note("Cy joins the room that has Bob's id for a name");
        cy.join(&bob.id).await?;
        assert_eq!(cy.who(&bob.id).await?, set([cy]));
        recording.note("Ada invites Bob");
        ada.join("red").await?;
        ada.call::<()>("invite", json!(["red", [bob.id]])).await?;
        bob.expect("invited", json!(["red", ada.id])).await?;
        let wire = named(&recording, &clients, "id-of-");
        clients[2].hears_nothing().await?;
        compare_with_the_book("12-private", wire)
    }
}
