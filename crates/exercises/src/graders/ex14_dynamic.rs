use contract::{Explain, Failure, Program, Result, Server};
use serde_json::{Value, json};

use super::client::{Client, Not};
use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("doors", 2, "`/room-1` to `/room-99` let everybody in", doors),
        check("invalid", 2, "any other namespace is invalid", invalid)
            .after("doors"),
        check("enters", 2, "all in a room hear how many they are", enters)
            .after("doors"),
        check("leaves", 2, "also when somebody leaves", leaves).after("enters"),
        check("apart", 2, "what is said in a room is heard in that room", apart)
            .after("enters"),
    ]
}

async fn enter(server: &Server, name: &'static str, room: &str) -> Result<Client> {
    Client::enter_with(server, name, room, Value::Null).await
}

fn count(number: usize) -> Value {
    json!(["count", number])
}

/// Enters a room in which there are so many then.
async fn guest(
    server: &Server,
    name: &'static str,
    room: &str,
    number: usize,
) -> Result<Client> {
    let mut client = enter(server, name, room).await?;
    let got = client.next().await?;
    if got == count(number) {
        return Ok(client);
    }
    let what = format!("the count of {room}");
    let failure = client.expected(&what, &count(number).to_string(), &got);
    Err(failure.help(
        "what is counted are the sockets in this namespace: `io.sockets()` are those \
         in `/`, and a number of your own is one for all namespaces",
    ))
}

async fn doors(program: &Program) -> Result {
    let server = program.start().await?;
    for room in ["/room-1", "/room-2", "/room-9", "/room-10", "/room-99"] {
        enter(&server, "a client", room).await.context(room)?;
    }
    server.socketio("/", Value::Null).await.context("/").map(drop)
}

async fn invalid(program: &Program) -> Result {
    let server = program.start().await?;
    let names = [
        "/room-0", "/room-100", "/room-1000", "/room--1", "/room-07", "/room-+7",
        "/room-x", "/room-7x", "/room-1.5", "/room-256", "/room-257", "/room-٣",
        "/room-", "/room", "/rooms-7", "/room-7/7", "/Room-7", "/lobby", "/room-%37",
        "/my/room-7",
    ];
    for name in names {
        let mut socket = server.engineio().await?.into_namespace(name);
        let error = socket
            .connect_error(Value::Null)
            .await
            .context(name)
            .help(
                "`{…}` in the pattern of a dynamic namespace is any text without a \
                 slash, unlike a regular expression in Node, and `parse` takes \"+7\" \
                 and \"07\" for numbers too",
            )?;
        let expected = json!({"message": "Invalid namespace"});
        if error != expected {
            let (expected, got) =
                (format_args!("{expected}"), format_args!("{error}"));
            let failure = Failure::expected("connect_error", &expected, &got);
            return Err(failure.context(name));
        }
    }
    Ok(())
}

async fn enters(program: &Program) -> Result {
    let server = program.start().await?;
    let _visitor = server.socketio("/", Value::Null).await?;
    let mut ada = guest(&server, "Ada", "/room-1", 1).await?;
    let mut bob = guest(&server, "Bob", "/room-11", 1).await?;
    let mut cy = guest(&server, "Cy", "/room-1", 2).await?;
    ada.hears(count(2)).await?;
    let mut dan = guest(&server, "Dan", "/room-1", 3).await?;
    ada.hears(count(3)).await?;
    cy.hears(count(3)).await?;

    // Two rooms on one connection.
    let mut second = dan.socket.engine().of("/room-11");
    second.connect(Value::Null).await.context("Dan")?;
    bob.hears(count(2)).await?;
    let mut eve = guest(&server, "Eve", "/room-2", 1).await?;
    let _fay = guest(&server, "Fay", "/room-2", 2).await?;
    eve.hears(count(2)).await
}

async fn leaves(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = guest(&server, "Ada", "/room-5", 1).await?;
    let mut bob = guest(&server, "Bob", "/room-5", 2).await?;
    let cy = guest(&server, "Cy", "/room-5", 3).await?;
    for number in [2, 3] {
        ada.hears(count(number)).await?;
    }
    bob.hears(count(3)).await?;
    // One connection ends without a word, the other one stays for other namespaces.
    drop(cy);
    let not = |number| Not {
        event: count(number),
        mistake: "somebody has left, and is counted all the same",
        help: "`parity::on_disconnect` runs while the socket is still in its rooms \
               and in the list of its namespace, like Node's `disconnecting`. Let it \
               leave, or take one away",
    };
    let gone = "`parity::on_disconnect` adds a handler, like Node's `disconnecting`";
    for client in [&mut ada, &mut bob] {
        let heard = client.hears_not(not(3), count(2)).await;
        heard.context("Cy is gone").help(gone)?;
    }
    let mut dan = guest(&server, "Dan", "/room-55", 1).await?;
    bob.socket.disconnect().await?;
    let heard = ada.hears_not(not(2), count(1)).await;
    heard.context("Bob has left the namespace").help(gone)?;
    // The room is as it was before they came.
    guest(&server, "Eve", "/room-5", 2).await?;
    guest(&server, "Fay", "/room-55", 2).await?;
    dan.hears(count(2)).await
}

async fn apart(program: &Program) -> Result {
    let server = program.start().await?;
    let mut visitor = server.socketio("/", Value::Null).await?;
    let mut ada = guest(&server, "Ada", "/room-1", 1).await?;
    let mut bob = guest(&server, "Bob", "/room-1", 2).await?;
    let mut cy = guest(&server, "Cy", "/room-12", 1).await?;
    ada.hears(count(2)).await?;
    ada.emit(json!(["say", "among ourselves"])).await?;
    let said = json!(["said", ada.id, "among ourselves"]);
    let help = "`io.broadcast()` is everybody in `/`, wherever it is called, like \
                Node's `io.emit`. A room in the sense of chapter 12 belongs to its \
                namespace: `socket.within(…)`";
    tokio::select! {
        biased;
        heard = bob.hears(said.clone()) => heard?,
        // What is sent elsewhere alone need not be waited for.
        Ok(event) = visitor.next_event() => {
            let message = "a visitor of `/` hears what is said in `/room-1`";
            let wire = visitor.engine().websocket().connection().transcript();
            let event = format!("it is {} {}", event.name, event.arguments);
            return Err(Failure::new(message).with(wire)).context(event).help(help);
        }
    }
    ada.hears(said.clone()).await?;
    cy.emit(json!(["say", "elsewhere"])).await?;
    let elsewhere = json!(["said", cy.id, "elsewhere"]);
    let not = Not {
        event: said,
        mistake: "Cy is in `/room-12`, and hears what is said in `/room-1`",
        help,
    };
    cy.hears_not(not, elsewhere.clone()).await?;
    bob.emit(json!(["say", "the end"])).await?;
    let not = Not {
        event: elsewhere,
        mistake: "Ada is in `/room-1`, and hears what is said in `/room-12`",
        help,
    };
    ada.hears_not(not, json!(["said", bob.id, "the end"])).await
}
