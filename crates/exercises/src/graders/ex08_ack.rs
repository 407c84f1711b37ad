use contract::{EngineIo, Explain, Failure, Program, Result, Server};
use serde_json::{Value, json};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("connects", 1, "a client is connected to `/`, with an id", connects),
        check("nowhere", 1, "there is no other namespace", nowhere)
            .after("connects"),
        check("acks", 2, "`sum` is acked with three values", acks).after("connects"),
        check("unasked", 1, "no ack comes that nobody has asked for", unasked)
            .after("acks"),
        check("unknown", 1, "an event with another name is not answered", unknown)
            .after("acks"),
        check("errors", 1, "what cannot be summed is acked with an error", errors)
            .after("acks"),
        check("too_early", 1, "before `0` no event is answered", too_early)
            .after("acks"),
    ]
}

async fn open(server: &Server) -> Result<EngineIo> {
    let mut engine = server.engineio().await?;
    // The handshake is given, and is not shown when something fails later.
    engine.websocket().connection().forget();
    Ok(engine)
}

/// A client that is connected to `/`.
async fn client(server: &Server) -> Result<EngineIo> {
    let mut engine = open(server).await?;
    engine.of("/").connect(Value::Null).await?;
    Ok(engine)
}

/// The next packet: what is before its JSON, and its JSON.
async fn next(engine: &mut EngineIo) -> Result<(String, Value)> {
    let text = engine.receive().await?.encode();
    let (head, json) = text.split_at(text.find(['[', '{']).unwrap_or(text.len()));
    match serde_json::from_str(json) {
        Ok(value) => Ok((head.to_owned(), value)),
        Err(_) => Err(told(
            engine,
            Failure::new(format!("`{json}` is not JSON, in the packet `{text}`")),
        )),
    }
}

fn told(engine: &mut EngineIo, failure: Failure) -> Failure {
    failure.with(engine.websocket().connection().transcript())
}

/// Waits for a packet, which has to be this one.
async fn expect(engine: &mut EngineIo, head: &str, json: Value) -> Result {
    let (came, value) = next(engine).await?;
    if came == head && value == json {
        return Ok(());
    }
    let (expected, got) =
        (format_args!("{head}{json}"), format_args!("{came}{value}"));
    let failure = Failure::expected("packet", &expected, &got);
    let failure = told(engine, failure);
    Err(if came == head && value == json!([json]) {
        failure.help(
            "the JSON of an ack is the list of its arguments, as for `callback(a, b, \
             c)`. This is `callback([a, b, c])`: one argument, which is a list",
        )
    } else if value[0] == "sum" {
        failure.help(
            "an event has its name in front of its arguments; an ack has no name, as \
             its id says what it belongs to",
        )
    } else {
        failure
    })
}

async fn connects(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ids = Vec::new();
    for auth in [Value::Null, json!({"token": "x"})] {
        let mut engine = open(&server).await?;
        let session = engine.handshake()["sid"].as_str().unwrap_or_default();
        ids.push(session.to_owned());
        ids.push(engine.of("/").connect(auth).await?);
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    if ids.len() < count {
        return Err(Failure::new("an id has been given twice")).help(
            "each session has an id of Engine.IO's, a secret, and one of Socket.IO's \
             in `/`, which is `socket.id`. `generate_key()` makes a new one at each \
             call",
        );
    }
    Ok(())
}

async fn nowhere(program: &Program) -> Result {
    let server = program.start().await?;
    let mut engine = client(&server).await?;
    for packet in ["40/admin,", r#"40/admin,{"token":"x"}"#] {
        engine.send(packet).await?;
        let error = json!({"message": "Invalid namespace"});
        expect(&mut engine, "44/admin,", error).await.help(
            "a client has all its namespaces on one connection, so what is said of \
             one begins with its name",
        )?;
    }
    engine.send(r#"421["sum",1]"#).await?;
    expect(&mut engine, "431", json!([1, 1, 1]))
        .await
        .context("in `/`, after that")
}

async fn acks(program: &Program) -> Result {
    let server = program.start().await?;
    let mut engine = client(&server).await?;
    // All at once, so that whoever answers only some is found out at once.
    engine.send(r#"427["sum",1,5,-2]"#).await?;
    engine.send(r#"4212["sum",-7]"#).await?;
    engine.send(r#"420["sum",2,2]"#).await?;
    engine.send(r#"428["sum",3,1,2]"#).await?;
    expect(&mut engine, "437", json!([4, -2, 5])).await?;
    expect(&mut engine, "4312", json!([-7, -7, -7])).await?;
    expect(&mut engine, "430", json!([4, 2, 2])).await.help(
        "0 is the id of the first event that wants an ack. In JavaScript it is falsy, \
         so an `if (id)` loses that ack",
    )?;
    expect(&mut engine, "438", json!([6, 1, 3])).await
}

async fn unasked(program: &Program) -> Result {
    let server = program.start().await?;
    let mut engine = client(&server).await?;
    engine.send(r#"42["sum",1]"#).await?;
    engine.send(r#"421["sum",2,3]"#).await?;
    expect(&mut engine, "431", json!([5, 2, 3])).await.help(
        "`42[\"sum\",1]` has no id: the client has passed no callback, so there is \
         nothing to call",
    )
}

async fn unknown(program: &Program) -> Result {
    let server = program.start().await?;
    let mut engine = client(&server).await?;
    engine.send(r#"421["product",2,3]"#).await?;
    engine.send(r#"42["product",{"a":[1]}]"#).await?;
    engine.send(r#"422["sum",2,3]"#).await?;
    expect(&mut engine, "432", json!([5, 2, 3]))
        .await
        .context("after two events named `product`")
}

async fn errors(program: &Program) -> Result {
    let server = program.start().await?;
    let mut engine = client(&server).await?;
    for (id, arguments) in [r#","two""#, "", ",1.5", ",1,null", ",[1]"]
        .into_iter()
        .enumerate()
    {
        let packet = format!(r#"42{id}["sum"{arguments}]"#);
        engine.send(&packet).await?;
        let (head, value) = next(&mut engine).await.context(&packet)?;
        let is_error = value.as_array().is_some_and(|all| {
            all.len() == 1 && all[0]["error"].is_string()
        });
        if head != format!("43{id}") || !is_error {
            let expected = format!(r#"43{id}[{{"error":"…"}}]"#);
            let (expected, got) =
                (format_args!("{expected}"), format_args!("{head}{value}"));
            let what = format!("the answer to `{packet}`");
            return Err(told(
                &mut engine,
                Failure::expected(&what, &expected, &got),
            ));
        }
    }
    engine.send(r#"427["sum",2,3]"#).await?;
    expect(&mut engine, "437", json!([5, 2, 3]))
        .await
        .context("after all that")
}

async fn too_early(program: &Program) -> Result {
    let server = program.start().await?;
    let mut engine = open(&server).await?;
    engine.send(r#"421["sum",1]"#).await?;
    engine.send("40").await?;
    let (head, value) = next(&mut engine).await?;
    if head != "40" {
        let (expected, got) =
            (format_args!("40{{…}}"), format_args!("{head}{value}"));
        let failure = Failure::expected("packet", &expected, &got);
        return Err(told(&mut engine, failure)).help(
            "the event came before `40`. Who is not connected to a namespace has not \
             been let in: in lesson 14, that is where a password is checked",
        );
    }
    engine.send(r#"422["sum",2,3]"#).await?;
    expect(&mut engine, "432", json!([5, 2, 3])).await
}
