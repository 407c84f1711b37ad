use contract::{Explain, Program, Request, Response, Result, Server};
use serde_json::json;

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("sum", 2, "two whole numbers are added", sum),
        check("all_bits", 1, "all 64 bits of a number count", all_bits).after("sum"),
        check("not_json", 1, "a body that is not JSON is a 400, as JSON", not_json),
        check("undeclared", 1, "JSON not declared as such is a 415", undeclared),
        check("unfit", 2, "what is no pair of whole numbers is a 422", unfit),
        check("overflow", 2, "a sum that does not fit is a 422", overflow)
            .after("sum"),
    ]
}

async fn add(server: &Server, body: &str) -> Result<Response> {
    server.request(Request::post_json("/add", body)).await
}

async fn adds(server: &Server, body: &str, sum: i64) -> Result {
    let response = add(server, body).await?;
    let added = response
        .expect_status(200)
        .and_then(|response| response.expect_json(&json!({ "sum": sum })))
        .context(format_args!("POST /add {body}"));
    match response.json() {
        Ok(body) if body["sum"].is_f64() => added.help(
            "JavaScript has only one kind of number, and `3.0` is `3` to it. Take an \
             `i64` as the sum's type, and there is no `.0`",
        ),
        _ => added,
    }?;
    Ok(())
}

fn refused(response: &Response, status: u16) -> Result {
    let refused = response.expect_error(status).map(drop);
    match response.header("content-type") {
        Some(plain) if plain.starts_with("text/plain") => refused.help(
            "with `Json<…>` as an argument, axum refuses for you, in plain text. With \
             `Result<Json<…>, JsonRejection>` the rejection comes to you, and `?` turns \
             it into an `ApiError`",
        ),
        _ => refused,
    }
}

async fn sum(program: &Program) -> Result {
    let server = program.start().await?;
    adds(&server, r#"{"a": 1, "b": 2}"#, 3).await?;
    adds(&server, r#"{"b": -5, "a": 2}"#, -3).await?;
    adds(&server, r#"{"a": 0, "b": 0, "c": "x"}"#, 0).await
}

async fn all_bits(program: &Program) -> Result {
    let server = program.start().await?;
    let body = r#"{"a": 9007199254740993, "b": 1}"#;
    adds(&server, body, 9_007_199_254_740_994).await?;
    let body = r#"{"a": 9223372036854775806, "b": 1}"#;
    adds(&server, body, i64::MAX).await?;
    let body = r#"{"a": -9223372036854775807, "b": -1}"#;
    adds(&server, body, i64::MIN).await
}

async fn not_json(program: &Program) -> Result {
    let server = program.start().await?;
    for body in [r#"{"a": 1, "b": 2"#, "a=1&b=2", ""] {
        let response = add(&server, body).await?;
        refused(&response, 400).context(format_args!("POST /add {body}"))?;
    }
    Ok(())
}

async fn undeclared(program: &Program) -> Result {
    let server = program.start().await?;
    let request = Request::new("POST", "/add").body(r#"{"a": 1, "b": 2}"#);
    let response = server.request(request.clone()).await?;
    refused(&response, 415).context("without a content-type")?;
    let request = request.header("content-type", "text/plain");
    let response = server.request(request).await?;
    refused(&response, 415).context("content-type: text/plain")?;
    Ok(())
}

async fn unfit(program: &Program) -> Result {
    let server = program.start().await?;
    for body in [
        r#"{"a": 1}"#,
        r#"{"a": 1, "b": null}"#,
        r#"{"a": "1", "b": "2"}"#,
        r#"{"a": 1.5, "b": 2}"#,
        r#"{"a": 9223372036854775808, "b": 0}"#,
        "[]",
    ] {
        let response = add(&server, body).await?;
        refused(&response, 422).context(format_args!("POST /add {body}"))?;
    }
    Ok(())
}

async fn overflow(program: &Program) -> Result {
    let server = program.start().await?;
    for body in [
        r#"{"a": 9223372036854775807, "b": 1}"#,
        r#"{"a": -9223372036854775808, "b": -1}"#,
    ] {
        let answer = async { refused(&add(&server, body).await?, 422) };
        answer
            .await
            .context(format_args!("POST /add {body}"))
            .help(
                "a JavaScript number loses its last digits when it gets too large. An \
                 `i64` panics instead, or starts again at the other end in a release \
                 build. `checked_add` says that the sum does not fit",
            )?;
    }
    adds(&server, r#"{"a": 1, "b": 2}"#, 3).await
}
