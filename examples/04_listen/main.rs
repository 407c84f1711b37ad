//! # 04 · `app.listen(port)`
//!
//! Express gives an app a `listen` method; axum does not. Here you add it, and with it
//! the part that Node leaves to you: on SIGTERM no new client gets in, and every client
//! being served still gets an answer.
//!
//! Run it: `cargo run --example 04_listen`
//!
//! Try: hold a request open with
//! `(printf '{"slow":'; sleep 5; printf 'true}') | curl -T - -X POST -H 'content-type:
//! application/json' http://127.0.0.1:3000/echo`, press Ctrl-C on the server meanwhile,
//! and see that the answer still comes.
//!
//! New here: an extension trait, which is how Rust adds a method to somebody else's
//! type; and graceful shutdown, with one `watch` channel that tells every connection
//! to end and tells us when the last one has.

use std::{pin::pin, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::sync::watch;

#[path = "../02_axum_app/main.rs"]
#[allow(dead_code, reason = "lesson 02's `main` stays there")]
mod lesson_02;

// ANCHOR: main
#[tokio::main]
async fn main() -> lesson_kit::Result {
    let app = lesson_02::app();
    app.listen(lesson_kit::port(3000)?).await
}
// ANCHOR_END: main

/// How long requests in flight may take to finish once the server has to stop.
const GRACE: Duration = Duration::from_secs(5);

// ANCHOR: trait
/// `app.listen(port)`, for any type that implements it.
trait Listen {
    /// Serves on `127.0.0.1:port` until Ctrl-C or SIGTERM, then
    /// lets the requests in flight finish.
    async fn listen(self, port: u16) -> lesson_kit::Result;
}
// ANCHOR_END: trait

// ANCHOR: listen
impl Listen for Router {
    async fn listen(self, port: u16) -> lesson_kit::Result {
        let mut shutdown = pin!(lesson_kit::shutdown_signal()?);
        let listener = lesson_kit::bind(port).await?;
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
            // `self` is the app, as `this` is inside Express's `listen`.
            let app = TowerToHyperService::new(self.clone());
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), app)
                .with_upgrades();
            let mut stopping = stop.subscribe();
            tokio::spawn(async move {
                let mut connection = pin!(connection);
                let ended = tokio::select! {
                    ended = connection.as_mut() => ended,
                    _ = stopping.changed() => {
                        // Answer what is in flight, then close.
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

        // From here on a new client is refused at once, rather than left waiting.
        drop(listener);
        stop.send_replace(());
        // A connection drops its receiver when it ends, and the last one closes the
        // channel. (To hyper, an upgraded connection has ended: whatever took it over
        // has to look after it.)
        tokio::select! {
            () = stop.closed() => {}
            () = tokio::time::sleep(GRACE) => {
                eprintln!("stopped, {} connections unfinished", stop.receiver_count());
            }
        }
        Ok(())
    }
}
// ANCHOR_END: listen
