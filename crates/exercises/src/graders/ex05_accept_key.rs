use contract::{Explain, Failure, Program, Request, Response, Result, Server, handshake};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("accepts", 2, "a handshake is accepted, whatever its key", accepts),
        check("echoes", 1, "after the handshake a text comes back", echoes)
            .after("accepts"),
        check(
            "spellings",
            2,
            "`WebSocket` and `keep-alive, Upgrade` are accepted too",
            spellings,
        )
        .after("accepts"),
        check("page", 1, "a request for a page gets 426, and what to do", page),
        check("version", 1, "another version gets 426, and the right one", version),
        check("malformed", 2, "what else is wrong gets 400", malformed),
    ]
}

const KEY: &str = "sec-websocket-key";
const VERSION: &str = "sec-websocket-version";

/// Sends the request on a connection of its own, and holds the answer to this status
/// and these headers, whose values are compared without case.
async fn ask(
    server: &Server,
    request: &Request,
    status: u16,
    headers: &[(&str, &str)],
) -> Result<Response> {
    let mut connection = server.connect().await?;
    let response = connection.request(request).await?;
    response.expect_status(status)?;
    for (name, expected) in headers {
        let got = response.header(name);
        if !got.is_some_and(|got| got.eq_ignore_ascii_case(expected)) {
            let what = format!("the header {name}");
            let failure = Failure::expected(&what, &Some(expected), &got);
            return Err(failure.with(connection.transcript()));
        }
    }
    Ok(response)
}

const SWITCHING: [(&str, &str); 2] =
    [("upgrade", "websocket"), ("connection", "upgrade")];

const REQUIRED: [(&str, &str); 3] =
    [("upgrade", "websocket"), ("connection", "upgrade"), (VERSION, "13")];

async fn accepts(program: &Program) -> Result {
    let server = program.start().await?;
    for (key, accept) in [
        ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("/+ABCdefGHIjklMNOpqrsQ==", "6XbX7b2RA0gn9U5vyGKawe2gEdc="),
    ] {
        let request = handshake("/any/path?at=all").without(KEY).header(KEY, key);
        let response = ask(&server, &request, 101, &SWITCHING).await?;
        let name = "sec-websocket-accept";
        response.expect_header(name, accept).help(
            "The client checks it: the SHA-1 of its own key and of a fixed text after \
             it, in base64. `derive_accept_key` does all of that",
        )?;
    }
    Ok(())
}

async fn echoes(program: &Program) -> Result {
    let server = program.start().await?;
    let mut socket = server.websocket("/").await?;
    socket.send_text("hello").await?;
    socket.expect_text("hello").await
}

async fn spellings(program: &Program) -> Result {
    let server = program.start().await?;
    for (name, value) in [
        ("upgrade", "WebSocket"),
        ("connection", "keep-alive, Upgrade"),
        ("connection", "upgrade,keep-alive"),
    ] {
        let request = handshake("/").without(name).header(name, value);
        ask(&server, &request, 101, &SWITCHING)
            .await
            .context(format_args!("`{name}: {value}`"))
            .help(
                "These values are compared without case, and `Connection` is a list. \
                 `===` knows neither, here as in Node",
            )?;
    }
    Ok(())
}

async fn page(program: &Program) -> Result {
    let server = program.start().await?;
    ask(&server, &Request::get("/"), 426, &REQUIRED)
        .await
        .context("a GET without `Upgrade`")?;
    let other = handshake("/").without("upgrade").header("upgrade", "h2c");
    ask(&server, &other, 426, &REQUIRED)
        .await
        .context("`Upgrade: h2c`")?;
    Ok(())
}

async fn version(program: &Program) -> Result {
    let server = program.start().await?;
    let without = || handshake("/").without(VERSION);
    for (request, what) in [
        (without().header(VERSION, "8"), "version 8"),
        (without(), "a handshake without a version"),
    ] {
        ask(&server, &request, 426, &REQUIRED)
            .await
            .context(what)
            .help(
                "A client that speaks several versions tries again with the one that \
                 the answer names (RFC 6455, section 4.4)",
            )?;
    }
    Ok(())
}

async fn malformed(program: &Program) -> Result {
    let server = program.start().await?;
    let key = |key| handshake("/").without(KEY).header(KEY, key);
    for (request, what) in [
        (handshake("/").without(KEY), "a handshake without a key"),
        (key("c2hvcnQ="), "a key of 5 bytes"),
        (handshake("/").method("POST"), "a handshake that is a POST"),
        (
            handshake("/")
                .without("connection")
                .header("connection", "keep-alive"),
            "`Connection: keep-alive`",
        ),
    ] {
        ask(&server, &request, 400, &[]).await.context(what)?;
    }
    Ok(())
}
