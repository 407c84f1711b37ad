use contract::{Explain, Program, Result};
use serde_json::json;

use super::client::{Client, Not};
use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check(
            "members",
            2,
            "all who are in a room hear what is said there, the speaker too",
            members,
        ),
        check("outside", 2, "nobody else hears it", outside).after("members"),
        check("left", 2, "whoever has left hears nothing more", left)
            .after("outside"),
        check("not_in", 2, "nobody speaks in a room without being in it", not_in)
            .after("outside"),
        check(
            "whispers",
            1,
            "a room named after somebody's id is not that client's own",
            whispers,
        )
        .after("outside"),
        check(
            "reports",
            1,
            "no room that a client has named is that of the moderators",
            reports,
        )
        .after("outside"),
    ]
}

async fn members(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    ada.expect_ack(json!(["join", "red"]), json!(true)).await?;
    bob.expect_ack(json!(["join", "red"]), json!(true)).await?;
    // To join twice is to join once.
    bob.expect_ack(json!(["join", "red"]), json!(true)).await?;
    for (text, answer) in [("hello", "hi"), ("héllo", "")] {
        let say = json!(["say", "red", text]);
        ada.expect_ack(say, json!(true)).await?;
        let said = json!(["said", "red", ada.id, text]);
        bob.hears(said.clone()).await?;
        bob.emit(json!(["say", "red", answer])).await?;
        let answered = json!(["said", "red", bob.id, answer]);
        let not = Not {
            event: answered.clone(),
            mistake: "Ada has not heard what she has said herself, as the speaker \
                      should",
            help: "`socket.to` leaves out the socket itself, `io.to` does not, in \
                   Node as here",
        };
        ada.hears_not(not, said).await?;
        ada.hears(answered.clone()).await?;
        bob.hears(answered).await?;
    }
    Ok(())
}

async fn outside(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut both = Client::enter(&server, "Bob").await?;
    let mut blue = Client::enter(&server, "Cy").await?;
    let mut nowhere = Client::enter(&server, "Dan").await?;
    for client in [&mut ada, &mut both] {
        client.expect_ack(json!(["join", "red"]), json!(true)).await?;
    }
    for client in [&mut ada, &mut both, &mut blue] {
        client.expect_ack(json!(["join", "blue"]), json!(true)).await?;
    }
    for room in ["red", "blue"] {
        let say = json!(["say", room, format!("for {room}")]);
        ada.emit_before(&mut [&mut both, &mut blue], say).await?;
    }
    let red = json!(["said", "red", ada.id, "for red"]);
    let said = json!(["said", "blue", ada.id, "for blue"]);
    let not = |mistake| Not {
        event: red.clone(),
        mistake,
        help: "`io.emit` reaches everybody. The receivers are `io.to(…)` with the \
               one room in which something is said, not with all of the speaker's",
    };
    let mistake = "Cy is in `blue` alone, and has heard what was said in `red`";
    blue.hears_not(not(mistake), said.clone()).await?;
    both.hears(red.clone()).await?;
    both.hears(said).await?;

    // What the rooms have heard before this would come before it.
    nowhere.expect_ack(json!(["join", "red"]), json!(true)).await?;
    let say = json!(["say", "red", "welcome"]);
    ada.emit_before(&mut [&mut both, &mut nowhere], say).await?;
    let said = json!(["said", "red", ada.id, "welcome"]);
    let mistake = "Dan was in no room, and has heard what was said in `red`";
    nowhere.hears_not(not(mistake), said.clone()).await?;
    both.hears(said).await?;

    // If there are prefixes, this is a name like any other.
    blue.call(json!(["join", "room:red"])).await?;
    blue.call(json!(["say", "room:red", "elsewhere"])).await?;
    both.note("Cy, who is in `room:red`, has said something there");
    ada.emit_before(&mut [&mut both], json!(["say", "red", "still here"])).await?;
    let not = Not {
        event: json!(["said", "room:red", blue.id, "elsewhere"]),
        mistake: "Cy has spoken in `room:red`, and what he has said is heard in `red`",
        help: "two names are two rooms. If a prefix is put in front of names, it is \
               put in front of all of them, also of those that begin like it",
    };
    both.hears_not(not, json!(["said", "red", ada.id, "still here"])).await
}

async fn left(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    for client in [&mut ada, &mut bob] {
        client.expect_ack(json!(["join", "red"]), json!(true)).await?;
        client.expect_ack(json!(["join", "blue"]), json!(true)).await?;
    }
    bob.expect_ack(json!(["leave", "red"]), json!(true)).await?;
    for (room, text) in [("red", "is he gone?"), ("blue", "hello")] {
        ada.emit_before(&mut [&mut bob], json!(["say", room, text])).await?;
    }
    let not = Not {
        event: json!(["said", "red", ada.id, "is he gone?"]),
        mistake: "Bob has left `red`, and has heard what was said there after that",
        help: "`leave` takes the socket out of the room that `join` has put it into: \
               the same name, with the same prefix if there is one",
    };
    bob.hears_not(not, json!(["said", "blue", ada.id, "hello"])).await?;
    bob.expect_ack(json!(["leave", "red"]), json!(false))
        .await
        .context("a room that one has left already")
}

async fn not_in(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    let mut cy = Client::enter(&server, "Cy").await?;
    ada.expect_ack(json!(["join", "red"]), json!(true)).await?;
    cy.expect_ack(json!(["join", "blue"]), json!(true)).await?;
    let ack = bob.call(json!(["say", "red", "let me in"])).await?;
    let intruder = json!(["said", "red", bob.id, "let me in"]);
    for client in [&mut ada, &mut cy] {
        client.note(&format!("Bob's `say` in `red` is acked with {ack}"));
    }

    cy.emit(json!(["say", "blue", "hello"])).await?;
    let not = Not {
        event: intruder.clone(),
        mistake: "Bob is not in `red`, has spoken there, and has been heard even by \
                  Cy, who is not in `red` either",
        help: "`io.to([])`, with an empty list of rooms, is everybody, in Node as \
               here",
    };
    cy.hears_not(not, json!(["said", "blue", cy.id, "hello"])).await?;

    ada.emit(json!(["say", "red", "hello"])).await?;
    let not = Not {
        event: intruder,
        mistake: "Bob is not in `red`, has spoken there, and has been heard",
        help: "`io.to(room).emit` does not ask who emits, in Node as here. Look into \
               `socket.rooms()` first",
    };
    ada.hears_not(not, json!(["said", "red", ada.id, "hello"])).await?;
    match ack == json!(false) {
        true => Ok(()),
        false => Err(bob.expected("the ack of `say`", "false", &ack)),
    }
}

/// In front of names that clients make up.
const PREFIX: &str = "Ids, names of the server, and names that clients make up are keys \
                      of one map. Put something in front of the last, such as `room:`";

async fn whispers(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    let mut eve = Client::enter(&server, "Eve").await?;
    // Whether she may have a room of that name is up to the server.
    eve.call(json!(["join", ada.id])).await?;
    eve.call(json!(["say", ada.id, "it is me"])).await?;
    eve.call(json!(["whisper", eve.id, "begin"])).await?;

    ada.note("Eve has tried to join a room named after Ada's id, and to speak there");
    bob.expect_ack(json!(["whisper", ada.id, "secret"]), json!(true)).await?;
    eve.note("Bob's `whisper` to Ada is acked");
    bob.expect_ack(json!(["whisper", eve.id, "hello"]), json!(true)).await?;
    // What she has said in her own room is hers to hear.
    let whispered = json!(["whispered", eve.id, "begin"]);
    if eve.next().await? != whispered {
        eve.hears(whispered).await?;
    }
    let not = Not {
        event: json!(["whispered", bob.id, "secret"]),
        mistake: "Eve has joined a room that is named after Ada's id, and hears what \
                  is whispered to Ada",
        help: PREFIX,
    };
    eve.hears_not(not, json!(["whispered", bob.id, "hello"])).await?;
    let not = Not {
        event: json!(["said", ada.id, eve.id, "it is me"]),
        mistake: "Eve has joined a room that is named after Ada's id, and what she \
                  says there is heard by Ada",
        help: PREFIX,
    };
    ada.hears_not(not, json!(["whispered", bob.id, "secret"])).await?;

    ada.call(json!(["leave", ada.id])).await?;
    bob.note("Ada has left a room named after her id");
    bob.expect_ack(json!(["whisper", ada.id, "still there?"]), json!(true))
        .await
        .context("Ada has left a room that is named after her id")
        .help(PREFIX)?;
    ada.hears(json!(["whispered", bob.id, "still there?"])).await?;

    // As long as an id, and nobody's.
    match eve.call(json!(["join", "the coffee break"])).await? == json!(true) {
        true => Ok(()),
        false => {
            let mistake = "`the coffee break` is nobody's id, and Eve may not join a \
                           room of that name";
            Err(eve.failure(mistake)).help(
                "whoever puts something in front of all names that clients make up \
                 needs to refuse none",
            )
        }
    }
}

async fn reports(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    let mut eve = Client::enter(&server, "Eve").await?;
    let password = json!(["moderate", "let-me-in"]);
    ada.expect_ack(password, json!(true)).await?;
    // Whether there may be a room of that name is up to the server.
    ada.call(json!(["leave", "moderators"])).await?;
    eve.call(json!(["join", "moderators"])).await?;

    let report = json!(["report", "Eve is strange"]);
    bob.emit_before(&mut [&mut ada, &mut eve], report).await?;
    bob.expect_ack(json!(["whisper", eve.id, "hello"]), json!(true)).await?;
    let not = Not {
        event: json!(["reported", bob.id, "Eve is strange"]),
        mistake: "Eve has joined a room with the name `moderators`, and hears the \
                  reports",
        help: PREFIX,
    };
    eve.hears_not(not, json!(["whispered", bob.id, "hello"])).await?;
    bob.emit(json!(["whisper", ada.id, "hello"])).await?;
    let not = Not {
        event: json!(["whispered", bob.id, "hello"]),
        mistake: "Ada is a moderator, has left a room with the name `moderators`, and \
                  hears no reports any more",
        help: PREFIX,
    };
    ada.hears_not(not, json!(["reported", bob.id, "Eve is strange"])).await
}
