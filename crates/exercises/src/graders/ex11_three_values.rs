use contract::{EngineIo, Explain, Failure, Program, Result, Server, SocketIo};
use serde_json::{Value, json};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("three", 2, "an order is acked with three values", three),
        check("done", 2, "the ack comes when the work is done", done).after("three"),
        check("refused", 2, "what cannot be done is acked with a text", refused)
            .after("three"),
        check("misfits", 1, "so are arguments that do not fit", misfits)
            .after("three"),
        check("no_callback", 1, "who passes no callback is served too", no_callback)
            .after("done"),
    ]
}

async fn connect(server: &Server) -> Result<SocketIo<EngineIo>> {
    let mut engine = server.engineio().await?;
    engine.websocket().connection().forget();
    let mut socket = engine.into_namespace("/");
    socket.connect(Value::Null).await?;
    Ok(socket)
}

fn told(socket: &mut SocketIo<EngineIo>, failure: Failure) -> Failure {
    failure.with(socket.engine().websocket().connection().transcript())
}

async fn expect(
    socket: &mut SocketIo<EngineIo>,
    event: &str,
    arguments: Value,
    expected: Value,
) -> Result {
    let what = format!("the ack of `{event} {arguments}`");
    let got = socket.emit_with_ack(event, arguments).await.context(&what)?;
    if got == expected {
        return Ok(());
    }
    let (seen, wanted) = (format_args!("{got}"), format_args!("{expected}"));
    let failure = told(socket, Failure::expected(&what, &wanted, &seen));
    Err(match got == json!([expected]) {
        true => failure.help(
            "this is `callback([…])`, one argument that is a list. A tuple is as many \
             arguments as it has fields",
        ),
        false => failure,
    })
}

/// What is known of most acks that are no refusal.
const ERROR_FIRST: &str = "an error comes first and is truthy, so that `if (error)` finds \
                           it. Here it is a text, and nothing comes after it";

/// Emits an order that cannot be done. The ack has to be a text alone.
async fn expect_refusal(
    socket: &mut SocketIo<EngineIo>,
    arguments: Value,
    help: &str,
) -> Result {
    let what = format!("the ack of `order {arguments}`");
    let id = socket.ask("order", arguments).await?;
    let packet = socket.engine().receive().await.context(&what)?.encode();
    let ack = packet.strip_prefix(&format!("43{id}"));
    let ack: Value = match ack.and_then(|ack| serde_json::from_str(ack).ok()) {
        Some(ack) => ack,
        None => {
            let what = format!("{what} was expected, and `{packet}` came");
            return Err(told(socket, Failure::new(what))).help(
                "with `Data`, a handler whose arguments do not fit does not run, and \
                 `parity::on` emits `problem`. With `TryData` it gets a `Result`, and \
                 can call the callback",
            );
        }
    };
    if ack.as_array().is_some_and(|all| all.len() == 1 && all[0].is_string()) {
        return Ok(());
    }
    let (expected, got) = (format_args!(r#"["…"]"#), format_args!("{ack}"));
    Err(told(socket, Failure::expected(&what, &expected, &got))).help(help)
}

async fn three(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    let help = "in Node, `callback(null, item, left)`: the error comes first, and \
                `null` says that there is none. In Rust that is `()`, as in `&((), \
                item, left)`";
    let ack = json!([null, "apple", 7]);
    expect(&mut socket, "order", json!(["apple", 3]), ack)
        .await
        .help(help)?;
    let ack = json!([null, "pear", 0]);
    expect(&mut socket, "order", json!(["pear", 3]), ack).await
}

async fn done(program: &Program) -> Result {
    // Much longer than a question takes, so that whoever acks too early is found out.
    let server = program.clone().env("MOMENT", 300).start().await?;
    let mut ada = connect(&server).await?;
    let mut bob = connect(&server).await?;
    let ack = json!([null, "apple", 7]);
    expect(&mut ada, "order", json!(["apple", 3]), ack).await?;
    let note = r#"another client's `order ["apple",3]` is acked, so it is done"#;
    bob.engine().websocket().connection().note(note);
    expect(&mut bob, "left", json!(["apple"]), json!([7]))
        .await
        .context("another client, as soon as the order is acked")
        .help(
            "the ack says that the work is done, and others rely on it. What has been \
             started with `tokio::spawn`, or is awaited after `ack.send`, is not done \
             yet",
        )
}

async fn refused(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    for arguments in [json!(["apple", 11]), json!(["cherry", 1])] {
        expect_refusal(&mut socket, arguments, ERROR_FIRST).await?;
    }
    expect(&mut socket, "left", json!(["apple"]), json!([10])).await
}

async fn misfits(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    let count = "a count is an integer from 0 on: `u32` refuses the rest";
    for (arguments, help) in [
        (json!([]), ERROR_FIRST),
        (json!(["apple"]), ERROR_FIRST),
        (json!(["apple", "three"]), ERROR_FIRST),
        (json!(["apple", -1]), count),
        (json!(["apple", 1.5]), count),
        (json!([3, "apple"]), ERROR_FIRST),
        (json!(["apple", 1, 1]), ERROR_FIRST),
    ] {
        expect_refusal(&mut socket, arguments, help).await?;
    }
    expect(&mut socket, "left", json!(["apple"]), json!([10])).await
}

async fn no_callback(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    socket.emit("order", json!(["apple", 2])).await?;
    let ack = json!([null, "apple", 7]);
    expect(&mut socket, "order", json!(["apple", 1]), ack)
        .await
        .context("after an order of 2 without a callback")
}
