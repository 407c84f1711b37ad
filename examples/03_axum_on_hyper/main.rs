//! # 03 · `http.createServer(app)`
//!
//! One `serve`, given a plain function or a whole axum app. It is lesson 01's, with its
//! one fixed function turned into a parameter. This lesson is about why that works.
//!
//! Run it: `cargo run --example 03_axum_on_hyper` serves lesson 02's app;
//! `cargo run --example 03_axum_on_hyper -- hello` serves lesson 01's function.
//!
//! Try: `curl -i http://127.0.0.1:3000/hello/Ada` against each.
//!
//! New here: the trait `Service`, which to Rust is what "a function of `req` and `res`"
//! is to Node; and the two adapters that turn a function and a `Router` into one.

use std::{convert::Infallible, env, error::Error, time::Duration};

use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Body, Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::TcpListener;

// The app you wrote in lesson 02: this is the same file.
#[path = "../02_axum_app/main.rs"]
#[allow(dead_code, reason = "lesson 02's `main` stays there")]
mod lesson_02;

// ANCHOR: main
#[tokio::main]
async fn main() -> lesson_kit::Result {
    let only_hello = match env::args().nth(1).as_deref() {
        None => false,
        Some("hello") => true,
        Some(other) => {
            return Err(lesson_kit::Error::new(format!(
                "`{other}`: say `hello`, or nothing for the app"
            )));
        }
    };
    let shutdown = lesson_kit::shutdown_signal()?;
    let listener = lesson_kit::bind(lesson_kit::port(3000)?).await?;

    // A future, like any other: nothing in it runs until `select!` awaits it.
    let serving = async {
        // ANCHOR: services
        if only_hello {
            let service = service_fn(hello);
            serve(listener, service).await;
        } else {
            let app = lesson_02::app();
            let service = TowerToHyperService::new(app);
            serve(listener, service).await;
        }
        // ANCHOR_END: services
    };
    tokio::select! {
        () = serving => {}
        () = shutdown => {}
    }
    Ok(())
}
// ANCHOR_END: main

// ANCHOR: hello
/// Lesson 01's function.
async fn hello(
    _request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let text = HeaderValue::from_static("text/plain");
    let mut response = Response::new("Hello World".into());
    response.headers_mut().insert(CONTENT_TYPE, text);
    Ok(response)
}
// ANCHOR_END: hello

// ANCHOR: serve
/// `http.createServer(service)`, for anything that turns a request into a response.
///
/// Read the bounds as a sentence. `S` is called with a request and answers with a
/// response, later and without fail; each connection can have a clone of it; and it may
/// move to another thread, where it outlives this function. Its body `B` is a stream
/// that may fail halfway.
async fn serve<S, B>(listener: TcpListener, service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>>,
    B: Send + 'static,
{
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(connection) => connection,
            Err(error) => {
                eprintln!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let service = service.clone();
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                // So that a WebSocket can take over the connection: lesson 05.
                .with_upgrades();
            if let Err(error) = connection.await
                && !error.is_timeout()
            {
                eprintln!("{peer}: {error}");
            }
        });
    }
}
// ANCHOR_END: serve
