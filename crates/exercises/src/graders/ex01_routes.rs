use contract::{Explain, Program, Request, Response, Result, Server};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("root", 1, "`GET /` is answered `Hello World`", root),
        check("name", 2, "`GET /hello/NAME` greets that name", name),
        check("unknown", 2, "any other path is a 404", unknown),
        check("method", 2, "a wrong method is a 405 that says which are right", method)
            .after("root"),
        check("nowhere", 1, "on an unknown path, any method is a 404", nowhere)
            .after("unknown"),
        check("head", 1, "HEAD is answered as GET is", head).after("root"),
    ]
}

async fn root(program: &Program) -> Result {
    let server = program.start().await?;
    answers(&server, "/", "Hello World").await?;
    answers(&server, "/?page=2", "Hello World").await.help(QUERY)
}

async fn name(program: &Program) -> Result {
    let server = program.start().await?;
    answers(&server, "/hello/Ada", "Hello Ada").await?;
    answers(&server, "/hello/hello", "Hello hello").await?;
    answers(&server, "/hello/A%20B", "Hello A%20B").await?;
    answers(&server, "/hello/Ada?loud=1", "Hello Ada")
        .await
        .help(QUERY)
}

const QUERY: &str = "`req.url` in Node has the query in it; `request.uri().path()` \
                     has not, and `request.uri()` has";

async fn answers(server: &Server, path: &str, body: &str) -> Result {
    let response = server.request(Request::get(path)).await?;
    response
        .expect_status(200)
        .and_then(|response| response.expect_body(body))
        .context(format_args!("GET {path}"))?;
    Ok(())
}

async fn unknown(program: &Program) -> Result {
    let server = program.start().await?;
    for path in ["/nowhere", "/hello", "/helloAda", "/Hello/Ada", "/x/hello/Ada"] {
        let response = server.request(Request::get(path)).await?;
        response
            .expect_status(404)
            .context(format_args!("GET {path}"))?;
    }
    for path in ["/hello/", "/hello/Ada/Lovelace", "/hello/Ada/"] {
        let response = server.request(Request::get(path)).await?;
        response
            .expect_status(404)
            .context(format_args!("GET {path}"))
            .help(
                "Express's `/hello/:name` matches one part of the path that is not \
                 empty. A prefix matches more: look at what is left of the path \
                 behind it",
            )?;
    }
    Ok(())
}

async fn method(program: &Program) -> Result {
    let server = program.start().await?;
    for (method, path) in [
        ("POST", "/"),
        ("PUT", "/?page=2"),
        ("DELETE", "/hello/Ada"),
        ("OPTIONS", "/hello/Ada"),
    ] {
        let response = server.request(Request::new(method, path)).await?;
        only_get_and_head(&response).context(format_args!("{method} {path}"))?;
    }
    Ok(())
}

fn only_get_and_head(response: &Response) -> Result {
    response.expect_status(405)?;
    let allow = response.header("allow").unwrap_or("");
    let mut methods: Vec<_> = allow.split(',').collect();
    methods.iter_mut().for_each(|method| *method = method.trim());
    methods.sort_unstable();
    if methods == ["GET", "HEAD"] {
        return Ok(());
    }
    response.expect_header("allow", "GET, HEAD").help(
        "a 405 has to say which methods there are (RFC 9110, section 15.5.6): GET, \
         and HEAD with it",
    )?;
    Ok(())
}

async fn nowhere(program: &Program) -> Result {
    let server = program.start().await?;
    for (method, path) in [("POST", "/nowhere"), ("DELETE", "/hello/")] {
        let response = server.request(Request::new(method, path)).await?;
        response
            .expect_status(404)
            .context(format_args!("{method} {path}"))
            .help(
                "405 means that there is something at this path, for another method. \
                 Look at the path first, and then at the method",
            )?;
    }
    Ok(())
}

async fn head(program: &Program) -> Result {
    let server = program.start().await?;
    for path in ["/", "/hello/Ada"] {
        let response = server.request(Request::new("HEAD", path)).await?;
        response
            .expect_status(200)
            .context(format_args!("HEAD {path}"))
            .help(
                "in Express, `app.get` answers HEAD too. Here both methods come to \
                 you, and a match on `Method::GET` is not one on `Method::HEAD`",
            )?;
    }
    let response = server.request(Request::new("HEAD", "/nowhere")).await?;
    response.expect_status(404).context("HEAD /nowhere")?;
    Ok(())
}
