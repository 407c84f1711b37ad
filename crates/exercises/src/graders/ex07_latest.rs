use std::ops::Range;

use contract::{Explain, Failure, Frame, Opcode, Program, Result, Server, WebSocket};
use futures_util::future::{try_join, try_join_all};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("live", 1, "everyone hears everyone", live),
        check("earlier", 2, "a newcomer gets what was said before", earlier)
            .after("live"),
        check("others", 1, "those who are here hear nothing twice", others)
            .after("earlier"),
        check("ten", 2, "a newcomer gets the last ten, not more", ten)
            .after("others"),
        check("joining", 4, "nothing is lost or doubled while one comes in", joining)
            .after("ten"),
    ]
}

/// A client whose transcript begins after the handshake.
async fn enter(server: &Server) -> Result<WebSocket> {
    let mut socket = server.websocket("/").await?;
    socket.connection().forget();
    Ok(socket)
}

/// Client 1 says these numbers, and hears each of them.
async fn say(client: &mut WebSocket, numbers: Range<u32>) -> Result {
    for n in numbers {
        client.send_text(&n.to_string()).await?;
        client.expect_text(&format!("1: {n}")).await?;
    }
    Ok(())
}

/// The client gets these numbers, which client 1 said.
async fn expect(client: &mut WebSocket, numbers: Range<u32>) -> Result {
    for n in numbers {
        client.expect_text(&format!("1: {n}")).await?;
    }
    Ok(())
}

async fn live(program: &Program) -> Result {
    let server = program.start().await?;
    let mut one = enter(&server).await?;
    let mut two = enter(&server).await?;
    // Whoever answers a ping is in its conversation.
    for client in [&mut one, &mut two] {
        client.send(Frame::new(Opcode::Ping, "")).await?;
        client.expect(Opcode::Pong, "").await?;
    }
    two.send_text("hello").await?;
    two.expect_text("2: hello").await.context("client 2")?;
    one.expect_text("2: hello").await.context("client 1")?;
    say(&mut one, 1..4).await.context("client 1")?;
    expect(&mut two, 1..4).await.context("client 2")
}

async fn earlier(program: &Program) -> Result {
    let server = program.start().await?;
    let mut one = enter(&server).await?;
    say(&mut one, 1..4).await?;
    let mut two = enter(&server).await?;
    // If nothing from before comes, this does.
    two.send_text("hello").await?;
    // Whichever of the three comes first.
    let first = two.receive().await.context("a newcomer")?;
    let first = String::from_utf8_lossy(&first.payload).into_owned();
    if first != "1: 1" {
        let failure = Failure::expected("a newcomer: message", &"1: 1", &first);
        let failure = failure.with(two.connection().transcript());
        return Err(match first.as_str() {
            "1: 3" => failure.help(
                "The oldest goes first: `push_back` and `pop_front` keep them in the \
                 order in which a loop then finds them",
            ),
            "2: hello" => failure.help("Nothing came of what was said before"),
            _ => failure,
        });
    }
    expect(&mut two, 2..4).await.context("a newcomer")?;
    two.expect_text("2: hello").await.context("a newcomer")?;

    drop((one, two));
    let mut three = enter(&server).await?;
    three.send_text("anyone?").await?;
    let who = "a newcomer after everyone has left";
    expect(&mut three, 1..4).await.context(who)?;
    three.expect_text("2: hello").await.context(who)?;
    three.expect_text("3: anyone?").await.context(who)
}

async fn others(program: &Program) -> Result {
    let server = program.start().await?;
    let mut one = enter(&server).await?;
    say(&mut one, 1..4).await?;
    let mut two = enter(&server).await?;
    expect(&mut two, 1..4).await?;
    say(&mut one, 4..5).await.context("client 1").help(
        "The history is for the newcomer alone: put it into that one queue",
    )?;
    expect(&mut two, 4..5).await.context("client 2")
}

async fn ten(program: &Program) -> Result {
    let server = program.start().await?;
    let mut one = enter(&server).await?;
    let mut next = 1;
    for said in [10, 11, 30] {
        say(&mut one, next..said + 1).await?;
        next = said + 1;
        let mut late = enter(&server).await?;
        let received = expect(&mut late, said - 9..said + 1).await;
        received
            .context(format_args!("a newcomer after {said} messages"))
            .help(
                "Keep no more than ten. What is pushed into a list and never taken out \
                 stays in memory until the server ends. A `VecDeque` has `pop_front`",
            )?;
    }
    Ok(())
}

/// Several speak while many come in at the same time. Whoever has come in goes when it
/// has heard everyone's last word.
async fn joining(program: &Program) -> Result {
    const SPEAKERS: usize = 4;
    const NEWCOMERS: usize = 8;
    /// Short ones: a race is possible only while somebody speaks and somebody comes.
    const ROUNDS: u32 = 200;
    /// How many messages each speaker sends at once.
    const BURST: u32 = 3;
    // With more threads than cores, one is sometimes stopped between two locks.
    let program = program.clone().env("TOKIO_WORKER_THREADS", 4);
    let server = program.start().await?;
    let mut speakers = Vec::new();
    for _ in 0..SPEAKERS {
        let mut speaker = enter(&server).await?;
        speaker.connection().record_nothing();
        speakers.push((speaker, [0; SPEAKERS]));
    }
    for round in 0..ROUNDS {
        let first = round * (BURST + 1) + 1;
        let last = first + BURST;
        let burst: Vec<u8> = (first..last)
            .flat_map(|n| Frame::new(Opcode::Text, n.to_string()).to_bytes())
            .collect();
        let doors = (0..NEWCOMERS).map(|_| server.connect());
        let doors = try_join_all(doors).await?;
        let speaking = speakers
            .iter_mut()
            .map(|(speaker, _)| speaker.connection().send(&burst));
        let coming = doors.into_iter().map(|door| WebSocket::open(door, "/"));
        let (_, newcomers) =
            try_join(try_join_all(speaking), try_join_all(coming)).await?;
        // Everyone is in the room by now, and so hears this.
        for (speaker, _) in &mut speakers {
            speaker.send_text(&last.to_string()).await?;
        }
        let newcomers = newcomers.into_iter().map(async |mut newcomer| {
            newcomer.connection().forget();
            let mut heard = [0; SPEAKERS];
            let all = gapless(&mut newcomer, &mut heard, last);
            all.await.context("a newcomer")
        });
        let others = speakers.iter_mut().map(async |(speaker, heard)| {
            let all = gapless(speaker, heard, last);
            all.await.context("a client that was here before")
        });
        try_join(try_join_all(newcomers), try_join_all(others)).await?;
    }
    Ok(())
}

/// The client hears everyone up to message `last`. Of each speaker, every message has
/// the number after the one that was `heard` before, if there was one.
async fn gapless(client: &mut WebSocket, heard: &mut [u32], last: u32) -> Result {
    while heard.iter().any(|&n| n < last) {
        let frame = client.receive().await?;
        let text = String::from_utf8_lossy(&frame.payload).into_owned();
        let message = match said(&text, heard) {
            Some((id, before, n)) if *before > 0 && n > *before + 1 => {
                format!("after `{id}: {before}` it got `{text}`: one is lost")
            }
            Some((id, before, n)) if n <= *before => {
                format!("after `{id}: {before}` it got `{text}`: it had that one")
            }
            Some((_, before, n)) => {
                *before = n;
                continue;
            }
            None => format!("it got `{text}`, which nobody has said"),
        };
        let failure = Failure::new(message).with(client.connection().transcript());
        return Err(failure.help(
            "Copying the history and taking a seat have to be one step, and so have \
             keeping a message and sending it. What comes in between is lost, or comes \
             twice: lock once for both, in `enter` as in `say`",
        ));
    }
    Ok(())
}

/// Who has said it, what was heard of that one before, and which number it is.
fn said<'a>(text: &str, heard: &'a mut [u32]) -> Option<(usize, &'a mut u32, u32)> {
    let (id, n) = text.split_once(": ")?;
    let id: usize = id.parse().ok()?;
    let before = heard.get_mut(id.checked_sub(1)?)?;
    Some((id, before, n.parse().ok()?))
}
