use contract::{Connection, Explain, Program, Request, Result};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("raw", 2, "`/raw` is answered by the function", raw),
        check("app", 2, "other paths are answered by the app", app),
        check("query", 1, "`/raw?n=1` is `/raw` too", query).after("raw"),
        check("neighbours", 1, "`/rawest` and `/raw/` are not `/raw`", neighbours)
            .after("app"),
        check("by_turns", 1, "one connection can have both, by turns", by_turns)
            .after("raw")
            .after("app"),
    ]
}

/// Fails unless the function answers, and its answer comes as it was.
async fn from_the_function(
    connection: &mut Connection,
    method: &str,
    path: &str,
) -> Result {
    let response = connection.request(&Request::new(method, path)).await?;
    let answered = response
        .expect_body(&format!("{method} {path}"))
        .and_then(|response| response.expect_status(200))
        .and_then(|response| response.expect_header("content-type", "text/plain"))
        .context(format_args!("{method} {path}"))
        .map(drop);
    match response.header("content-type") {
        Some("text/plain") => answered,
        Some(_) => answered.help(
            "the `charset` in `content-type` is axum's: this has come from a `Router`",
        ),
        None => answered.help(
            "the function has set a `content-type`. Take its response and change the \
             type of the body alone, with `map`",
        ),
    }
}

async fn raw(program: &Program) -> Result {
    let server = program.start().await?;
    let mut connection = server.connect().await?;
    for method in ["GET", "POST", "DELETE"] {
        from_the_function(&mut connection, method, "/raw").await?;
    }
    Ok(())
}

/// Fails unless the app answers with the page of that name.
async fn page(connection: &mut Connection, path: &str, name: &str) -> Result {
    let response = connection.request(&Request::get(path)).await?;
    response
        .expect_body(&format!("the page {name}"))
        .context(format_args!("GET {path}"))?;
    response
        .expect_header("content-type", "text/plain; charset=utf-8")
        .context(format_args!("GET {path}"))
        .help(KEEP)?;
    Ok(())
}

async fn app(program: &Program) -> Result {
    let server = program.start().await?;
    let mut connection = server.connect().await?;
    page(&mut connection, "/about", "about").await?;
    page(&mut connection, "/about?raw=/raw", "about").await?;
    let text = "never mind ".repeat(1_000);
    let post = Request::new("POST", "/echo").body(text.as_str());
    let response = connection.request(&post).await?;
    response
        .expect_body(&text)
        .context("POST /echo")
        .help("the app has to get the request with its body, as it came")?;
    for (method, path, status) in [("GET", "/a/b", 404), ("POST", "/about", 405)] {
        let response = connection.request(&Request::new(method, path)).await?;
        response
            .expect_status(status)
            .context(format_args!("{method} {path}"))
            .help(KEEP)?;
    }
    Ok(())
}

const KEEP: &str = "headers and status are the app's, and stay as they are: only the \
                    type of a body may change";

async fn query(program: &Program) -> Result {
    let server = program.start().await?;
    let mut connection = server.connect().await?;
    from_the_function(&mut connection, "GET", "/raw?n=1")
        .await
        .help(
            "`req.url` in Node has the query in it; `request.uri().path()` has not, \
             and `request.uri()` has",
        )
}

async fn neighbours(program: &Program) -> Result {
    let server = program.start().await?;
    let mut connection = server.connect().await?;
    page(&mut connection, "/rawest", "rawest").await.help(PREFIX)?;
    page(&mut connection, "/Raw", "Raw").await?;
    for path in ["/raw/", "/raw/eggs", "/x/raw"] {
        let response = connection.request(&Request::get(path)).await?;
        response
            .expect_status(404)
            .context(format_args!("GET {path}"))
            .help(PREFIX)?;
    }
    Ok(())
}

const PREFIX: &str = "`app.use('/raw', …)` in Express matches all that is below `/raw` \
                      too. Here it is this path alone";

async fn by_turns(program: &Program) -> Result {
    let server = program.start().await?;
    let mut connection = server.connect().await?;
    for _ in 0..3 {
        from_the_function(&mut connection, "GET", "/raw").await?;
        page(&mut connection, "/about", "about").await?;
    }
    Ok(())
}
