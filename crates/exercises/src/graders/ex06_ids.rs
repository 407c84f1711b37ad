use contract::{Explain, Failure, Frame, Opcode, Program, Result, Server, WebSocket};
use serde_json::{Value, json};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("plain", 1, "a call without an id gets a reply without one", plain),
        check("any_id", 2, "an id of any type comes back with the result", any_id),
        check("errors", 3, "an id comes back with an error too", errors)
            .after("any_id"),
        check("nonsense", 1, "what cannot have an id is an error without one", nonsense)
            .after("plain"),
        check("order", 1, "replies come in the order of the calls", order)
            .after("any_id"),
    ]
}

/// A client whose transcript begins after the handshake.
async fn connect(server: &Server) -> Result<WebSocket> {
    let mut socket = server.websocket("/").await?;
    socket.connection().forget();
    Ok(socket)
}

async fn receive(socket: &mut WebSocket) -> Result<Value> {
    let frame = socket.receive().await?;
    serde_json::from_slice(&frame.payload).map_err(|error| {
        let text = String::from_utf8_lossy(&frame.payload);
        Failure::new(format!("the reply is not JSON: {text}: {error}"))
            .with(socket.connection().transcript())
    })
}

/// `what` should have been `expected`, but was `got`.
fn wrong(what: &str, expected: &str, got: &Value, socket: &mut WebSocket) -> Failure {
    let (expected, got) = (format_args!("{expected}"), format_args!("{got}"));
    let failure = Failure::expected(what, &expected, &got);
    failure.with(socket.connection().transcript())
}

/// Sends `call` and waits for this reply.
async fn expect_reply(
    socket: &mut WebSocket,
    call: &str,
    expected: &Value,
) -> Result {
    let what = format!("the reply to `{call}`");
    socket.send_text(call).await?;
    let got = receive(socket).await.context(&what)?;
    if got == *expected {
        return Ok(());
    }
    Err(wrong(&what, &expected.to_string(), &got, socket))
}

/// Sends `text` and waits for an error with this id.
async fn expect_error(
    socket: &mut WebSocket,
    text: &str,
    id: Option<Value>,
) -> Result {
    let what = format!("the reply to `{text}`");
    socket.send_text(text).await?;
    let got = receive(socket).await.context(&what)?;
    let members = if id.is_some() { 2 } else { 1 };
    let is_error = got["error"].as_str().is_some_and(|text| !text.is_empty());
    let alone = got.as_object().is_some_and(|object| object.len() == members);
    if is_error && alone && got.get("id") == id.as_ref() {
        return Ok(());
    }
    let expected = match &id {
        Some(id) => format!(r#"{{"error":"…","id":{id}}}"#),
        None => r#"{"error":"…"}"#.to_owned(),
    };
    let failure = wrong(&what, &expected, &got, socket);
    Err(if is_error && id.is_some() {
        failure.help(
            "What is not a `Call` has an id all the same. Parse in two steps: first \
             what has an id and something else, then make a `Call` of that",
        )
    } else {
        failure
    })
}

async fn plain(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    let call = r#"{"op":"add","args":[1,2]}"#;
    expect_reply(&mut socket, call, &json!({ "result": 3 }))
        .await
        .help(
            "`JSON.stringify` leaves out a member that is `undefined`. serde writes \
             `None` as `null`, unless the field says `skip_serializing_if`",
        )
}

async fn any_id(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    for id in [
        json!(7),
        json!("a"),
        json!(""),
        json!(0),
        json!(false),
        json!(-1.5),
        json!([1, "b", null]),
        json!({ "n": { "id": 7 } }),
        json!(u64::MAX),
    ] {
        let call = format!(r#"{{"op":"add","args":[1,2],"id":{id}}}"#);
        expect_reply(&mut socket, &call, &json!({ "result": 3, "id": id }))
            .await
            .help(
                "The type for any JSON at all is `serde_json::Value`. And `if (id)` is \
                 not the question: 0, \"\" and false are ids too",
            )?;
    }
    Ok(())
}

async fn errors(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    for text in [
        r#"{"op":"div","args":[1,0],"id":"a"}"#,
        r#"{"op":"sqrt","args":[4],"id":"a"}"#,
        r#"{"op":"add","args":[1],"id":"a"}"#,
        r#"{"op":"add","id":"a"}"#,
        r#"{"id":"a"}"#,
        r#"{"id":"a","op":["add"],"args":[1,2]}"#,
    ] {
        expect_error(&mut socket, text, Some(json!("a"))).await?;
    }
    // Nothing of it is left.
    let text = r#"{"op":"sqrt","args":[4]}"#;
    expect_error(&mut socket, text, None).await?;
    let call = r#"{"op":"add","args":[1,2],"id":1}"#;
    expect_reply(&mut socket, call, &json!({ "result": 3, "id": 1 })).await
}

async fn nonsense(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    for text in ["", "add 1 2", r#"{"id":"a""#, "7", r#""id""#, "null"] {
        expect_error(&mut socket, text, None).await?;
    }
    let call = r#"{"op":"add","args":[1,2]}"#;
    expect_reply(&mut socket, call, &json!({ "result": 3 })).await
}

async fn order(program: &Program) -> Result {
    const CALLS: i64 = 200;
    let server = program.start().await?;
    let mut socket = connect(&server).await?;
    let frames = (0..CALLS).map(|n| {
        let call = json!({ "op": "add", "args": [n, n], "id": n });
        Frame::new(Opcode::Text, call.to_string()).to_bytes()
    });
    // All at once, before the first reply.
    let burst = frames.collect::<Vec<_>>().concat();
    socket.connection().send(burst).await?;
    for n in 0..CALLS {
        let got = receive(&mut socket).await?;
        let expected = json!({ "result": 2 * n, "id": n });
        if got != expected {
            let what = format!("reply {} of {CALLS}", n + 1);
            let expected = expected.to_string();
            return Err(wrong(&what, &expected, &got, &mut socket));
        }
    }
    Ok(())
}
