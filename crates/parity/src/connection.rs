//! `io.on('connection', …)`.

use std::{
    fmt::Display,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use socketioxide::{
    SocketIo,
    adapter::Adapter,
    handler::{
        ConnectHandler, ConnectMiddleware, DisconnectHandler, FromConnectParts,
        MessageHandler, Value,
    },
    operators::BroadcastOperators,
    socket::{DisconnectReason, Socket},
};

use crate::{
    emit::{Pace, cut_off},
    handler::{Refusal, for_closures},
    session::{Session, Turn},
};

/// Makes of an async closure a connect handler for [`SocketIo::ns`] or
/// [`SocketIo::dyn_ns`] that keeps Node's promises.
///
/// | | Node | socketioxide alone |
/// |---|---|---|
/// | the first event of a client | waits for the connection handler | is lost if it arrives before the handlers are registered |
/// | events of one client | are handled in order | are tasks of their own, in any order |
/// | a wrong argument | is the handler's business | the handler does not run, and nobody learns of it |
/// | a room for each socket | named after `socket.id` | none |
/// | two clients that are the first in a namespace of [`SocketIo::dyn_ns`] at once | are both in it | one of them hears nothing, and its connection is closed when it says something |
///
/// ```js
/// io.on('connection', (socket) => {
///   socket.on('shout', (text) => io.emit('shout', text.toUpperCase()));
///   socket.emit('welcome', socket.id);
/// });
/// ```
///
/// ```
/// # use socketioxide::{SocketIo, extract::{Data, SocketRef}};
/// # let (_layer, io) = SocketIo::new_layer();
/// io.ns("/", parity::connection(async |socket: SocketRef, io: SocketIo| {
///     parity::on(&socket, "shout", async move |Data(text): Data<String>| {
///         parity::broadcast(io.broadcast(), "shout", &text.to_uppercase()).ok();
///     });
///     parity::emit(&socket, "welcome", &parity::UserId::of(&socket)).await.ok();
/// }));
/// ```
///
/// The client has been told that it is connected when the handler runs, so that it may
/// emit at once. What the client sends meanwhile waits until the handler has ended or
/// reached an `await` that has to wait: register all handlers before that, with [`on`]
/// (those registered with [`Socket::on`] get no such guarantee).
///
/// Of two clients that are the first in a dynamic namespace at once, one is disconnected by
/// the server, within a second. It may connect again.
///
/// Middleware is added as usual, with `.with(…)`, and runs before any of this. If the
/// handler asks for [`Data`] and the client's `auth` does not fit, the client gets a
/// `connect_error` that says why.
///
/// [`on`]: crate::on
/// [`Data`]: socketioxide::extract::Data
/// [`SocketIo::ns`]: socketioxide::SocketIo::ns
/// [`SocketIo::dyn_ns`]: socketioxide::SocketIo::dyn_ns
pub fn connection<A, H, T>(handler: H) -> impl ConnectHandler<A, Connected<T>>
where
    A: Adapter,
    H: ConnectionHandler<A, T>,
    T: Send + Sync + 'static,
{
    // A connect handler with middleware ignores a middleware of its own, so this one is
    // added as the user would.
    let prepare = Prepare(handler.clone());
    ConnectHandler::<A, Connected<T>>::with(Connection::new(handler), prepare)
}

/// A handler for [`connection`]: an async closure whose arguments can be extracted when
/// a client connects.
#[diagnostic::on_unimplemented(
    message = "this is not a connection handler",
    note = "it is an async closure or function that can be cloned, returns nothing, and has up to six extractors as arguments"
)]
pub trait ConnectionHandler<A: Adapter, T>: Clone + Send + Sync + 'static {
    /// The future that handles a connection, or why there is none.
    #[doc(hidden)]
    fn call(
        &self,
        socket: &Arc<Socket<A>>,
        auth: &Option<Value>,
    ) -> Result<BoxFuture<'static, ()>, Refusal>;

    /// The same, without keeping what was extracted.
    #[doc(hidden)]
    fn check(
        &self,
        socket: &Arc<Socket<A>>,
        auth: &Option<Value>,
    ) -> Result<(), Refusal>;
}

macro_rules! connection_handler {
    ($($T:ident),*) => {
        #[allow(
            non_snake_case, unused_variables, unused_mut,
            reason = "a type's name is its argument's, and some closures take none"
        )]
        impl<A, F, Fut, $($T,)*> ConnectionHandler<A, ($($T,)*)> for F
        where
            A: Adapter,
            F: FnOnce($($T,)*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = ()> + Send + 'static,
            $($T: FromConnectParts<A> + Send,)*
        {
            fn call(
                &self,
                socket: &Arc<Socket<A>>,
                auth: &Option<Value>,
            ) -> Result<BoxFuture<'static, ()>, Refusal> {
                $(let $T = $T::from_connect_parts(socket, auth)
                    .map_err(|error| error.to_string())?;)*
                Ok(Box::pin((self.clone())($($T,)*)))
            }

            fn check(
                &self,
                socket: &Arc<Socket<A>>,
                auth: &Option<Value>,
            ) -> Result<(), Refusal> {
                $($T::from_connect_parts(socket, auth)
                    .map_err(|error| error.to_string())?;)*
                Ok(())
            }
        }
    };
}
for_closures!(connection_handler);

/// Marks the handlers that [`connection`] makes.
pub struct Connected<T>(std::marker::PhantomData<T>);

/// Runs once the client knows that it is connected.
struct Connection<H> {
    handler: H,
    made: Instant,
}

impl<H: Clone> Clone for Connection<H> {
    /// A namespace gets a clone when it is made.
    fn clone(&self) -> Self {
        Self::new(self.handler.clone())
    }
}

impl<H> Connection<H> {
    fn new(handler: H) -> Self {
        Self {
            handler,
            made: Instant::now(),
        }
    }
}

impl<A, H, T> ConnectHandler<A, Connected<T>> for Connection<H>
where
    A: Adapter,
    H: ConnectionHandler<A, T>,
    T: Send + Sync + 'static,
{
    fn call(&self, socket: Arc<Socket<A>>, auth: Option<Value>) {
        match self.handler.call(&socket, &auth) {
            Ok(handler) => {
                Session::of(&socket).start(handler);
                if is_replaced(&socket) {
                    tokio::spawn(cut_off(socket.into()));
                } else if self.made.elapsed() < DOUBT {
                    tokio::spawn(async move {
                        tokio::time::sleep(DOUBT).await;
                        if is_replaced(&socket) {
                            cut_off(socket.into()).await;
                        }
                    });
                }
            }
            // `Prepare` has extracted the same a moment ago.
            Err(error) => eprintln!("a connection handler cannot run: {error}"),
        }
    }
}

/// How long a new namespace may be replaced by another of the same name.
const DOUBT: Duration = Duration::from_secs(1);

/// Whether the namespace of this socket is no longer the one of its name.
///
/// If two clients ask for a namespace of [`SocketIo::dyn_ns`] at the same moment, before
/// there is one, both make it, and the second takes the place of the first.
fn is_replaced<A: Adapter>(socket: &Arc<Socket<A>>) -> bool {
    let Ok(io) = SocketIo::from_connect_parts(socket, &None);
    // There is none when the server is closing, which is another matter.
    let namespace = io.of(socket.ns());
    let is_absent = |now: BroadcastOperators<A>| now.get_socket(socket.id).is_none();
    socket.connected() && namespace.is_some_and(is_absent)
}

/// Runs before the client knows that it is connected.
#[derive(Clone)]
struct Prepare<H>(H);

impl<A, H, T> ConnectMiddleware<A, T> for Prepare<H>
where
    A: Adapter,
    H: ConnectionHandler<A, T>,
    T: Send + Sync + 'static,
{
    async fn call<'a>(
        &'a self,
        socket: Arc<Socket<A>>,
        auth: &'a Option<Value>,
    ) -> Result<(), Box<dyn Display + Send>> {
        if let Err(error) = self.0.check(&socket, auth) {
            return Err(Box::new(error));
        }
        let session = Session::of(&socket);
        let Ok(io) = SocketIo::from_connect_parts(&socket, auth);
        let buffer = io.config().engine_config.max_buffer_size;
        *session.pace.lock().await = Pace::new(buffer);
        // This fails if it was set before, to the same.
        let _ = session.socket.set(Arc::downgrade(&socket));
        socket.join(session.user.room());
        // No event has a handler of its own: each one comes here, and is put in line.
        socket.on_fallback(Receive);
        socket.on_disconnect(Leave);
        Ok(())
    }
}

struct Receive;

impl<A: Adapter> MessageHandler<A, Receive> for Receive {
    fn call(&self, socket: Arc<Socket<A>>, value: Value, ack: Option<i64>) {
        let session = Session::of(&socket);
        let turn = Turn::Event(socket.clone(), value, ack);
        // This fails when the queue has ended, and the socket with it.
        let _ = session.turns.send(Box::new(turn));
    }
}

struct Leave;

impl<A: Adapter> DisconnectHandler<A, Leave> for Leave {
    fn call_with_defer(
        &self,
        socket: Arc<Socket<A>>,
        reason: DisconnectReason,
        leave_rooms: fn(Arc<Socket<A>>),
    ) {
        // A socket can end twice, when a client that is disconnected from the namespace
        // closes its connection as well. Without a handler for the second time, the
        // socket would leave its rooms then, although the handlers are not done.
        socket.on_disconnect(LeaveNoMore);
        let session = Session::of(&socket);
        let then = {
            let socket = socket.clone();
            Box::new(move || leave_rooms(socket))
        };
        let turn = Turn::Disconnect(socket.clone(), reason, then);
        if session.turns.send(Box::new(turn)).is_err() {
            leave_rooms(socket);
        }
    }
}

struct LeaveNoMore;

impl<A: Adapter> DisconnectHandler<A, LeaveNoMore> for LeaveNoMore {
    fn call_with_defer(
        &self,
        socket: Arc<Socket<A>>,
        _: DisconnectReason,
        _: fn(Arc<Socket<A>>),
    ) {
        socket.on_disconnect(Self);
    }
}
