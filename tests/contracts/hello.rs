//! Contract 01: any request is answered with `Hello World`.

use contract::{Peer, Request, Result, peer};

use super::lesson;

#[tokio::test]
async fn any_path_is_hello_world_in_plain_text() -> Result {
    let server = lesson().start().await?;
    for path in ["/", "/any/path", "/?query=1", "/%F0%9F%A6%80", "//", "*"] {
        let response = server.request(Request::get(path)).await?;
        response
            .expect_status(200)?
            .expect_header("content-type", "text/plain")?
            .expect_header("content-length", "11")?
            .expect_body("Hello World")?;
    }
    Ok(())
}

#[tokio::test]
async fn any_method_is_hello_world_too() -> Result {
    let server = lesson().start().await?;
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let request = Request::new(method, "/").body("not looked at");
        let response = server.request(request).await?;
        response.expect_status(200)?.expect_body("Hello World")?;
    }
    Ok(())
}

/// A body that nobody reads must not be taken for the next request.
#[tokio::test]
async fn a_body_that_is_not_read_is_skipped() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    let body = "GET /smuggled HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let response = connection
        .request(&Request::new("POST", "/").body(body))
        .await?;
    response.expect_body("Hello World")?;
    let last = Request::get("/").header("connection", "close");
    connection
        .request(&last)
        .await?
        .expect_header("connection", "close")?;
    connection.closed().await
}

/// RFC 9110, section 8.6, lets a server leave `content-length` out of the answer to
/// HEAD. Node's `http` does so.
#[tokio::test]
async fn the_length_in_the_answer_to_head_is_where_the_two_differ() -> Result {
    let server = lesson().start().await?;
    let head = server.request(Request::new("HEAD", "/")).await?;
    match peer() {
        Peer::Rust => head.expect_header("content-length", "11")?,
        Peer::Node => head.expect_no_header("content-length")?,
    };
    Ok(())
}
