//! `socket.on('disconnecting', …)`.

use std::{
    marker::PhantomData,
    sync::{Arc, PoisonError},
};

use futures_util::future::BoxFuture;
use socketioxide::{
    adapter::Adapter,
    extract::SocketRef,
    handler::FromDisconnectParts,
    socket::{DisconnectReason, Socket},
};

use crate::{
    handler::{Refusal, for_closures},
    session::Session,
};

/// Adds a handler for when the socket is disconnected: Node's `disconnecting`, with the
/// rooms of the socket still known. To extract: [`SocketRef`], [`DisconnectReason`],
/// [`SocketIo`](socketioxide::SocketIo).
///
/// With [`Socket::on_disconnect`], a handler that panics or hangs, or whose argument
/// cannot be extracted, leaves the socket in its rooms for ever: a ghost in every list,
/// and every broadcast to such a room returns an error. With this one the socket leaves
/// its rooms in any case, 3 seconds later at most; a handler that needs longer goes on.
///
/// It runs after the handlers of the events that came before have begun, and also when
/// the server [closes](crate::close()).
///
/// Call it in the handler of a [`connection`](crate::connection()).
pub fn on_disconnect<A, H, T>(socket: &SocketRef<A>, handler: H)
where
    A: Adapter,
    H: DisconnectHandler<A, T>,
    T: Send + Sync + 'static,
{
    let session = Session::of(socket);
    let mut farewells = session
        .farewells
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    farewells.push(Arc::new(Erased(handler, PhantomData)));
}

/// A disconnect handler whose type has been forgotten, for a list.
pub(crate) trait Farewell<A: Adapter>: Send + Sync + 'static {
    fn call(
        &self,
        socket: &Arc<Socket<A>>,
        reason: DisconnectReason,
    ) -> Result<BoxFuture<'static, ()>, Refusal>;
}

struct Erased<H, T>(H, PhantomData<T>);

impl<A, H, T> Farewell<A> for Erased<H, T>
where
    A: Adapter,
    H: DisconnectHandler<A, T>,
    T: Send + Sync + 'static,
{
    fn call(
        &self,
        socket: &Arc<Socket<A>>,
        reason: DisconnectReason,
    ) -> Result<BoxFuture<'static, ()>, Refusal> {
        self.0.call(socket, reason)
    }
}

/// A handler for [`on_disconnect`]: an async closure whose arguments can be extracted
/// when a client leaves.
#[diagnostic::on_unimplemented(
    message = "this is not a disconnect handler",
    note = "it is an async closure or function that can be cloned, returns nothing, and has up to six extractors as arguments"
)]
pub trait DisconnectHandler<A: Adapter, T>: Send + Sync + 'static {
    /// The future that handles the disconnect, or why there is none.
    #[doc(hidden)]
    fn call(
        &self,
        socket: &Arc<Socket<A>>,
        reason: DisconnectReason,
    ) -> Result<BoxFuture<'static, ()>, Refusal>;
}

macro_rules! disconnect_handler {
    ($($T:ident),*) => {
        #[allow(
            non_snake_case, unused_variables, unused_mut,
            reason = "a type's name is its argument's, and some closures take none"
        )]
        impl<A, F, Fut, $($T,)*> DisconnectHandler<A, ($($T,)*)> for F
        where
            A: Adapter,
            F: FnOnce($($T,)*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = ()> + Send + 'static,
            $($T: FromDisconnectParts<A> + Send,)*
        {
            fn call(
                &self,
                socket: &Arc<Socket<A>>,
                reason: DisconnectReason,
            ) -> Result<BoxFuture<'static, ()>, Refusal> {
                $(let $T = $T::from_disconnect_parts(socket, reason)
                    .map_err(|error| error.to_string())?;)*
                Ok(Box::pin((self.clone())($($T,)*)))
            }
        }
    };
}
for_closures!(disconnect_handler);
