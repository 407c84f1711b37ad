//! `io.close()`.

use std::time::Duration;

use futures_util::future::join_all;
use socketioxide::{SocketIo, adapter::Adapter, socket::DisconnectReason};
use tokio::sync::oneshot;

use crate::session::{Session, Turn};

/// How long a client that does not read may hold up the end, once the handlers have run.
const PATIENCE: Duration = Duration::from_secs(1);

/// Closes all connections, after the disconnect handlers have run.
///
/// It is Node's `io.close()`: each handler that was added with [`on_disconnect`] runs
/// with the rooms of its socket still known and with the reason
/// [`DisconnectReason::ClosingServer`], then the connections are closed in a way that lets
/// the clients come back by themselves, as soon as there is a server again.
///
/// socketioxide's [`SocketIo::close`] runs no disconnect handler. Disconnecting all
/// sockets of all [`nsps`](SocketIo::nsps) runs them, but a client that was disconnected
/// like this stays away until it is told to connect.
///
/// It ends after 5 seconds at most. Call it when the server has to stop, beside the
/// server rather than after it: a client on HTTP polling has a request in flight until
/// then.
///
/// ```no_run
/// # async fn example(app: hyper_util::service::TowerToHyperService<axum::Router>, io: socketioxide::SocketIo) -> lesson_kit::Result {
/// let stop = lesson_kit::shutdown_signal()?;
/// tokio::try_join!(lesson_kit::listen(app), async {
///     stop.await;
///     parity::close(&io).await;
///     Ok(())
/// })?;
/// # Ok(()) }
/// ```
///
/// After it, [`SocketIo::emit`], [`SocketIo::to`] and the like panic, as there is no
/// namespace any more.
///
/// [`on_disconnect`]: crate::on_disconnect()
pub async fn close<A: Adapter>(io: &SocketIo<A>) {
    let sockets = io.nsps().into_iter().flat_map(|all| all.local().sockets());
    let farewells = sockets.filter_map(|socket| {
        let session = Session::of(&socket);
        // Without a `connection` there are no handlers of ours.
        let socket = session.socket.get()?.upgrade()?;
        let (done, over) = oneshot::channel();
        let then = Box::new(move || {
            // This fails if nobody waits any more.
            let _ = done.send(());
        });
        let reason = DisconnectReason::ClosingServer;
        let turn = Turn::Disconnect(socket, reason, then);
        session.turns.send(Box::new(turn)).ok()?;
        Some(over)
    });
    let farewells = join_all(farewells.collect::<Vec<_>>());
    // The sessions have their own limit, unless a handler keeps its thread busy.
    let limit = crate::session::PATIENCE + PATIENCE;
    if tokio::time::timeout(limit, farewells).await.is_err() {
        eprintln!("a handler does not end, and disconnect handlers wait for it");
    }
    if tokio::time::timeout(PATIENCE, io.close()).await.is_err() {
        eprintln!("a client does not read, its connection is not closed");
    }
}
