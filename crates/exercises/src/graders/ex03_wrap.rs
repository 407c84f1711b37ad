use std::collections::BTreeSet;

use contract::{Explain, Failure, Program, Request, Response, Result};
use futures_util::future::try_join_all;
use serde_json::json;

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("function", 1, "around a function, requests are counted", function),
        check("app", 1, "around an app, requests are counted", app),
        check("unchanged", 2, "nothing else of an answer changes", unchanged)
            .after("app"),
        check("connections", 2, "all connections share one count", connections)
            .after("app"),
        check("together", 2, "each number is used once", together)
            .after("connections"),
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
    says(&response, 404, "1")
        .context("GET /nowhere")
        .help(KEEP)?;
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

async fn together(program: &Program) -> Result {
    const CLIENTS: usize = 20;
    const REQUESTS: usize = 25;
    let server = program.start().await?;
    let clients = (0..CLIENTS).map(async |_| {
        let mut connection = server.connect().await?;
        let mut numbers = Vec::new();
        for _ in 0..REQUESTS {
            let response = connection.request(&Request::get("/hello/Ada")).await?;
            let number = response.header(SERVED).and_then(|n| n.parse::<usize>().ok());
            numbers.extend(number);
        }
        Result::Ok(numbers)
    });
    let numbers = try_join_all(clients).await?.concat();
    let different: BTreeSet<_> = numbers.into_iter().collect();
    let all = CLIENTS * REQUESTS;
    if different.iter().copied().eq(1..=all) {
        return Ok(());
    }
    let what = format!("numbers that differ, from 1 to {all}");
    let different = different.range(1..=all).count();
    Err(Failure::expected(&what, &all, &different)).help(
        "requests run at the same time, on different threads, and whatever awaits lets \
         others in. Add and read with one call, `fetch_add`, and keep what it returns",
    )
}
