//! Requests that are under way at the same time.

use contract::{Explain, Request, Response, Result, Server};
use futures_util::future::try_join_all;

/// How many requests [`of_many`] sends: 25 from each of 20 clients.
pub(super) const MANY: usize = CLIENTS * EACH;
const CLIENTS: usize = 20;
const EACH: usize = 25;

/// Sends [`MANY`] requests, and returns what the answers say in that header.
pub(super) async fn of_many(
    server: &Server,
    path: &str,
    header: &str,
) -> Result<Vec<String>> {
    let clients = (0..CLIENTS).map(async |_| {
        let mut connection = server.connect().await?;
        let mut values = Vec::new();
        for _ in 0..EACH {
            let response = connection.request(&Request::get(path)).await?;
            values.extend(response.header(header).map(str::to_owned));
        }
        Result::Ok(values)
    });
    Ok(try_join_all(clients).await?.concat())
}

/// Sends the first half of a body to `POST /echo`, then all of `other`, then the second
/// half, and returns both answers, that of the first request first. `help` is for a
/// server that answers nobody in between.
pub(super) async fn overlap(
    server: &Server,
    content_type: &str,
    halves: [&str; 2],
    other: Request,
    help: &str,
) -> Result<[Response; 2]> {
    let length = halves.concat().len();
    let mut slow = server.connect().await?;
    slow.send(format!(
        "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-type: {content_type}\r\n\
         content-length: {length}\r\nexpect: 100-continue\r\n\r\n"
    ))
    .await?;
    // Sent when the handler asks for the body (RFC 9110, section 10.1.1): the request has
    // come through whatever is around it.
    slow.response().await?.expect_status(100)?;
    slow.send(halves[0]).await?;
    let other = server.request(other).await;
    let other = other
        .context("a second request, while the first has sent half of its body")
        .help(help)?;
    slow.send(halves[1]).await?;
    Ok([slow.response().await.context("the first request")?, other])
}
