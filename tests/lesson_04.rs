//! The contract of lesson 04, `examples/04_listen`, and of its Node twin: contract 02,
//! and nobody who is being served is cut off.

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

const HEAD: &str = "POST /echo HTTP/1.1\r\nhost: localhost\r\n\
    content-type: application/json\r\ncontent-length: 14\r\n\r\n";

/// A client in the middle of its request.
async fn in_flight(server: &Server) -> Result<Connection> {
    let mut connection = server.connect().await?;
    // The first answer shows that the server has taken the connection.
    connection.send(format!("{HEAD}{{\"first\":true}}")).await?;
    connection
        .response()
        .await?
        .expect_json(&json!({"first": true}))?;
    connection.send(format!("{HEAD}{{\"slow\":")).await?;
    Ok(connection)
}

/// Waits until the server takes no new connection.
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
async fn a_request_in_flight_at_sigterm_still_completes() -> Result {
    let server = lesson().start().await?;
    let mut connection = in_flight(&server).await?;
    server.signal(Signal::Terminate)?;
    refused(&server).await?;
    connection.note("SIGTERM: no new client is accepted any more");
    connection.send("\"yes\"}").await?;
    let response = connection.response().await?;
    response
        .expect_status(200)?
        .expect_json(&json!({"slow": "yes"}))?;
    response.expect_header("connection", "close")?;
    connection.closed().await?;
    let exit = server.exit().await?;
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(0), ""));
    compare_with_the_book("04-drain", connection.transcript())
}

#[tokio::test]
#[cfg_attr(windows, ignore = "needs a system with signals")]
async fn who_never_finishes_is_cut_off_after_the_grace() -> Result {
    let server = lesson().start().await?;
    let mut connection = in_flight(&server).await?;
    let exit = server.stop(Signal::Terminate).await?;
    assert_eq!(exit.code, Some(0));
    assert!(exit.stderr.contains("unfinished"), "{}", exit.stderr);
    // Cut off: no answer came, whether the end is orderly or a reset.
    assert!(connection.response().await.is_err());
    Ok(())
}
