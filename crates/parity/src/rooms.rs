//! `io.of('/').adapter.rooms`.

use std::collections::{BTreeMap, BTreeSet};

use socketioxide::{
    adapter::Adapter, operators::BroadcastOperators, socket::Socket,
};

use crate::UserId;

/// The rooms of a namespace, each with its members, as `name` calls them.
///
/// It is Node's `adapter.rooms`, without the rooms of single sockets, which everybody
/// filters out. socketioxide can list the rooms, and the sockets in one, but has no map.
/// Rooms in other processes of a cluster are not in it, as in Node.
///
/// ```js
/// const { rooms, sids } = io.of('/').adapter;
/// const map = [...rooms].filter(([room]) => !sids.has(room));
/// ```
///
/// ```
/// # use socketioxide::SocketIo;
/// # fn example(io: SocketIo) {
/// let map = parity::rooms(io.broadcast(), parity::UserId::of);
/// # }
/// ```
///
/// Never call the members by `socket.id`: see [`UserId`].
pub fn rooms<A, N, S>(
    sockets: BroadcastOperators<A>,
    name: N,
) -> BTreeMap<String, BTreeSet<S>>
where
    A: Adapter,
    N: Fn(&Socket<A>) -> S,
    S: Ord,
{
    let mut map = BTreeMap::<_, BTreeSet<_>>::new();
    for socket in sockets.sockets() {
        let own = UserId::of(&socket).room();
        for room in socket.rooms().into_iter().filter(|room| *room != own) {
            let members = map.entry(room.into_owned()).or_default();
            members.insert(name(&socket));
        }
    }
    map
}
