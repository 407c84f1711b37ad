//! Lesson 09's frame around a Socket.IO server: the page, the client files, an orderly
//! end.

use axum::{
    Router,
    http::{StatusCode, header},
    response::Html,
    routing::get,
};
use hyper_util::service::TowerToHyperService;
use parity::ClientFiles;
use socketioxide::{SocketIo, layer::SocketIoLayer};

use crate::{Result, SCRIPT, STYLE, listen, shutdown_signal};

/// Where npm installs the official client for browsers.
const OFFICIAL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../examples/node_modules/socket.io-client/dist"
);

/// Serves a lesson's page at `/` and Socket.IO at `/socket.io/` until Ctrl-C or SIGTERM,
/// on the port that `PORT` asks for (default 3000). Then the disconnect handlers run,
/// and the clients are sent away in a way that lets them come back.
///
/// # Errors
///
/// `PORT` is not a port, or is taken.
pub async fn serve(
    page: &'static str,
    layer: SocketIoLayer,
    io: SocketIo,
) -> Result {
    let style = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    let script = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    let app = Router::new()
        .route("/", get(async move || Html(page)))
        .route("/style.css", get(async move || (style, STYLE)))
        .route("/page.js", get(async move || (script, SCRIPT)))
        .fallback(async || (StatusCode::NOT_FOUND, "there is only /\n"));
    let app = parity::attach(app, layer, ClientFiles::new(OFFICIAL));

    let stop = shutdown_signal()?;
    tokio::try_join!(listen(TowerToHyperService::new(app)), async {
        stop.await;
        parity::close(&io).await;
        Ok(())
    })?;
    Ok(())
}
