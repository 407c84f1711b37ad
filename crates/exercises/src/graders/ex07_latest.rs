use std::ops::Range;

use contract::{Explain, Failure, Frame, Opcode, Program, Result, Server, WebSocket};
use futures_util::future::try_join_all;

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
    expect(&mut two, 1..4).await.context("a newcomer")?;
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
                "What is pushed into a list and never taken out stays in memory until \
                 the server ends. A `VecDeque` has `pop_front`",
            )?;
    }
    Ok(())
}

/// Somebody speaks all the time, and others come in, get some messages, and go.
async fn joining(program: &Program) -> Result {
    /// How many come in at the same time …
    const LANES: usize = 4;
    /// … and how many one after the other.
    const EACH: usize = 30;
    let server = program.start().await?;
    let mut speaker = enter(&server).await?;
    speaker.connection().record_nothing();
    say(&mut speaker, 1..11).await?;
    let lanes = (0..LANES).map(async |_| {
        for _ in 0..EACH {
            gapless(enter(&server).await?).await?;
        }
        Result::Ok(())
    });
    tokio::select! {
        done = try_join_all(lanes) => done.map(drop),
        failed = babble(&mut speaker) => failed.context("client 1, which speaks"),
    }
}

/// Says number after number, and always some ahead of what it has heard, so that the
/// server is never idle.
async fn babble(speaker: &mut WebSocket) -> Result {
    const AT_ONCE: u32 = 50;
    let mut heard = 11;
    for first in (11..).step_by(AT_ONCE as usize) {
        let frames = (first..first + AT_ONCE)
            .map(|n| Frame::new(Opcode::Text, n.to_string()).to_bytes());
        let burst = frames.collect::<Vec<_>>().concat();
        speaker.connection().send(burst).await?;
        expect(speaker, heard..first).await?;
        heard = first;
    }
    Ok(())
}

/// Ten messages from before, and some more: each has the number after the last one.
async fn gapless(mut newcomer: WebSocket) -> Result {
    let mut last = None;
    for _ in 0..15 {
        let frame = newcomer.receive().await.context("a newcomer")?;
        let text = String::from_utf8_lossy(&frame.payload).into_owned();
        let number = text.strip_prefix("1: ").and_then(|n| n.parse::<u32>().ok());
        let message = match (last, number) {
            (_, None) => format!("it should be `1: ` and a number: {text}"),
            (Some(last), Some(n)) if n > last + 1 => {
                format!("after message {last} a newcomer got {n}: one is lost")
            }
            (Some(last), Some(n)) if n <= last => {
                format!("after message {last} a newcomer got {n}: it had that one")
            }
            _ => {
                last = number;
                continue;
            }
        };
        let failure = Failure::new(message).with(newcomer.connection().transcript());
        return Err(failure.help(
            "Copying the history and taking a seat have to be one step. A message that \
             comes in between is in neither of the two, or in both: lock once for both, \
             in `enter` as in `say`",
        ));
    }
    Ok(())
}
