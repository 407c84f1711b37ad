use contract::{Explain, Failure, Program, Result, Server, WebSocket};
use serde_json::{Value, json};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("data", 1, "an event has a type, `/`, and its data", data),
        check("kinds", 1, "each kind has its name, with data or without", kinds)
            .after("data"),
        check("namespaces", 2, "a namespace begins with `/`", namespaces)
            .after("data"),
        check("ids", 2, "an id is the digits before the data", ids).after("data"),
        check("attachments", 2, "5 and 6 say how many attachments", attachments)
            .after("data"),
        check("faults", 2, "what is no packet is answered with `error`", faults)
            .after("data"),
    ]
}

/// A client. Its handshake is not shown when something fails later.
async fn open(server: &Server) -> Result<WebSocket> {
    let mut socket = server.websocket("/").await?;
    socket.connection().forget();
    Ok(socket)
}

/// Sends a packet, and returns what came back, without what is null.
async fn parts(socket: &mut WebSocket, packet: &str) -> Result<Value> {
    socket.send_text(packet).await?;
    let frame = socket.receive().await.context(format_args!(
        "there is no answer to `{packet}`"
    ))?;
    let mut answer: Value =
        serde_json::from_slice(&frame.payload).map_err(|error| {
            let what = format!("the answer to `{packet}` is not JSON: {error}");
            Failure::new(what).with(socket.connection().transcript())
        })?;
    if let Some(parts) = answer.as_object_mut() {
        parts.retain(|_, part| !part.is_null());
    }
    Ok(answer)
}

async fn expect(socket: &mut WebSocket, packet: &str, expected: Value) -> Result {
    let got = parts(socket, packet).await?;
    if got == expected {
        return Ok(());
    }
    let what = format!("the parts of `{packet}`");
    let (expected, got) = (format_args!("{expected}"), format_args!("{got}"));
    let failure = Failure::expected(&what, &expected, &got);
    Err(failure.with(socket.connection().transcript()))
}

async fn data(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = open(&server).await?;
    let parts = json!({"type": "EVENT", "namespace": "/", "data": ["hello"]});
    expect(&mut socket, r#"2["hello"]"#, parts).await
}

async fn kinds(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = open(&server).await?;
    for (packet, kind, data) in [
        ("0", "CONNECT", None),
        (r#"0{"token":"x"}"#, "CONNECT", Some(json!({"token": "x"}))),
        ("1", "DISCONNECT", None),
        (r#"2["ü"]"#, "EVENT", Some(json!(["ü"]))),
        ("3[]", "ACK", Some(json!([]))),
        (r#"4{"message":"no"}"#, "CONNECT_ERROR", Some(json!({"message": "no"}))),
    ] {
        let mut parts = json!({"type": kind, "namespace": "/"});
        if let Some(data) = data {
            parts["data"] = data;
        }
        expect(&mut socket, packet, parts).await?;
    }
    Ok(())
}

async fn namespaces(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = open(&server).await?;
    let packet = r#"2/admin,["x"]"#;
    let parts = json!({"type": "EVENT", "namespace": "/admin", "data": ["x"]});
    expect(&mut socket, packet, parts).await?;

    let parts = json!({"type": "DISCONNECT", "namespace": "/größe"});
    expect(&mut socket, "1/größe,", parts).await?;

    let packet = r#"2["a,b",7]"#;
    let parts = json!({"type": "EVENT", "namespace": "/", "data": ["a,b", 7]});
    let help = "a comma ends a namespace only if there is one: look for the `/` first";
    expect(&mut socket, packet, parts).await.help(help)?;
    let parts = json!({"type": "CONNECT", "namespace": "/admin"});
    expect(&mut socket, "0/admin", parts)
        .await
        .help("if there is no comma, the namespace is all the rest")?;

    let packet = r#"2["/a,b"]"#;
    let parts = json!({"type": "EVENT", "namespace": "/", "data": ["/a,b"]});
    expect(&mut socket, packet, parts).await.help(
        "only a `/` at the very beginning of what is left begins a namespace: this \
         one is in the data",
    )
}

async fn ids(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = open(&server).await?;
    for (packet, namespace, id) in [
        (r#"212["x"]"#, "/", 12),
        (r#"3/room7,5["x"]"#, "/room7", 5),
        (r#"24294967296["x"]"#, "/", 4_294_967_296_u64),
    ] {
        let kind = if packet.starts_with('2') { "EVENT" } else { "ACK" };
        let parts =
            json!({"type": kind, "namespace": namespace, "id": id, "data": ["x"]});
        expect(&mut socket, packet, parts).await?;
    }
    let parts = json!({"type": "EVENT", "namespace": "/", "id": 0, "data": ["x"]});
    expect(&mut socket, r#"20["x"]"#, parts).await.help(
        "0 is the id of the first event that wants an ack. In JavaScript it is \
         falsy, so an `if (id)` loses that ack; here, 0 and no id are `Some(0)` and \
         `None`",
    )?;
    let parts = json!({"type": "EVENT", "namespace": "/", "data": ["x", 1, 2]});
    expect(&mut socket, r#"2["x",1,2]"#, parts)
        .await
        .context("digits in the data are no id")
}

async fn attachments(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = open(&server).await?;
    let placeholder = |num| json!({"_placeholder": true, "num": num});
    let data = json!(["x", placeholder(0)]);
    let packet = format!("51-{data}");
    let parts = json!({
        "type": "BINARY_EVENT", "attachments": 1, "namespace": "/", "data": data,
    });
    expect(&mut socket, &packet, parts).await?;

    let packet = format!("51-/admin,12{data}");
    let parts = json!({
        "type": "BINARY_EVENT", "attachments": 1, "namespace": "/admin", "id": 12,
        "data": data,
    });
    expect(&mut socket, &packet, parts).await?;

    let data = json!([placeholder(1), "a-b", placeholder(0)]);
    let packet = format!("610-7{data}");
    let parts = json!({
        "type": "BINARY_ACK", "attachments": 10, "namespace": "/", "id": 7,
        "data": data,
    });
    expect(&mut socket, &packet, parts).await?;

    let parts = json!({"type": "EVENT", "namespace": "/", "id": 3, "data": ["1-2"]});
    expect(&mut socket, r#"23["1-2"]"#, parts)
        .await
        .help("only the kinds 5 and 6 have a number of attachments")
}

async fn faults(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = open(&server).await?;
    for (packet, why) in [
        ("", "it is empty"),
        (r#"7["x"]"#, "there are only the kinds 0 to 6"),
        ("é", "it does not begin with a digit"),
        ("2[", "the rest is not JSON"),
        (r#"2["x"]["y"]"#, "after the data there is something left"),
        (r#"2-1["x"]"#, "`-1[\"x\"]` is neither an id nor JSON"),
        (r#"5["x"]"#, "a 5 needs a number of attachments"),
        (r#"6-7["x"]"#, "between 6 and `-` there is no number"),
        (r#"5one-["x"]"#, "`one` is not a number"),
        (r#"218446744073709551616["x"]"#, "the id does not fit into 64 bits"),
    ] {
        let answer = parts(&mut socket, packet).await.help(format_args!(
            "`{packet}` is no packet ({why}). What panics ends the connection: \
             return an `Err` instead of `unwrap`, and `split_at_checked`, not \
             `split_at`"
        ))?;
        if !answer["error"].is_string() {
            let what = format!("`{packet}` is no packet: {why}");
            let (expected, got) =
                (format_args!(r#"{{"error":"…"}}"#), format_args!("{answer}"));
            let failure = Failure::expected(&what, &expected, &got);
            return Err(failure.with(socket.connection().transcript()));
        }
    }
    let parts = json!({"type": "DISCONNECT", "namespace": "/"});
    expect(&mut socket, "1", parts)
        .await
        .context("a packet after all that")
}
