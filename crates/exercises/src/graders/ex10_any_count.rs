use contract::{EngineIo, Explain, Failure, Program, Result, Server, SocketIo};
use serde_json::{Value, json};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("sums", 2, "`add` is answered with `sum`, for one or many", sums),
        check("none", 1, "without arguments the sum is 0", none).after("sums"),
        check("wrong", 2, "what is no integer is a `problem`", wrong).after("sums"),
        check("too_large", 1, "a sum beyond 64 bits is a `problem`", too_large)
            .after("sums"),
        check("order", 2, "of 2,000 in a row the answers keep the order", order)
            .after("sums"),
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

async fn expect_sum(
    socket: &mut SocketIo<EngineIo>,
    numbers: Value,
    sum: i64,
) -> Result {
    socket.emit("add", numbers).await?;
    socket.expect_event("sum", json!([sum])).await?;
    Ok(())
}

async fn sums(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    let help = "a tuple stands for as many arguments as it has fields, and a `Vec` for \
                one that is a list. `Data<Args<i64>>` takes any number of them";
    expect_sum(&mut socket, json!([1, 2]), 3).await.help(help)?;
    expect_sum(&mut socket, json!([1, 2, 3]), 6).await.help(help)?;
    expect_sum(&mut socket, json!([-7]), -7).await.help(help)?;
    let many = Vec::from_iter(1..=200);
    expect_sum(&mut socket, json!(many), 20_100).await
}

async fn none(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    expect_sum(&mut socket, json!([]), 0).await
}

/// Emits `add` with these arguments, and waits for a `problem`. Later ones find out who
/// answers the first with silence; in which order the answers come, does not matter here.
async fn expect_problem(
    socket: &mut SocketIo<EngineIo>,
    arguments: Value,
    silence: &str,
) -> Result {
    let what = format!("the answer to `add {arguments}`");
    socket.emit("add", arguments).await?;
    for later in [42, 43] {
        socket.emit("add", json!([later, 0])).await?;
        let event = socket.next_event().await?;
        let problem = &event.arguments[0];
        if event.name == "problem"
            && problem["event"] == "add"
            && problem["error"].is_string()
        {
            socket.expect_event("sum", json!([later])).await?;
            return Ok(());
        }
        if event.name != "sum" || event.arguments != json!([later]) {
            let got = format_args!("{} {}", event.name, event.arguments);
            let problem = json!([{"event": "add", "error": "…"}]);
            let expected = format_args!("problem {problem}");
            let failure = Failure::expected(&what, &expected, &got);
            return Err(told(socket, failure));
        }
    }
    let what = format!("{what} does not come, two later ones do");
    Err(told(socket, Failure::new(what))).help(silence)
}

fn told(socket: &mut SocketIo<EngineIo>, failure: Failure) -> Failure {
    failure.with(socket.engine().websocket().connection().transcript())
}

async fn wrong(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    for arguments in [
        json!(["two"]),
        json!([1, 2, "three"]),
        json!([1.5]),
        json!([1, null]),
        json!([[1, 2]]),
    ] {
        expect_problem(
            &mut socket,
            arguments,
            "`parity::on` answers what does not fit the handler's types; `socket.on` of \
             socketioxide does not",
        )
        .await?;
    }
    Ok(())
}

async fn too_large(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    expect_sum(&mut socket, json!([i64::MAX - 1, 1]), i64::MAX).await?;
    for arguments in [json!([i64::MAX, 1]), json!([1, 2, i64::MIN, -4])] {
        expect_problem(
            &mut socket,
            arguments,
            "In JavaScript a sum that is too large is not exact; in Rust \
             `+` and `sum()` panic in a debug build, and are wrong in a release \
             build. `checked_add` says whether it fits",
        )
        .await?;
    }
    Ok(())
}

async fn order(program: &Program) -> Result {
    const EVENTS: i64 = 2_000;
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    socket.engine().websocket().connection().record_nothing();
    for n in 0..EVENTS {
        socket.emit("add", json!([n, 1])).await?;
    }
    for n in 0..EVENTS {
        let event = socket.next_event().await?;
        let (got, expected) = (&event.arguments[0], n + 1);
        if event.name != "sum" || *got != expected {
            let what = format!("answer {n} of {EVENTS}");
            let got = format_args!("{} {}", event.name, event.arguments);
            let expected = format_args!("sum [{expected}]");
            return Err(Failure::expected(&what, &expected, &got)).help(
                "Node has one thread, so nothing is overtaken. Here each event \
                 handled by `socket.on`, or in a `tokio::spawn`, is a task of its \
                 own. `parity::on` keeps the order",
            );
        }
    }
    Ok(())
}
