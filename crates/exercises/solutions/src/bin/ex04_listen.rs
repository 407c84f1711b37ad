//! # Your own listen (chapter 04)
//!
//! `app.listen(port)` as in Express, written by you, with nothing but tokio and hyper.
//! `lesson_kit::bind` and `lesson_kit::listen` are how the course does it; here you do
//! without them. (`lesson_kit::Error::new` is allowed.)
//!
//! - It listens on 127.0.0.1, at the port that it is given, and on no other address: in
//!   Node, `listen(port)` without a host is open to the whole network.
//! - Once it listens, it prints one line: `listening on http://127.0.0.1:3000`. Port 0
//!   means any free one, and the line says which one that is.
//! - It serves all its clients at the same time. One that has sent half a request keeps
//!   nobody else waiting. Connections are kept alive, as always in HTTP/1.1.
//! - Clients that send nonsense, or leave half way, do it no harm.
//! - If the port is taken, the program prints one line on stderr, in which that port
//!   occurs, and nothing on stdout. Its exit code is 1. In Node this is the server's
//!   `'error'` event.
//!
//! It need not end in good order yet: that is the next exercise.
//!
//! Run it:   cargo run -p exercises --example ex04_listen
//! Grade it: cargo course watch ex04_listen
//! Or once:  cargo test -p exercises --test ex04_listen

// SOLUTION
use std::time::Duration;

use axum::{Router, routing::get};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
// STARTER
// use axum::{Router, routing::get};
// END

#[tokio::main]
async fn main() -> lesson_kit::Result {
    // When `main` returns an error, it is printed as one line, and the exit code is 1.
    app().listen(lesson_kit::port(3000)?).await
}

fn app() -> Router {
    Router::new().route("/", get(async || "Hello World"))
}

/// `app.listen(port)`.
trait Listen {
    /// Serves on `127.0.0.1:port`, and never ends by itself.
    async fn listen(self, port: u16) -> lesson_kit::Result;
}

impl Listen for Router {
    async fn listen(self, port: u16) -> lesson_kit::Result {
        // SOLUTION
        let listener =
            TcpListener::bind(("127.0.0.1", port))
                .await
                .map_err(|error| {
                    let message = format!("cannot listen on port {port}: {error}");
                    lesson_kit::Error::new(message)
                })?;
        println!("listening on http://{}", listener.local_addr()?);
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(connection) => connection,
                Err(error) => {
                    // Too many open files, say: those that end will free some.
                    eprintln!("cannot accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let app = TowerToHyperService::new(self.clone());
            tokio::spawn(async move {
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), app);
                if let Err(error) = connection.await
                    && !error.is_timeout()
                {
                    eprintln!("{peer}: {error}");
                }
            });
        }
        // STARTER
        // // TODO: bind, say so, then accept connections and have a task serve each.
        // todo!("listen on port {port}")
        // END
    }
}
