//! The contract of lesson 07, `examples/07_ws_broadcast`, and of its Node twin.

use std::sync::Arc;

use contract::{
    Failure, Frame, Lesson, Opcode, Peer, Recording, Request, Result, Server,
    Signal, WebSocket, compare_diagram_with_the_book, compare_with_the_book, peer,
    within,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::tcp::{OwnedReadHalf, OwnedWriteHalf},
    task::JoinSet,
};

#[path = "contracts/program.rs"]
mod program;
#[path = "contracts/websocket.rs"]
mod websocket;

fn lesson() -> Lesson {
    Lesson::new("07_ws_broadcast")
}

/// The longest message, in bytes.
const LIMIT: usize = 64 * 1024;

/// The ids that the server lists.
async fn ids(server: &Server) -> Result<Vec<u64>> {
    let response = server.request(Request::get("/clients")).await?;
    response.expect_status(200)?;
    Ok(serde_json::from_value(response.json()?)?)
}

/// Asks until the server lists this many clients.
async fn expect_clients(server: &Server, count: usize) -> Result<Vec<u64>> {
    let mut listed = ids(server).await?;
    let asking = within("list", async {
        while listed.len() != count {
            listed = ids(server).await?;
        }
        Result::Ok(())
    });
    match asking.await {
        Ok(asked) => asked.map(|()| listed),
        Err(_) => Err(Failure::new(format!(
            "/clients still lists {} clients, not {count}",
            listed.len()
        ))),
    }
}

/// Connects this many clients, and waits until all of them are in the room.
async fn enter(server: &Server, count: usize) -> Result<Vec<WebSocket>> {
    let before = ids(server).await?.len();
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(server.websocket("/").await?);
    }
    expect_clients(server, before + count).await?;
    Ok(clients)
}

/// Sends `text`, and returns the id it comes back with.
async fn say(client: &mut WebSocket, text: &str) -> Result<u64> {
    client.send_text(text).await?;
    let (id, said) = heard(client).await?;
    if said == text {
        return Ok(id);
    }
    let failure = Failure::expected("message", &text, &said);
    Err(failure.with(client.connection().transcript()))
}

/// The next message: who sent it, and what.
async fn heard(client: &mut WebSocket) -> Result<(u64, String)> {
    let frame = client.receive().await?;
    let text = str::from_utf8(&frame.payload).unwrap_or("");
    match text.split_once(": ") {
        Some((id, said)) if frame.opcode == Opcode::Text => {
            Ok((id.parse()?, said.to_owned()))
        }
        _ => {
            let failure = Failure::new(format!("not `id: text`: {frame}"));
            Err(failure.with(client.connection().transcript()))
        }
    }
}

#[tokio::test]
async fn each_message_reaches_everyone_the_sender_too() -> Result {
    let server = lesson().start().await?;
    let mut clients = enter(&server, 3).await?;
    for sender in 0..3 {
        let id = say(&mut clients[sender], "hello").await?;
        for (n, client) in clients.iter_mut().enumerate() {
            if n != sender {
                client.expect_text(&format!("{id}: hello")).await?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn text_arrives_as_it_was_sent() -> Result {
    let server = lesson().start().await?;
    let mut clients = enter(&server, 2).await?;
    let long = "x".repeat(LIMIT);
    for text in ["", ": ", "하늘 \u{1F980}", "<img src=x>\0\n", &long] {
        let id = say(&mut clients[0], text).await?;
        clients[1].expect_text(&format!("{id}: {text}")).await?;
    }
    Ok(())
}

/// Even if it is no text: then as `Buffer.toString()` would have it.
#[tokio::test]
async fn bytes_arrive_as_text() -> Result {
    let server = lesson().start().await?;
    let mut clients = enter(&server, 2).await?;
    let id = say(&mut clients[0], "").await?;
    clients[1].expect_text(&format!("{id}: ")).await?;
    for (bytes, text) in [
        (&b"hello"[..], "hello"),
        ("하늘".as_bytes(), "하늘"),
        (b"", ""),
        (b"a\xffb", "a\u{fffd}b"),
        // The beginning of a character of four bytes, then one that needs no more.
        (b"\xf0\x9f\xa6!", "\u{fffd}!"),
        // A surrogate, and a character written longer than it has to be.
        (b"\xed\xa0\x80", "\u{fffd}\u{fffd}\u{fffd}"),
        (b"\xc0\xaf", "\u{fffd}\u{fffd}"),
    ] {
        clients[0].send(Frame::new(Opcode::Binary, bytes)).await?;
        for client in &mut clients {
            client.expect_text(&format!("{id}: {text}")).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_message_in_pieces_arrives_whole() -> Result {
    let server = lesson().start().await?;
    let mut clients = enter(&server, 2).await?;
    let id = say(&mut clients[0], "").await?;
    clients[1].expect_text(&format!("{id}: ")).await?;
    let first = Frame::new(Opcode::Text, "hel").more_follows();
    clients[0].send(first).await?;
    // What somebody else says meanwhile comes first.
    let other = say(&mut clients[1], "me too").await?;
    clients[0]
        .send(Frame::new(Opcode::Continuation, "lo"))
        .await?;
    clients[0].expect_text(&format!("{other}: me too")).await?;
    for client in &mut clients {
        client.expect_text(&format!("{id}: hello")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_id_belongs_to_one_client_forever() -> Result {
    let server = lesson().start().await?;
    let mut clients = enter(&server, 3).await?;
    let mut seen = ids(&server).await?;
    drop(clients.remove(1));
    expect_clients(&server, 2).await?;
    let mut newcomer = enter(&server, 1).await?.remove(0);
    let id = say(&mut newcomer, "hello").await?;
    assert!(!seen.contains(&id), "{id} was somebody else's: {seen:?}");
    seen.push(id);
    for client in &mut clients {
        client.expect_text(&format!("{id}: hello")).await?;
        let own = say(client, "hello").await?;
        assert!(seen.contains(&own) && own != id, "{own} of {seen:?}");
    }
    Ok(())
}

/// From the answer to the handshake on.
#[tokio::test]
async fn a_newcomer_misses_nothing() -> Result {
    let server = lesson().start().await?;
    let mut speaker = enter(&server, 1).await?.remove(0);
    for n in 0..300 {
        let mut newcomer = server.websocket("/").await?;
        let text = n.to_string();
        let id = say(&mut speaker, &text).await?;
        newcomer.expect_text(&format!("{id}: {text}")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_was_said_before_is_not_sent_to_a_newcomer() -> Result {
    let server = lesson().start().await?;
    let mut clients = enter(&server, 1).await?;
    say(&mut clients[0], "before").await?;
    clients.extend(enter(&server, 1).await?);
    let id = say(&mut clients[0], "after").await?;
    clients[1].expect_text(&format!("{id}: after")).await
}

/// However it goes: with a close, without one, in the middle of a message, or because
/// it broke the rules.
#[tokio::test]
async fn the_gone_are_removed() -> Result {
    let server = lesson().start().await?;
    let mut stays = enter(&server, 1).await?.remove(0);
    let mut gone = enter(&server, 40).await?;
    for client in &mut gone[..10] {
        client.send(Frame::close(1000, "")).await?;
        client.expect_close(Some(1000)).await?;
    }
    for client in &mut gone[10..20] {
        client
            .send(Frame::new(Opcode::Text, "x").more_follows())
            .await?;
    }
    for client in &mut gone[20..30] {
        client.send(Frame::new(Opcode::Reserved(3), "")).await?;
        client.expect_close(Some(1002)).await?;
    }
    drop(gone);
    expect_clients(&server, 1).await?;
    say(&mut stays, "hello").await?;
    Ok(())
}

#[tokio::test]
async fn who_has_said_goodbye_hears_nothing_more() -> Result {
    let server = lesson().start().await?;
    let mut clients = enter(&server, 2).await?;
    let mut leaving = clients.pop().expect("there are two");
    leaving.send(Frame::close(1000, "")).await?;
    expect_clients(&server, 1).await?;
    say(&mut clients[0], "not for you").await?;
    leaving.expect_close(Some(1000)).await
}

/// However much is being said at that moment.
#[tokio::test]
async fn a_goodbye_is_answered_in_a_busy_room() -> Result {
    let server = lesson().start().await?;
    let mut talker = enter(&server, 1).await?.remove(0);
    talker.connection().record_nothing();
    let mut clients = enter(&server, 150).await?;
    let talking = tokio::spawn(async move {
        loop {
            if let Err(failure) = say(&mut talker, "blah").await {
                return failure;
            }
        }
    });
    for client in &mut clients {
        heard(client).await?;
        client.send(Frame::close(1000, "")).await?;
    }
    for client in &mut clients {
        loop {
            let frame = client.receive().await?;
            if frame.opcode == Opcode::Close {
                assert_eq!(frame.payload, Frame::close(1000, "").payload);
                break;
            }
        }
    }
    match talking.is_finished() {
        true => Err(talking.await?),
        false => Ok(()),
    }
}

/// Everyone speaks at once; everyone hears everything, in the same order.
#[tokio::test]
async fn two_hundred_clients_at_once_miss_nothing() -> Result {
    const CLIENTS: usize = 200;
    let server = lesson().start().await?;
    let mut tasks = JoinSet::new();
    for mut client in enter(&server, CLIENTS).await? {
        tasks.spawn(async move {
            client.send_text("hello").await?;
            let mut order = Vec::new();
            for _ in 0..CLIENTS {
                order.push(heard(&mut client).await?.0);
            }
            Result::Ok(order)
        });
    }
    let mut orders = Vec::new();
    for order in tasks.join_all().await {
        orders.push(order?);
    }
    assert!(orders.iter().all(|order| *order == orders[0]));
    let mut heard = orders.swap_remove(0);
    heard.sort_unstable();
    assert_eq!(heard, ids_of_the_first(CLIENTS));
    Ok(())
}

fn ids_of_the_first(clients: usize) -> Vec<u64> {
    (1..=clients as u64).collect()
}

#[tokio::test]
async fn two_hundred_messages_in_a_row_reach_two_hundred_clients() -> Result {
    let server = lesson().start().await?;
    let mut clients = enter(&server, 200).await?;
    let mut speaker = clients.pop().expect("there are 200");
    let id = say(&mut speaker, "listen").await?;
    let mut tasks = JoinSet::new();
    for mut client in clients {
        tasks.spawn(async move {
            client.expect_text(&format!("{id}: listen")).await?;
            for n in 0..200 {
                client.expect_text(&format!("{id}: {n}")).await?;
            }
            Result::Ok(())
        });
    }
    for n in 0..200 {
        speaker.send_text(&n.to_string()).await?;
    }
    for n in 0..200 {
        speaker.expect_text(&format!("{id}: {n}")).await?;
    }
    tasks.join_all().await.into_iter().collect()
}

/// Eight million deliveries, as fast as the server can.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: about a minute of CPU time on Node"]
async fn two_hundred_clients_that_say_two_hundred_things_miss_nothing() -> Result {
    all_hear(200, 200, 100).await
}

/// Together more than may wait for one of them.
#[tokio::test(flavor = "multi_thread")]
async fn forty_clients_that_say_something_long_at_once_miss_nothing() -> Result {
    all_hear(40, 1, 60_000).await
}

/// A server that reads on, while what it sends back is not read, disconnects it.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_not_disconnected_for_what_it_says_itself() -> Result {
    let server = lesson().start().await?;
    let client = enter(&server, 1).await?.remove(0);
    let (from, to) = client.into_stream().into_split();
    let speaking = tokio::spawn(speak(to, burst(300, 60_000)));
    // It begins to read when the server has had time to read it all.
    for _ in 0..300 {
        assert_eq!(ids(&server).await?.len(), 1, "it has been disconnected");
    }
    hear(from, 1, 300).await?;
    speaking.await??;
    Ok(())
}

/// Each of the clients says so many messages of this length, as fast as it can, and reads
/// meanwhile.
async fn all_hear(clients: usize, messages: usize, length: usize) -> Result {
    let server = lesson().start().await?;
    let burst = burst(messages, length);
    let mut tasks = JoinSet::new();
    for client in enter(&server, clients).await? {
        let (from, to) = client.into_stream().into_split();
        let speaking = tokio::spawn(speak(to, burst.clone()));
        tasks.spawn(async move {
            hear(from, clients, messages).await?;
            speaking.await??;
            Ok(())
        });
    }
    tasks.join_all().await.into_iter().collect()
}

/// The frames of numbered messages, with spaces up to this length.
fn burst(messages: usize, length: usize) -> Arc<[u8]> {
    let texts = (0..messages).map(|n| format!("{n:<length$}"));
    let frames = texts.map(|text| Frame::new(Opcode::Text, text).to_bytes());
    frames.collect::<Vec<_>>().concat().into()
}

/// Writes them. The connection stays open as long as what is returned.
async fn speak(mut to: OwnedWriteHalf, burst: Arc<[u8]>) -> Result<OwnedWriteHalf> {
    to.write_all(&burst).await?;
    Ok(to)
}

/// All that each client says, in the order in which it was said.
async fn hear(mut from: OwnedReadHalf, clients: usize, messages: usize) -> Result {
    let mut next = vec![0; clients];
    let mut unread = Vec::new();
    while next.iter().sum::<usize>() < clients * messages {
        if within("message", from.read_buf(&mut unread)).await?? == 0 {
            return Err(Failure::new("disconnected"));
        }
        let mut rest = &unread[..];
        while let Some((payload, more)) = text_frame(rest) {
            let text = str::from_utf8(payload)?;
            let (id, said) = text.split_once(": ").unwrap_or_default();
            let (n, _) = said.split_once(' ').unwrap_or_default();
            let expected = &mut next[id.parse::<usize>()? - 1];
            assert_eq!(n.parse(), Ok(*expected), "{id}");
            *expected += 1;
            rest = more;
        }
        let left = rest.len();
        unread.drain(..unread.len() - left);
    }
    Ok(())
}

/// The payload of the first frame, an unmasked text of less than 64 KiB, and what follows
/// it. `None` if not all of it is there.
fn text_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    match bytes {
        [0x81, 126, high, low, rest @ ..] => {
            rest.split_at_checked(u16::from_be_bytes([*high, *low]).into())
        }
        [0x81, length @ 0..126, rest @ ..] => {
            rest.split_at_checked((*length).into())
        }
        _ => None,
    }
}

/// A reader that stalls is removed while the others go on. What was queued for it until
/// then is delivered if it comes back soon, without a gap, and then it is disconnected.
#[tokio::test]
async fn a_stalled_reader_is_disconnected_and_delays_nobody() -> Result {
    let server = lesson().start().await?;
    let mut stalled = enter(&server, 1).await?.remove(0);
    let mut clients = enter(&server, 2).await?;
    let filler = "x".repeat(LIMIT - 10);
    let mut said = 0;
    // The system's buffers take some MiB before the server's own begin to fill.
    while ids(&server).await?.len() == 3 {
        let text = format!("{said:06} {filler}");
        let id = say(&mut clients[0], &text).await?;
        clients[1].expect_text(&format!("{id}: {text}")).await?;
        said += 1;
        if said == 2_000 {
            return Err(Failure::new("125 MiB are queued, and it is still there"));
        }
    }
    let mut last = 0;
    loop {
        let frame = stalled.receive().await?;
        if frame.opcode == Opcode::Close {
            assert_eq!(frame.payload, Frame::close(1008, "too slow").payload);
            break;
        }
        let text = String::from_utf8_lossy(&frame.payload).into_owned();
        let expected = format!(": {last:06} x");
        assert!(text.contains(&expected), "{last}: {}", &text[..20]);
        last += 1;
    }
    assert!(last < said, "{last} of {said}");
    say(&mut clients[0], "still here").await?;
    Ok(())
}

/// Twelve clients that do not read, and 64 MiB for each of them.
#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn stalled_readers_do_not_fill_the_memory() -> Result {
    let server = lesson().start().await?;
    let stalled = enter(&server, 12).await?;
    let mut speaker = enter(&server, 1).await?.remove(0);
    let text = "x".repeat(LIMIT);
    say(&mut speaker, &text).await?;
    let before = server.memory()?;
    for _ in 0..1_024 {
        say(&mut speaker, &text).await?;
    }
    let growth = server.memory()?.saturating_sub(before) >> 20;
    drop(stalled);
    let most = match peer() {
        // One text is in all the queues: all of it would be 64 MiB.
        Peer::Rust => 16,
        // All of it would be 768 MiB. V8 lets a good deal of garbage pile up.
        Peer::Node => 200,
    };
    assert!(growth < most, "{growth} MiB more than before");
    Ok(())
}

#[tokio::test]
#[ignore = "slow: the server waits for half a minute"]
async fn a_reader_that_never_comes_back_is_cut_off() -> Result {
    let server = lesson().start().await?;
    let mut stalled = enter(&server, 1).await?.remove(0);
    let mut speaker = enter(&server, 1).await?.remove(0);
    let text = "x".repeat(LIMIT);
    while ids(&server).await?.len() == 2 {
        say(&mut speaker, &text).await?;
    }
    // Once the server has let go, whatever still arrives there is reset.
    let cut_off = tokio::time::timeout(std::time::Duration::from_secs(60), async {
        while stalled.send(Frame::new(Opcode::Pong, "")).await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    });
    cut_off
        .await
        .map_err(|_| Failure::new("it is still connected"))?;
    say(&mut speaker, "on we go").await?;
    Ok(())
}

#[tokio::test]
#[cfg_attr(windows, ignore = "a test cannot press Ctrl-C there")]
async fn open_sockets_do_not_keep_the_server_from_stopping() -> Result {
    let server = lesson().start().await?;
    let _clients = enter(&server, 3).await?;
    server.stop(Signal::Terminate).await?.expect_clean()
}

#[tokio::test]
async fn recorded_broadcast() -> Result {
    let server = lesson().start().await?;
    let mut ada = enter(&server, 1).await?.remove(0);
    let mut bob = enter(&server, 1).await?.remove(0);
    let recording = Recording::new();
    recording.add("Ada", ada.connection());
    recording.add("Bob", bob.connection());
    recording.forget(); // the handshakes
    ada.send_text("hello").await?;
    ada.expect_text("1: hello").await?;
    bob.expect_text("1: hello").await?;
    bob.send(Frame::new(Opcode::Binary, "as bytes")).await?;
    ada.expect_text("2: as bytes").await?;
    bob.expect_text("2: as bytes").await?;
    bob.send(Frame::close(1000, "bye")).await?;
    bob.expect_close(Some(1000)).await?;
    expect_clients(&server, 1).await?;
    ada.send_text("anyone?").await?;
    ada.expect_text("1: anyone?").await?;
    compare_with_the_book("07-broadcast", recording.transcript())?;
    compare_diagram_with_the_book("07-broadcast", recording.transcript())
}
