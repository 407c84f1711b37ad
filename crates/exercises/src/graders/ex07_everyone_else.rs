use contract::{Explain, Failure, Program, Result};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("others", 2, "everyone else hears what a client says", others),
        check("not_the_sender", 2, "the sender hears nothing of it", not_the_sender)
            .after("others"),
    ]
}

async fn others(program: &Program) -> Result {
    let server = program.start().await?;
    let mut one = server.websocket("/").await?;
    let mut two = server.websocket("/").await?;
    let mut three = server.websocket("/").await?;
    two.send_text("héllo").await?;
    one.expect_text("2: héllo").await.context("the first client")?;
    three.expect_text("2: héllo").await.context("the third client")
}

async fn not_the_sender(program: &Program) -> Result {
    let server = program.start().await?;
    let mut one = server.websocket("/").await?;
    let mut two = server.websocket("/").await?;
    one.send_text("hello").await?;
    two.expect_text("1: hello").await?;
    // What the first one would have got of itself would come before this.
    two.send_text("and you?").await?;
    let frame = one.receive().await?;
    match frame.payload.as_slice() {
        b"2: and you?" => Ok(()),
        b"1: hello" => {
            let message = "the sender has received its own message";
            Err(Failure::new(message).with(one.connection().transcript())).help(
                "`io.emit` and a loop over `server.clients` reach the sender too, in \
                 Node as here; `socket.broadcast.emit` does not. Leave out the id \
                 that speaks",
            )
        }
        _ => {
            let got = format_args!("{frame}");
            let failure = Failure::expected("message", &"2: and you?", &got);
            Err(failure.with(one.connection().transcript()))
        }
    }
}
