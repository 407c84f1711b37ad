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
        check("once", 1, "they hear it once", once).after("others"),
        check("nobody_else", 2, "nobody else hears it", nobody_else).after("once"),
        check("said", 2, "whoever says it has stopped", said).after("once"),
        check("left", 1, "whoever leaves the room has stopped", left).after("once"),
        check("gone", 2, "whoever is gone has stopped, in all rooms", gone)
            .after("nobody_else"),
    ]
}

/// For those who pass on each event that comes.
const REMEMBER: &str = "a page may send `typing` with every key, and `stopped` although \
                        nobody types. So the server has to remember who types, and \
                        where";

/// For those who remember one name for a room, or one room for a client.
const EACH: &str = "several clients may type in a room at once, and a client in several \
                    rooms: what the server has to remember is pairs of both";

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
    speaker.emit_before(listeners, json!(["say", room, text])).await?;
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
        let others = &mut [&mut bob, &mut cy];
        ada.emit_before(others, json!(["typing", "red"])).await?;
        // If nothing came of it, this comes at once.
        ada.emit_before(others, json!(["stopped", "red"])).await?;
        ada.emit_before(others, json!(["say", "red", "so"])).await?;
        for other in others {
            hears_after_all(other, typing("red", &ada), &ada).await?;
            other.hears(stopped("red", &ada)).await?;
            let so = json!(["said", "red", ada.id, "so"]);
            hears_after_all(other, so, &ada).await?;
        }
    }
    Ok(())
}

/// The next event is this one, after any number of `stopped`: that one should hear that
/// once is not the matter here.
async fn hears_after_all(
    client: &mut Client,
    event: Value,
    typist: &Client,
) -> Result {
    let end = stopped("red", typist);
    loop {
        let got = client.next().await?;
        if got == event {
            return Ok(());
        }
        if got != end {
            return Err(client.unexpected(&event, &got));
        }
    }
}

async fn once(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = member(&server, "Ada", &["red", "blue"]).await?;
    let mut bob = member(&server, "Bob", &["red", "blue"]).await?;
    let cy = &mut member(&server, "Cy", &["red", "blue"]).await?;
    for (event, room) in [
        ("stopped", "red"),
        ("typing", "red"),
        // Another room is another matter.
        ("typing", "blue"),
        ("typing", "red"),
        ("stopped", "red"),
        ("stopped", "red"),
        ("stopped", "blue"),
    ] {
        ada.emit_before(&mut [cy], json!([event, room])).await?;
    }
    let not = Not {
        event: stopped("red", &ada),
        mistake: "Ada has not begun to type, and Cy hears that she has stopped",
        help: REMEMBER,
    };
    cy.hears_not(not, typing("red", &ada)).await?;
    let not = Not {
        event: stopped("red", &ada),
        mistake: "Ada is typing in `red` and begins in `blue` too, and Cy does not hear \
                  it",
        help: EACH,
    };
    cy.hears_not(not, typing("blue", &ada)).await?;
    let not = Not {
        event: typing("red", &ada),
        mistake: "Ada is typing, and Cy hears more than once that she has begun",
        help: REMEMBER,
    };
    cy.hears_not(not, stopped("red", &ada)).await?;
    let not = Not {
        event: stopped("red", &ada),
        mistake: "Ada has stopped once, and Cy hears it twice",
        help: REMEMBER,
    };
    cy.hears_not(not, stopped("blue", &ada)).await?;

    // Two at once. What else they do comes at once if nothing comes of that.
    ada.emit_before(&mut [cy], json!(["typing", "red"])).await?;
    cy.hears(typing("red", &ada)).await?;
    for room in ["red", "blue"] {
        bob.emit_before(&mut [cy], json!(["typing", room])).await?;
    }
    let not = Not {
        event: typing("blue", &bob),
        mistake: "Ada and Bob type in `red`, and Cy hears of Ada alone",
        help: EACH,
    };
    cy.hears_not(not, typing("red", &bob)).await?;
    cy.hears(typing("blue", &bob)).await?;
    for (event, room) in [("stopped", "red"), ("typing", "blue")] {
        ada.emit_before(&mut [cy], json!([event, room])).await?;
    }
    let not = Not {
        event: typing("blue", &ada),
        mistake: "Ada and Bob have typed in `red`, and Cy does not hear that Ada has \
                  stopped",
        help: EACH,
    };
    cy.hears_not(not, stopped("red", &ada)).await?;
    cy.hears(typing("blue", &ada)).await?;
    for room in ["red", "blue"] {
        bob.emit_before(&mut [cy], json!(["stopped", room])).await?;
    }
    let not = Not {
        event: stopped("blue", &bob),
        mistake: "Ada and Bob have typed in `red`, and Cy hears that Ada has stopped, \
                  but not that Bob has",
        help: EACH,
    };
    cy.hears_not(not, stopped("red", &bob)).await?;
    cy.hears(stopped("blue", &bob)).await
}

async fn nobody_else(program: &Program) -> Result {
    let server = program.start().await?;
    let ada = &mut member(&server, "Ada", &["red", "green"]).await?;
    let bob = &mut member(&server, "Bob", &["red", "blue"]).await?;
    let cy = &mut member(&server, "Cy", &["blue"]).await?;
    ada.emit_before(&mut [bob, cy], json!(["typing", "red"])).await?;
    ada.emit(json!(["say", "green", "hello"])).await?;
    let not = Not {
        event: typing("red", ada),
        mistake: "Ada hears that she is typing herself",
        help: "`io.to(room)` and `socket.within(room)` reach everybody in the room. \
               `socket.to(room)` leaves out the socket itself, in Node as here",
    };
    let hello = json!(["said", "green", ada.id, "hello"]);
    ada.hears_not(not, hello).await?;

    bob.hears(typing("red", ada)).await?;
    cy.emit_before(&mut [bob], json!(["say", "blue", "hello"])).await?;
    let hello = json!(["said", "blue", cy.id, "hello"]);
    let not = Not {
        event: typing("red", ada),
        mistake: "Cy is in `blue` alone, and hears that Ada is typing in `red`",
        help: "`socket.broadcast` is everybody else on the whole server. The \
               receivers are `socket.to(…)` with the room",
    };
    cy.hears_not(not, hello.clone()).await?;
    bob.hears(hello).await?;
    outsider(ada, bob, cy).await
}

/// Ada, who is typing in `red`, types in `blue` before she joins it.
async fn outsider(ada: &mut Client, bob: &mut Client, cy: &mut Client) -> Result {
    bob.note("Ada is not in `blue`");
    ada.emit_before(&mut [bob], json!(["typing", "blue"])).await?;
    ada.emit_before(&mut [bob], json!(["stopped", "red"])).await?;
    let not = Not {
        event: typing("blue", ada),
        mistake: "Ada is not in `blue`, and those who are hear that she is typing \
                  there",
        help: "`socket.to(room).emit` does not ask whether the socket is in the room, \
               in Node as here",
    };
    bob.hears_not(not, stopped("red", ada)).await?;
    ada.emit_before(&mut [bob], json!(["stopped", "blue"])).await?;
    ada.emit_before(&mut [bob], json!(["typing", "red"])).await?;
    let not = Not {
        event: stopped("blue", ada),
        mistake: "Ada is not in `blue`, and those who are hear that she has stopped \
                  typing there",
        help: "who is not in a room cannot type there, and so cannot stop. `typing` \
               must not be remembered of an outsider",
    };
    bob.hears_not(not, typing("red", ada)).await?;

    ada.emit(json!(["typing", "blue"])).await?;
    ada.expect_ack(json!(["join", "blue"]), json!(true)).await?;
    bob.note("Ada emits the same again, and joins `blue`");
    for (event, room) in [("typing", "blue"), ("stopped", "red")] {
        ada.emit_before(&mut [bob, cy], json!([event, room])).await?;
    }
    let not = Not {
        event: stopped("red", ada),
        mistake: "Ada has joined `blue` and types there, and Bob does not hear it",
        help: "before she joined she has sent `typing` already, to no effect. It must \
               not be remembered either: ask first whether the socket is in the room",
    };
    bob.hears_not(not, typing("blue", ada)).await?;
    bob.hears(stopped("red", ada)).await?;
    cy.hears(typing("blue", ada)).await
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
    let bob = &mut member(&server, "Bob", &["red", "blue", "green"]).await?;
    let cy = &mut member(&server, "Cy", &["blue"]).await?;
    for room in ["red", "blue"] {
        ada.emit_before(&mut [bob], json!(["typing", room])).await?;
        bob.hears(typing(room, &ada)).await?;
    }
    cy.hears(typing("blue", &ada)).await?;
    let ends = [stopped("red", &ada), stopped("blue", &ada)];
    let wrong_end = stopped("green", &ada);
    // Her connection ends without a word.
    drop(ada);
    for client in [&mut *bob, cy] {
        client.note("Ada's connection ends");
    }
    told(bob, &ends, &wrong_end)
        .await
        .context("Ada, who was typing in `red` and in `blue`, is gone")?;
    cy.hears(ends[1].clone()).await?;
    cy.emit_before(&mut [bob], json!(["say", "blue", "oh"])).await?;
    let not = Not {
        event: wrong_end,
        mistake: "Ada, who was typing in `red` and in `blue`, is gone, and Bob hears \
                  that she has stopped in `green`",
        help: NOT_THERE,
    };
    bob.hears_not(not, json!(["said", "blue", cy.id, "oh"])).await
}

const NOT_THERE: &str = "she was in `green`, but not typing there: the rooms that count \
                         are those in which she was";

/// The next events are these. Which one is the first is nobody's business.
async fn told(client: &mut Client, ends: &[Value; 2], wrong_end: &Value) -> Result {
    let first = client.next().await.help(
        "`parity::on_disconnect` adds a handler that runs while `socket.rooms()` \
         still has the rooms, like Node's `disconnecting`",
    )?;
    let first_expected = ends.iter().position(|end| *end == first);
    let Some(at) = first_expected else {
        let failure = client.unexpected(&ends[0], &first);
        return Err(match first == *wrong_end {
            true => failure.help(NOT_THERE),
            false => failure,
        });
    };
    let other = &ends[1 - at];
    let second = client.next().await.context(format_args!("{other}")).help(
        "a client may type in several rooms at once, and stops in all of them when it \
         is gone",
    )?;
    if second == *other {
        return Ok(());
    }
    let failure = client.unexpected(other, &second);
    Err(match second == *wrong_end {
        true => failure.help(NOT_THERE),
        false => failure,
    })
}
