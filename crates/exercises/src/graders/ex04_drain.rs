use std::time::Duration;

use contract::{
    Connection, Exit, Explain, Failure, Program, Request, Result, Server, Signal,
    within,
};
use tokio::{io::AsyncReadExt, net::TcpStream};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("idle", 2, "idle clients do not hold up the end", idle),
        check("in_flight", 4, "requests in flight get their answers", in_flight)
            .after("idle"),
        check("refused", 2, "meanwhile, new clients are refused", refused)
            .after("in_flight"),
    ]
}

/// A client that has its answer, and has kept its connection.
async fn kept_alive(server: &Server) -> Result<Connection> {
    let mut connection = server.connect().await?;
    let response = connection.request(&Request::get("/")).await?;
    response.expect_body("Hello World")?;
    Ok(connection)
}

/// Fails unless this idle client is sent away. Then the server has begun to stop.
async fn sent_away(mut client: Connection) -> Result {
    client.note("SIGTERM");
    client.closed().await.help(
        "a connection that is kept alive does not end by itself. hyper ends it when its \
         `graceful_shutdown` is called: each connection has to be told, as \
         `closeIdleConnections()` tells them in Node",
    )
}

fn ended(exit: &Exit) -> Result {
    match exit.code {
        Some(0) => Ok(()),
        Some(code) => Err(Failure::expected("exit code", &0, &code)),
        None => Err(Failure::new("it did not exit, it was killed by a signal")),
    }
}

/// Waits for the end, when nobody is there any more.
async fn ends(server: Server) -> Result {
    let exit = server.exit().await.help(
        "every connection has ended, but the program goes on. Is somebody still counted \
         who has left? Is something awaited that never ends?",
    )?;
    ended(&exit)
}

async fn idle(program: &Program) -> Result {
    let server = program.start().await?;
    let silent = server.connect().await?;
    let kept_alive = kept_alive(&server).await?;
    server.signal(Signal::Terminate)?;
    sent_away(kept_alive)
        .await
        .context("a client between two requests")?;
    sent_away(silent)
        .await
        .context("a client that has sent nothing")?;
    ends(server).await
}

/// A client in the middle of its request. The server has begun to read it: that is when
/// it says `100 Continue` (RFC 9110, section 10.1.1).
async fn begin(server: &Server) -> Result<Connection> {
    let mut connection = server.connect().await?;
    connection
        .send(
            "POST /echo HTTP/1.1\r\nhost: localhost\r\n\
             content-type: text/plain\r\ncontent-length: 10\r\n\
             expect: 100-continue\r\n\r\n",
        )
        .await?;
    connection.response().await?.expect_status(100)?;
    connection.send("first ").await?;
    Ok(connection)
}

/// Sends the rest and gets the answer.
async fn finish(client: &mut Connection) -> Result {
    let answered = async {
        client.send("half").await?;
        let response = client.response().await?;
        response.expect_status(200)?.expect_body("first half")?;
        Result::Ok(())
    };
    answered.await.help(CUT_OFF)
}

const CUT_OFF: &str =
    "when `listen` returns, `main` does, and the program ends with all its tasks, as with \
     `process.exit()` in Node. No pause is long enough: wait until the last connection has \
     ended. And mind that what loses a `select!` is dropped: a connection too, with the \
     request in it";

async fn in_flight(program: &Program) -> Result {
    let mut server = program.start().await?;
    let kept_alive = kept_alive(&server).await?;
    let mut clients = [
        begin(&server).await?,
        begin(&server).await?,
        begin(&server).await?,
    ];
    server.signal(Signal::Terminate)?;
    clients.iter_mut().for_each(|client| client.note("SIGTERM"));
    sent_away(kept_alive).await?;
    // It has three to answer, so it must not end, whatever else it waits for.
    server
        .expect_running_for(Duration::from_millis(200))
        .await
        .map_err(|failure| failure.with(clients[0].transcript()))
        .context("three requests are in flight")
        .help(CUT_OFF)?;
    for (client, which) in clients.iter_mut().zip(["first", "second", "last"]) {
        finish(client)
            .await
            .context(format_args!("the {which} of three in flight"))?;
    }
    ends(server).await
}

async fn refused(program: &Program) -> Result {
    let server = program.start().await?;
    let kept_alive = kept_alive(&server).await?;
    let mut client = begin(&server).await?;
    server.signal(Signal::Terminate)?;
    client.note("SIGTERM");
    sent_away(kept_alive).await?;
    all_are_refused(&server).await.help(
        "as long as the listener is there, the system takes connections for it, and they \
         wait for a server that never comes. Drop it before you wait for the others",
    )?;
    finish(&mut client).await?;
    ends(server).await
}

/// Fails unless a new client cannot connect.
async fn all_are_refused(server: &Server) -> Result {
    for _ in 0..5 {
        let Ok(mut late) = TcpStream::connect(server.addr()).await else {
            return Ok(());
        };
        // One that came in the moment before is sent away like all who are idle.
        let _ = within("refusal of a new client", late.read(&mut [0])).await?;
    }
    Err(Failure::new("new clients are still let in"))
}
