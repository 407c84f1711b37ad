//! Contract 01: any request is answered with `Hello World`.

use contract::{Request, Result};

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
