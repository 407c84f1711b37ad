use contract::{Explain, Failure, Program, Request, Result, Server};
use tokio::net::{TcpListener, TcpStream};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("answers", 2, "it answers on the port that it names", answers),
        check("at_once", 2, "half a request keeps nobody else waiting", at_once)
            .after("answers"),
        check("nonsense", 2, "nonsense and sudden ends do it no harm", nonsense)
            .after("answers"),
        check("alone", 1, "it listens on 127.0.0.1 and nowhere else", alone)
            .after("answers"),
        check("taken", 2, "a taken port is one line, and exit code 1", taken),
    ]
}

async fn answers(program: &Program) -> Result {
    let server = program.start().await?;
    if server.addr().port() == 0 {
        let message = "the line on stdout names port 0, at which nobody can be reached";
        return Err(Failure::new(message)).help(
            "0 asks for any free port. The listener knows which one it has got: \
             `listener.local_addr()`, as `server.address().port` in Node",
        );
    }
    let mut connection = server.connect().await?;
    for _ in 0..3 {
        let response = connection.request(&Request::get("/")).await?;
        response.expect_status(200)?.expect_body("Hello World")?;
    }
    Ok(())
}

/// Whether a new client gets its answer.
async fn still_answers(server: &Server) -> Result {
    let response = server.request(Request::get("/")).await?;
    response.expect_body("Hello World")?;
    Ok(())
}

async fn at_once(program: &Program) -> Result {
    let server = program.start().await?;
    let mut half = server.connect().await?;
    half.send("GET / HTTP/1.1\r\nhost: local").await?;
    still_answers(&server)
        .await
        .context("a second client, while the first has sent half a request")
        .help(
            "an `.await` in the loop waits until that connection has ended, and accepts \
             nobody else in the meantime. Node calls you back for each; here you \
             `tokio::spawn` a task for each",
        )?;
    half.send("host\r\n\r\n").await?;
    let response = half.response().await.context("the first client")?;
    response.expect_body("Hello World")?;
    Ok(())
}

async fn nonsense(program: &Program) -> Result {
    let server = program.start().await?;
    for sent in [
        "",
        "GE",
        "GET / HTTP/1.1\r\nho",
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nhalf",
    ] {
        leaves(&server, sent)
            .await
            .context(format_args!("a client that sends {sent:?} and leaves"))
            .help(HARMLESS)?;
    }
    for sent in ["HELLO\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n", "\0\0\0\0"] {
        is_refused(&server, sent)
            .await
            .context(format_args!("a client that sends {sent:?}"))
            .help(HARMLESS)?;
    }
    still_answers(&server).await.context("the next one").help(HARMLESS)
}

/// Someone sends this and hangs up.
async fn leaves(server: &Server, sent: &str) -> Result {
    server.connect().await?.send(sent).await?;
    still_answers(server).await.context("the next one")
}

/// Someone sends this, which is no HTTP. hyper answers it and hangs up.
async fn is_refused(server: &Server, sent: &str) -> Result {
    let mut connection = server.connect().await?;
    connection.send(sent).await?;
    connection.response().await?.expect_status(400)?;
    connection.closed().await?;
    still_answers(server).await.context("the next one")
}

const HARMLESS: &str = "an error on a connection is the end of that connection, and a \
                        line on stderr perhaps. A `?` in the loop makes it the end of \
                        the server, as an `'error'` event that nobody listens to does \
                        in Node";

/// 127.0.0.2 is this machine too, where the system has that address: a server that
/// listens on every address takes this connection.
async fn alone(program: &Program) -> Result {
    let server = program.start().await?;
    // macOS has no such address, and takes its time to say so.
    if cfg!(target_os = "macos") {
        return Ok(());
    }
    let other = format!("127.0.0.2:{}", server.addr().port());
    match TcpStream::connect(&other).await {
        Err(_) => Ok(()),
        Ok(_) => Err(Failure::new(format!("{other} is open as well"))).help(
            "0.0.0.0 is every address that this machine has, as `listen(port)` is in \
             Node: what you try out here is open to the whole network",
        ),
    }
}

async fn taken(program: &Program) -> Result {
    let taken = TcpListener::bind("127.0.0.1:0").await?;
    let port = taken.local_addr()?.port();
    let exit = program.clone().env("PORT", port).run().await;
    exit.context(format_args!("with PORT={port}, which is taken"))?
        .expect_refusal(&port.to_string())
        .help(
            "an error that `main` returns is printed as one line and exits with 1; a \
             panic is neither. And what the system says is \"address already in use\": \
             which one, only you know. `map_err` can add it",
        )
}
