use contract::{Explain, Failure, Program, Result, Server, WebSocket};
use serde_json::{Value, json};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("calls", 3, "each of the five operations has its result", calls),
        check("exact", 1, "all 64 bits of a number count", exact).after("calls"),
        check("no_result", 3, "where there is no result there is an error", no_result)
            .after("calls"),
        check("no_call", 2, "what is not a call is an error", no_call)
            .after("calls"),
    ]
}

/// A client whose transcript begins after the handshake.
async fn connect(server: &Server) -> Result<WebSocket> {
    let mut socket = server.websocket("/").await?;
    socket.connection().forget();
    Ok(socket)
}

/// Sends `text` and returns the reply.
async fn ask(socket: &mut WebSocket, text: &str) -> Result<Value> {
    socket.send_text(text).await?;
    let frame = socket.receive().await?;
    serde_json::from_slice(&frame.payload).map_err(|error| {
        Failure::new(format!("the reply is not JSON: {error}"))
            .with(socket.connection().transcript())
    })
}

async fn expect_result(socket: &mut WebSocket, call: &str, result: i64) -> Result {
    let expected = json!({ "result": result });
    let what = format!("the reply to `{call}`");
    let got = ask(socket, call).await.context(&what)?;
    if got == expected {
        return Ok(());
    }
    let (expected, got) = (format_args!("{expected}"), format_args!("{got}"));
    let failure = Failure::expected(&what, &expected, &got);
    Err(failure.with(socket.connection().transcript()))
}

/// The reply to `text` is an error, and the conversation goes on.
async fn expect_error(socket: &mut WebSocket, text: &str) -> Result {
    let what = format!("the reply to `{text}`");
    let got = ask(socket, text).await.context(&what)?;
    let said = got["error"].as_str().unwrap_or_default();
    if said.is_empty() || got.as_object().is_none_or(|object| object.len() > 1) {
        let got = format_args!("{got}");
        let expected = format_args!(r#"{{"error":"…"}}"#);
        let failure = Failure::expected(&what, &expected, &got);
        return Err(failure.with(socket.connection().transcript()));
    }
    Ok(())
}

async fn calls(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    for (call, result) in [
        (r#"{"op":"div","args":[7,2]}"#, 3),
        (r#"{"op":"div","args":[-7,2]}"#, -3),
        (r#"{"op":"pow","args":[2,10]}"#, 1024),
        (r#"{"op":"pow","args":[-3,3]}"#, -27),
        (r#"{"op":"pow","args":[0,0]}"#, 1),
        (r#"{"op":"neg","args":5}"#, -5),
        (r#"{"op":"max","args":[3,9,4]}"#, 9),
        (r#"{"op":"max","args":[-1]}"#, -1),
        (
            r#"{"op":"clamp","args":{"value":7,"min":0,"max":5}}"#,
            5,
        ),
        (
            r#"{"op":"clamp","args":{"min":-2,"max":-2,"value":-7}}"#,
            -2,
        ),
        (r#"{"args":[9,3],"op":"div"}"#, 3),
    ] {
        expect_result(&mut socket, call, result).await?;
    }
    Ok(())
}

async fn exact(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    for (call, result) in [
        (r#"{"op":"neg","args":9007199254740993}"#, -9007199254740993),
        (r#"{"op":"max","args":[1,9007199254740993]}"#, 9007199254740993),
        (r#"{"op":"pow","args":[3,39]}"#, 4052555153018976267),
        (r#"{"op":"pow","args":[-2,63]}"#, i64::MIN),
        (r#"{"op":"div","args":[9223372036854775807,1]}"#, i64::MAX),
    ] {
        expect_result(&mut socket, call, result).await.help(
            "A double, JavaScript's only number, is exact up to 2^53. An `i64` goes up \
             to 2^63",
        )?;
    }
    Ok(())
}

async fn no_result(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    for call in [
        r#"{"op":"div","args":[1,0]}"#,
        r#"{"op":"div","args":[-9223372036854775808,-1]}"#,
        r#"{"op":"neg","args":-9223372036854775808}"#,
        r#"{"op":"pow","args":[10,19]}"#,
        r#"{"op":"max","args":[]}"#,
        r#"{"op":"clamp","args":{"value":1,"min":2,"max":0}}"#,
    ] {
        expect_error(&mut socket, call).await.help(
            "Operators like `/` panic, or wrap around in a release build, where \
             JavaScript has `Infinity` and `NaN`. Look for the method that begins with \
             `checked_`, or compare first",
        )?;
    }
    expect_result(&mut socket, r#"{"op":"div","args":[7,2]}"#, 3).await
}

async fn no_call(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    for text in [
        "",
        "div 7 2",
        r#"{"op":"div","args":[7,2]"#,
        r#"{"op":"sqrt","args":[4]}"#,
        r#"{"op":"constructor","args":[4]}"#,
        r#"{"args":[7,2]}"#,
        r#"{"op":"div","args":[7]}"#,
        r#"{"op":"div","args":[7,2,1]}"#,
        r#"{"op":"div","args":["7","2"]}"#,
        r#"{"op":"div","args":[7.5,2]}"#,
        r#"{"op":"pow","args":[2,-1]}"#,
        r#"{"op":"neg","args":9223372036854775808}"#,
        r#"{"op":"clamp","args":{"value":7,"max":5}}"#,
    ] {
        expect_error(&mut socket, text).await.help(
            "After a bad message the conversation goes on, and nothing is guessed. \
             `JSON.parse` and `Number(…)` forgive more than a type does",
        )?;
    }
    expect_result(&mut socket, r#"{"op":"div","args":[7,2]}"#, 3).await
}
