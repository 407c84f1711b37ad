//! The contract of lesson 13, `examples/13_messages`, and of its Node twin.

use std::collections::{BTreeSet, HashMap};

use contract::{
    ENGINE_IO, EngineIo, Failure, Frame, Lesson, Opcode, Peer, Recording, Request,
    Response, Result, Server, SocketIo, compare_diagram_with_the_book,
    compare_with_the_book, handshake, peer, within,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

#[path = "contracts/program.rs"]
mod program;
#[path = "contracts/socketio.rs"]
mod socketio;

fn lesson() -> Lesson {
    Lesson::new("13_messages")
}

/// A client, and the id by which the others know it.
struct Client {
    engine: EngineIo,
    id: String,
    /// What the server has called it in the answer to CONNECT: its `socket.id`.
    sid: String,
}

impl Client {
    async fn enter(server: &Server) -> Result<Self> {
        let mut engine = server.engineio().await?;
        let (sid, id) = connect(&mut engine).await?;
        Ok(Self { engine, id, sid })
    }

    fn socket(&mut self) -> SocketIo<&mut EngineIo> {
        self.engine.of("/")
    }

    /// What Engine.IO knows this client by.
    fn session_id(&self) -> &str {
        self.engine.handshake()["sid"].as_str().unwrap_or_default()
    }

    async fn emit(&mut self, event: &str, arguments: Value) -> Result {
        self.socket().emit(event, arguments).await
    }

    /// Sends to one client, and returns whether there is one, as the server says.
    async fn tell(&mut self, id: &str, text: &str) -> Result<bool> {
        let event = "sendMessageToSpecificClient";
        let arguments = json!([id, text]);
        let answer = self.socket().emit_with_ack(event, arguments).await?;
        let (is_here,) = serde_json::from_value(answer)?;
        Ok(is_here)
    }

    /// The ids that the server lists. Whatever this client has sent before, the server
    /// has passed on by then.
    async fn who_is_here(&mut self) -> Result<BTreeSet<String>> {
        let mut socket = self.socket();
        let answer = socket.emit_with_ack("who-is-here", json!([])).await?;
        let (list,) = serde_json::from_value::<(Vec<String>,)>(answer)?;
        let ids = BTreeSet::from_iter(list.iter().cloned());
        assert_eq!(ids.len(), list.len(), "{list:?}");
        Ok(ids)
    }

    /// Asks until the server no longer lists `id`.
    async fn sees_leave(&mut self, id: &str) -> Result {
        let gone = within("list without that client", async {
            while self.who_is_here().await?.contains(id) {}
            Ok(())
        });
        gone.await?
    }

    async fn expect(&mut self, from: &str, text: &str) -> Result {
        let message = json!([{"from": from, "text": text}]);
        self.socket()
            .expect_event("message", message)
            .await
            .map(drop)
    }

    /// What this client has heard and the test has not asked for: the texts alone, as no
    /// two runs have the same ids. Who speaks must have been answered since.
    async fn heard(&mut self) -> Result<Vec<String>> {
        let own = self.id.clone();
        self.tell(&own, "the end").await?;
        let mut texts = Vec::new();
        loop {
            let event = self.socket().next_event().await?;
            let message = &event.arguments[0];
            let text = message["text"].as_str().unwrap_or_default();
            if message["from"] == own && text == "the end" {
                return Ok(texts);
            }
            texts.push(text.to_owned());
        }
    }

    async fn expect_nothing(&mut self) -> Result {
        self.socket().expect_nothing().await
    }
}

/// Connects to `/`, and returns the id in the answer, and the one in `you-are`.
async fn connect(engine: &mut EngineIo) -> Result<(String, String)> {
    let mut socket = engine.of("/");
    let sid = socket.connect(Value::Null).await?;
    let mut you = socket.next_event().await?;
    // A client can be written to as soon as it is connected. In Node its handler has run
    // by then, in the lesson it is about to.
    while peer() == Peer::Rust && you.name == "message" {
        you = socket.next_event().await?;
    }
    let (id,) = serde_json::from_value(you.arguments)?;
    assert_eq!(you.name, "you-are");
    Ok((sid, id))
}

async fn enter<const N: usize>(server: &Server) -> Result<[Client; N]> {
    let mut clients = Vec::new();
    for _ in 0..N {
        clients.push(Client::enter(server).await?);
    }
    let clients = clients.try_into();
    Ok(clients.unwrap_or_else(|_| unreachable!("there are N")))
}

#[tokio::test]
async fn each_client_learns_an_id_that_no_other_has() -> Result {
    let server = lesson().start().await?;
    let mut ids = BTreeSet::new();
    for _ in 0..20 {
        let client = Client::enter(&server).await?;
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        assert!(client.id.chars().all(safe), "{} in a URL", client.id);
        assert!(client.id.len() >= 16, "{} can be guessed", client.id);
        // And not even of one that has left.
        assert!(ids.insert(client.id.clone()), "{} twice", client.id);
        assert_ne!(client.id, client.session_id());
    }
    Ok(())
}

/// `tests/official/lesson_13.mjs`, on a WebSocket from the start …
#[tokio::test]
#[ignore = "needs Node.js: npm ci --prefix examples"]
async fn the_official_client_works_with_it() -> Result {
    lesson().official_client("lesson_13", "websocket").await
}

/// … and with long-polling first, as it does unless told otherwise.
#[tokio::test]
#[ignore = "needs Node.js: npm ci --prefix examples"]
async fn the_official_client_can_begin_with_polling() -> Result {
    let transports = "polling,websocket";
    lesson().official_client("lesson_13", transports).await
}

mod receivers {
    use super::*;

    #[tokio::test]
    async fn everyone_else_hears_it_and_the_sender_does_not() -> Result {
        let server = lesson().start().await?;
        let mut clients: [_; 3] = enter(&server).await?;
        for sender in 0..3 {
            clients[sender]
                .emit("sendMessage", json!(["hello"]))
                .await?;
            clients[sender].who_is_here().await?;
            let from = clients[sender].id.clone();
            for (n, client) in clients.iter_mut().enumerate() {
                if n != sender {
                    client.expect(&from, "hello").await?;
                }
                let heard = client.heard().await?;
                if !heard.is_empty() {
                    let what = format!("heard by {n}, when {sender} spoke");
                    return Err(Failure::expected(&what, &[""; 0], &heard));
                }
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn everyone_hears_it_the_sender_too() -> Result {
        let server = lesson().start().await?;
        let mut clients: [_; 3] = enter(&server).await?;
        for sender in 0..3 {
            let text = json!(["hello"]);
            clients[sender].emit("sendMessageToAll", text).await?;
            clients[sender].who_is_here().await?;
            let from = clients[sender].id.clone();
            for client in &mut clients {
                client.expect(&from, "hello").await?;
                client.expect_nothing().await?;
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn everyone_else_but_some_hears_it() -> Result {
        let server = lesson().start().await?;
        let mut clients: [_; 4] = enter(&server).await?;
        let [ada, bob, cy, dee] = clients.each_ref().map(|one| one.id.clone());
        for (ids, hear) in [
            (vec![&*bob], [false, false, true, true]),
            (vec![&*bob, &*cy], [false, false, false, true]),
            (vec![&*cy, &*cy, &*ada], [false, true, false, true]),
            (vec![&*bob, &*cy, &*dee], [false; 4]),
            // Nobody is left out, for one reason or another.
            (vec![], [false, true, true, true]),
            (vec!["nobody"], [false, true, true, true]),
        ] {
            let text = format!("not for {ids:?}");
            clients[0]
                .emit("sendMessageExcept", json!([ids, text]))
                .await?;
            clients[0].who_is_here().await?;
            for (client, hears) in clients.iter_mut().zip(hear) {
                if hears {
                    client.expect(&ada, &text).await?;
                }
                client.expect_nothing().await?;
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn one_hears_it_alone_and_the_sender_learns_of_it() -> Result {
        let server = lesson().start().await?;
        let mut clients: [_; 3] = enter(&server).await?;
        let to = clients[1].id.clone();
        if !clients[0].tell(&to, "psst").await? {
            return Err(Failure::new("nobody has the id that a client was given"));
        }
        let from = clients[0].id.clone();
        clients[1].expect(&from, "psst").await?;
        for client in &mut clients {
            client.expect_nothing().await?;
        }
        // And back, by the id in the message.
        assert!(clients[1].tell(&from, "yes?").await?);
        clients[0].expect(&to, "yes?").await?;
        for client in &mut clients {
            client.expect_nothing().await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_client_can_write_to_itself() -> Result {
        let server = lesson().start().await?;
        let [mut ada, mut bob] = enter(&server).await?;
        let id = ada.id.clone();
        assert!(ada.tell(&id, "buy milk").await?);
        ada.expect(&id, "buy milk").await?;
        ada.expect_nothing().await?;
        bob.expect_nothing().await
    }

    #[tokio::test]
    async fn an_id_that_nobody_has_is_acked_with_false() -> Result {
        let server = lesson().start().await?;
        let [mut ada, mut bob] = enter(&server).await?;
        let almost = bob.id.to_lowercase() + "x";
        for id in ["", "nobody", "/", "*", "sendMessage", &almost] {
            assert!(!ada.tell(id, "hello?").await?, "{id:?}");
        }
        ada.expect_nothing().await?;
        bob.expect_nothing().await
    }

    #[tokio::test]
    async fn an_ack_need_not_be_wanted() -> Result {
        let server = lesson().start().await?;
        let [mut ada, mut bob] = enter(&server).await?;
        let event = "sendMessageToSpecificClient";
        ada.emit("who-is-here", json!([])).await?;
        ada.emit(event, json!(["nobody", "hello"])).await?;
        ada.emit(event, json!([bob.id, "hello"])).await?;
        bob.expect(&ada.id, "hello").await?;
        ada.expect_nothing().await
    }

    #[tokio::test]
    async fn alone_a_client_speaks_to_nobody() -> Result {
        let server = lesson().start().await?;
        let [mut ada] = enter(&server).await?;
        ada.emit("sendMessage", json!(["hello?"])).await?;
        ada.emit("sendMessageExcept", json!([[], "hello?"])).await?;
        ada.who_is_here().await?;
        ada.expect_nothing().await
    }

    #[tokio::test]
    async fn what_was_said_before_is_not_sent_to_a_newcomer() -> Result {
        let server = lesson().start().await?;
        let [mut ada] = enter(&server).await?;
        ada.emit("sendMessageToAll", json!(["before"])).await?;
        ada.who_is_here().await?;
        let [mut bob] = enter(&server).await?;
        bob.expect_nothing().await?;
        ada.emit("sendMessageToAll", json!(["after"])).await?;
        bob.expect(&ada.id, "after").await
    }

    #[tokio::test]
    async fn text_arrives_as_it_was_sent() -> Result {
        let server = lesson().start().await?;
        let [mut ada, mut bob] = enter(&server).await?;
        let long = "x".repeat(50_000);
        for text in ["", "하늘 \u{1F980}", "<img src=x>\0\n\"\\", "[1]", &long] {
            ada.emit("sendMessage", json!([text])).await?;
            bob.expect(&ada.id, text).await?;
            ada.tell(&bob.id, text).await?;
            bob.expect(&ada.id, text).await?;
        }
        Ok(())
    }
}

mod who_is_here {
    use super::*;

    #[tokio::test]
    async fn everyone_is_listed_by_the_id_that_is_in_their_messages() -> Result {
        let server = lesson().start().await?;
        let mut clients: [_; 5] = enter(&server).await?;
        let ids = BTreeSet::from_iter(clients.iter().map(|one| one.id.clone()));
        for client in &mut clients {
            assert_eq!(client.who_is_here().await?, ids);
        }
        Ok(())
    }

    /// However it goes: out of the namespace, with a close, or without a word.
    #[tokio::test]
    async fn who_has_left_is_not_listed_and_not_reached() -> Result {
        let server = lesson().start().await?;
        let [mut ada, mut leaves, mut closes, vanishes] = enter(&server).await?;
        leaves.socket().disconnect().await?;
        let close = Frame::close(1000, "");
        closes.engine.websocket().send(close).await?;
        let ids = [&leaves, &closes, &vanishes].map(|one| one.id.clone());
        drop((closes, vanishes));
        for id in &ids {
            ada.sees_leave(id).await?;
            assert!(!ada.tell(id, "come back").await?);
        }
        for event in ["sendMessage", "sendMessageToAll"] {
            ada.emit(event, json!(["still there?"])).await?;
        }
        let own = ada.id.clone();
        ada.expect(&own, "still there?").await?;
        ada.expect_nothing().await?;
        // The session is open, but the client is not in the namespace any more.
        leaves.expect_nothing().await
    }

    #[tokio::test]
    async fn who_comes_back_has_another_id() -> Result {
        let server = lesson().start().await?;
        let [mut ada, mut bob] = enter(&server).await?;
        bob.socket().disconnect().await?;
        ada.sees_leave(&bob.id).await?;
        let (_, id) = connect(&mut bob.engine).await?;
        assert_ne!(id, bob.id);
        assert!(!ada.tell(&bob.id, "you?").await?);
        assert!(ada.tell(&id, "you!").await?);
        bob.expect(&ada.id, "you!").await
    }
}

mod arguments {
    use super::*;

    #[tokio::test]
    async fn wrong_ones_are_a_problem_and_nobody_hears_them() -> Result {
        let server = lesson().start().await?;
        let [mut ada, mut bob] = enter(&server).await?;
        let id = json!(bob.id);
        for (event, arguments) in [
            ("sendMessage", json!([])),
            ("sendMessage", json!([1])),
            ("sendMessage", json!([null])),
            ("sendMessage", json!([["hello"]])),
            ("sendMessage", json!([{"text": "hello"}])),
            ("sendMessageToAll", json!([])),
            ("sendMessageToAll", json!([{"from": id, "text": "hello"}])),
            ("sendMessageExcept", json!(["hello"])),
            ("sendMessageExcept", json!([id, "hello"])),
            ("sendMessageExcept", json!([[id, 1], "hello"])),
            ("sendMessageExcept", json!([[id]])),
            ("sendMessageToSpecificClient", json!([])),
            ("sendMessageToSpecificClient", json!([id])),
            ("sendMessageToSpecificClient", json!([[id], "hello"])),
            ("sendMessageToSpecificClient", json!([id, 1])),
            ("sendMessageToSpecificClient", json!([id, "hello", "x"])),
        ] {
            let what = format!("{event} {arguments}");
            ada.emit(event, arguments).await?;
            let problem = ada.socket().next_event().await?;
            assert_eq!(problem.name, "problem", "{what}");
            assert_eq!(problem.arguments[0]["event"], event, "{what}");
            let error = problem.arguments[0]["error"].as_str();
            assert!(error.is_some_and(|error| !error.is_empty()), "{what}");
        }
        // A client cannot say who it is, and asks in vain for an ack.
        let event = "sendMessageToSpecificClient";
        ada.socket().ask(event, json!([1])).await?;
        assert_eq!(ada.socket().next_event().await?.name, "problem");
        ada.expect_nothing().await?;
        bob.expect_nothing().await?;
        ada.emit("sendMessage", json!(["hello"])).await?;
        bob.expect(&ada.id, "hello").await
    }

    /// Whoever reads one argument in Rust does not look at the rest; whoever reads a tuple
    /// wants it exact. The twin is exact always, because an argument where its callback
    /// should be would end it.
    #[tokio::test]
    async fn one_argument_too_many_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let [mut ada, mut bob] = enter(&server).await?;
        for event in ["sendMessage", "sendMessageToAll"] {
            ada.emit(event, json!(["hello", "x"])).await?;
            match peer() {
                Peer::Rust => bob.expect(&ada.id, "hello").await?,
                Peer::Node => {
                    assert_eq!(ada.socket().next_event().await?.name, "problem");
                }
            }
        }
        bob.expect_nothing().await
    }

    #[tokio::test]
    async fn an_event_that_does_not_exist_is_ignored() -> Result {
        let server = lesson().start().await?;
        let [mut ada, mut bob] = enter(&server).await?;
        for event in ["message", "you-are", "toString", "", "__proto__"] {
            ada.emit(event, json!([{"from": bob.id, "text": "x"}]))
                .await?;
        }
        ada.who_is_here().await?;
        ada.expect_nothing().await?;
        bob.expect_nothing().await
    }
}

mod many {
    use super::*;

    #[tokio::test]
    async fn two_hundred_hear_fifty_messages_in_their_order() -> Result {
        let server = lesson().start().await?;
        let mut clients = Vec::from(enter::<200>(&server).await?);
        let mut speaker = clients.pop().expect("there are 200");
        assert_eq!(speaker.who_is_here().await?.len(), 200);
        let mut hearing = JoinSet::new();
        for mut client in clients {
            let from = speaker.id.clone();
            hearing.spawn(async move {
                for n in 0..50 {
                    client.expect(&from, &n.to_string()).await?;
                }
                client.expect_nothing().await
            });
        }
        for n in 0..50 {
            speaker.emit("sendMessage", json!([n.to_string()])).await?;
        }
        hearing.join_all().await.into_iter().collect::<Result>()?;
        speaker.expect_nothing().await
    }

    /// Whatever they are sent with: one event is not faster than another.
    #[tokio::test]
    async fn messages_from_one_client_arrive_in_their_order() -> Result {
        let server = lesson().start().await?;
        let [mut ada, mut bob, cy] = enter(&server).await?;
        let bob_id = bob.id.clone();
        for n in 0..500 {
            for (kind, event, arguments) in [
                ("others", "sendMessage", json!([])),
                ("one", "sendMessageToSpecificClient", json!([bob_id])),
                ("all", "sendMessageToAll", json!([])),
                ("all but", "sendMessageExcept", json!([[cy.id]])),
            ] {
                let mut arguments = arguments;
                let all = arguments.as_array_mut().expect("it is an array");
                all.push(format!("{kind} {n}").into());
                ada.emit(event, arguments).await?;
            }
        }
        for n in 0..500 {
            for kind in ["others", "one", "all", "all but"] {
                bob.expect(&ada.id, &format!("{kind} {n}")).await?;
            }
        }
        bob.expect_nothing().await
    }

    /// Each of them hears the others in the order in which each has spoken.
    #[tokio::test]
    async fn twenty_that_speak_at_once_are_all_heard_in_their_order() -> Result {
        const CLIENTS: usize = 20;
        let server = lesson().start().await?;
        let clients = enter::<CLIENTS>(&server).await?;
        let mut tasks = JoinSet::new();
        for mut client in clients {
            tasks.spawn(async move {
                for n in 0..30 {
                    client
                        .emit("sendMessageToAll", json!([n.to_string()]))
                        .await?;
                }
                let mut next = HashMap::<String, u64>::new();
                for _ in 0..30 * CLIENTS {
                    let event = client.socket().next_event().await?;
                    let message = &event.arguments[0];
                    let from = message["from"].as_str().unwrap_or_default();
                    let expected = next.entry(from.into()).or_default();
                    assert_eq!(message["text"], expected.to_string(), "{from}");
                    *expected += 1;
                }
                assert_eq!(next.len(), CLIENTS);
                client.expect_nothing().await
            });
        }
        tasks.join_all().await.into_iter().collect()
    }

    /// Sixteen MiB, more than the system keeps for a connection.
    #[tokio::test]
    async fn who_reads_late_delays_nobody_and_misses_nothing() -> Result {
        let server = lesson().start().await?;
        let [mut ada, mut bob, mut late] = enter(&server).await?;
        let filler = "x".repeat(16 * 1024);
        for n in 0..1000 {
            let text = format!("{n} {filler}");
            ada.emit("sendMessage", json!([text])).await?;
            bob.expect(&ada.id, &text).await?;
        }
        for n in 0..1000 {
            late.expect(&ada.id, &format!("{n} {filler}")).await?;
        }
        late.expect_nothing().await
    }

    #[tokio::test]
    async fn clients_that_vanish_while_they_are_sent_to_do_no_harm() -> Result {
        let server = lesson().start().await?;
        let [mut ada, mut bob] = enter(&server).await?;
        for n in 0..20 {
            let [mut speaks, hears] = enter(&server).await?;
            speaks.emit("sendMessageToAll", json!(["bye"])).await?;
            speaks.emit("who-is-here", json!([])).await?;
            let id = hears.id.clone();
            drop((speaks, hears));
            ada.tell(&id, "already gone?").await?;
            ada.emit("sendMessage", json!([n.to_string()])).await?;
        }
        let mut last = 0;
        while last < 19 {
            let event = bob.socket().next_event().await?;
            let message = &event.arguments[0];
            if message["from"] == ada.id {
                last = message["text"].as_str().unwrap_or_default().parse()?;
            }
        }
        while ada.who_is_here().await?.len() > 2 {}
        Ok(())
    }
}

/// A client on HTTP long-polling that keeps all it is sent.
struct Polling {
    client: socketio::Polling,
    id: String,
    heard: String,
}

impl Polling {
    async fn enter(server: &Server) -> Result<Self> {
        let mut client = socketio::Polling::open(server).await?;
        client.send(&["40"]).await?;
        let heard = client.handshake.to_string();
        let id = String::new();
        let mut polling = Self { client, id, heard };
        polling.until("you-are").await?;
        polling.id = after(&polling.heard, r#"["you-are",""#);
        Ok(polling)
    }

    fn session_id(&self) -> String {
        after(&self.heard, r#""sid":""#)
    }

    /// Polls until it has heard this.
    async fn until(&mut self, what: &str) -> Result {
        while !self.heard.contains(what) {
            self.heard += &self.client.receive().await?;
        }
        Ok(())
    }
}

/// What follows the first of these, up to a quotation mark.
fn after(text: &str, what: &str) -> String {
    let (_, rest) = text.split_once(what).unwrap_or_default();
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// A packet for a session, from whoever knows its id.
fn forged(id: &str, packet: &str) -> Request {
    let path = format!("/socket.io/?sid={id}&EIO=4&transport=polling");
    Request::new("POST", &path)
        .header("content-type", "text/plain;charset=UTF-8")
        .body(packet)
}

async fn post(server: &Server, id: &str, packet: &str) -> Result<Response> {
    server.request(forged(id, packet)).await
}

/// A client on a WebSocket that keeps every byte it is sent.
struct Ear {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Ear {
    async fn enter(server: &Server) -> Result<Self> {
        let stream = TcpStream::connect(server.addr()).await?;
        let heard = Vec::new();
        let mut ear = Self { stream, heard };
        let upgrade = handshake(ENGINE_IO).to_bytes("localhost");
        ear.stream.write_all(&upgrade).await?;
        ear.until(r#"0{"sid""#).await?;
        ear.send("40").await?;
        ear.until(r#""you-are""#).await?;
        Ok(ear)
    }

    async fn send(&mut self, text: &str) -> Result {
        let frame = Frame::new(Opcode::Text, text);
        Ok(self.stream.write_all(&frame.to_bytes()).await?)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.heard).into_owned()
    }

    async fn until(&mut self, what: &str) -> Result {
        let heard = within(what, async {
            while !self.text().contains(what) {
                if self.stream.read_buf(&mut self.heard).await? == 0 {
                    return Err(Failure::new(format!("{what} did not come")));
                }
            }
            Ok(())
        });
        heard.await?
    }
}

/// The id of a session is a password. Nobody else may ever see it.
mod ids {
    use super::*;

    #[tokio::test]
    async fn no_client_is_sent_the_session_id_of_another() -> Result {
        let server = lesson().start().await?;
        let mut ears = Vec::new();
        for _ in 0..4 {
            ears.push(Ear::enter(&server).await?);
        }
        let mut polling = Polling::enter(&server).await?;
        let mut public = vec![polling.id.clone()];
        public.extend(ears.iter().map(|ear| after(&ear.text(), r#"["you-are",""#)));
        // Everything that a client can do, and some mistakes.
        for (n, ear) in ears.iter_mut().enumerate() {
            for (event, before) in [
                ("sendMessage", String::new()),
                ("sendMessageToAll", String::new()),
                ("sendMessageExcept", format!(r#"["{}"],"#, public[n])),
                (
                    "sendMessageToSpecificClient",
                    format!(r#""{}","#, public[n]),
                ),
                ("sendMessageToSpecificClient", r#""nobody","#.into()),
                ("sendMessageExcept", "1,".into()),
            ] {
                let packet = format!(r#"42{n}["{event}",{before}"from {n}"]"#);
                ear.send(&packet).await?;
            }
            ear.send(r#"4299["who-is-here"]"#).await?;
            ear.until("4399[").await?;
        }
        let packet = r#"42["sendMessageToAll","from polling"]"#;
        polling.client.send(&[packet]).await?;
        polling.until("from polling").await?;
        let mut session_ids = vec![polling.session_id()];
        session_ids.extend(ears.iter().map(|ear| after(&ear.text(), r#"{"sid":""#)));
        // One leaves, which the others might be told.
        drop(ears.pop());
        ears[0].send(r#"42["sendMessageToAll","the end"]"#).await?;
        polling.until("the end").await?;
        let mut heard = vec![polling.heard.clone()];
        for ear in &mut ears {
            ear.until("the end").await?;
            heard.push(ear.text());
        }
        for (n, text) in heard.iter().enumerate() {
            for (other, id) in session_ids.iter().enumerate() {
                assert!(id.len() >= 16, "{id:?} is the id of client {other}");
                let found = text.find(id);
                // Its own is there: the search does find something.
                if found.is_some() == (n == other) {
                    continue;
                }
                let packet = packet_at(text, found.unwrap_or_default());
                let packet = packet.replace(id, "<session id>");
                return Err(Failure::new(format!(
                    "client {n} was sent the session id of client {other}:\n  {packet}"
                )));
            }
            assert!(public.iter().all(|id| text.contains(id)), "{text}");
        }
        Ok(())
    }

    /// The event around this place in what a client has heard.
    fn packet_at(text: &str, at: usize) -> &str {
        let start = text[..at].rfind("42[").unwrap_or(at);
        let length = text[start..].find(']').unwrap_or_default();
        &text[start..=start + length]
    }

    /// What the secrecy is for.
    #[tokio::test]
    async fn who_knows_a_session_id_speaks_in_anothers_name() -> Result {
        let server = lesson().start().await?;
        let victim = Polling::enter(&server).await?;
        let [mut bob] = enter(&server).await?;
        let packet = r#"42["sendMessage","it is me, honestly"]"#;
        let stolen = post(&server, &victim.session_id(), packet).await?;
        stolen.expect_status(200)?.expect_body("ok")?;
        bob.expect(&victim.id, "it is me, honestly").await
    }

    #[tokio::test]
    async fn a_public_id_opens_no_session() -> Result {
        let server = lesson().start().await?;
        let polling = Polling::enter(&server).await?;
        let [mut bob] = enter(&server).await?;
        let packet = r#"42["sendMessage","it is me, honestly"]"#;
        for id in [&polling.id, &bob.id] {
            let refused = post(&server, id, packet).await?;
            refused.expect_status(400)?;
            assert_eq!(refused.json()?["message"], "Session ID unknown");
        }
        bob.expect_nothing().await
    }

    /// The session of a client on a WebSocket takes nothing by HTTP.
    #[tokio::test]
    async fn who_has_a_websocket_cannot_be_spoken_for_like_this() -> Result {
        let server = lesson().start().await?;
        let [mut ada, mut bob] = enter(&server).await?;
        let packet = r#"42["sendMessage","it is me, honestly"]"#;
        let refused = post(&server, ada.session_id(), packet).await?;
        refused.expect_status(400)?;
        bob.expect_nothing().await?;
        ada.emit("sendMessage", json!(["really me"])).await?;
        bob.expect(&ada.id, "really me").await
    }

    /// `socket.id`, on both sides: in Node it is the public id. socketioxide has one id
    /// for everything, and it is that of the session.
    #[tokio::test]
    async fn what_socket_id_is_good_for_is_where_the_two_differ() -> Result {
        let server = lesson().start().await?;
        let [mut ada, mut bob] = enter(&server).await?;
        let (public, session) = (bob.id.clone(), bob.session_id().to_owned());
        let socket_id = bob.sid.clone();
        match peer() {
            Peer::Rust => assert_eq!(socket_id, session),
            Peer::Node => assert_eq!(socket_id, public),
        }
        assert_ne!(public, session);
        // The session has no room: a secret is no address either.
        assert!(!ada.tell(&session, "psst").await?);
        bob.expect_nothing().await?;
        assert!(ada.tell(&public, "psst").await?);
        bob.expect(&ada.id, "psst").await?;

        // A client on polling, with the id that it has as `socket.id`.
        let polling = Polling::enter(&server).await?;
        let socket_id = &after(&polling.heard, r#"40{"sid":""#);
        let packet = r#"42["sendMessage","it is me, honestly"]"#;
        let response = post(&server, socket_id, packet).await?;
        match peer() {
            Peer::Rust => {
                response.expect_status(200)?;
                bob.expect(&polling.id, "it is me, honestly").await
            }
            Peer::Node => {
                response.expect_status(400)?;
                bob.expect_nothing().await
            }
        }
    }

    #[tokio::test]
    async fn a_client_on_polling_is_a_client_like_any_other() -> Result {
        let server = lesson().start().await?;
        let mut polling = Polling::enter(&server).await?;
        let [mut bob] = enter(&server).await?;
        assert!(bob.tell(&polling.id, "psst").await?);
        let message = json!({"from": bob.id, "text": "psst"}).to_string();
        polling.until(&message).await?;
        let packet = r#"42["sendMessage","hello"]"#;
        polling.client.send(&[packet]).await?;
        bob.expect(&polling.id, "hello").await
    }
}

mod recorded {
    use super::*;

    async fn enter_after_the_ping(server: &Server) -> Result<Client> {
        let mut engine = socketio::after_the_first_ping(server).await?;
        let (sid, id) = connect(&mut engine).await?;
        Ok(Client { engine, id, sid })
    }

    const NAMES: [&str; 3] = ["Ada", "Bob", "Cy"];

    async fn ada_bob_and_cy(server: &Server) -> Result<([Client; 3], Recording)> {
        let recording = Recording::new();
        let mut clients = [
            enter_after_the_ping(server).await?,
            enter_after_the_ping(server).await?,
            enter_after_the_ping(server).await?,
        ];
        for (client, name) in clients.iter_mut().zip(NAMES) {
            recording.add(name, client.engine.websocket().connection());
        }
        recording.forget(); // the handshakes
        Ok((clients, recording))
    }

    #[tokio::test]
    async fn recorded_messages() -> Result {
        let server = lesson().start().await?;
        let (mut clients, recording) = ada_bob_and_cy(&server).await?;
        let [ada, bob, cy] = &mut clients;
        ada.emit("sendMessage", json!(["hi"])).await?;
        bob.expect(&ada.id, "hi").await?;
        cy.expect(&ada.id, "hi").await?;
        bob.emit("sendMessageToAll", json!(["hi"])).await?;
        let from = bob.id.clone();
        for client in [&mut *ada, &mut *bob, &mut *cy] {
            client.expect(&from, "hi").await?;
        }
        ada.emit("sendMessageExcept", json!([[cy.id], "hi"]))
            .await?;
        bob.expect(&ada.id, "hi").await?;
        assert!(ada.tell(&cy.id, "hi").await?);
        cy.expect(&ada.id, "hi").await?;
        let mut transcript = recording.transcript();
        for (client, name) in clients.iter().zip(NAMES) {
            transcript.name_id(&client.id, format!("id-of-{name}"));
        }
        compare_with_the_book("13-messages", transcript)
    }

    /// Less than the whole, for a diagram that fits on a screen.
    #[tokio::test]
    async fn recorded_receivers() -> Result {
        let server = lesson().start().await?;
        let (mut clients, recording) = ada_bob_and_cy(&server).await?;
        let [ada, bob, cy] = &mut clients;
        ada.emit("sendMessage", json!(["hi"])).await?;
        bob.expect(&ada.id, "hi").await?;
        cy.expect(&ada.id, "hi").await?;
        // A longer text would be cut.
        assert!(ada.tell(&cy.id, "?").await?);
        cy.expect(&ada.id, "?").await?;
        let mut transcript = recording.transcript();
        for (client, name) in clients.iter().zip(NAMES) {
            transcript.name_id(&client.id, name);
        }
        compare_diagram_with_the_book("13-receivers", transcript)
    }

    #[tokio::test]
    async fn recorded_theft() -> Result {
        let server = lesson().start().await?;
        let ada = Polling::enter(&server).await?;
        let mut bob = enter_after_the_ping(&server).await?;
        let mut eve = server.connect().await?;
        let recording = Recording::new();
        recording.add("Eve", &mut eve);
        recording.add("Bob", bob.engine.websocket().connection());
        recording.forget();
        recording.note("Eve knows Ada's public id, as everybody does");
        let packet = r#"42["sendMessage","bye"]"#;
        let with_public_id = forged(&ada.id, packet);
        eve.request(&with_public_id).await?.expect_status(400)?;
        recording.note("and now she knows the id of Ada's session");
        let with_session_id = forged(&ada.session_id(), packet);
        eve.request(&with_session_id).await?.expect_status(200)?;
        bob.expect(&ada.id, "bye").await?;
        let mut transcript = recording.transcript();
        transcript.name_id(&ada.id, "id-of-Ada");
        transcript.name_id(ada.session_id(), "session-of-Ada");
        compare_with_the_book("13-theft", transcript)
    }
}
