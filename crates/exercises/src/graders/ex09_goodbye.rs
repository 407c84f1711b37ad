use contract::{EngineIo, Explain, Failure, Program, Result, Server};
use serde_json::{Value, json};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("told", 2, "who is in a room with it hears that a client left", told),
        check("cut", 1, "also if its connection was cut", cut).after("told"),
        check("rooms", 2, "all its rooms are told, each client once", rooms)
            .after("told"),
        check("others", 2, "nobody hears it in another room", others).after("told"),
        check("roomless", 1, "who was in no room leaves without a word", roomless)
            .after("told"),
    ]
}

const SAID: &str = "client namespace disconnect";
const CUT: &str = "transport close";

struct Client {
    engine: EngineIo,
    who: Who,
}

#[derive(Clone, Default)]
struct Who {
    /// What the others know it by.
    id: String,
    /// The id of its session, a secret.
    session: String,
}

impl Client {
    async fn arrive(server: &Server, rooms: &[&str]) -> Result<Self> {
        let mut engine = server.engineio().await?;
        engine.websocket().connection().forget();
        let mut socket = engine.of("/");
        let session = socket.connect(Value::Null).await?;
        let welcome = socket.next_event().await?;
        let id = welcome.arguments[0].as_str().unwrap_or_default().into();
        let mut client = Self {
            engine,
            who: Who { id, session },
        };
        for room in rooms {
            client.join(room).await?;
        }
        Ok(client)
    }

    async fn join(&mut self, room: &str) -> Result {
        let mut socket = self.engine.of("/");
        socket.emit("join", json!([room])).await?;
        socket.expect_event("joined", json!([room])).await?;
        Ok(())
    }

    async fn leave(&mut self) -> Result {
        self.engine.of("/").disconnect().await
    }

    /// Waits for the next event, which has to be that this client has left.
    async fn expect_left(
        &mut self,
        who: &Who,
        reason: &str,
        rooms: &[&str],
    ) -> Result {
        let event = self.engine.of("/").next_event().await.help(
            "a client has left, and nothing was said of it: Node's `disconnecting` is \
             `parity::on_disconnect`",
        )?;
        let got = json!([event.name, event.arguments]);
        let expected = json!(["left", [who.id, reason, rooms]]);
        if got == expected {
            return Ok(());
        }
        let arguments = &event.arguments;
        let help = if event.name != "left" {
            None
        } else if arguments[0] == who.session {
            Some(
                "this is the id of its session, a secret. In Node `socket.id` may be \
                 shown to everybody; here that is `UserId::of`",
            )
        } else if arguments[1] != reason {
            Some("`in_node` has Node's words for the reason")
        } else if arguments[2].as_array().is_some_and(|rooms| {
            rooms.contains(&json!(who.id))
        }) {
            Some(
                "each socket is in a room of its own too, `UserId::room`, here as in \
                 Node. Others need not hear of that one",
            )
        } else if arguments[2] == json!([]) {
            Some(
                "the rooms are still known while the handler of `on_disconnect` runs, \
                 and gone when it has ended. That is Node's `disconnecting` and \
                 `disconnect`",
            )
        } else {
            None
        };
        let (expected, got) = (format_args!("{expected}"), format_args!("{got}"));
        let transcript = self.engine.websocket().connection().transcript();
        let failure = Failure::expected("event", &expected, &got).with(transcript);
        Err(match help {
            Some(help) => failure.help(help),
            None => failure,
        })
    }
}

async fn told(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::arrive(&server, &["tea"]).await?;
    let mut bob = Client::arrive(&server, &["tea"]).await?;
    bob.leave().await?;
    ada.expect_left(&bob.who, SAID, &["tea"]).await
}

async fn cut(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::arrive(&server, &["tea"]).await?;
    let Client { engine, who } = Client::arrive(&server, &["tea"]).await?;
    // No DISCONNECT, no close frame: the end of the connection is all there is.
    drop(engine);
    ada.expect_left(&who, CUT, &["tea"]).await
}

async fn rooms(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::arrive(&server, &["tea", "milk"]).await?;
    let mut bob = Client::arrive(&server, &["tea", "milk", "sugar"]).await?;
    let mut cy = Client::arrive(&server, &["sugar"]).await?;
    let mut dan = Client::arrive(&server, &["tea"]).await?;
    bob.leave().await?;
    let all = ["milk", "sugar", "tea"];
    let who = "a client that shares two rooms with it";
    ada.expect_left(&bob.who, SAID, &all).await.context(who)?;
    let who = "a client that shares one room with it";
    cy.expect_left(&bob.who, SAID, &all).await.context(who)?;
    // A second `left` for the second room would come before this one.
    dan.leave().await?;
    ada.expect_left(&dan.who, SAID, &["tea"])
        .await
        .context("the next client that leaves")
        .help(
            "one `to` with several rooms reaches each client once, in Node as here. A \
             loop over the rooms does not",
        )
}

async fn others(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::arrive(&server, &["tea"]).await?;
    let mut bob = Client::arrive(&server, &["tea"]).await?;
    let mut cy = Client::arrive(&server, &["milk"]).await?;
    let mut dan = Client::arrive(&server, &["milk"]).await?;
    let mut eve = Client::arrive(&server, &[]).await?;
    bob.leave().await?;
    ada.expect_left(&bob.who, SAID, &["tea"]).await?;
    // What the others might have got of that has been sent by now.
    dan.leave().await?;
    let help = "`io.emit` and `socket.broadcast` mean everybody. `socket.to(rooms)` \
                means those who are in one of these rooms";
    cy.expect_left(&dan.who, SAID, &["milk"])
        .await
        .context("a client in another room")
        .help(help)?;
    eve.join("tea").await.context("a client in no room").help(help)
}

async fn roomless(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::arrive(&server, &["tea"]).await?;
    let mut bob = Client::arrive(&server, &[]).await?;
    bob.leave().await?;
    // The server has seen that, once it has answered what came later.
    let mut nowhere = bob.engine.of("/nowhere");
    nowhere.connect_error(Value::Null).await?;
    let mut cy = Client::arrive(&server, &["tea"]).await?;
    cy.leave().await?;
    ada.expect_left(&cy.who, SAID, &["tea"])
        .await
        .context("after a client in no room has left")
        .help(
            "with no room at all, `to` means everybody, in Node as here. A socket is \
             always in the room named after itself: leave that one in the list that \
             you give to `to`, and take it out of the one that you send",
        )
}
