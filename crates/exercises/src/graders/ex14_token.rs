use contract::{Explain, Program, Result, Server};
use serde_json::{Value, json};

use super::client::{Client, Not};
use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("right", 1, "the right token opens `/admin`", right),
        check("open", 1, "`/` is open to everybody", open).after("right"),
        check("wrong", 2, "a wrong token is refused, with `not allowed`", wrong)
            .after("right"),
        check("missing", 2, "so is anything that is no token, or nothing", missing)
            .after("right"),
        check(
            "said",
            3,
            "all in the same namespace hear what is said, and nobody else",
            said,
        )
        .after("right"),
        check("second_try", 1, "whoever was refused may try again", second_try)
            .after("wrong"),
    ]
}

fn token() -> Value {
    json!({"token": "let-me-in"})
}

async fn admin(server: &Server, name: &'static str) -> Result<Client> {
    Client::enter_with(server, name, "/admin", token()).await
}

/// A client with this `auth` is refused with the reason that all get.
async fn refused(server: &Server, auth: Value) -> Result {
    let mut socket = server.engineio().await?.into_namespace("/admin");
    let context = format!("`auth: {auth}`");
    let error = socket
        .connect_error(auth)
        .await
        .context(&context)
        .help(
            "a middleware decides *before* the client is told that it is connected. \
             It returns `Err(reason)` for whoever may not enter",
        )?;
    let expected = json!({"message": "not allowed"});
    if error == expected {
        return Ok(());
    }
    let mut failure = contract::Failure::expected(
        "the reason in `connect_error`",
        &format_args!("{expected}"),
        &format_args!("{error}"),
    );
    if error["message"] != json!("not allowed") {
        failure = failure.help(
            "all are told the same. With `Data<Auth>`, serde answers whoever has no \
             token, before your function is called. `TryData<Auth>` is a `Result`",
        );
    }
    let wire = socket.engine().websocket().connection().transcript();
    Err(failure.context(context).with(wire))
}

async fn open(program: &Program) -> Result {
    let server = program.start().await?;
    let all = [
        Value::Null,
        json!({}),
        json!({"token": "wrong"}),
        json!({"token": 5}),
        token(),
    ];
    for auth in all {
        let context = format!("`auth: {auth}`");
        Client::enter_with(&server, "a visitor of `/`", "/", auth)
            .await
            .context(context)
            .help("`.with(check)` belongs to `/admin` alone")?;
    }
    Ok(())
}

async fn right(program: &Program) -> Result {
    let server = program.start().await?;
    admin(&server, "an admin").await?;
    // What else is in there is nobody's business.
    let auth = json!({"token": "let-me-in", "name": "Ada"});
    Client::enter_with(&server, "an admin with a name", "/admin", auth).await?;
    Ok(())
}

async fn wrong(program: &Program) -> Result {
    let server = program.start().await?;
    let near = [
        "wrong",
        "",
        "let-me-i",
        "let-me-in ",
        "let-me-inn",
        "Let-Me-In",
        "let-me-in\n",
        "et-me-in",
    ];
    for token in near {
        refused(&server, json!({"token": token})).await?;
    }
    Ok(())
}

async fn missing(program: &Program) -> Result {
    let server = program.start().await?;
    let all = [
        Value::Null,
        json!({}),
        json!({"token": null}),
        json!({"token": 5}),
        json!({"token": true}),
        json!({"token": ["let-me-in"]}),
        json!({"token": {"token": "let-me-in"}}),
        json!({"Token": "let-me-in"}),
    ];
    for auth in all {
        refused(&server, auth).await?;
    }
    Ok(())
}

async fn said(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = admin(&server, "Ada, an admin").await?;
    let mut bob = admin(&server, "Bob, an admin").await?;
    let mut cy = Client::enter(&server, "Cy").await?;
    let mut dan = Client::enter(&server, "Dan").await?;
    ada.emit(json!(["say", "among ourselves"])).await?;
    let inside = json!(["said", ada.id, "among ourselves"]);
    let not = Not {
        event: inside.clone(),
        mistake: "Cy is in `/`, and hears what is said in `/admin`",
        help: HERE,
    };
    tokio::select! {
        biased;
        heard = bob.hears(inside.clone()) => heard?,
        // What is sent to the other namespace alone need not be waited for.
        Ok(event) = cy.next() => {
            return Err(match event == not.event {
                true => cy.failure(not.mistake).help(not.help),
                false => cy.expected("event", "none", &event),
            });
        }
    }
    ada.hears(inside).await.context("the speaker")?;

    cy.emit(json!(["say", "in public"])).await?;
    let outside = json!(["said", cy.id, "in public"]);
    cy.hears_not(not, outside.clone()).await?;
    ada.emit(json!(["say", "still here"])).await?;
    let not = Not {
        event: outside.clone(),
        mistake: "Ada is in `/admin`, and hears what is said in `/`",
        help: HERE,
    };
    ada.hears_not(not, json!(["said", ada.id, "still here"])).await?;
    dan.hears(outside).await
}

const HERE: &str = "`io.broadcast()` is `/`, wherever it is called, like Node's `io.emit`. \
                    The namespace of a socket is `io.of(socket.ns())`";

async fn second_try(program: &Program) -> Result {
    let server = program.start().await?;
    let mut engine = server.engineio().await?;
    engine.of("/").connect(Value::Null).await?;
    let welcome = engine.of("/").next_event().await?;
    let wrong = json!({"token": "wrong"});
    engine.of("/admin").connect_error(wrong).await?;
    let context = "the client was refused by `/admin`";
    engine.of("/").emit("say", json!(["still here"])).await?;
    let said = json!([welcome.arguments[0], "still here"]);
    engine.of("/").expect_event("said", said).await.context(context)?;
    engine.of("/admin").connect(token()).await.context(context)?;
    let welcome = engine.of("/admin").next_event().await;
    welcome.context("the client has entered `/admin` then").map(drop)
}
