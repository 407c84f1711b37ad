//! The contract of lesson 04, `examples/04_listen`, and of its Node twin: contract 02,
//! and no client that is being served is cut off.

use std::time::Duration;

use contract::{
    Connection, Lesson, Result, Server, Signal, compare_with_the_book, within,
};
use serde_json::json;

#[path = "contracts/app.rs"]
mod app;
#[path = "contracts/http.rs"]
mod http;
#[path = "contracts/program.rs"]
mod program;

fn lesson() -> Lesson {
    Lesson::new("04_listen")
}

/// A client in the middle of its request: the head and half of the body are sent.
///
/// It asks for `100 Continue` (RFC 9110, section 10.1.1), because that is how a client
/// learns that the server has started on its request.
async fn in_flight(server: &Server) -> Result<Connection> {
    let mut connection = server.connect().await?;
    connection
        .send(
            "POST /echo HTTP/1.1\r\nhost: localhost\r\n\
             content-type: application/json\r\ncontent-length: 14\r\n\
             expect: 100-continue\r\n\r\n",
        )
        .await?;
    connection.response().await?.expect_status(100)?;
    connection.send("{\"slow\":").await?;
    Ok(connection)
}

/// Waits until the server accepts no new connections.
async fn refused(server: &Server) -> Result {
    within("refusal of a new connection", async {
        while server.connect().await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await
}

#[tokio::test]
#[cfg_attr(windows, ignore = "needs a system with signals")]
async fn a_request_in_flight_at_sigterm_still_completes_as_recorded() -> Result {
    let mut server = lesson().start().await?;
    let mut connection = in_flight(&server).await?;
    server.signal(Signal::Terminate)?;
    refused(&server).await?;
    connection.note("SIGTERM: no new client is accepted any more");
    // It has not answered yet, so it must not exit, even if asked again.
    server.signal(Signal::Interrupt)?;
    server
        .expect_running_for(Duration::from_millis(200))
        .await
        .map_err(|failure| failure.with(connection.transcript()))?;
    connection.send("\"yes\"}").await?;
    let response = connection.response().await?;
    response
        .expect_status(200)?
        .expect_json(&json!({"slow": "yes"}))?;
    response.expect_header("connection", "close")?;
    connection.closed().await?;
    server.exit().await?.expect_clean()?;
    compare_with_the_book("04-drain", connection.transcript())
}

#[tokio::test]
#[cfg_attr(windows, ignore = "needs a system with signals")]
async fn a_client_that_never_finishes_is_cut_off_after_the_grace() -> Result {
    let server = lesson().start().await?;
    let mut connection = in_flight(&server).await?;
    let exit = server.stop(Signal::Terminate).await?;
    assert_eq!(exit.code, Some(0));
    assert!(exit.stderr.contains("unfinished"), "{}", exit.stderr);
    // Cut off: no answer came, whether the end is orderly or a reset.
    assert!(connection.response().await.is_err());
    Ok(())
}
