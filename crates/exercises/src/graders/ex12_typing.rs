use contract::{Explain, Program, Result, Server};
use serde_json::{Value, json};

use super::client::{Client, Not};
use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check(
            "others",
            2,
            "the others in a room hear who types, and who stops",
            others,
        ),
        check("nobody_else", 2, "nobody else hears it", nobody_else).after("others"),
        check("once", 1, "they hear it once", once).after("others"),
        check("said", 2, "whoever says it has stopped", said).after("others"),
        check("left", 1, "whoever leaves the room has stopped", left)
            .after("others"),
        check("gone", 2, "whoever is gone has stopped, in all rooms", gone)
            .after("nobody_else"),
    ]
}

/// A client that is in these rooms.
async fn member(
    server: &Server,
    name: &'static str,
    rooms: &[&str],
) -> Result<Client> {
    let mut client = Client::enter(server, name).await?;
    for room in rooms {
        client.expect_ack(json!(["join", room]), json!(true)).await?;
    }
    Ok(client)
}

fn typing(room: &str, client: &Client) -> Value {
    json!(["typing", room, client.id])
}

fn stopped(room: &str, client: &Client) -> Value {
    json!(["stopped", room, client.id])
}

/// Says something, which comes after all that the client has done before. All these hear
/// it, next.
async fn speak(
    speaker: &mut Client,
    room: &str,
    text: &str,
    listeners: &mut [&mut Client],
) -> Result {
    speaker.emit(json!(["say", room, text])).await?;
    for listener in listeners {
        listener.hears(json!(["said", room, speaker.id, text])).await?;
    }
    Ok(())
}

async fn others(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = member(&server, "Ada", &["red"]).await?;
    let mut bob = member(&server, "Bob", &["red"]).await?;
    let mut cy = member(&server, "Cy", &["red"]).await?;
    for _ in 0..2 {
        ada.emit(json!(["typing", "red"])).await?;
        // If nothing came of it, this comes at once.
        ada.emit(json!(["stopped", "red"])).await?;
        ada.emit(json!(["say", "red", "so"])).await?;
        for other in [&mut bob, &mut cy] {
            other.hears(typing("red", &ada)).await?;
            other.hears(stopped("red", &ada)).await?;
            other.hears(json!(["said", "red", ada.id, "so"])).await?;
        }
    }
    Ok(())
}

async fn nobody_else(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = member(&server, "Ada", &["red", "green"]).await?;
    let mut bob = member(&server, "Bob", &["red", "blue"]).await?;
    let mut cy = member(&server, "Cy", &["blue"]).await?;
    ada.emit(json!(["typing", "red"])).await?;
    ada.emit(json!(["say", "green", "hello"])).await?;
    let not = Not {
        event: typing("red", &ada),
        mistake: "Ada hears that she is typing herself",
        help: "`io.to(room)` reaches everybody in the room, in Node as here. \
               `socket.to(room)` leaves out the socket itself",
    };
    let hello = json!(["said", "green", ada.id, "hello"]);
    ada.hears_not(not, hello).await?;

    bob.hears(typing("red", &ada)).await?;
    cy.emit(json!(["say", "blue", "hello"])).await?;
    let hello = json!(["said", "blue", cy.id, "hello"]);
    let not = Not {
        event: typing("red", &ada),
        mistake: "Cy is in `blue` alone, and hears that Ada is typing in `red`",
        help: "`socket.broadcast` is everybody else on the whole server. The \
               receivers are `socket.to(…)` with the room",
    };
    cy.hears_not(not, hello.clone()).await?;
    bob.hears(hello).await?;

    ada.emit(json!(["typing", "blue"])).await?;
    ada.emit(json!(["stopped", "red"])).await?;
    let not = Not {
        event: typing("blue", &ada),
        mistake: "Ada is not in `blue`, and those who are hear that she is typing \
                  there",
        help: "`socket.to(room).emit` does not ask whether the socket is in the room, \
               in Node as here",
    };
    bob.hears_not(not, stopped("red", &ada)).await
}

async fn once(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = member(&server, "Ada", &["red", "blue"]).await?;
    let mut bob = member(&server, "Bob", &["red", "blue"]).await?;
    ada.emit(json!(["stopped", "red"])).await?;
    for _ in 0..3 {
        ada.emit(json!(["typing", "red"])).await?;
    }
    // Another room is another matter.
    ada.emit(json!(["typing", "blue"])).await?;
    for _ in 0..2 {
        ada.emit(json!(["stopped", "red"])).await?;
    }
    ada.emit(json!(["stopped", "blue"])).await?;
    let not = Not {
        event: stopped("red", &ada),
        mistake: "Ada has not begun to type, and Bob hears that she has stopped",
        help: "the server has to know who is typing where",
    };
    bob.hears_not(not, typing("red", &ada)).await?;
    let not = Not {
        event: typing("red", &ada),
        mistake: "Ada is typing, and Bob hears more than once that she has begun",
        help: "the server has to know who is typing where",
    };
    bob.hears_not(not, typing("blue", &ada)).await?;
    bob.hears(stopped("red", &ada)).await?;
    let not = Not {
        event: stopped("red", &ada),
        mistake: "Ada has stopped once, and Bob hears it twice",
        help: "the server has to know who is typing where",
    };
    bob.hears_not(not, stopped("blue", &ada)).await
}

async fn said(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = member(&server, "Ada", &["red", "blue"]).await?;
    let mut bob = member(&server, "Bob", &["red", "blue"]).await?;
    ada.emit(json!(["typing", "red"])).await?;
    bob.hears(typing("red", &ada)).await?;
    speak(&mut ada, "blue", "elsewhere", &mut [&mut bob]).await?;
    ada.emit(json!(["say", "red", "here"])).await?;
    let here = json!(["said", "red", ada.id, "here"]);
    let not = Not {
        event: here.clone(),
        mistake: "Ada has said what she was typing, and Bob has not heard before \
                  that she has stopped",
        help: "pages forget to send `stopped`, and leave others with a note that \
               never goes away. So `say` stops the typing, in that room",
    };
    bob.hears_not(not, stopped("red", &ada)).await?;
    bob.hears(here.clone()).await?;

    // She has stopped: what follows does not stop it again.
    speak(&mut ada, "red", "again", &mut [&mut bob]).await?;
    ada.emit(json!(["typing", "red"])).await?;
    bob.hears(typing("red", &ada)).await
}

async fn left(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = member(&server, "Ada", &["red", "blue"]).await?;
    let mut bob = member(&server, "Bob", &["red", "blue"]).await?;
    ada.emit(json!(["typing", "red"])).await?;
    ada.emit(json!(["typing", "blue"])).await?;
    bob.hears(typing("red", &ada)).await?;
    bob.hears(typing("blue", &ada)).await?;
    ada.emit(json!(["leave", "red"])).await?;
    ada.emit(json!(["stopped", "blue"])).await?;
    let not = Not {
        event: stopped("blue", &ada),
        mistake: "Ada has left `red` while she was typing, and Bob has not heard that \
                  she has stopped there",
        help: "nobody sends `stopped` for her: she is not in the room any more",
    };
    bob.hears_not(not, stopped("red", &ada)).await?;
    bob.hears(stopped("blue", &ada)).await?;

    // Nothing is left of it when she comes back.
    ada.expect_ack(json!(["join", "red"]), json!(true)).await?;
    speak(&mut ada, "red", "back", &mut [&mut bob]).await?;
    ada.emit(json!(["leave", "red"])).await?;
    speak(&mut ada, "blue", "gone", &mut [&mut bob]).await
}

async fn gone(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = member(&server, "Ada", &["red", "blue", "green"]).await?;
    let mut bob = member(&server, "Bob", &["red", "blue", "green"]).await?;
    let mut cy = member(&server, "Cy", &["blue"]).await?;
    for room in ["red", "blue"] {
        ada.emit(json!(["typing", room])).await?;
        bob.hears(typing(room, &ada)).await?;
    }
    cy.hears(typing("blue", &ada)).await?;
    let ends = [stopped("red", &ada), stopped("blue", &ada)];
    // Her connection ends without a word.
    drop(ada);
    let help = "`parity::on_disconnect` adds a handler that runs while \
                `socket.rooms()` still has the rooms, like Node's `disconnecting`";
    let told = async {
        cy.hears(ends[1].clone()).await?;
        // Which room is the first is nobody's business.
        let first = bob.next().await?;
        match ends.iter().position(|end| *end == first) {
            Some(at) => bob.hears(ends[1 - at].clone()).await,
            None => Err(bob.expected("event", &ends[0].to_string(), &first)),
        }
    };
    let context = "Ada, who was typing in `red` and in `blue`, is gone";
    told.await.context(context).help(help)?;
    speak(&mut cy, "blue", "oh", &mut [&mut bob]).await
}
