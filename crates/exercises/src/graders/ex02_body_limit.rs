use contract::{
    Connection, Explain, Program, Request, Response, Result, Server,
};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("fits", 1, "a text of up to 1024 bytes comes back", fits),
        check("too_long", 2, "one byte more is a 413, as JSON", too_long),
        check("chunked", 2, "the same, if its length is not said", chunked)
            .after("too_long"),
        check("early", 2, "the 413 does not wait for the rest", early)
            .after("chunked"),
        check("others", 1, "everyone else is served as before", others)
            .after("early"),
    ]
}

/// Few enough that they are all in the server's hands when it answers. What a server has
/// not read when it hangs up can cost the client the answer (RFC 9112, section 9.6).
const MUCH: usize = 4096;

fn echo(text: &str) -> Request {
    Request::new("POST", "/echo")
        .header("content-type", "text/plain")
        .body(text)
}

/// The head of a request whose body comes in chunks (RFC 9112, section 7.1).
const CHUNKED: &str = "POST /echo HTTP/1.1\r\nhost: localhost\r\n\
                       content-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n";

/// `text` in chunks of 100 bytes, without the last, empty one.
fn chunks(text: &str) -> String {
    let bytes = text.as_bytes().chunks(100);
    bytes
        .map(|chunk| {
            let text = String::from_utf8_lossy(chunk);
            format!("{:x}\r\n{text}\r\n", chunk.len())
        })
        .collect()
}

/// The end of a chunked body.
const LAST: &str = "0\r\n\r\n";

async fn in_chunks(server: &Server, text: &str) -> Result<Response> {
    let mut connection = server.connect().await?;
    let body = chunks(text);
    connection.send(format!("{CHUNKED}{body}{LAST}")).await?;
    connection.response().await
}

async fn fits(program: &Program) -> Result {
    let server = program.start().await?;
    for length in [0, 5, 1023, 1024] {
        let text = "x".repeat(length);
        let response = server.request(echo(&text)).await?;
        expect_echo(&response, &text)
            .context(format_args!("{length} bytes"))?;
        let response = in_chunks(&server, &text).await?;
        expect_echo(&response, &text)
            .context(format_args!("{length} bytes in chunks"))?;
    }
    Ok(())
}

fn expect_echo(response: &Response, text: &str) -> Result {
    response.expect_status(200)?.expect_body(text)?;
    Ok(())
}

async fn too_long(program: &Program) -> Result {
    let server = program.start().await?;
    for length in [1025, MUCH] {
        let response = server.request(echo(&"x".repeat(length))).await?;
        let refused = refused(&response).context(format_args!("{length} bytes"));
        match response.status() {
            200 => refused.help(
                "there is no limit yet, or it does not reach `/echo`, or it is higher",
            ),
            _ => refused,
        }?;
    }
    Ok(())
}

fn refused(response: &Response) -> Result {
    let refused = response.expect_error(413).map(drop);
    match (response.status(), response.header("content-type")) {
        (413, Some(plain)) if plain.starts_with("text/plain") => refused.help(
            "this is axum's own refusal. Take the text as a `Result`, as the chapter \
             does with its JSON, and the rejection comes to you",
        ),
        _ => refused,
    }
}

async fn chunked(program: &Program) -> Result {
    let server = program.start().await?;
    for length in [1025, MUCH] {
        let response = in_chunks(&server, &"x".repeat(length)).await?;
        let refused = refused(&response)
            .context(format_args!("{length} bytes in chunks"));
        match response.status() {
            200 => refused.help(
                "a chunked body has no `content-length`, in Node neither: only who \
                 counts while it comes knows how long it is",
            ),
            _ => refused,
        }?;
    }
    Ok(())
}

async fn early(program: &Program) -> Result {
    let server = program.start().await?;
    let (mut declared, mut in_chunks) =
        (server.connect().await?, server.connect().await?);
    let begun = "x".repeat(MUCH);
    let head = "POST /echo HTTP/1.1\r\nhost: localhost\r\n\
                content-type: text/plain\r\ncontent-length: 1000000000\r\n\r\n";
    declared.send(format!("{head}{begun}")).await?;
    refuses(&mut declared)
        .await
        .context("4 KiB of a body that is 1 GB long")?;
    let begun = chunks(&begun);
    in_chunks.send(format!("{CHUNKED}{begun}")).await?;
    refuses(&mut in_chunks)
        .await
        .context("4 KiB in chunks, without an end")
}

async fn refuses(connection: &mut Connection) -> Result {
    let response = connection.response().await.help(
        "the rest never comes. Whoever collects the body first, to look at its length \
         then, waits for it, and keeps all that comes in memory: the limit has to be \
         there while the body is read",
    )?;
    refused(&response)
}

async fn others(program: &Program) -> Result {
    let server = program.start().await?;
    let mut kept_alive = server.connect().await?;
    let response = kept_alive.request(&echo("before")).await?;
    expect_echo(&response, "before")?;
    // They stay connected, and have more to send.
    let mut greedy = Vec::new();
    for _ in 0..20 {
        let mut connection = server.connect().await?;
        let body = chunks(&"x".repeat(MUCH));
        connection.send(format!("{CHUNKED}{body}")).await?;
        refuses(&mut connection).await?;
        greedy.push(connection);
    }
    let response = kept_alive.request(&echo("after")).await?;
    expect_echo(&response, "after").context("on a connection from before")?;
    let response = server.request(echo("new")).await?;
    expect_echo(&response, "new").context("on a new connection")
}
