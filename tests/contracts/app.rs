//! Contract 02: routes, JSON, and errors that are JSON too.

use contract::{Peer, Request, Response, Result, peer};
use serde_json::{Value, json};

use super::lesson;

#[tokio::test]
async fn the_root_says_hello_world() -> Result {
    let server = lesson().start().await?;
    let response = server.request(Request::get("/?query=1")).await?;
    response
        .expect_status(200)?
        .expect_header("content-type", "text/plain; charset=utf-8")?
        .expect_body("Hello World")?;
    Ok(())
}

#[tokio::test]
async fn a_name_in_the_path_is_greeted() -> Result {
    let server = lesson().start().await?;
    for (path, greeting) in [
        ("/hello/Ada", "Hello Ada"),
        ("/hello/Ada%20Lovelace", "Hello Ada Lovelace"),
        ("/hello/%ED%95%98%EB%8A%98", "Hello 하늘"),
        ("/hello/%2e%2e%2fetc", "Hello ../etc"),
        ("/hello/%3Cb%3E", "Hello <b>"),
    ] {
        let response = server.request(Request::get(path)).await?;
        response
            .expect_status(200)?
            // Never HTML: the name is the client's text.
            .expect_header("content-type", "text/plain; charset=utf-8")?
            .expect_body(greeting)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_name_that_is_not_utf_8_is_a_bad_request() -> Result {
    let server = lesson().start().await?;
    let response = server.request(Request::get("/hello/%ff")).await?;
    response.expect_error(400)?;
    Ok(())
}

async fn echo(body: impl Into<Vec<u8>>) -> Result<Response> {
    let server = lesson().start().await?;
    server.request(Request::post_json("/echo", body)).await
}

#[tokio::test]
async fn json_comes_back_with_the_same_value() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    for value in [
        json!({"op": "add", "args": [1, 2.5, -3e-9, true, null]}),
        json!({"b": 1, "a": {"c": []}}),
        json!(["하늘", "\u{1F980}", "\"\\\u{0}"]),
        json!("text"),
        json!(0),
        Value::Null,
    ] {
        let request = Request::post_json("/echo", value.to_string());
        let response = connection.request(&request).await?;
        response.expect_status(200)?.expect_json(&value)?;
    }
    Ok(())
}

#[tokio::test]
async fn bad_json_is_a_bad_request() -> Result {
    for bad in ["{\"a\":1", "{a:1}", "[1,]", "nul", "{} {}"] {
        echo(bad).await?.expect_error(400)?;
    }
    Ok(())
}

/// Express forgives more: a byte order mark (as RFC 8259, section 8.1, allows), an
/// empty body, which it takes for `{}`, and bytes that are not UTF-8, each of which
/// becomes U+FFFD.
#[tokio::test]
async fn a_bom_an_empty_body_and_bad_utf_8_are_where_the_two_differ() -> Result {
    for (body, node) in [
        ("\u{feff}{}".as_bytes(), json!({})),
        (b"", json!({})),
        (b"\"\xff\"", json!("\u{fffd}")),
    ] {
        let response = echo(body).await?;
        match peer() {
            Peer::Rust => response.expect_error(400)?,
            Peer::Node => response.expect_json(&node)?,
        };
    }
    Ok(())
}

#[tokio::test]
async fn after_bad_json_the_connection_goes_on() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    let bad = Request::post_json("/echo", "{");
    connection.request(&bad).await?.expect_error(400)?;
    let good = Request::post_json("/echo", "{}");
    connection.request(&good).await?.expect_json(&json!({}))?;
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_not_declared_as_json_is_unsupported() -> Result {
    let server = lesson().start().await?;
    for declared in [None, Some("text/plain"), Some("application/jsonp")] {
        let mut request = Request::new("POST", "/echo").body("{}");
        if let Some(declared) = declared {
            request = request.header("content-type", declared);
        }
        server.request(request).await?.expect_error(415)?;
    }
    let charset = "application/json; charset=utf-8";
    let request = Request::new("POST", "/echo")
        .header("content-type", charset)
        .body("{}");
    server.request(request).await?.expect_status(200)?;
    Ok(())
}

const LIMIT: usize = 100 * 1024;

#[tokio::test]
async fn a_body_at_the_limit_is_taken() -> Result {
    let text = "x".repeat(LIMIT - 2);
    echo(format!("\"{text}\""))
        .await?
        .expect_status(200)?
        .expect_json(&json!(text))?;
    Ok(())
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() -> Result {
    echo(format!("\"{}\"", "x".repeat(LIMIT - 1)))
        .await?
        .expect_error(413)?;
    Ok(())
}

/// No `content-length` to look at: the server has to count.
#[tokio::test]
async fn a_chunked_body_over_the_limit_is_refused() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    let head = "POST /echo HTTP/1.1\r\nhost: localhost\r\n\
        content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let half = LIMIT / 2 + 1;
    let chunk = format!("{half:x}\r\n{}\r\n", "1".repeat(half));
    // All of it, because Express answers only once it has seen the end.
    connection
        .send(format!("{head}{chunk}{chunk}0\r\n\r\n"))
        .await?;
    connection.response().await?.expect_error(413)?;
    Ok(())
}

#[tokio::test]
async fn an_unknown_path_is_not_found() -> Result {
    let server = lesson().start().await?;
    for path in ["/nothing", "/hello", "/hello/", "/hello/Ada/x", "/echo/x"] {
        for request in [Request::get(path), Request::post_json(path, "{}")] {
            server.request(request).await?.expect_error(404)?;
        }
    }
    Ok(())
}

/// RFC 9110, section 15.5.6: a 405 names the methods that are allowed.
#[tokio::test]
async fn a_wrong_method_is_refused_with_the_right_ones() -> Result {
    let server = lesson().start().await?;
    for (method, path, allowed) in [
        ("POST", "/", "GET,HEAD"),
        ("DELETE", "/hello/Ada", "GET,HEAD"),
        ("GET", "/echo", "POST"),
        ("PUT", "/echo", "POST"),
    ] {
        let response = server.request(Request::new(method, path)).await?;
        response.expect_error(405)?;
        let allow = response.header("allow").unwrap_or("").replace(' ', "");
        assert_eq!(allow, allowed, "{method} {path}");
    }
    Ok(())
}
