//! The contract of lesson 06, `examples/06_ws_json`, and of its Node twin.

use contract::{
    Failure, Frame, Lesson, Opcode, Peer, Result, WebSocket,
    compare_diagram_with_the_book, compare_with_the_book, peer,
};
use serde_json::{Value, json};

#[path = "contracts/program.rs"]
mod program;
#[path = "contracts/websocket.rs"]
mod websocket;

fn lesson() -> Lesson {
    Lesson::new("06_ws_json")
}

/// The longest message, in bytes.
const LIMIT: usize = 1024 * 1024;

/// Sends a message, and returns the JSON object that comes back.
async fn ask(socket: &mut WebSocket, text: &str) -> Result<Value> {
    socket.send_text(text).await?;
    let frame = socket.receive().await?;
    if frame.opcode != Opcode::Text {
        return Err(Failure::new(format!("text was expected, and {frame} came")));
    }
    Ok(serde_json::from_slice(&frame.payload)?)
}

async fn expect_result(socket: &mut WebSocket, text: &str, result: i64) -> Result {
    let got = ask(socket, text).await?;
    if got == json!({"result": result}) {
        return Ok(());
    }
    Err(another(
        socket,
        text,
        &format!(r#"{{"result":{result}}}"#),
        &got,
    ))
}

async fn expect_error(socket: &mut WebSocket, text: &str) -> Result {
    let got = ask(socket, text).await?;
    let says = got["error"].as_str().is_some_and(|error| !error.is_empty());
    if says && got.as_object().is_some_and(|object| object.len() == 1) {
        return Ok(());
    }
    Err(another(socket, text, r#"{"error":"…"}"#, &got))
}

/// `text` should have been answered with `expected`, and `got` came.
fn another(
    socket: &mut WebSocket,
    text: &str,
    expected: &str,
    got: &Value,
) -> Failure {
    let (expected, got) = (format_args!("{expected}"), format_args!("{got}"));
    let failure = Failure::expected(text, &expected, &got);
    failure.with(socket.connection().transcript())
}

#[tokio::test]
async fn each_operation_has_its_result() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    for (call, result) in [
        (r#"{"op":"add","args":[1,2]}"#, 3),
        (r#"{"op":"sub","args":[1,2]}"#, -1),
        (r#"{"op":"mul","args":[-3,5]}"#, -15),
        (r#"{"op":"div","args":[-7,2]}"#, -3),
        (r#"{"op":"sum","args":[1,2,3,4]}"#, 10),
        (r#"{"op":"sum","args":[]}"#, 0),
        // The order of keys means nothing, and neither does white space.
        (" {\"args\": [1, 2],\n\"op\": \"add\"} ", 3),
    ] {
        expect_result(&mut socket, call, result).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_makes_no_sense_is_an_error_and_the_connection_goes_on() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    for bad in [
        "",
        "hello",
        r#"{"op":"add","args":[1,2]"#,
        r#"{"op":"add","args":[1,2]} {}"#,
        "null",
        "[]",
        "{}",
        r#"{"op":"pow","args":[2,3]}"#,
        r#"{"op":"Add","args":[1,2]}"#,
        r#"{"op":"constructor","args":[]}"#,
        r#"{"op":"__proto__","args":[]}"#,
        r#"{"op":["add"],"args":[1,2]}"#,
        r#"{"op":"add"}"#,
        r#"{"op":"add","args":[1]}"#,
        r#"{"op":"add","args":[1,2,3]}"#,
        r#"{"op":"add","args":[1,"2"]}"#,
        r#"{"op":"add","args":[1,null]}"#,
        r#"{"op":"add","args":[1,2.5]}"#,
        r#"{"op":"add","args":{"0":1,"1":2}}"#,
        r#"{"op":"add","args":[1,2],"id":7}"#,
    ] {
        expect_error(&mut socket, bad).await?;
    }
    expect_result(&mut socket, r#"{"op":"add","args":[1,2]}"#, 3).await
}

#[tokio::test]
async fn a_result_that_does_not_exist_or_fit_is_an_error() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    expect_error(&mut socket, r#"{"op":"div","args":[1,0]}"#).await?;
    expect_error(
        &mut socket,
        r#"{"op":"mul","args":[4611686018427387904,4]}"#,
    )
    .await
}

#[tokio::test]
async fn bytes_are_an_error_and_the_connection_goes_on() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    let call = r#"{"op":"add","args":[1,2]}"#;
    socket.send(Frame::new(Opcode::Binary, call)).await?;
    socket.expect_text(r#"{"error":"send text"}"#).await?;
    expect_result(&mut socket, call, 3).await
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_questions() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    for n in 0..500 {
        socket
            .send_text(&format!(r#"{{"op":"add","args":[{n},0]}}"#))
            .await?;
    }
    for n in 0..500 {
        socket.expect_text(&format!(r#"{{"result":{n}}}"#)).await?;
    }
    Ok(())
}

/// serde reads a tagged enum from a list as well: the tag, then the content. And the tag
/// is an enum to it, which may be an object.
#[tokio::test]
async fn other_shapes_of_a_call_are_where_the_two_differ() -> Result {
    differ(r#"["add",[1,2]]"#, Some(3), None).await?;
    differ(r#"{"op":{"add":null},"args":[1,2]}"#, Some(3), None).await
}

/// A number in JavaScript is a double, exact up to 2^53. The twin refuses what it could
/// only guess.
#[tokio::test]
async fn integers_beyond_2_to_the_53_are_where_the_two_differ() -> Result {
    let (beyond, twice) = (9_007_199_254_740_993, 18_014_398_509_481_982);
    differ(
        r#"{"op":"add","args":[9007199254740993,0]}"#,
        Some(beyond),
        None,
    )
    .await?;
    differ(
        r#"{"op":"mul","args":[9007199254740991,2]}"#,
        Some(twice),
        None,
    )
    .await?;
    // The sum would be exact, but what comes before it would not.
    differ(
        r#"{"op":"sum","args":[9007199254740991,2,-2]}"#,
        Some(9_007_199_254_740_991),
        None,
    )
    .await
}

/// `1.0` is the integer 1 to `JSON.parse`, and of two equal keys it keeps the last.
#[tokio::test]
async fn other_spellings_of_a_call_are_where_the_two_differ() -> Result {
    for number in ["1.0", "10e-1", "1e0"] {
        let call = format!(r#"{{"op":"add","args":[1,{number}]}}"#);
        differ(&call, None, Some(2)).await?;
    }
    differ(r#"{"op":"add","args":[1,-0]}"#, None, Some(1)).await?;
    differ(r#"{"op":"add","op":"sub","args":[1,2]}"#, None, Some(-1)).await
}

/// `rust` and `node` are the results; `None` is an error.
async fn differ(call: &str, rust: Option<i64>, node: Option<i64>) -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    let expected = match peer() {
        Peer::Rust => rust,
        Peer::Node => node,
    };
    match expected {
        Some(result) => expect_result(&mut socket, call, result).await,
        None => expect_error(&mut socket, call).await,
    }
}

#[tokio::test]
async fn a_long_list_has_a_sum() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    let call = json!({"op": "sum", "args": vec![1; 400_000]}).to_string();
    socket.connection().forget();
    expect_result(&mut socket, &call, 400_000).await
}

#[tokio::test]
async fn recorded_calls() -> Result {
    let server = lesson().start().await?;
    let mut socket = server.websocket("/").await?;
    socket.connection().forget();
    expect_result(&mut socket, r#"{"op":"add","args":[1,2]}"#, 3).await?;
    expect_error(&mut socket, r#"{"op":"pow","args":[2,3]}"#).await?;
    compare_diagram_with_the_book("06-calls", socket.connection().transcript())?;
    expect_error(&mut socket, r#"{"op":"add","args":[1,"2"]}"#).await?;
    expect_error(&mut socket, r#"{"op":"div","args":[1,0]}"#).await?;
    compare_with_the_book("06-calls", socket.connection().transcript())
}
