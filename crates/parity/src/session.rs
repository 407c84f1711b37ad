//! What is kept for each socket: its public id, its handlers, and its turn in the queue.

use std::{
    borrow::Cow,
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak, atomic::AtomicUsize},
    time::Duration,
};

use futures_util::{
    FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered,
};
use socketioxide::{
    adapter::Adapter,
    handler::Value,
    socket::{DisconnectReason, Socket},
};
use tokio::sync::{mpsc, watch};

use crate::{disconnect::Farewell, emit::Pace, event::Listener, user::UserId};

/// How long the handlers of a disconnect may keep a socket in its rooms.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// The default of `max_buffer_size`, in packets.
const BUFFER: usize = 128;

/// What a client did, in the order in which it did it.
pub(crate) enum Turn<A: Adapter> {
    Event(Arc<Socket<A>>, Value, Option<i64>),
    Disconnect(Arc<Socket<A>>, DisconnectReason, Box<dyn FnOnce() + Send>),
}

type Listeners<A> = HashMap<Cow<'static, str>, Vec<Arc<dyn Listener<A>>>>;

/// The state of one socket, kept in its `extensions`.
pub(crate) struct Session<A: Adapter> {
    pub(crate) user: UserId,
    pub(crate) listeners: RwLock<Listeners<A>>,
    pub(crate) farewells: Mutex<Vec<Arc<dyn Farewell<A>>>>,
    /// Who emits holds it until there was room, so that nobody overtakes.
    pub(crate) pace: tokio::sync::Mutex<Pace>,
    /// How many broadcasts are in that line.
    pub(crate) kept: AtomicUsize,
    /// In boxes, as an empty queue has room for 32.
    pub(crate) turns: mpsc::UnboundedSender<Box<Turn<A>>>,
    /// Unlike a `SocketRef` this can be given to extractors. Weak, as the socket owns us.
    pub(crate) socket: OnceLock<Weak<Socket<A>>>,
    waiting: Mutex<Option<mpsc::UnboundedReceiver<Box<Turn<A>>>>>,
    /// True once the client is gone, or has been given up.
    pub(crate) gone: watch::Sender<bool>,
}

impl<A: Adapter> Session<A> {
    /// The session of this socket, which is made at the first call.
    pub(crate) fn of(socket: &Socket<A>) -> Arc<Self> {
        // Two tasks that ask at once must get the same session.
        static FIRST: Mutex<()> = Mutex::new(());
        if let Some(session) = socket.extensions.get() {
            return session;
        }
        let _first = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = socket.extensions.get() {
            return session;
        }
        let (turns, waiting) = mpsc::unbounded_channel();
        let session = Arc::new(Self {
            user: UserId::random(),
            listeners: RwLock::default(),
            farewells: Mutex::default(),
            pace: tokio::sync::Mutex::new(Pace::new(BUFFER)),
            kept: AtomicUsize::new(0),
            turns,
            socket: OnceLock::new(),
            waiting: Mutex::new(Some(waiting)),
            gone: watch::Sender::new(false),
        });
        socket.extensions.insert(session.clone());
        session
    }

    /// Starts to work through the turns, `connected` before all others.
    pub(crate) fn start(&self, connected: BoxFuture<'static, ()>) {
        let waiting = self.waiting.lock();
        let waiting = waiting.unwrap_or_else(PoisonError::into_inner).take();
        if let Some(turns) = waiting {
            tokio::spawn(take_turns(turns, connected));
        }
    }

    pub(crate) fn is_gone(&self) -> bool {
        *self.gone.borrow()
    }

    /// Waits until the client is gone.
    pub(crate) async fn gone(&self) {
        // This cannot fail: `self` keeps the sender.
        let _ = self.gone.subscribe().wait_for(|gone| *gone).await;
    }
}

/// Runs the handlers of one socket in one task, as Node runs those of all sockets in one
/// thread: a handler begins when the one before it has ended or reached an `await` that
/// has to wait.
async fn take_turns<A: Adapter>(
    mut turns: mpsc::UnboundedReceiver<Box<Turn<A>>>,
    connected: BoxFuture<'static, ()>,
) {
    let mut unfinished = FuturesUnordered::new();
    // Polls a handler once, and keeps it if that was not enough.
    let begin = |handler: BoxFuture<'static, ()>,
                 unfinished: &FuturesUnordered<_>| {
        // A panic is printed by the panic hook; the other handlers go on.
        let mut handler = AssertUnwindSafe(handler).catch_unwind();
        // Tokio makes a task that has done much wait although there is nothing to wait
        // for. Here that would let the next handler begin too early.
        let first = tokio::task::unconstrained(&mut handler);
        if first.now_or_never().is_none() {
            unfinished.push(handler);
        }
    };
    begin(connected, &unfinished);
    loop {
        let turn = tokio::select! {
            turn = turns.recv() => turn,
            Some(_) = unfinished.next() => continue,
        };
        match turn.map(|turn| *turn) {
            Some(Turn::Event(socket, value, ack)) => {
                for handler in crate::event::handlers(&socket, &value, ack) {
                    begin(handler, &unfinished);
                }
            }
            Some(Turn::Disconnect(socket, reason, then)) => {
                tokio::spawn(async move {
                    say_farewell(&socket, reason).await;
                    then();
                });
            }
            None => break,
        }
    }
    while unfinished.next().await.is_some() {}
}

/// Runs the handlers of a disconnect. Neither a panic nor a handler that hangs keeps the
/// socket in its rooms for longer than [`PATIENCE`].
async fn say_farewell<A: Adapter>(
    socket: &Arc<Socket<A>>,
    reason: DisconnectReason,
) {
    let session = Session::of(socket);
    session.gone.send_replace(true);
    let farewells = {
        let mut list = session
            .farewells
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *list)
    };
    let socket = socket.clone();
    // In a task of its own: what takes too long goes on, without the rooms.
    let handlers = tokio::spawn(async move {
        for farewell in farewells {
            match farewell.call(&socket, reason) {
                Ok(handler) => {
                    let _ = AssertUnwindSafe(handler).catch_unwind().await;
                }
                Err(error) => eprintln!("a disconnect handler cannot run: {error}"),
            }
        }
    });
    if tokio::time::timeout(PATIENCE, handlers).await.is_err() {
        eprintln!("a disconnect handler takes more than {PATIENCE:?}");
    }
    // A handler may hold the socket, which holds the handlers: it would never be freed.
    let listeners = session.listeners.write();
    listeners.unwrap_or_else(PoisonError::into_inner).clear();
}
