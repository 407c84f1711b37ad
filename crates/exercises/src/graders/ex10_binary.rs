use contract::{
    EngineIo, Event, Explain, Failure, Program, Result, Server, SocketIo, bytes,
};
use serde_json::{Value, json};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("pieces", 2, "bytes come back in pieces, and then their number", pieces),
        check("edges", 2, "a whole piece, a short one, none", edges).after("pieces"),
        check("wrong", 2, "what does not fit is a `problem`", wrong).after("pieces"),
        check("zero", 1, "a size of 0 is a `problem`", zero).after("pieces"),
        check("many", 2, "5,000 pieces all arrive, in order", many).after("pieces"),
    ]
}

async fn connect(server: &Server) -> Result<SocketIo<EngineIo>> {
    let mut engine = server.engineio().await?;
    engine.websocket().connection().forget();
    let mut socket = engine.into_namespace("/");
    socket.connect(Value::Null).await?;
    socket.expect_event("ready", json!([])).await?;
    Ok(socket)
}

fn told(socket: &mut SocketIo<EngineIo>, failure: Failure) -> Failure {
    failure.with(socket.engine().websocket().connection().transcript())
}

/// An event in words, with its bytes as text.
fn in_words(event: &Event) -> String {
    let mut arguments = event.arguments.clone();
    for argument in arguments.as_array_mut().into_iter().flatten() {
        let data = argument.get("$bytes").cloned().unwrap_or_default();
        if let Ok(data) = serde_json::from_value::<Vec<u8>>(data) {
            let text = String::from_utf8_lossy(&data);
            *argument = format!("bytes: {text}").into();
        }
    }
    format!("{} {arguments}", event.name)
}

/// Emits `split`, and waits for these pieces and their number.
async fn expect(
    socket: &mut SocketIo<EngineIo>,
    data: &str,
    size: usize,
    pieces: &[&str],
) -> Result {
    let what = format!("`split`, with the bytes of {data:?} and {size}");
    socket.emit("split", json!([bytes(data), size])).await?;
    let mut expected: Vec<_> = pieces
        .iter()
        .map(|piece| ("piece", json!([bytes(piece)])))
        .collect();
    expected.push(("pieces", json!([pieces.len()])));
    for (name, arguments) in expected {
        let expected = Event {
            name: name.into(),
            arguments,
            id: None,
        };
        let event = socket.next_event().await.context(&what)?;
        if event == expected {
            continue;
        }
        let (expected, got) = (in_words(&expected), in_words(&event));
        let (expected, got) = (format_args!("{expected}"), format_args!("{got}"));
        let failure = Failure::expected(&what, &expected, &got);
        let failure = told(socket, failure);
        let is_list = event.arguments[0].is_array();
        return Err(match is_list {
            true => failure.help(
                "to serde, a `Vec<u8>` or a slice is a list of numbers, and that is \
                 what the client gets. `Bytes` is sent as bytes",
            ),
            false => failure,
        });
    }
    Ok(())
}

async fn pieces(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    expect(&mut socket, "abcdef", 2, &["ab", "cd", "ef"])
.await
}

async fn edges(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    expect(&mut socket, "hello", 2, &["he", "ll", "o"])
        .await
        .help("the last piece may be shorter than the others, and is one all the same")?;
    expect(&mut socket, "hello", 5, &["hello"]).await?;
    expect(&mut socket, "hello", 500, &["hello"]).await?;
    expect(&mut socket, "", 3, &[]).await
}

/// Emits `split` with arguments that do not fit, and waits for a `problem`. A right one
/// after it finds out who answers with silence.
async fn expect_problem(
    socket: &mut SocketIo<EngineIo>,
    arguments: Value,
    what: &str,
) -> Result {
    socket.emit("split", arguments).await?;
    socket.emit("split", json!([bytes("x"), 1])).await?;
    let event = socket.next_event().await.context(what)?;
    let problem = &event.arguments[0];
    if event.name != "problem"
        || problem["event"] != "split"
        || !problem["error"].is_string()
    {
        let problem = json!([{"event": "split", "error": "…"}]);
        let (expected, got) = (format!("problem {problem}"), in_words(&event));
        let (expected, got) = (format_args!("{expected}"), format_args!("{got}"));
        let failure = Failure::expected(what, &expected, &got);
        let failure = told(socket, failure);
        return Err(match event.arguments[0] == bytes("x") {
            true => failure.help(
                "this is the answer to the `split` after it, which is right. The \
                 wrong one was met with silence",
            ),
            false => failure,
        });
    }
    let after = format!("the `split` after {what}");
    socket
        .expect_event("piece", json!([bytes("x")]))
        .await
        .context(&after)?;
    socket
        .expect_event("pieces", json!([1]))
        .await
        .context(&after)?;
    Ok(())
}

async fn wrong(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    for (arguments, what) in [
        (json!(["text", 1]), "a text in the place of bytes"),
        (json!([[1, 2], 1]), "a list in the place of bytes"),
        (json!([bytes("ab"), "1"]), "a text in the place of the size"),
        (json!([bytes("ab"), -1]), "a size below 0"),
        (json!([bytes("ab")]), "no size"),
        (json!([bytes("ab"), 1, 1]), "a third argument"),
    ] {
        expect_problem(&mut socket, arguments, what).await?;
    }
    Ok(())
}

async fn zero(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    let arguments = json!([bytes("ab"), 0]);
    expect_problem(&mut socket, arguments, "a size of 0").await.help(
        "`chunks(0)` panics, and a loop that goes on by 0 bytes never ends. The type \
         of an argument says what it may be; its value is for you to look at",
    )
}

async fn many(program: &Program) -> Result {
    const PIECES: u16 = 5_000;
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    socket.engine().websocket().connection().record_nothing();
    let data = Vec::from_iter((0..PIECES).flat_map(u16::to_be_bytes));
    socket.emit("split", json!([bytes(data), 2])).await?;
    for n in 0..PIECES {
        let event = socket.next_event().await?;
        if event.name != "piece" || event.arguments != json!([bytes(n.to_be_bytes())])
        {
            let what = format!(
                "piece {n} of {PIECES} did not come, and `{}` did",
                event.name
            );
            return Err(Failure::new(what)).help(
                "socketioxide keeps 128 packets for a client. When there is no room, \
                 `socket.emit` drops the event and returns an error. `parity::emit` \
                 waits for room: `.await` it, one after the other",
            );
        }
    }
    socket.expect_event("pieces", json!([PIECES])).await?;
    Ok(())
}
