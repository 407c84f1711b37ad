//! `socket.on(event, …)`.

use std::{
    borrow::Cow,
    marker::PhantomData,
    sync::{Arc, PoisonError},
};

use futures_util::future::BoxFuture;
use serde::Serialize;
use socketioxide::{
    adapter::Adapter,
    extract::{Event, SocketRef},
    handler::{FromMessageParts, Value},
    socket::Socket,
};

use crate::{
    handler::{Refusal, for_closures},
    session::Session,
};

/// Adds a handler for an event, as `socket.on(event, handler)` does in Node.
///
/// - The events of one client are handled in the order in which they came. A handler
///   begins when the one before it has ended, or waits for something.
///   ([`Socket::on`] starts each as a task of its own: of 2,000 events in a row some
///   dozens overtake others.)
/// - A second handler for the same event is added to the first ([`Socket::on`] replaces
///   it).
/// - If an argument does not fit, the client gets the event `problem` with
///   `{"event": …, "error": …}` (with [`Socket::on`] nothing happens at all). Extract
///   [`TryData`] to answer yourself, or [`Args`] to take whatever comes.
/// - A handler that panics harms no other.
///
/// As in Node, handlers that wait can mix: of two that each emit twice, and have to wait
/// for room in between, the second can emit its first before the first its second.
///
/// Call it in the handler of a [`connection`], before the first `await` that has to wait.
/// Without `connection` there is nobody who would call the handlers.
///
/// ```js
/// socket.on('event_name', (text, number, object, callback) => callback(text, number, object));
/// ```
///
/// ```
/// # use socketioxide::extract::{Data, SocketRef};
/// # fn example(socket: SocketRef) {
/// # use serde_json::Value;
/// use parity::Ack;
/// parity::on(
///     &socket,
///     "event_name",
///     async |Data((text, number, object)): Data<(String, i64, Value)>, ack: Ack| {
///         ack.send(&(text, number, object)).await.ok();
///     },
/// );
/// # }
/// ```
///
/// [`connection`]: crate::connection
/// [`Args`]: crate::Args
/// [`TryData`]: socketioxide::extract::TryData
pub fn on<A, H, T>(
    socket: &SocketRef<A>,
    event: impl Into<Cow<'static, str>>,
    handler: H,
) where
    A: Adapter,
    H: EventHandler<A, T>,
    T: Send + Sync + 'static,
{
    let session = Session::of(socket);
    let mut listeners = session
        .listeners
        .write()
        .unwrap_or_else(PoisonError::into_inner);
    let erased = Arc::new(Erased(handler, PhantomData));
    listeners.entry(event.into()).or_default().push(erased);
}

/// What a client gets with the event `problem` if one of its own had arguments that do
/// not fit.
#[derive(Serialize)]
struct Problem<'a> {
    event: &'a str,
    error: &'a str,
}

/// The handlers of an event that has come, ready to run.
pub(crate) fn handlers<A: Adapter>(
    socket: &Arc<Socket<A>>,
    value: &Value,
    ack: Option<i64>,
) -> Vec<BoxFuture<'static, ()>> {
    let name = Event::from_message_parts(socket, &mut value.clone(), &ack);
    let Ok(Event(event)) = name else {
        // socketioxide has read the name before, to find a handler for it.
        return Vec::new();
    };
    let session = Session::of(socket);
    let listeners = session
        .listeners
        .read()
        .unwrap_or_else(PoisonError::into_inner);
    let Some(listeners) = listeners.get(event.as_str()) else {
        return Vec::new();
    };
    listeners
        .iter()
        .map(|listener| {
            listener
                .call(socket, value.clone(), ack)
                .unwrap_or_else(|error| refuse(socket, event.clone(), error))
        })
        .collect()
}

fn refuse<A: Adapter>(
    socket: &Arc<Socket<A>>,
    event: String,
    error: Refusal,
) -> BoxFuture<'static, ()> {
    let socket = SocketRef::from(socket.clone());
    Box::pin(async move {
        let (event, error) = (event.as_str(), error.as_str());
        // If this fails, the client is gone.
        let _ = crate::emit(&socket, "problem", &Problem { event, error }).await;
    })
}

/// A handler whose type has been forgotten, for a map.
pub(crate) trait Listener<A: Adapter>: Send + Sync + 'static {
    fn call(
        &self,
        socket: &Arc<Socket<A>>,
        value: Value,
        ack: Option<i64>,
    ) -> Result<BoxFuture<'static, ()>, Refusal>;
}

struct Erased<H, T>(H, PhantomData<T>);

impl<A, H, T> Listener<A> for Erased<H, T>
where
    A: Adapter,
    H: EventHandler<A, T>,
    T: Send + Sync + 'static,
{
    fn call(
        &self,
        socket: &Arc<Socket<A>>,
        value: Value,
        ack: Option<i64>,
    ) -> Result<BoxFuture<'static, ()>, Refusal> {
        self.0.call(socket, value, ack)
    }
}

/// A handler for [`on`]: an async closure whose arguments can be extracted from an event.
#[diagnostic::on_unimplemented(
    message = "this is not an event handler",
    note = "it is an async closure or function that can be cloned, returns nothing, and has up to six extractors as arguments"
)]
pub trait EventHandler<A: Adapter, T>: Send + Sync + 'static {
    /// The future that handles an event, or why there is none.
    #[doc(hidden)]
    fn call(
        &self,
        socket: &Arc<Socket<A>>,
        value: Value,
        ack: Option<i64>,
    ) -> Result<BoxFuture<'static, ()>, Refusal>;
}

macro_rules! event_handler {
    ($($T:ident),*) => {
        #[allow(
            non_snake_case, unused_variables, unused_mut,
            reason = "a type's name is its argument's, and some closures take none"
        )]
        impl<A, F, Fut, $($T,)*> EventHandler<A, ($($T,)*)> for F
        where
            A: Adapter,
            F: FnOnce($($T,)*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = ()> + Send + 'static,
            $($T: FromMessageParts<A> + Send,)*
        {
            fn call(
                &self,
                socket: &Arc<Socket<A>>,
                mut value: Value,
                ack: Option<i64>,
            ) -> Result<BoxFuture<'static, ()>, Refusal> {
                $(let $T = $T::from_message_parts(socket, &mut value, &ack)
                    .map_err(|error| error.to_string())?;)*
                Ok(Box::pin((self.clone())($($T,)*)))
            }
        }
    };
}
for_closures!(event_handler);
