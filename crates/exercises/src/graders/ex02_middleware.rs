use std::collections::BTreeSet;

use contract::{
    Connection, Explain, Failure, Program, Request, Response, Result, Server,
};

use super::overlap::{MANY, of_many, overlap};
use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("counts", 2, "responses are numbered from 1", counts),
        check("refusals", 2, "a 404, a 405 and a 400 have an id too", refusals)
            .after("counts"),
        check("sent", 1, "a sane id of the client's comes back", sent).after("counts"),
        check("insane", 2, "one that is not sane is replaced by a number", insane)
            .after("counts"),
        check("at_once", 1, "a slow request keeps no other waiting", at_once)
            .after("counts"),
        check("together", 1, "no number is given twice", together).after("at_once"),
    ]
}

const ID: &str = "x-request-id";

async fn counts(program: &Program) -> Result {
    let server = program.start().await?;
    let mut connection = server.connect().await?;
    for number in ["1", "2"] {
        let response = connection.request(&Request::get("/")).await?;
        let numbered = has(&response, 200, number);
        if response.header(ID).is_none() && has_any(&server, "/nowhere").await {
            return numbered
                .help("a 404 has one, so your middleware runs")
                .help(BELOW);
        }
        numbered?;
        response.expect_body("Hello World")?;
    }
    let response = server.request(Request::post_json("/echo", "[1]")).await?;
    let numbered = has(&response, 200, "3").context("POST /echo, a new connection");
    if response.header(ID).is_none() {
        return numbered
            .help("`GET /` has one, so your middleware runs")
            .help(BELOW);
    }
    numbered?;
    response.expect_body("[1]")?;
    Ok(())
}

const BELOW: &str = "`.layer` wraps what is in the router at that moment. In Express \
                     `app.use` comes before what it applies to; here it comes after";

fn has(response: &Response, status: u16, id: &str) -> Result {
    response.expect_status(status)?.expect_header(ID, id)?;
    Ok(())
}

/// Whether the response to this has an id.
async fn has_any(server: &Server, path: &str) -> bool {
    let response = server.request(Request::get(path)).await;
    response.is_ok_and(|response| response.header(ID).is_some())
}

async fn refusals(program: &Program) -> Result {
    let server = program.start().await?;
    let not_found = server.request(Request::get("/nowhere")).await?;
    refusal(&not_found, 404, "1").context("GET /nowhere")?;
    let not_allowed = server.request(Request::new("DELETE", "/")).await?;
    refusal(&not_allowed, 405, "2").context("DELETE /")?;
    let not_json = server.request(Request::post_json("/echo", "[1")).await?;
    refusal(&not_json, 400, "3").context("POST /echo [1")
}

fn refusal(response: &Response, status: u16, id: &str) -> Result {
    let numbered = has(response, status, id);
    match response.header(ID) {
        Some(_) => numbered,
        None => numbered.help(
            "`GET /` has one. `.layer` wraps the whole router, also what it answers by \
             itself; `.route_layer`, or a layer on one route, does not",
        ),
    }
}

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
    let numbered = has(&response, 200, "1")
        .context("without an id, after four requests that had one");
    match response.header(ID) {
        Some("5") => numbered
            .help("a number is for a request that has no id: those did not need one"),
        _ => numbered,
    }
}

async fn insane(program: &Program) -> Result {
    let server = program.start().await?;
    let too_long = "x".repeat(65);
    let mut wrong = Vec::new();
    let mut first = None;
    for (id, what) in [
        (too_long.as_str(), "an id of 65 characters"),
        ("", "an empty id"),
        ("a b", "an id with a space"),
        ("<b>", "an id with brackets"),
        ("1;2", "an id with a semicolon"),
        ("caf\u{e9}", "an id that is not ASCII"),
    ] {
        match instead_of(&server, id).await {
            Ok(()) => {}
            // The others would be waited for in vain as well.
            Err(failure) if failure.timed_out() => return Err(failure.context(what)),
            Err(failure) => {
                wrong.push(what);
                first.get_or_insert(failure);
            }
        }
    }
    let Some(failure) = first else {
        return Ok(());
    };
    // All of them, as one fix may be for all; what went over the wire, for the first.
    Err(failure.context(wrong.join(", "))).help(
        "what a client sends may be anything that fits into a header: look at its \
         length and at each byte, and never `unwrap` it",
    )
}

/// Fails unless the server gives a number instead of that id.
async fn instead_of(server: &Server, id: &str) -> Result {
    let mut connection = server.connect().await?;
    let response = with_id(&mut connection, id).await?;
    response.expect_status(200)?;
    let Some(given) = response.header(ID) else {
        let message = format!("no {ID}");
        return Err(Failure::new(message).with(connection.transcript()));
    };
    if given.parse::<u64>().is_ok() {
        return Ok(());
    }
    let number = format_args!("a number");
    Err(Failure::expected(ID, &number, &given).with(connection.transcript()))
}

async fn overlapping(server: &Server) -> Result<[Response; 2]> {
    let other = Request::post_json("/echo", "[3]");
    let help = "a lock that is held over `next.run(…).await` keeps everyone else out \
                until that request has ended. Count before it, and let go";
    overlap(server, "application/json", ["[1, ", "2]"], other, help).await
}

async fn at_once(program: &Program) -> Result {
    let server = program.start().await?;
    let [slow, other] = overlapping(&server).await?;
    other.expect_status(200)?.expect_body("[3]")?;
    slow.expect_status(200)?.expect_body("[1,2]")?;
    Ok(())
}

async fn together(program: &Program) -> Result {
    let server = program.start().await?;
    let responses = overlapping(&server).await?;
    let mut ids = responses.each_ref().map(|one| one.header(ID).unwrap_or(""));
    ids.sort_unstable();
    if ids != ["1", "2"] {
        let what = "the ids of two requests, one of which comes during the other";
        let got = format_args!("{} and {}", ids[0], ids[1]);
        return Err(Failure::expected(what, &format_args!("1 and 2"), &got)).help(
            "while one request is in `next.run(…).await`, others run. What you have \
             read before it has changed after it. Add and read with one call, \
             `fetch_add`, and keep what it returns",
        );
    }
    let ids = of_many(&server, "/", ID).await?;
    let different = ids.iter().collect::<BTreeSet<_>>().len();
    if different == MANY {
        return Ok(());
    }
    let message = "numbers that differ, of as many requests";
    Err(Failure::expected(message, &MANY, &different)).help(
        "requests run at the same time, on different threads: add and read with one \
         call, `fetch_add`",
    )
}
