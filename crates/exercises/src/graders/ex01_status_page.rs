use contract::{Explain, Failure, Program, Request, Result, Server};
use futures_util::future::try_join_all;

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("hello", 1, "any other path still answers `Hello World`", hello),
        check("counts", 2, "`/status` counts all requests, its own too", counts)
            .after("hello"),
        check("query", 1, "`/status?now` is the status too", query).after("counts"),
        check("together", 2, "requests at the same time all count", together)
            .after("counts"),
    ]
}

async fn get(server: &Server, path: &str, body: &str) -> Result {
    let response = server.request(Request::get(path)).await?;
    response.expect_status(200)?.expect_body(body)?;
    Ok(())
}

async fn hello(program: &Program) -> Result {
    let server = program.start().await?;
    get(&server, "/", "Hello World").await?;
    get(&server, "/status/of/what", "Hello World").await
}

async fn counts(program: &Program) -> Result {
    let server = program.start().await?;
    get(&server, "/status", "1")
        .await
        .context("the very first request")?;
    get(&server, "/", "Hello World").await?;
    get(&server, "/elsewhere", "Hello World").await?;
    get(&server, "/status", "4")
        .await
        .context("after three others, one of them for the status")
}

async fn query(program: &Program) -> Result {
    let server = program.start().await?;
    get(&server, "/status?now", "1").await.help(
        "`req.url` in Node has the query in it; `uri().path()` has not",
    )
}

async fn together(program: &Program) -> Result {
    const CLIENTS: usize = 20;
    const REQUESTS: usize = 25;
    let server = program.start().await?;
    let clients = (0..CLIENTS).map(async |_| {
        let mut connection = server.connect().await?;
        for _ in 0..REQUESTS {
            connection.request(&Request::get("/")).await?;
        }
        Result::Ok(())
    });
    try_join_all(clients).await?;

    let text = server.request(Request::get("/status")).await?.text();
    let expected = CLIENTS * REQUESTS + 1;
    match text.parse::<usize>() {
        Ok(counted) if counted == expected => Ok(()),
        Ok(counted) if counted < expected => Err(Failure::new(format!(
            "{} of {expected} requests were not counted",
            expected - counted
        )))
        .help(
            "In Node your callback is never interrupted. Here other threads run it \
             at the same time, and what you read has changed by the time you write \
             it back: add with one call, `fetch_add`",
        ),
        _ => Err(Failure::expected("the status", &expected, &text)),
    }
}
