//! # 01 · A server with nothing but hyper
//!
//! Answers every request with `Hello World`, as `http.createServer((req, res) => …)`
//! does in Node. `node/server.mjs` beside this file is the same server in Node, and
//! `tests/lesson_01.rs` is the contract that both must pass.
//!
//! Run it: `cargo run --example 01_raw_hyper` (`PORT=8080` chooses another port, and
//! `PORT=0` any free one).
//!
//! Try: `curl -i http://127.0.0.1:3000/`, then with `--head`, then with another path.
//! Start it a second time while the first one runs. Stop it with Ctrl-C.
//!
//! New here: what Node does before your callback is called, written out. Listen;
//! accept; one task for each connection; the HTTP protocol on it; a function from
//! request to response.

use std::{convert::Infallible, env, io, process::ExitCode, time::Duration};

use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

/// Any error. Until errors are the subject of a lesson, this is enough.
type Error = Box<dyn std::error::Error + Send + Sync>;

// ANCHOR: main
#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    // Before the port: anyone who reads "listening" may send a signal at once.
    let shutdown = shutdown_signal()?;
    let listener = bind(port()?).await?;
    println!("listening on http://{}", listener.local_addr()?);

    // The first of the two to end drops the other.
    tokio::select! {
        () = serve(listener) => {}
        () = shutdown => {}
    }
    Ok(())
}
// ANCHOR_END: main

// ANCHOR: handler
/// The callback of `createServer`: a request comes in, and a
/// response is *returned*.
///
/// Nothing can go wrong in here, and `Infallible` says so.
async fn hello(
    _request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let text = HeaderValue::from_static("text/plain");
    let mut response = Response::new("Hello World".into());
    response.headers_mut().insert(CONTENT_TYPE, text);
    Ok(response)
}
// ANCHOR_END: handler

// ANCHOR: serve
/// What `createServer` does around the callback.
async fn serve(listener: TcpListener) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(connection) => connection,
            Err(error) => {
                // Most often: too many open files. Connections that end will free
                // some, so wait for that instead of dropping everyone.
                eprintln!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Each has its own task, so that a slow client keeps nobody waiting.
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                // With a timer, a client that has not sent the whole head of its next
                // request after 30 seconds is dropped. Without one it may stay.
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service_fn(hello));
            if let Err(error) = connection.await
                && !error.is_timeout()
            {
                eprintln!("{peer}: {error}");
            }
        });
    }
}
// ANCHOR_END: serve

// ANCHOR: listen
/// The port that the variable `PORT` asks for, or 3000.
fn port() -> Result<u16, Error> {
    let Some(text) = env::var_os("PORT") else {
        return Ok(3000);
    };
    let text = text.to_string_lossy();
    let expected = "set a number from 0 to 65535";
    text.parse()
        .map_err(|_| format!("PORT={text} is not a port: {expected}").into())
}

/// Only 127.0.0.1: what you try out is nobody else's business.
async fn bind(port: u16) -> Result<TcpListener, Error> {
    TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => format!(
                "port {port} is taken: stop what listens there, or set PORT to another"
            )
            .into(),
            _ => format!("cannot listen on port {port}: {error}").into(),
        })
}
// ANCHOR_END: listen

// ANCHOR: signal
/// Completes at the first Ctrl-C or SIGTERM. Signals are
/// caught from this call on; the future only waits for one.
#[cfg(unix)]
fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
// ANCHOR_END: signal

/// Windows has no SIGTERM: Ctrl-C, Ctrl-Break and a closing console stand in for it.
#[cfg(windows)]
fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close};
    let (mut c, mut pause, mut close) = (ctrl_c()?, ctrl_break()?, ctrl_close()?);
    Ok(async move {
        tokio::select! {
            _ = c.recv() => {}
            _ = pause.recv() => {}
            _ = close.recv() => {}
        }
    })
}
