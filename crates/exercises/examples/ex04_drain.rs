//! # Leave in good order (chapter 04)
//!
//! The server below ends as soon as SIGTERM comes, and whoever is being served is cut
//! off. Make it leave in good order:
//!
//! - From the signal on, new clients are refused.
//! - A request in flight still gets its answer, however long it takes. There may be
//!   several.
//! - Clients that have no request in flight are sent away: one that is idle between two
//!   requests, and one that has never sent anything.
//! - When the last connection has ended, so does the program, with exit code 0, at once.
//!
//! In Node this is `server.close()`, `closeIdleConnections()`, and patience instead of
//! `process.exit()`. Chapter 04 has its own way. (It also gives up after five seconds.
//! That is not asked for here.)
//!
//! To see it, hold a request open, and stop the server with Ctrl-C meanwhile:
//!
//! ```text
//! (printf 'a slow '; sleep 5; printf 'text') | curl -T - -X POST http://127.0.0.1:3000/echo
//! ```
//!
//! Windows has no SIGTERM, so this is graded on Linux and macOS alone.
//!
//! Run it:   cargo run -p exercises --example ex04_drain
//! Grade it: cargo course watch ex04_drain
//! Or once:  cargo test -p exercises --test ex04_drain

use std::{pin::pin, time::Duration};

use axum::{
    Router,
    routing::{get, post},
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};

#[tokio::main]
async fn main() -> lesson_kit::Result {
    app().listen(lesson_kit::port(3000)?).await
}

fn app() -> Router {
    Router::new()
        .route("/", get(async || "Hello World"))
        .route("/echo", post(async |text: String| text))
}

/// `app.listen(port)`.
trait Listen {
    /// Serves on `127.0.0.1:port` until Ctrl-C or SIGTERM, then lets the requests in
    /// flight finish.
    async fn listen(self, port: u16) -> lesson_kit::Result;
}

impl Listen for Router {
    async fn listen(self, port: u16) -> lesson_kit::Result {
        let mut shutdown = pin!(lesson_kit::shutdown_signal()?);
        let listener = lesson_kit::bind(port).await?;
        // TODO: something that tells every connection to stop, and tells you when
        // the last one has.
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut shutdown => break,
            };
            let Ok((stream, _)) = accepted else {
                // Too many open files, say: those that end will free some.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let app = TowerToHyperService::new(self.clone());
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), app);
            tokio::spawn(async move {
                // TODO: this one only waits until the client is satisfied.
                if let Err(error) = connection.await
                    && !error.is_timeout()
                {
                    eprintln!("{error}");
                }
            });
        }
        // TODO: the signal has come. When may the program end?
        Ok(())
    }
}
