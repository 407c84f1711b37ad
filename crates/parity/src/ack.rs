//! The callback that a client passes as the last argument.

use std::{convert::Infallible, fmt, sync::Arc};

use serde::Serialize;
use socketioxide::{
    SendError,
    adapter::{Adapter, LocalAdapter},
    extract::AckSender,
    handler::{FromMessageParts, Value},
    socket::Socket,
};

use crate::emit::when_there_is_room;

/// An extractor for the callback that the client has passed, if it has.
///
/// Where socketioxide's [`AckSender`] drops the answer if the socket's buffer is full,
/// this one waits for room, like [`emit`](crate::emit()).
///
/// | to call | in Node | in Rust |
/// |---|---|---|
/// | with three arguments | `callback(a, b, c)` | `ack.send(&(a, b, c))` |
/// | with one | `callback(a)` | `ack.send(&a)` |
/// | with one that is an array | `callback([a, b])` | `ack.send(&vec![a, b])` |
/// | without any | `callback()` | `ack.send(&NOTHING)` |
pub struct Ack<A: Adapter = LocalAdapter> {
    socket: Arc<Socket<A>>,
    id: Option<i64>,
}

/// No arguments: `emit('event')` and `callback()`. (`()` is one argument, `null`.)
pub const NOTHING: [(); 0] = [];

impl<A: Adapter> Ack<A> {
    /// Whether the client has passed a callback.
    pub fn is_wanted(&self) -> bool {
        self.id.is_some()
    }

    /// Calls the callback. Without one it does nothing.
    ///
    /// # Errors
    ///
    /// [`SendError::Serialize`], or [`SendError::Socket`] when the client is gone.
    pub async fn send<T>(self, data: &T) -> Result<(), SendError>
    where
        T: Serialize + ?Sized,
    {
        when_there_is_room(&self.socket, || {
            // An `AckSender` can be used once, and this may take several attempts.
            let mut nothing = Value::Bytes(bytes::Bytes::new());
            let sender =
                AckSender::from_message_parts(&self.socket, &mut nothing, &self.id);
            match sender {
                Ok(sender) => sender.send(data),
                Err(never) => match never {},
            }
        })
        .await
    }
}

impl<A: Adapter> FromMessageParts<A> for Ack<A> {
    type Error = Infallible;

    fn from_message_parts(
        socket: &Arc<Socket<A>>,
        _: &mut Value,
        ack: &Option<i64>,
    ) -> Result<Self, Infallible> {
        Ok(Self {
            socket: socket.clone(),
            id: *ack,
        })
    }
}

impl<A: Adapter> fmt::Debug for Ack<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ack").field("id", &self.id).finish()
    }
}
