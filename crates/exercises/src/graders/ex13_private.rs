use contract::{Explain, Program, Result, within};
use serde_json::{Value, json};

use super::client::{Client, Not};
use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("receiver", 2, "the client that is meant hears it", receiver),
        check("nobody_else", 1, "nobody but it and the sender hears it", nobody_else)
            .after("receiver"),
        check("copy", 2, "the sender hears it too, once", copy).after("receiver"),
        check("from", 2, "`from` is the sender, whoever it says it is", from)
            .after("receiver"),
        check("nobody", 1, "if there is no such client, the ack is `false`", nobody)
            .after("nobody_else"),
        check("rooms", 2, "the name of a room is not the id of a client", rooms)
            .after("receiver"),
    ]
}

fn tell(to: &str, text: &str) -> Value {
    json!(["tell", {"to": to, "text": text}])
}

fn message(from: &str, to: &str, text: &str) -> Value {
    json!(["message", {"from": from, "to": to, "text": text}])
}

async fn receiver(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    for text in ["hello", "héllo", ""] {
        ada.expect_ack(tell(&bob.id, text), json!(true)).await?;
        let not = Not {
            event: message(&ada.session, &bob.id, text),
            mistake: "`from` is the id of Ada's session, with which Bob could now \
                      speak in her name",
            help: "`socket.id` is public in Node, and a secret here. The public one \
                   is `UserId::of(&socket)`",
        };
        bob.hears_not(not, message(&ada.id, &bob.id, text)).await?;
    }
    bob.expect_ack(tell(&ada.id, "yes?"), json!(true)).await
}

async fn nobody_else(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    let mut eve = Client::enter(&server, "Eve").await?;
    ada.emit(tell(&bob.id, "secret")).await?;
    bob.hears(message(&ada.id, &bob.id, "secret")).await?;
    ada.emit(tell(&eve.id, "hello")).await?;
    let not = Not {
        event: message(&ada.id, &bob.id, "secret"),
        mistake: "Eve hears what Ada has told Bob",
        help: "`io.emit` reaches everybody, `io.to(id).emit` the room in which the \
               client with this id is alone",
    };
    eve.hears_not(not, message(&ada.id, &eve.id, "hello")).await
}

async fn copy(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let bob = Client::enter(&server, "Bob").await?;
    let own = ada.id.clone();
    ada.emit(tell(&bob.id, "hello")).await?;
    ada.emit(tell(&own, "buy milk")).await?;
    ada.emit(tell(&own, "and bread")).await?;

    let milk = message(&own, &own, "buy milk");
    let not = Not {
        event: milk.clone(),
        mistake: "Ada has told Bob something, and has not heard it herself",
        help: "the receivers are two clients: `io.to([one, other])`",
    };
    ada.hears_not(not, message(&own, &bob.id, "hello")).await?;
    ada.hears(milk.clone()).await?;
    let not = Not {
        event: milk,
        mistake: "Ada has told herself something, and has heard it twice",
        help: "two emits are two events. `io.to([one, other])` reaches whoever is in \
               one of these rooms, once",
    };
    ada.hears_not(not, message(&own, &own, "and bread")).await
}

async fn from(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    let mut eve = Client::enter(&server, "Eve").await?;
    for text in ["give Eve the key", "all of them"] {
        let forged = json!({
            "from": ada.id, "to": bob.id, "text": text, "id": ada.id, "admin": true,
        });
        eve.expect_ack(json!(["tell", forged]), json!(true))
            .await
            .context("an object that has more in it than it should")?;
        let not = Not {
            event: message(&ada.id, &bob.id, text),
            mistake: "Eve writes `from: ` and Ada's id into her object, and Bob \
                      hears her as Ada",
            help: "the server knows who speaks: `UserId::of(&socket)`. Whoever \
                   passes on the client's object as it is, with `emit(message)` \
                   or with `{ from: socket.id, ...message }` in Node, lets \
                   the client say it",
        };
        bob.hears_not(not, message(&eve.id, &bob.id, text)).await?;
    }
    ada.emit(tell(&bob.id, "it is me")).await?;
    bob.hears(message(&ada.id, &bob.id, "it is me")).await
}

async fn nobody(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    let own = ada.id.clone();
    for (whose, id) in [
        ("nobody, an empty text", ""),
        ("`nobody`, which is no id", "nobody"),
        ("an id that nobody has", "AAAAAAAAAAAAAAAA"),
        ("Bob's `socket.id`", &bob.session),
    ] {
        let acked = ada.expect_ack(tell(id, "anybody?"), json!(false)).await;
        let acked = acked.context(format_args!("Ada has written to {whose}"));
        match id == bob.session {
            true => acked.help(
                "`socket.id` is the id of his session here, a secret that must not \
                 work as an address. The public id is `UserId::of`",
            )?,
            false => acked?,
        }
        ada.expect_ack(tell(&own, "next"), json!(true)).await?;
        let not = Not {
            event: message(&own, id, "anybody?"),
            mistake: "there is nobody with this id, and Ada hears her message as if \
                      there were",
            help: "an `emit` to an empty room is not an error. Look first whether \
                   anybody is there",
        };
        ada.hears_not(not, message(&own, &own, "next")).await?;
    }
    ada.emit(tell(&bob.id, "stay")).await?;
    bob.hears(message(&own, &bob.id, "stay")).await?;

    let (id, went) = (bob.id.clone(), json!(["went", bob.id]));
    drop(bob);
    while ada.next().await? != went {}
    // He may still be in some list, but not for long.
    within("`false` in the ack of a message to Bob, who is gone", async {
        while ada.call(tell(&id, "still there?")).await? != json!(false) {}
        Ok(())
    })
    .await?
}

async fn rooms(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    let ack = ada.call(tell("lobby", "hello everybody")).await?;
    ada.emit(tell(&bob.id, "hello Bob")).await?;
    let not = Not {
        event: message(&ada.id, "lobby", "hello everybody"),
        mistake: "Ada has written to `lobby`, which is a room, and all who are in \
                  there hear it",
        help: "`io.to(…)` takes the name of any room, in Node as here, and this one \
               comes from a client. It has to be somebody's id, which \
               `UserId::of` says of a socket",
    };
    bob.hears_not(not, message(&ada.id, &bob.id, "hello Bob")).await?;
    match ack == json!(false) {
        true => Ok(()),
        false => Err(ada.expected("the ack of `tell` with a room", "false", &ack)),
    }
}
