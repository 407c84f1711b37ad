//! `cargo book serve`: the newest good pages at 127.0.0.1, built again when a file
//! changes.

use crate::{
    edition::{Edition, Press},
    live, local,
    watch::Snapshot,
};
use anyhow::{Result, anyhow};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use lesson_kit::{bind, port, shutdown_signal};
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    fs,
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::{AbortHandle, spawn_blocking},
    time::sleep,
};
use tower_http::{
    services::{ServeDir, ServeFile},
    set_header::SetResponseHeaderLayer,
};

/// How often to look at the files.
const LOOK: Duration = Duration::from_millis(100);

/// How long they must have been quiet: an editor that saves all, or a checkout, writes
/// many files.
const QUIET: Duration = Duration::from_millis(50);

/// How long connections may take to end once the server has to stop.
const GOODBYE: Duration = Duration::from_secs(2);

/// What the handlers share.
#[derive(Clone)]
struct App {
    root: Arc<Path>,
    latest: watch::Receiver<Edition>,
    /// Every open live socket holds a copy: the server knows when all have ended.
    open: mpsc::Sender<()>,
}

/// Serves the book of the repository at `root` until Ctrl-C or SIGTERM.
///
/// The port is the environment variable `PORT`, else 4000.
///
/// # Errors
///
/// The port is taken or not a port, or `target/book` cannot be written. A mistake in
/// the book is not one: it is shown in the pages.
pub async fn serve(root: PathBuf) -> Result<()> {
    // `lesson_kit::Error` is for programs whose `main` returns it.
    let plain = |error: lesson_kit::Error| anyhow!("{error}");
    let stop = shutdown_signal().map_err(plain)?;
    let listener = bind(port(4000).map_err(plain)?).await.map_err(plain)?;

    let press = Press::new(&root)?;
    let (newest, latest) = watch::channel(Edition::default());
    let (open, all_closed) = mpsc::channel(1);
    let app = App {
        root: root.clone().into(),
        latest,
        open,
    };
    let builds = tokio::spawn(build_on_change(root, press, newest));
    run(listener, app, all_closed, stop, builds.abort_handle()).await?;
    // The press goes with its task, and removes its folder.
    let _ = builds.await;
    Ok(())
}

/// Answers requests until `stop`. Then ends the builds, and with them the live sockets,
/// and waits for what is open, but not for long: a browser may be asleep.
async fn run(
    listener: TcpListener,
    app: App,
    mut all_closed: mpsc::Receiver<()>,
    stop: impl Future<Output = ()> + Send + 'static,
    builds: AbortHandle,
) -> Result<()> {
    let (stopping, stopped) = oneshot::channel();
    let ended = async move {
        stop.await;
        // With it goes the sender of editions, which closes the live sockets.
        builds.abort();
        let _ = stopping.send(());
    };
    let serving = axum::serve(listener, router(app))
        .with_graceful_shutdown(ended)
        .into_future();
    let patience = async {
        let _ = stopped.await;
        sleep(GOODBYE).await;
    };
    tokio::select! {
        served = async {
            let served = serving.await;
            let _ = all_closed.recv().await;
            served
        } => Ok(served?),
        () = patience => Ok(()),
    }
}

fn router(app: App) -> Router {
    let no_store = HeaderValue::from_static("no-store");
    Router::new()
        .route("/__live", get(upgrade))
        .fallback(page)
        // The pages of two builds have the same names: nothing may be cached.
        .layer(SetResponseHeaderLayer::overriding(
            header::CACHE_CONTROL,
            no_store,
        ))
        .layer(middleware::from_fn(local::only_this_machine))
        .with_state(app)
}

async fn upgrade(State(app): State<App>, request: Request) -> Response {
    live::upgrade(app.latest, app.open, request).await
}

/// A file of the newest good build.
async fn page(State(mut app): State<App>, request: Request) -> Response {
    // A request before the end of the first build waits for it.
    let edition = match app.latest.wait_for(Edition::is_built).await {
        Ok(edition) => edition.clone(),
        Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    let mut response = match &edition.pages {
        Some(folder) => file(folder, request).await,
        None => no_pages(&app.root, &edition).await,
    };
    // How theme/live.js knows which build it is in.
    let build = format!("build;desc=\"{}\"", edition.id);
    let build = build
        .parse()
        .expect("an id is hexadecimal digits or `none`");
    response.headers_mut().insert("server-timing", build);
    response
}

async fn file(folder: &Path, request: Request) -> Response {
    let none = ServeFile::new(folder.join("404.html"));
    let mut files = ServeDir::new(folder).not_found_service(none);
    match files.try_call(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => {
            (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
        }
    }
}

/// What is shown until the first good build, when it reloads itself.
async fn no_pages(root: &Path, edition: &Edition) -> Response {
    let script = fs::read_to_string(root.join("book/theme/live.js")).await;
    let script = script.unwrap_or_default();
    let mut list = String::new();
    for problem in &edition.problems {
        let text = problem
            .to_string()
            .replace('&', "&amp;")
            .replace('<', "&lt;");
        let _ = write!(list, "<li><code>{text}</code></li>");
    }
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>The book does not build</title>\
         <style>body{{font:1rem/1.5 sans-serif;max-width:60rem;margin:3rem auto;\
         padding:0 1rem}}code{{overflow-wrap:anywhere}}</style>\
         <main><h1>The book does not build</h1><ul>{list}</ul>\
         <p>This page reloads itself when it does.</p></main>\
         <script>{script}</script></html>"
    );
    (StatusCode::SERVICE_UNAVAILABLE, Html(page)).into_response()
}

/// Builds at once, and again whenever a file has changed.
async fn build_on_change(
    root: PathBuf,
    mut press: Press,
    newest: watch::Sender<Edition>,
) {
    // Taken before the build, so that an edit during it is not missed.
    let mut seen = look(&root).await;
    loop {
        let start = Instant::now();
        let last = newest.borrow().clone();
        let (used, edition) = spawn_blocking(move || {
            let edition = press.print(&last);
            (press, edition)
        })
        .await
        .expect("a build returns its problems and does not panic");
        press = used;
        report(&edition, start.elapsed());
        newest.send_replace(edition);
        seen = changed(&root, seen).await;
    }
}

/// Waits until the files differ from `seen`, and then until they are quiet.
async fn changed(root: &Path, seen: Snapshot) -> Snapshot {
    let mut now = look(root).await;
    while now == seen {
        sleep(LOOK).await;
        now = look(root).await;
    }
    loop {
        sleep(QUIET).await;
        let later = look(root).await;
        if later == now {
            return now;
        }
        now = later;
    }
}

async fn look(root: &Path) -> Snapshot {
    let root = root.to_path_buf();
    spawn_blocking(move || Snapshot::take(&root))
        .await
        .expect("reading folders does not panic")
}

fn report(edition: &Edition, took: Duration) {
    match edition.problems.len() {
        0 => println!("built in {:.2} s", took.as_secs_f32()),
        n => {
            for problem in &edition.problems {
                eprintln!("{problem}");
            }
            let pages = match edition.pages {
                Some(_) => "the pages stay as they were",
                None => "there are no pages yet",
            };
            eprintln!("{n} to fix; {pages}");
        }
    }
}

#[cfg(test)]
mod tests;
