//! A name for each socket that others may know.

use std::fmt;

use serde::Serialize;
use socketioxide::{
    adapter::Adapter,
    socket::{Sid, Socket},
};

use crate::session::Session;

/// The public id of a socket: what others may know it by.
///
/// In Node a socket has two ids: `socket.id`, which is shown to everybody, and the id of
/// the session (`socket.conn.id`), with which a client on HTTP polling identifies itself.
/// In socketioxide [`Socket::id`] is the id of the session: whoever knows it can send
/// events as that client, or close its connection. So give others this one instead.
///
/// As in Node, there is a room for each socket, named after its id, if the socket's
/// namespace has been given a [`connection`]. That makes private messages a matter of
/// [`room`]:
///
/// ```js
/// socket.on('tell', (to, text) => io.to(to).emit('told', socket.id, text));
/// ```
///
/// ```
/// # use socketioxide::{SocketIo, extract::{Data, SocketRef}};
/// # fn example(socket: SocketRef, io: SocketIo) {
/// # use parity::UserId;
/// let tell = async move |socket: SocketRef, Data((to, text)): Data<(String, String)>| {
///     let told = (UserId::of(&socket), text);
///     parity::broadcast(io.to(to), "told", &told).ok();
/// };
/// parity::on(&socket, "tell", tell);
/// # }
/// ```
///
/// (That handler lets `to` be any room, as the one for Node does.)
///
/// A client knows the id of its session as `socket.id`, but not this one: send it in the
/// handler of the [`connection`].
///
/// [`connection`]: crate::connection
/// [`room`]: UserId::room
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(Sid);

impl UserId {
    /// The public id of this socket, the same at every call.
    pub fn of<A: Adapter>(socket: &Socket<A>) -> Self {
        Session::of(socket).user
    }

    /// The room in which this socket is alone.
    pub fn room(&self) -> String {
        self.to_string()
    }

    pub(crate) fn random() -> Self {
        // 96 random bits, and no session's.
        Self(Sid::new())
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserId({self})")
    }
}

impl Serialize for UserId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.as_str())
    }
}
