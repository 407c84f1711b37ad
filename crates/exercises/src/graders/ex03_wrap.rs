use std::collections::BTreeSet;

use contract::{Explain, Failure, Program, Request, Response, Result, Server};
use serde_json::json;

use super::overlap::{MANY, of_many, overlap};
use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("function", 1, "around a function, requests are counted", function),
        check("app", 1, "around an app, requests are counted", app),
        check("unchanged", 2, "nothing else of an answer changes", unchanged)
            .after("app"),
        check("connections", 2, "all connections share one count", connections)
            .after("app"),
        check("at_once", 2, "a slow request keeps no other waiting", at_once)
            .after("app"),
        check("together", 2, "each number is used once", together)
            .after("connections")
            .after("at_once"),
    ]
}

const SERVED: &str = "x-served";

async fn function(program: &Program) -> Result {
    let server = program.clone().arg("hello").start().await?;
    let mut connection = server.connect().await?;
    for number in ["1", "2", "3"] {
        let response = connection.request(&Request::get("/any/path")).await?;
        says(&response, 200, number)?;
        response.expect_body("Hello World")?;
    }
    Ok(())
}

fn says(response: &Response, status: u16, number: &str) -> Result {
    response
        .expect_status(status)?
        .expect_header(SERVED, number)?;
    Ok(())
}

async fn app(program: &Program) -> Result {
    let server = program.start().await?;
    let mut connection = server.connect().await?;
    for number in ["1", "2", "3"] {
        let response = connection.request(&Request::get("/hello/Ada")).await?;
        says(&response, 200, number)?;
        response.expect_body("Hello Ada")?;
    }
    Ok(())
}

async fn unchanged(program: &Program) -> Result {
    let server = program.start().await?;
    let mut connection = server.connect().await?;
    let response = connection.request(&Request::get("/nowhere")).await?;
    response
        .expect_status(404)
        .context("GET /nowhere")
        .help(KEEP)?;
    says(&response, 404, "1").context("GET /nowhere")?;
    response
        .expect_json(&json!({ "error": "no route" }))
        .help(KEEP)?;
    let response = connection.request(&Request::new("PUT", "/hello/Ada")).await?;
    says(&response, 405, "2").context("PUT /hello/Ada")?;
    response.expect_header("allow", "GET,HEAD").help(KEEP)?;

    let server = program.clone().arg("hello").start().await?;
    let response = server.request(Request::get("/")).await?;
    response
        .expect_header("content-type", "text/plain")
        .context("around the function")
        .help(KEEP)?;
    Ok(())
}

const KEEP: &str = "status and headers are part of the response, as they are of `res` in \
                    Node: change the one that comes from inside, rather than make a new \
                    one of its body";

async fn connections(program: &Program) -> Result {
    let server = program.start().await?;
    for number in ["1", "2", "3"] {
        let response = server.request(Request::get("/hello/Ada")).await?;
        says(&response, 200, number)
            .context("each request on a connection of its own")
            .help(
                "each connection has a clone of the service, so a number in it would \
                 be cloned too. In JavaScript all closures see the same variable; here \
                 you say so, with an `Arc`",
            )?;
    }
    Ok(())
}

async fn overlapping(server: &Server) -> Result<[Response; 2]> {
    let other = Request::get("/hello/Ada");
    let help = "a lock that is held while the answer is awaited keeps everyone else out \
                until then. `call` takes `&self`: each clone of the service can be \
                called any number of times at once";
    overlap(server, "text/plain", ["first ", "half"], other, help).await
}

async fn at_once(program: &Program) -> Result {
    let server = program.start().await?;
    let [slow, other] = overlapping(&server).await?;
    other.expect_status(200)?.expect_body("Hello Ada")?;
    slow.expect_status(200)?.expect_body("first half")?;
    Ok(())
}

async fn together(program: &Program) -> Result {
    let server = program.start().await?;
    let responses = overlapping(&server).await?;
    let mut numbers = responses
        .each_ref()
        .map(|one| one.header(SERVED).unwrap_or(""));
    numbers.sort_unstable();
    if numbers != ["1", "2"] {
        let what = "the numbers of two requests, one of which comes during the other";
        let got = format_args!("{} and {}", numbers[0], numbers[1]);
        return Err(Failure::expected(what, &format_args!("1 and 2"), &got))
            .help(ONE_CALL);
    }
    let numbers = of_many(&server, "/hello/Ada", SERVED).await?;
    let numbers = numbers.iter().filter_map(|number| number.parse::<usize>().ok());
    let different: BTreeSet<_> = numbers.collect();
    let (first, last) = (3, MANY + 2);
    if different.iter().copied().eq(first..=last) {
        return Ok(());
    }
    let what = format!("numbers that differ, from {first} to {last}");
    let different = different.range(first..=last).count();
    Err(Failure::expected(&what, &MANY, &different)).help(ONE_CALL)
}

const ONE_CALL: &str = "requests run at the same time, on different threads, and \
                        whatever awaits lets others in. Add and read with one call, \
                        `fetch_add`, and keep what it returns";
