//! What every lesson imports.
//!
//! Nothing is here that a lesson has not shown before: [`port`], [`bind`] and
//! [`shutdown_signal`] come from `examples/01_raw_hyper/main.rs`, with the line that its
//! `run` prints; [`Error`] replaces the `match` in its `main`; [`listen`] is
//! lesson 04's, for any service; [`websocket`] is the handshake of lesson 05,
//! [`SCRIPT`] comes from its page, [`milliseconds`] is lesson 08's, and [`socketio`] the
//! frame of lesson 09.

pub mod socketio;
pub mod websocket;

use std::{convert::Infallible, env, fmt, io, pin::pin, time::Duration};

use hyper::{
    Request, Response,
    body::{Body, Incoming},
    server::conn::http1,
    service::Service,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::watch};

/// The stylesheet of the lessons' pages.
pub const STYLE: &str = include_str!("style.css");

/// The script that the lessons' pages share: a module with `add` and `show`, which lesson
/// 05 has in its page.
pub const SCRIPT: &str = include_str!("page.js");

/// What a lesson's `main` and its parts return.
pub type Result<T = ()> = std::result::Result<T, Error>;

/// Any error, on its way to the person who started the program.
///
/// When `main` returns an error, Rust prints it with [`fmt::Debug`] and exits with
/// code 1. This type's `Debug` is its `Display`, so what is printed is one plain line
/// and not a data structure. Like every such box it is not a [`std::error::Error`]
/// itself: that is what lets `?` turn any of those into it.
pub struct Error(Box<dyn std::error::Error + Send + Sync>);

impl Error {
    /// An error that says `message`.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into().into())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

/// The port that the environment variable `PORT` asks for, or `default`.
///
/// 0 means any free port.
///
/// # Errors
///
/// `PORT` is set to something that is not a number from 0 to 65535.
pub fn port(default: u16) -> Result<u16> {
    match env::var_os("PORT") {
        None => Ok(default),
        Some(text) => parse_port(&text.to_string_lossy()),
    }
}

fn parse_port(text: &str) -> Result<u16> {
    text.parse().map_err(|_| {
        Error::new(format!(
            "PORT={text} is not a port: set a number from 0 to 65535 (0: any free one)"
        ))
    })
}

/// The time that the environment variable `name` asks for, or `default`, both in
/// milliseconds.
///
/// # Errors
///
/// It is set to something that is not a whole number from 0 to 2147483647.
pub fn milliseconds(name: &str, default: u32) -> Result<Duration> {
    let text = env::var(name).unwrap_or(default.to_string());
    match text.parse() {
        Ok(number @ 0..=0x7fff_ffff) => Ok(Duration::from_millis(number)),
        _ => {
            let error = format!("{name}={text} is not a number of milliseconds");
            Err(Error::new(error))
        }
    }
}

/// Listens on `127.0.0.1:port` and says so on standard output, in the form
/// `listening on http://127.0.0.1:3000`.
///
/// Once that line is out, a client may connect: the kernel keeps it in the listener's
/// queue until it is accepted.
///
/// # Errors
///
/// The port is taken, or the system refuses it.
pub async fn bind(port: u16) -> Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(
        |error| match error.kind() {
            io::ErrorKind::AddrInUse => Error::new(format!(
                "port {port} is taken: stop what listens there, or set PORT to another"
            )),
            _ => Error::new(format!("cannot listen on port {port}: {error}")),
        },
    )?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(listener)
}

/// How long requests in flight may take to finish once the server has to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Serves HTTP/1.1 on the port that `PORT` asks for (default 3000) until Ctrl-C or
/// SIGTERM, then lets the requests in flight finish, for up to 5 seconds.
///
/// This is the `listen` of lesson 04, for any service, as in lesson 03. An upgraded
/// connection (RFC 9110, section 7.8) has ended as far as this function is concerned:
/// whoever takes it over has to look after it.
///
/// # Errors
///
/// `PORT` is not a port, or is taken.
pub async fn listen<S, B>(service: S) -> Result
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    B: Send + 'static,
{
    let mut shutdown = pin!(shutdown_signal()?);
    let listener = bind(port(3000)?).await?;
    let stop = watch::Sender::new(());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let (stream, peer) = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                eprintln!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Nagle's algorithm holds a small packet back until the one before it has been
        // acknowledged, which can take 40 ms: no way to send frames. Node turns it off
        // as well. If that fails, the connection is gone, and hyper will find out.
        let _ = stream.set_nodelay(true);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service.clone())
            .with_upgrades();
        let mut stopping = stop.subscribe();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                _ = stopping.changed() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended
                && !error.is_timeout()
            {
                eprintln!("{peer}: {error}");
            }
        });
    }
    drop(listener);
    stop.send_replace(());
    tokio::select! {
        () = stop.closed() => {}
        () = tokio::time::sleep(GRACE) => {
            eprintln!("stopped, {} connections unfinished", stop.receiver_count());
        }
    }
    Ok(())
}

/// A future that completes at the first Ctrl-C or SIGTERM (on Windows: Ctrl-C,
/// Ctrl-Break, closing the console, or system shutdown).
///
/// The signals are caught from this call on, not from the first `await`: call it before
/// [`bind`], and no signal is missed in between.
///
/// # Errors
///
/// The system refuses to install a handler.
#[cfg(unix)]
pub fn shutdown_signal() -> Result<impl Future<Output = ()> + Send> {
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

/// A future that completes at the first Ctrl-C, Ctrl-Break, closing of the console, or
/// system shutdown (on Unix: Ctrl-C or SIGTERM).
///
/// The signals are caught from this call on, not from the first `await`: call it before
/// [`bind`], and no signal is missed in between.
///
/// # Errors
///
/// The system refuses to install a handler.
#[cfg(windows)]
pub fn shutdown_signal() -> Result<impl Future<Output = ()> + Send> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
    let (mut c, mut pause) = (ctrl_c()?, ctrl_break()?);
    let (mut close, mut shutdown) = (ctrl_close()?, ctrl_shutdown()?);
    Ok(async move {
        tokio::select! {
            _ = c.recv() => {}
            _ = pause.recv() => {}
            _ = close.recv() => {}
            _ = shutdown.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_number_from_0_to_65535() {
        assert_eq!(parse_port("0").expect("0 asks for any free port"), 0);
        assert_eq!(parse_port("65535").expect("the highest port"), 65535);
        for bad in ["", "abc", "-1", "65536", "80 ", "0x50"] {
            let error = parse_port(bad).expect_err(bad).to_string();
            assert!(
                error.starts_with(&format!("PORT={bad} is not a port")),
                "{error}"
            );
        }
    }

    #[test]
    fn an_error_prints_its_causes_on_one_line() {
        #[derive(Debug)]
        struct Outer(io::Error);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("cannot start")
            }
        }
        impl std::error::Error for Outer {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&self.0)
            }
        }
        let error = Error::from(Outer(io::Error::other("no more files")));
        assert_eq!(format!("{error:?}"), "cannot start: no more files");
    }
}
