//! What every lesson promises about HTTP/1.1 itself, whatever it answers on `/`.

use contract::{Peer, Request, Result, Server, peer};

use super::lesson;

/// Whether a new client gets its answer, whatever the others did.
async fn still_answers(server: &Server) -> Result {
    let response = server.request(Request::get("/")).await?;
    response.expect_body("Hello World")?;
    Ok(())
}

#[tokio::test]
async fn a_connection_is_kept_alive() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    for _ in 0..3 {
        let response = connection.request(&Request::get("/")).await?;
        response.expect_status(200)?.expect_body("Hello World")?;
    }
    Ok(())
}

#[tokio::test]
async fn connection_close_is_honoured() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    let request = Request::get("/").header("connection", "close");
    let response = connection.request(&request).await?;
    response
        .expect_status(200)?
        .expect_header("connection", "close")?;
    connection.closed().await
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    connection.send("GET / HTTP/1.0\r\n\r\n").await?;
    connection.response().await?.expect_body("Hello World")?;
    connection.closed().await
}

/// RFC 9110, section 9.3.2: the same headers as GET, and no body.
#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    let get = connection.request(&Request::get("/")).await?;
    let head = connection.request(&Request::new("HEAD", "/")).await?;
    head.expect_status(200)?.expect_body("")?;
    assert_eq!(head.header("content-type"), get.header("content-type"));
    // RFC 9110, section 8.6, lets a server leave this one out, as Node's `http` does.
    if let Some(length) = head.header("content-length") {
        assert_eq!(get.header("content-length"), Some(length));
    }
    // Were there a body after all, it would stand before this response.
    connection
        .request(&Request::get("/"))
        .await?
        .expect_body("Hello World")?;
    Ok(())
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() -> Result {
    let server = lesson().start().await?;
    let mut connection = server.connect().await?;
    let host = connection.host().to_owned();
    let mut both = Request::get("/").to_bytes(&host);
    both.extend(
        Request::get("/")
            .header("connection", "close")
            .to_bytes(&host),
    );
    connection.send(both).await?;
    let first = connection.response().await?;
    first.expect_body("Hello World")?;
    assert_ne!(first.header("connection"), Some("close"));
    let second = connection.response().await?;
    second
        .expect_body("Hello World")?
        .expect_header("connection", "close")?;
    connection.closed().await
}

#[tokio::test]
async fn a_thousand_requests_on_fifty_connections_are_all_answered() -> Result {
    let server = lesson().start().await?;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let mut connection = server.connect().await?;
        clients.spawn(async move {
            for _ in 0..20 {
                let response = connection.request(&Request::get("/")).await?;
                response.expect_status(200)?.expect_body("Hello World")?;
            }
            Ok(20)
        });
    }
    let answered: Vec<Result<u32>> = clients.join_all().await;
    assert_eq!(answered.into_iter().sum::<Result<u32>>()?, 1_000);
    Ok(())
}

#[tokio::test]
async fn a_slow_client_is_served() -> Result {
    let server = lesson().start().await?;
    let mut slow = server.connect().await?;
    for byte in Request::get("/").to_bytes("localhost") {
        slow.send([byte]).await?;
        // The pause is the slow client itself: each byte in a packet of its own.
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    slow.response()
        .await?
        .expect_status(200)?
        .expect_body("Hello World")?;
    Ok(())
}

#[tokio::test]
async fn a_half_sent_request_keeps_nobody_else_waiting() -> Result {
    let server = lesson().start().await?;
    let mut half = server.connect().await?;
    half.send("GET / HTTP/1.1\r\nhost: local").await?;
    still_answers(&server).await?;
    half.send("host\r\n\r\n").await?;
    half.response().await?.expect_body("Hello World")?;
    Ok(())
}

#[tokio::test]
async fn a_client_that_leaves_half_way_does_no_harm() -> Result {
    let server = lesson().start().await?;
    for half in [
        "",
        "GE",
        "GET / HTTP/1.1\r\nho",
        "POST / HTTP/1.1\r\n\
         host: localhost\r\ncontent-length: 9\r\n\r\nhalf",
    ] {
        server.connect().await?.send(half).await?;
    }
    still_answers(&server).await
}

/// A request line is `method SP target SP version` (RFC 9112, section 3), a header
/// `name: value` (section 5).
#[tokio::test]
async fn a_malformed_request_is_answered_400_and_closed() -> Result {
    let server = lesson().start().await?;
    for malformed in [
        "HELLO",
        "GET / / HTTP/1.1",
        "GET / HTTP/one",
        "G\u{e9}T / HTTP/1.1",
        "GET / HTTP/1.1\r\nno colon",
        "GET / HTTP/1.1\r\nbad name: 1",
        "GET / HTTP/1.1\r\na: \0",
        "GET / HTTP/1.1\r\ncontent-length: ten",
    ] {
        let mut connection = server.connect().await?;
        let request = format!("{malformed}\r\nhost: localhost\r\n\r\n");
        connection.send(request).await?;
        connection.response().await?.expect_status(400)?;
        connection.closed().await?;
    }
    still_answers(&server).await
}

/// Where hyper and Node read the RFC differently: hyper leaves it to the application
/// to require a `Host` (RFC 9112, section 3.2), and Node forgives a second space in the
/// request line (section 3).
#[tokio::test]
async fn a_missing_host_and_a_second_space_are_where_the_two_differ() -> Result {
    let server = lesson().start().await?;
    for (request, rust, node) in [
        ("GET / HTTP/1.1\r\n\r\n", 200, 400),
        ("GET  / HTTP/1.1\r\nhost: a\r\n\r\n", 400, 200),
    ] {
        let mut connection = server.connect().await?;
        connection.send(request).await?;
        let expected = match peer() {
            Peer::Rust => rust,
            Peer::Node => node,
        };
        connection.response().await?.expect_status(expected)?;
    }
    Ok(())
}
