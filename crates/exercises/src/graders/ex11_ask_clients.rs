use contract::{EngineIo, Event, Explain, Failure, Program, Result, Server};
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("asked", 1, "everybody is asked, who wants to know too", asked),
        check("result", 2, "everybody hears who said yes and who said no", result)
            .after("asked"),
        check("at_once", 1, "all are asked before anybody has answered", at_once)
            .after("result"),
        check("nonsense", 1, "what is neither true nor false is silence", nonsense)
            .after("at_once"),
        check("left", 2, "nobody waits for a client that has left", left)
            .after("at_once"),
        check("silence", 1, "silence ends when the time is over", silence)
            .after("at_once"),
    ]
}

/// No client takes so long, in milliseconds. A server that waits until then waits longer
/// than any check.
const TEN_MINUTES: u32 = 600_000;

async fn start(program: &Program, patience: u32) -> Result<Server> {
    program
        .clone()
        .env("ANSWER_TIMEOUT", patience)
        .start()
        .await
}

struct Client {
    engine: EngineIo,
    /// What others know it by.
    id: String,
    /// The id of its session, a secret.
    session: String,
}

impl Client {
    async fn arrive(server: &Server) -> Result<Self> {
        let mut engine = server.engineio().await?;
        engine.websocket().connection().forget();
        let session = engine.of("/").connect(Value::Null).await?;
        let welcome = engine.of("/").next_event().await?;
        let id = welcome.arguments[0].as_str().unwrap_or_default().into();
        Ok(Self {
            engine,
            id,
            session,
        })
    }

    async fn three(server: &Server) -> Result<[Self; 3]> {
        Ok([
            Self::arrive(server).await?,
            Self::arrive(server).await?,
            Self::arrive(server).await?,
        ])
    }

    async fn vote(&mut self) -> Result {
        self.engine.of("/").emit("vote", json!(["Tea?"])).await
    }

    async fn question(&mut self) -> Result<Event> {
        let mut socket = self.engine.of("/");
        let event = socket.expect_event("question", json!(["Tea?"])).await?;
        if event.id.is_none() {
            let failure = Failure::new("`question` does not want an ack");
            return Err(self.told(failure));
        }
        Ok(event)
    }

    async fn answers(&mut self, question: &Event, arguments: Value) -> Result {
        self.engine.of("/").ack(question, arguments).await
    }

    /// Waits for the result.
    async fn expect_result(
        &mut self,
        yes: &[&str],
        no: &[&str],
        silent: &[&str],
    ) -> Result {
        let event = self.engine.of("/").next_event().await?;
        let got = sorted(event.arguments.clone());
        let expected = sorted(json!([{
            "question": "Tea?",
            "yes": yes,
            "no": no,
            "silent": silent,
        }]));
        if event.name == "result" && got == expected {
            return Ok(());
        }
        let name = &event.name;
        let (expected, seen) =
            (format_args!("result {expected}"), format_args!("{name} {got}"));
        let failure = Failure::expected("event", &expected, &seen);
        let failure = self.told(failure);
        Err(match got.to_string().contains(&self.session) {
            true => failure.help(
                "the id of a session is a secret. In Node `socket.id` may be shown to \
                 everybody; here that is `UserId::of`",
            ),
            false => failure,
        })
    }

    fn told(&mut self, failure: Failure) -> Failure {
        failure.with(self.engine.websocket().connection().transcript())
    }
}

/// The arguments of `result`, with the ids in order.
fn sorted(mut arguments: Value) -> Value {
    for list in ["/0/yes", "/0/no", "/0/silent"] {
        let ids = arguments.pointer_mut(list).and_then(Value::as_array_mut);
        if let Some(ids) = ids {
            ids.sort_by_key(Value::to_string);
        }
    }
    arguments
}

async fn asked(program: &Program) -> Result {
    let server = start(program, TEN_MINUTES).await?;
    let mut all = Client::three(&server).await?;
    all[1].vote().await?;
    let asked = all.iter_mut().enumerate().map(async |(n, client)| {
        let question = match n {
            1 => client
                .question()
                .await
                .context("the client that wants to know")
                .help(
                    "`io.broadcast()` is everybody. `socket.broadcast()` leaves out the \
                     socket itself, in Node as here",
                )?,
            _ => client.question().await.context("another client")?,
        };
        client.answers(&question, json!([true])).await
    });
    try_join_all(asked).await?;
    Ok(())
}

async fn result(program: &Program) -> Result {
    let server = start(program, TEN_MINUTES).await?;
    let mut all = Client::three(&server).await?;
    all[1].vote().await?;
    let answers = [true, false, true];
    let asked = all.iter_mut().zip(answers).map(async |(client, answer)| {
        let question = client.question().await?;
        client.answers(&question, json!([answer])).await
    });
    try_join_all(asked).await?;
    let ids = all.each_ref().map(|client| client.id.clone());
    for (n, client) in all.iter_mut().enumerate() {
        client
            .expect_result(&[&ids[0], &ids[2]], &[&ids[1]], &[])
            .await
            .context(match n {
                1 => "the client that wants to know",
                _ => "another client",
            })?;
    }
    Ok(())
}

async fn at_once(program: &Program) -> Result {
    let server = start(program, TEN_MINUTES).await?;
    let mut all = Client::three(&server).await?;
    all[0].vote().await?;
    for client in &mut all {
        client.question().await.context("nobody has answered yet").help(
            "an `.await` in a loop waits for the first before it asks the second, in \
             Node as here. `broadcast_with_ack` asks all of them, as `Promise.all` \
             would",
        )?;
    }
    Ok(())
}

async fn nonsense(program: &Program) -> Result {
    let server = start(program, TEN_MINUTES).await?;
    let [mut ada, mut bob, mut cy] = Client::three(&server).await?;
    ada.vote().await?;
    for (client, answer) in [
        (&mut ada, json!([true])),
        (&mut bob, json!(["perhaps"])),
        (&mut cy, json!([])),
    ] {
        let question = client.question().await?;
        client.answers(&question, answer).await?;
    }
    ada.expect_result(&[&ada.id.clone()], &[], &[&bob.id, &cy.id])
        .await
}

async fn left(program: &Program) -> Result {
    let server = start(program, TEN_MINUTES).await?;
    let [mut ada, mut bob, mut cy] = Client::three(&server).await?;
    ada.vote().await?;
    let question = ada.question().await?;
    ada.answers(&question, json!([false])).await?;
    let question = bob.question().await?;
    cy.question().await?;
    let Client { engine, id: cy, .. } = cy;
    // Its connection ends, in the middle of the question.
    drop(engine);
    bob.answers(&question, json!([true])).await?;
    let no = [ada.id.clone()];
    ada.expect_result(&[&bob.id], &[&no[0]], &[&cy])
        .await
        .context("two have answered, and the third has left")
        .help(
            "socketioxide's own `emit_with_ack` waits out the whole time for a client \
             that has left, and Node's does too. `parity`'s notices at once",
        )
}

async fn silence(program: &Program) -> Result {
    let server = start(program, 100).await?;
    let [mut ada, mut bob, mut cy] = Client::three(&server).await?;
    ada.vote().await?;
    for client in [&mut ada, &mut bob, &mut cy] {
        client.question().await?;
    }
    bob.expect_result(&[], &[], &[&ada.id, &bob.id.clone(), &cy.id])
        .await
        .context("nobody answers")
}
