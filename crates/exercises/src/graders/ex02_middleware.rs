use std::collections::BTreeSet;

use contract::{
    Connection, Explain, Failure, Program, Request, Response, Result, Server,
};
use futures_util::future::try_join_all;

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("counts", 2, "responses are numbered from 1", counts),
        check("refusals", 2, "a 404, a 405 and a 400 have an id too", refusals)
            .after("counts"),
        check("sent", 1, "a sane id of the client's comes back", sent).after("counts"),
        check("insane", 2, "one that is not sane is replaced by a number", insane)
            .after("counts"),
        check("together", 1, "no number is given twice", together).after("counts"),
    ]
}

const ID: &str = "x-request-id";

async fn counts(program: &Program) -> Result {
    let server = program.start().await?;
    let mut connection = server.connect().await?;
    for number in ["1", "2"] {
        let response = connection.request(&Request::get("/")).await?;
        has(&response, 200, number).help(
            "if it is there but does nothing: `.layer` wraps what is in the router at \
             that moment. In Express `app.use` comes before what it applies to; here \
             it comes after",
        )?;
        response.expect_body("Hello World")?;
    }
    let response = server.request(Request::post_json("/echo", "[1]")).await?;
    has(&response, 200, "3").context("on another connection")?;
    response.expect_body("[1]")?;
    Ok(())
}

fn has(response: &Response, status: u16, id: &str) -> Result {
    response.expect_status(status)?.expect_header(ID, id)?;
    Ok(())
}

async fn refusals(program: &Program) -> Result {
    let server = program.start().await?;
    let not_found = server.request(Request::get("/nowhere")).await?;
    has(&not_found, 404, "1").context("GET /nowhere").help(ALL)?;
    let not_allowed = server.request(Request::new("DELETE", "/")).await?;
    has(&not_allowed, 405, "2").context("DELETE /").help(ALL)?;
    let not_json = server.request(Request::post_json("/echo", "[1")).await?;
    has(&not_json, 400, "3").context("POST /echo [1").help(ALL)
}

const ALL: &str = "`.layer` wraps the whole router, also what it answers by itself. \
                   `.route_layer`, or a layer on one route, does not";

/// A request with an id of its own.
async fn with_id(connection: &mut Connection, id: &str) -> Result<Response> {
    connection.request(&Request::get("/").header(ID, id)).await
}

async fn sent(program: &Program) -> Result {
    let server = program.start().await?;
    let mut connection = server.connect().await?;
    let longest = "x".repeat(64);
    for id in ["from-the-Client_7", "1", "-", &longest] {
        let response = with_id(&mut connection, id).await?;
        has(&response, 200, id)?;
    }
    let response = connection.request(&Request::get("/")).await?;
    has(&response, 200, "1")
        .context("without an id, after four requests that had one")
        .help("a number is for a request that has no id: those did not need one")
}

async fn insane(program: &Program) -> Result {
    let server = program.start().await?;
    let too_long = "x".repeat(65);
    for (id, what) in [
        (too_long.as_str(), "an id of 65 characters"),
        ("", "an empty id"),
        ("a b", "an id with a space"),
        ("<b>", "an id with brackets"),
        ("1;2", "an id with a semicolon"),
        ("caf\u{e9}", "an id that is not ASCII"),
    ] {
        instead_of(&server, id).await.context(what).help(
            "what a client sends may be anything that fits into a header: look at its \
             length and at each byte, and never `unwrap` it",
        )?;
    }
    Ok(())
}

/// Fails unless the server gives a number instead of that id.
async fn instead_of(server: &Server, id: &str) -> Result {
    let mut connection = server.connect().await?;
    let response = with_id(&mut connection, id).await?;
    response.expect_status(200)?;
    let given = response.header(ID);
    if given.is_some_and(|given| given.parse::<u64>().is_ok()) {
        return Ok(());
    }
    let transcript = connection.transcript();
    Err(Failure::expected(ID, &"a number", &given).with(transcript))
}

async fn together(program: &Program) -> Result {
    const CLIENTS: usize = 20;
    const REQUESTS: usize = 25;
    let server = program.start().await?;
    let clients = (0..CLIENTS).map(async |_| {
        let mut connection = server.connect().await?;
        let mut ids = Vec::new();
        for _ in 0..REQUESTS {
            let response = connection.request(&Request::get("/")).await?;
            ids.extend(response.header(ID).map(str::to_owned));
        }
        Result::Ok(ids)
    });
    let ids = try_join_all(clients).await?.concat();
    let different = ids.iter().collect::<BTreeSet<_>>().len();
    if different == CLIENTS * REQUESTS {
        return Ok(());
    }
    let message = "numbers that differ, of as many requests";
    Err(Failure::expected(message, &(CLIENTS * REQUESTS), &different)).help(
        "requests run at the same time, on different threads: add and read with one \
         call, `fetch_add`",
    )
}
