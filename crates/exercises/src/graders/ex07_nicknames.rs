use contract::{
    Connection, Explain, Failure, Frame, Program, Recording, Result, Server, WebSocket,
    handshake, within,
};
use futures_util::future::try_join_all;

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("names", 2, "everyone hears who says what", names),
        check("bad", 2, "a name that is missing or wrong gets 400", bad),
        check("taken", 2, "a name that is taken gets 409", taken)
            .after("names"),
        check("at_once", 2, "of many clients with one name, one gets in", at_once)
            .after("taken"),
        check("free", 2, "the name of somebody who has left is free", free)
            .after("taken"),
        check("refused", 1, "a handshake that is refused takes no name", refused)
            .after("taken"),
    ]
}

/// A client by this name. Its transcript begins with the handshake if that fails, and
/// after it if it does not.
async fn enter(
    server: &Server,
    recording: &Recording,
    name: &str,
) -> Result<WebSocket> {
    let mut socket = server
        .websocket(&format!("/?name={name}"))
        .await
        .context(format_args!("{name} comes in"))?;
    socket.connection().forget();
    recording.add(name, socket.connection());
    Ok(socket)
}

/// Asks to come in by this name, and returns the status of the answer.
async fn ask(connection: &mut Connection, name: &str) -> Result<u16> {
    let request = handshake(&format!("/?name={name}"));
    Ok(connection.request(&request).await?.status())
}

async fn names(program: &Program) -> Result {
    let server = program.start().await?;
    let recording = Recording::new();
    let long = "abcdefghijKLMNOPQRST";
    let mut ada = enter(&server, &recording, "Ada").await?;
    ada.send_text("hello").await?;
    ada.expect_text("Ada: hello").await?;
    let mut other = enter(&server, &recording, long).await?;
    other.send_text("hello, Ada").await?;
    for client in [&mut ada, &mut other] {
        client.expect_text(&format!("{long}: hello, Ada")).await?;
    }
    Ok(())
}

async fn bad(program: &Program) -> Result {
    let server = program.start().await?;
    for (path, why) in [
        ("/", "there is no name"),
        ("/?", "there is no name"),
        ("/?name", "there is no name"),
        ("/?name=", "the name is empty"),
        ("/?name=abcdefghijKLMNOPQRSTu", "the name has 21 letters"),
        ("/?name=Ada1", "1 is not a letter"),
        ("/?name=Ada%20Byron", "a space is not a letter"),
        ("/?name=%3Cb%3E", "this is <b>"),
        ("/?nick=Ada", "the query does not begin with `name=`"),
    ] {
        let response = server.request(handshake(path)).await?;
        let what = format!("the answer to {path}, where {why}");
        response.expect_status(400).context(what)?;
    }
    Ok(())
}

async fn taken(program: &Program) -> Result {
    let server = program.start().await?;
    let recording = Recording::new();
    let mut ada = enter(&server, &recording, "Ada").await?;
    let mut bob = enter(&server, &recording, "Bob").await?;
    let response = server.request(handshake("/?name=Ada")).await?;
    response
        .expect_status(409)
        .context("the answer to a second Ada")?;
    bob.send_text("Ada?").await?;
    ada.expect_text("Bob: Ada?").await.help(
        "The second Ada has taken the place of the first: `insert` replaces what is \
         there, as `map.set` does in Node",
    )
}

async fn at_once(program: &Program) -> Result {
    const CLIENTS: usize = 16;
    // More threads than this machine may have cores, for what goes wrong between them.
    let program = program.clone().env("TOKIO_WORKER_THREADS", 4);
    let server = program.start().await?;
    let connect = (0..CLIENTS).map(async |_| server.connect().await);
    let mut connections = try_join_all(connect).await?;
    let asking = connections.iter_mut();
    let statuses =
        try_join_all(asking.map(|connection| ask(connection, "Ada"))).await?;
    let count = |status| statuses.iter().filter(|&&got| got == status).count();
    match (count(101), count(409)) {
        (1, refused) if refused == CLIENTS - 1 => Ok(()),
        (2.., _) => Err(Failure::expected(
            "how many of 16 clients were let in as Ada, all at once",
            &1,
            &count(101),
        ))
        .help(
            "Looking whether a name is free and taking it have to be one step, or \
             somebody else takes it in between: lock once for the two",
        ),
        _ => Err(Failure::new(format!(
            "one of 16 should get 101, the others 409, but they got {statuses:?}"
        ))),
    }
}

/// Asks until the name is free.
async fn expect_free(server: &Server, name: &str) -> Result<Connection> {
    let mut connection = server.connect().await?;
    let asking = async {
        loop {
            match ask(&mut connection, name).await? {
                101 => return Ok(()),
                409 => connection.forget(),
                _ => return Err(Failure::new("it should be 101 or 409")),
            }
        }
    };
    match within("free name", asking).await {
        Ok(done) => done,
        Err(_) => Err(Failure::new(format!("the name {name} is still taken"))),
    }
    .map_err(|failure| failure.with(connection.transcript()))?;
    Ok(connection)
}

async fn free(program: &Program) -> Result {
    let server = program.start().await?;
    let recording = Recording::new();
    for (name, way) in [
        ("Ada", "she has sent a close frame"),
        ("Bob", "his connection has ended"),
    ] {
        let mut leaving = enter(&server, &recording, name).await?;
        leaving.send_text("bye").await?;
        leaving.expect_text(&format!("{name}: bye")).await?;
        if name == "Ada" {
            leaving.send(Frame::close(1000, "")).await?;
            expect_free(&server, name).await.context(way)?;
        } else {
            drop(leaving);
            expect_free(&server, name).await.context(way)?;
        }
    }
    Ok(())
}

async fn refused(program: &Program) -> Result {
    let server = program.start().await?;
    let version = "sec-websocket-version";
    let old = handshake("/?name=Ada").without(version).header(version, "7");
    server.request(old).await?.expect_status(426)?;
    expect_free(&server, "Ada").await.context(
        "nobody has come in as Ada: her handshake was refused because of its version",
    )?;
    Ok(())
}
