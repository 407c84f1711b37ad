//! `socket.emit`, `io.to(…).emit`, and the same with an answer.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use futures_util::{FutureExt, future::join_all};
use serde::{Serialize, de::DeserializeOwned};
use socketioxide::{
    AckError, SendError, SocketError, adapter::Adapter, extract::SocketRef,
    operators::BroadcastOperators, socket::Socket,
};
use tokio::task::unconstrained;

use crate::{Args, session::Session};

/// Emits an event to a socket, and waits for room in its buffer if there is none.
///
/// Node's `emit` keeps whatever cannot be sent yet, without a limit. socketioxide keeps
/// 128 packets for a socket (see [`max_buffer_size`]), and then [`Socket::emit`] drops
/// the event and returns an error: of 2,000 in a row, 128 arrive.
///
/// Events emitted one after another arrive in that order. It ends when the event is in
/// the buffer, or with an error when the client is gone: a client that does not read is
/// disconnected once it has not answered a ping, by default after 45 s at most. An emit
/// that was dropped before its end has not been sent.
///
/// [`max_buffer_size`]: socketioxide::SocketIoBuilder::max_buffer_size
///
/// # Errors
///
/// [`SendError::Serialize`], or [`SendError::Socket`] with [`SocketError::Closed`].
pub async fn emit<A, T>(
    socket: &SocketRef<A>,
    event: impl AsRef<str>,
    data: &T,
) -> Result<(), SendError>
where
    A: Adapter,
    T: Serialize + ?Sized,
{
    let event = event.as_ref();
    when_there_is_room(socket, || socket.emit(event, data)).await
}

/// Emits an event and waits for the client's answer, for up to `timeout`, not counting
/// the time until there was room for it in the socket's buffer.
///
/// It is `socket.timeout(ms).emitWithAck(event, …)`. With socketioxide's
/// [`emit_with_ack`](Socket::emit_with_ack), the event is dropped when the buffer is
/// full, and when the client leaves, the answer is awaited for the whole time all the
/// same. (That the client has left is known in the namespaces that have a
/// [`connection`](crate::connection()).)
///
/// # Errors
///
/// [`AckError::Timeout`]; [`AckError::Socket`] when the client is gone;
/// [`AckError::Decode`] when the answer is not a `V`, or `data` cannot be serialized.
pub async fn emit_with_ack<V, A, T>(
    socket: &SocketRef<A>,
    timeout: Duration,
    event: impl AsRef<str>,
    data: &T,
) -> Result<V, AckError>
where
    V: DeserializeOwned,
    A: Adapter,
    T: Serialize + ?Sized,
{
    let event = event.as_ref();
    let session = Session::of(socket);
    let answer = when_there_is_room(socket, || {
        socket.timeout(timeout).emit_with_ack(event, data)
    })
    .await
    .map_err(|error| match error {
        SendError::Serialize(error) => AckError::Decode(error),
        SendError::Socket(error) => AckError::Socket(error),
    })?;
    tokio::select! {
        answer = answer => answer,
        () = session.gone() => Err(AckError::Socket(SocketError::Closed)),
    }
}

/// Emits an event to each of these sockets, and leaves nobody out.
///
/// It is `io.to(room).emit(event, …)`, and takes what [`SocketIo::to`], [`Socket::to`],
/// [`SocketIo::broadcast`] and the like return. Their own `emit` leaves out whose buffer
/// is full, and returns an error that does not say who that is.
///
/// Nobody waits for another, nor does the caller for anybody: as in Node, what a socket
/// has no room for yet is kept, in order. Unlike Node there is an end to it. A client for
/// which 10,000 events are kept is disconnected.
///
/// Sockets of other processes get nothing.
///
/// [`SocketIo::to`]: socketioxide::SocketIo::to
/// [`SocketIo::broadcast`]: socketioxide::SocketIo::broadcast
///
/// # Errors
///
/// [`SendError::Serialize`].
///
/// # Panics
///
/// Outside of a Tokio runtime.
pub fn broadcast<A, T>(
    sockets: BroadcastOperators<A>,
    event: impl AsRef<str>,
    data: &T,
) -> Result<(), SendError>
where
    A: Adapter,
    T: Serialize + ?Sized,
{
    let event = event.as_ref();
    let mut kept = None;
    for socket in sockets.sockets() {
        let session = Session::of(&socket);
        if session.is_gone() {
            continue;
        }
        if let Ok(mut pace) = session.pace.try_lock()
            && pace.may_send()
        {
            match socket.emit(event, data) {
                Err(SendError::Socket(SocketError::InternalChannelFull)) => {
                    pace.slow_down();
                }
                Err(error @ SendError::Serialize(_)) => return Err(error),
                Ok(()) | Err(SendError::Socket(_)) => continue,
            }
        }
        let kept = match &kept {
            Some(kept) => kept,
            None => kept.insert(Arc::new((event.to_owned(), Args::of(data)?))),
        };
        keep(socket, &session, kept.clone());
    }
    Ok(())
}

/// How many events may wait for one client.
const LONGEST_LINE: usize = 10_000;

fn keep<A: Adapter>(
    socket: SocketRef<A>,
    session: &Arc<Session<A>>,
    kept: Arc<(String, Args)>,
) {
    if session.kept.fetch_add(1, Ordering::Relaxed) >= LONGEST_LINE {
        // All that waits for this client ends now, and nothing comes after it.
        session.gone.send_replace(true);
        tokio::spawn(cut_off(socket));
        return;
    }
    let session = session.clone();
    let mut sent = Box::pin(async move {
        let (event, data) = &*kept;
        // This fails if the client is gone.
        let _ = emit(&socket, event, data).await;
        session.kept.fetch_sub(1, Ordering::Relaxed);
    });
    // Polled once it has its place in the line: what the caller emits next comes later.
    if unconstrained(sent.as_mut()).now_or_never().is_none() {
        tokio::spawn(sent);
    }
}

/// Disconnects a client whose buffer may be full, as soon as the DISCONNECT finds room.
pub(crate) async fn cut_off<A: Adapter>(socket: SocketRef<A>) {
    while let Err(SocketError::InternalChannelFull) = socket.clone().disconnect() {
        tokio::time::sleep(Pace::LONGEST).await;
    }
}

/// Emits an event to each of these sockets, and returns what each has answered: it is
/// [`emit_with_ack`] for many. Who is leaving is not asked.
pub async fn broadcast_with_ack<V, A, T>(
    sockets: BroadcastOperators<A>,
    timeout: Duration,
    event: impl AsRef<str>,
    data: &T,
) -> Vec<(SocketRef<A>, Result<V, AckError>)>
where
    V: DeserializeOwned,
    A: Adapter,
    T: Serialize + ?Sized,
{
    let event = event.as_ref();
    let mut sockets = sockets.sockets();
    sockets.retain(|socket| !Session::of(socket).is_gone());
    join_all(sockets.into_iter().map(|socket| async move {
        let answer = emit_with_ack(&socket, timeout, event, data).await;
        (socket, answer)
    }))
    .await
}

/// Calls `send` until it does not fail for lack of room, in the order of the callers.
pub(crate) async fn when_there_is_room<A, R>(
    socket: &Socket<A>,
    mut send: impl FnMut() -> Result<R, SendError>,
) -> Result<R, SendError>
where
    A: Adapter,
{
    let session = Session::of(socket);
    let mut pace = session.pace.lock().await;
    loop {
        if session.is_gone() {
            return Err(SendError::Socket(SocketError::Closed));
        }
        if pace.may_send() {
            match send() {
                Err(SendError::Socket(SocketError::InternalChannelFull)) => {
                    pace.slow_down()
                }
                done => return done,
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pace.pause) => {}
            () = session.gone() => {}
        }
    }
}

/// How fast to fill a socket's buffer.
///
/// socketioxide says that a buffer is full, but not when it has room again, nor how much:
/// all one can do is to look again later. And a buffer must not be full for long, or a
/// ping finds no place in it, at which socketioxide closes the connection (the first ping
/// is due a millisecond after the handshake). So no more than half of the buffer is
/// filled at once, then there is a pause, and if the buffer is full all the same, the
/// pauses get longer.
pub(crate) struct Pace {
    /// How many packets at once, and how many of them are left.
    batch: usize,
    left: usize,
    pause: Duration,
    /// When this batch began.
    since: Instant,
}

impl Pace {
    const SHORTEST: Duration = Duration::from_millis(1);
    const LONGEST: Duration = Duration::from_millis(64);

    pub(crate) fn new(buffer: usize) -> Self {
        // Two of them leave a place for a ping.
        let batch = (buffer.saturating_sub(1) / 2).max(1);
        Self {
            batch,
            left: batch,
            pause: Self::SHORTEST,
            since: Instant::now(),
        }
    }

    fn may_send(&mut self) -> bool {
        let passed = self.since.elapsed();
        if passed >= self.pause {
            if passed > 2 * Self::LONGEST {
                // The burst is over.
                self.pause = Self::SHORTEST;
            }
            self.left = self.batch;
            self.since = Instant::now();
        }
        self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => return false,
        };
        true
    }

    fn slow_down(&mut self) {
        self.left = 0;
        self.pause = Self::LONGEST.min(self.pause * 2);
        self.since = Instant::now();
    }
}
