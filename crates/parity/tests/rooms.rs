//! Rooms with their members, by names that everybody may know.

use std::collections::BTreeMap;

use parity::{Ack, UserId};
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
};

mod support;
use support::{Client, start};

async fn connected(socket: SocketRef, io: SocketIo) {
    parity::on(
        &socket,
        "join",
        async |socket: SocketRef, Data(room): Data<String>, ack: Ack| {
            socket.join(room);
            ack.send(&parity::NOTHING).await.ok();
        },
    );
    let all = io.clone();
    parity::on(&socket, "rooms", async move |ack: Ack| {
        let rooms = parity::rooms(all.broadcast(), UserId::of);
        ack.send(&rooms).await.ok();
    });
    let tell = async move |socket: SocketRef,
                           Data((to, text)): Data<(String, String)>| {
        let told = (UserId::of(&socket), text);
        parity::broadcast(io.to(to), "told", &told).ok();
    };
    parity::on(&socket, "tell", tell);
    parity::on(
        &socket,
        "say",
        async |socket: SocketRef, Data((to, text)): Data<(String, String)>| {
            let said = (UserId::of(&socket), text);
            parity::broadcast(socket.to(to), "said", &said).ok();
        },
    );
    let id = UserId::of(&socket);
    parity::emit(&socket, "you", &id).await.ok();
}

/// A client, and its public id.
async fn client(address: std::net::SocketAddr) -> (Client, String) {
    let mut client = Client::connect(address).await;
    let you = client.event().await;
    let id = you.args[0].as_str().expect("an id").to_owned();
    (client, id)
}

#[tokio::test]
async fn the_map_has_each_room_with_its_members() {
    let (address, io) = start().await;
    io.ns("/", parity::connection(connected));
    let (mut a, a_id) = client(address).await;
    let (mut b, b_id) = client(address).await;
    assert_eq!(a.call("rooms", json!([])).await, json!([{}]));
    a.call("join", json!(["red"])).await;
    a.call("join", json!(["blue"])).await;
    b.call("join", json!(["blue"])).await;
    let mut both = [&a_id, &b_id];
    both.sort();
    let expected = json!([{"red": [a_id], "blue": both}]);
    assert_eq!(a.call("rooms", json!([])).await, expected);
    // The name is up to the caller.
    let lengths = parity::rooms(io.broadcast(), |socket| socket.id.as_str().len());
    let lengths = lengths.into_iter().map(|(room, ids)| (room, ids.len()));
    let expected = [("blue".to_owned(), 1), ("red".to_owned(), 1)];
    assert_eq!(
        lengths.collect::<BTreeMap<_, _>>(),
        BTreeMap::from(expected)
    );
}

#[tokio::test]
async fn socketioxide_alone_has_no_room_for_a_socket() {
    let (address, io) = start().await;
    io.ns("/", async |socket: SocketRef| {
        socket.emit("ready", &()).ok();
    });
    let mut client = Client::connect(address).await;
    client.event().await;
    io.to(client.sid.clone()).emit("told", &()).await.ok();
    io.emit("end", &()).await.ok();
    assert_eq!(client.event().await.name, "end");
}

#[tokio::test]
async fn a_private_message_reaches_one() {
    let (address, io) = start().await;
    io.ns("/", parity::connection(connected));
    let (mut a, a_id) = client(address).await;
    let (mut b, b_id) = client(address).await;
    let (mut c, _) = client(address).await;
    a.emit("tell", json!([b_id, "hi"])).await;
    assert_eq!(b.event().await.args, [json!(a_id), json!("hi")]);
    a.call("rooms", json!([])).await;
    io.emit("end", &()).await.expect("there is room");
    assert_eq!(c.event().await.name, "end");
    assert_eq!(a.event().await.name, "end");
}

#[tokio::test]
async fn nobody_is_shown_the_session_id_of_another() {
    let (address, io) = start().await;
    io.ns("/", parity::connection(connected));
    let (mut a, a_id) = client(address).await;
    let (mut b, b_id) = client(address).await;
    a.call("join", json!(["r"])).await;
    b.call("join", json!(["r"])).await;
    a.emit("say", json!(["r", "hi"])).await;
    a.emit("tell", json!([b_id, "hi"])).await;
    let seen = [
        Value::from(b.event().await.args),
        Value::from(b.event().await.args),
        b.call("rooms", json!([])).await,
    ];
    for seen in seen.map(|seen| seen.to_string()) {
        assert!(seen.contains(&a_id), "{seen}");
        assert!(!seen.contains(&a.sid), "{seen}");
    }
    // And the session id is no way to reach anybody.
    b.emit("tell", json!([a.sid, "hi"])).await;
    b.call("rooms", json!([])).await;
    io.emit("end", &()).await.expect("there is room");
    assert_eq!(a.event().await.name, "end");
}

#[tokio::test]
async fn the_public_id_is_the_same_at_every_call_and_no_other_has_it() {
    let (address, io) = start().await;
    io.ns("/", async |_: SocketRef| {});
    let _clients = (
        Client::connect(address).await,
        Client::connect(address).await,
    );
    let sockets = io.sockets();
    let ids = sockets.iter().map(|socket| UserId::of(socket));
    let ids = ids.collect::<Vec<_>>();
    assert_ne!(ids[0], ids[1]);
    for (socket, id) in sockets.iter().zip(ids) {
        assert_eq!(UserId::of(socket), id);
        assert_ne!(id.to_string(), socket.id.to_string());
    }
}
