//! A tap between real sockets.

mod support;

use std::{collections::HashMap, io, time::Duration};

use support::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use wire::{Direction, Event, Record, Tap, Tcp, Transcript, http};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Ends a wait that would never end.
const DEADLINE: Duration = Duration::from_secs(20);

/// A client and a server with a tap in between.
async fn tapped() -> Result<(TcpStream, Tap, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let tap = Tap::start(listener.local_addr()?).await?;
    let client = TcpStream::connect(tap.addr()).await?;
    let (server, _) = listener.accept().await?;
    Ok((client, tap, server))
}

/// The events up to the first that `last` is true of.
async fn until(
    tap: &mut Tap,
    last: impl Fn(&Record) -> bool,
) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    loop {
        let record = timeout(DEADLINE, tap.next()).await?;
        let record = record.ok_or("the tap has stopped")?;
        let is_last = last(&record);
        records.push(record);
        if is_last {
            return Ok(records);
        }
    }
}

fn is(direction: Direction, tcp: Tcp) -> impl Fn(&Record) -> bool {
    let event = Event::Tcp(tcp);
    move |record| record.direction == direction && record.event == event
}

async fn read_all(mut stream: impl AsyncReadExt + Unpin) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut bytes)).await??;
    Ok(bytes)
}

/// Sends each way at once, and compares what arrives. The tap has stopped, and nobody
/// has taken an event.
async fn both_ways(up: Vec<u8>, down: Vec<u8>) -> Result<Tap> {
    let (client, mut tap, server) = tapped().await?;
    let (client_in, mut client_out) = client.into_split();
    let (server_in, mut server_out) = server.into_split();
    let (to_server, to_client) = (up.clone(), down.clone());
    let sending = [
        tokio::spawn(async move { client_out.write_all(&to_server).await }),
        tokio::spawn(async move { server_out.write_all(&to_client).await }),
    ];
    let (at_server, at_client) =
        tokio::try_join!(read_all(server_in), read_all(client_in))?;
    // Compared, not shown: a difference would print megabytes.
    assert!(at_server == up, "the server got other bytes");
    assert!(at_client == down, "the client got other bytes");
    for sending in sending {
        sending.await??;
    }
    tap.stop().await;
    Ok(tap)
}

#[tokio::test]
async fn garbage_passes_untouched_in_both_directions() -> Result {
    let mut random = Random(5);
    both_ways(random.bytes(5_000_000), random.bytes(5_000_000)).await?;
    Ok(())
}

#[tokio::test]
async fn what_is_decoded_passes_untouched_in_both_directions() -> Result {
    let up = [
        upgrade("/socket.io/?EIO=4"),
        said("42[\"a\"]").repeat(300_000),
    ];
    let down = [SWITCHING.to_vec(), answered("42[\"a\"]").repeat(400_000)];
    both_ways(up.concat(), down.concat()).await?;
    Ok(())
}

#[tokio::test]
async fn each_byte_is_forwarded_at_once() -> Result {
    let (mut client, _tap, mut server) = tapped().await?;
    for byte in b"neither HTTP nor a whole line" {
        client.write_u8(*byte).await?;
        assert_eq!(timeout(DEADLINE, server.read_u8()).await??, *byte);
    }
    Ok(())
}

#[tokio::test]
async fn half_close_ends_one_direction_and_the_other_goes_on() -> Result {
    let (mut client, mut tap, mut server) = tapped().await?;
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
    client.shutdown().await?;
    let mut request = Vec::new();
    timeout(DEADLINE, server.read_to_end(&mut request)).await??;
    server
        .write_all(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        .await?;
    drop(server);
    let response = read_all(client).await?;
    assert!(response.ends_with(b"until the end"));
    let records = until(&mut tap, is(ToClient, Tcp::Fin)).await?;
    let transcript: Transcript = records.into_iter().collect();
    let expected = "> connected\n> GET / HTTP/1.1\n>\n> closed (FIN)\n\
        < HTTP/1.1 200 OK\n<\n< until the end\n< closed (FIN)\n";
    assert_eq!(transcript.to_string(), expected);
    Ok(())
}

#[tokio::test]
async fn what_has_come_shows_before_its_end() -> Result {
    let (mut client, mut tap, mut server) = tapped().await?;
    client.write_all(b"GET /stream HTTP/1.1\r\n\r\n").await?;
    let stream = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n";
    server.write_all(stream.as_bytes()).await?;
    let part = |body: &[u8]| http::Body {
        bytes: body.to_vec(),
        length: body.len() as u64,
        complete: false,
    };
    let one = Event::Http(http::Event::Part(part(b"one")));
    // Nobody says more for now.
    until(&mut tap, |record| record.event == one).await?;
    server.write_all(b"3\r\ntwo\r\n").await?;
    let mut buffer = [0; 200];
    let mut came = 0;
    while !buffer[..came].ends_with(b"two\r\n") {
        came += timeout(DEADLINE, client.read(&mut buffer[came..])).await??;
    }
    client.write_all(b"enough\r\n").await?;
    let more = until(&mut tap, |record| record.direction == ToServer).await?;
    let two = Event::Http(http::Event::Part(part(b"two")));
    assert_eq!(more[0].event, two);
    Ok(())
}

#[tokio::test]
async fn what_has_come_when_the_tap_stops_is_reported() -> Result {
    let (mut client, mut tap, mut server) = tapped().await?;
    client.write_all(b"GET / HTTP/1.1\r\n\r\n\0\0\0").await?;
    let mut request = [0; 21];
    timeout(DEADLINE, server.read_exact(&mut request)).await??;
    server.write_all(b"HTTP/1.1 200 OK\r\n\r\nhal").await?;
    let mut response = [0; 22];
    timeout(DEADLINE, client.read_exact(&mut response)).await??;
    tap.stop().await;
    let records = std::iter::from_fn(|| tap.try_next());
    let transcript = records.collect::<Transcript>().to_string();
    assert!(transcript.contains("> 3 bytes: 00 00 00\n"), "{transcript}");
    assert!(transcript.ends_with("< hal\n"), "{transcript}");
    Ok(())
}

#[tokio::test]
async fn a_reset_is_passed_on_as_a_reset() -> Result {
    for direction in [ToServer, ToClient] {
        let (client, mut tap, server) = tapped().await?;
        until(&mut tap, is(ToServer, Tcp::Opened)).await?;
        let (aborts, mut sees) = match direction {
            ToServer => (client, server),
            ToClient => (server, client),
        };
        aborts.set_zero_linger()?;
        drop(aborts);
        let read = timeout(DEADLINE, sees.read_u8()).await?;
        let kind = read.expect_err("nothing was sent").kind();
        assert_eq!(kind, io::ErrorKind::ConnectionReset);
        until(&mut tap, is(direction, Tcp::Reset)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_does_not_listen_is_told_and_resets_the_client() -> Result {
    let nobody = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let mut tap = Tap::start(nobody).await?;
    let client = TcpStream::connect(tap.addr()).await?;
    assert!(read_all(client).await.is_err());
    let unreachable =
        |record: &Record| matches!(record.event, Event::Tcp(Tcp::Unreachable(_)));
    until(&mut tap, unreachable).await?;
    Ok(())
}

/// Writes until nobody takes more: what the kernel's buffers of two connections hold.
async fn fill(stream: &TcpStream) -> Result<usize> {
    let chunk = [7; 64 << 10];
    let mut sent = 0_usize;
    while let Ok(writable) =
        timeout(Duration::from_millis(500), stream.writable()).await
    {
        writable?;
        match stream.try_write(&chunk) {
            Ok(length) => sent += length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        assert!(sent < 64 << 20, "someone takes it all");
    }
    Ok(sent)
}

#[tokio::test]
async fn a_reader_that_stalls_makes_the_sender_wait() -> Result {
    let (client, mut tap, mut server) = tapped().await?;
    let sent = fill(&client).await?;
    // The tap is not stuck: once the server reads, everything comes.
    drop(client);
    let mut came = 0;
    let mut buffer = vec![0; 64 << 10];
    loop {
        match timeout(DEADLINE, server.read(&mut buffer)).await?? {
            0 => break,
            length => came += length,
        }
    }
    assert_eq!(came, sent);
    until(&mut tap, is(ToServer, Tcp::Fin)).await?;
    Ok(())
}

#[tokio::test]
async fn an_abort_is_passed_on_though_the_other_side_is_silent() -> Result {
    for stalled in [true, false] {
        let (mut client, mut tap, server) = tapped().await?;
        if stalled {
            fill(&client).await?;
        } else {
            client.shutdown().await?;
            until(&mut tap, is(ToServer, Tcp::Fin)).await?;
        }
        client.set_zero_linger()?;
        drop(client);
        until(&mut tap, is(ToServer, Tcp::Reset)).await?;
        let end = timeout(DEADLINE, server.ready(Interest::ERROR)).await??;
        assert!(end.is_error());
    }
    Ok(())
}

#[tokio::test]
async fn events_that_nobody_takes_are_counted_and_never_delay_a_byte() -> Result {
    let (mut client, mut tap, mut server) = tapped().await?;
    client.write_all(&upgrade("/")).await?;
    let mut request = vec![0; upgrade("/").len()];
    server.read_exact(&mut request).await?;
    server.write_all(SWITCHING).await?;
    let mut response = vec![0; SWITCHING.len()];
    client.read_exact(&mut response).await?;

    // 20,000 messages are 40,000 events: a frame and a message each.
    let messages = said("hello").repeat(20_000);
    let sending = async {
        client.write_all(&messages).await?;
        client.shutdown().await
    };
    let mut got = Vec::new();
    let (sent, read) = tokio::join!(sending, server.read_to_end(&mut got));
    sent?;
    read?;
    assert!(got == messages);
    // There is room again, and an event comes that can carry the count.
    tap.next().await;
    tap.next().await;
    server.write_all(&answered("bye")).await?;
    drop(server);
    read_all(client).await?;

    tap.stop().await;
    let (mut taken, mut missed) = (0, 0);
    while let Some(record) = timeout(DEADLINE, tap.next()).await? {
        match record.event {
            Event::Missed { n } => {
                assert_eq!(record.connection, 0);
                missed += n;
            }
            Event::WebSocket(_) => taken += 1,
            // FIN and the like: dropped or not, they are not messages.
            _ => {}
        }
    }
    assert!(taken <= 4096, "{taken} were kept");
    assert!(
        missed > 0 && taken + missed >= 40_000,
        "{taken} and {missed}"
    );
    Ok(())
}

#[tokio::test]
async fn large_events_that_nobody_takes_are_bounded_in_bytes() -> Result {
    // 40 MiB, and 24 MiB where it is easily forgotten.
    let body = vec![b'x'; 1 << 20];
    let head = "POST / HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n";
    let bodies = [head.as_bytes(), &body].concat().repeat(40);
    let reason = "x".repeat(60 << 10);
    let reasons = format!("HTTP/1.1 204 {reason}\r\n\r\n").repeat(400);
    for (up, down) in [(bodies, Vec::new()), (Vec::new(), reasons.into_bytes())] {
        let mut tap = both_ways(up, down).await?;
        let mut bytes = 0;
        while let Some(record) = timeout(DEADLINE, tap.next()).await? {
            bytes += match record.event {
                Event::Http(http::Event::Body(body)) => body.bytes.len(),
                Event::Http(http::Event::Response(response)) => {
                    response.reason.len()
                }
                _ => 0,
            };
        }
        assert!((1 << 20..=16 << 20).contains(&bytes), "{bytes}");
    }
    Ok(())
}

#[tokio::test]
async fn connections_are_numbered_and_decoded_each_by_itself() -> Result {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut tap = Tap::start(listener.local_addr()?).await?;
    let mut open = Vec::new();
    for n in 1..=20 {
        let mut client = TcpStream::connect(tap.addr()).await?;
        let head = format!("GET /{n} HTTP/1.1\r\n\r\n");
        client.write_all(head.as_bytes()).await?;
        open.push((client, listener.accept().await?));
    }
    let mut targets = HashMap::new();
    while targets.len() < 20 {
        let record = timeout(DEADLINE, tap.next()).await?.ok_or("stopped")?;
        if let Event::Http(http::Event::Request(request)) = record.event {
            targets.insert(record.connection, request.target);
        }
    }
    for n in 1..=20 {
        assert_eq!(targets[&n], format!("/{n}"));
    }
    Ok(())
}

#[tokio::test]
async fn a_stopped_or_dropped_tap_leaves_nothing_open() -> Result {
    for stop in [true, false] {
        let (mut client, mut tap, mut server) = tapped().await?;
        until(&mut tap, is(ToServer, Tcp::Opened)).await?;
        if stop {
            tap.stop().await;
            assert_eq!(timeout(DEADLINE, tap.next()).await?, None);
        }
        let addr = tap.addr();
        drop(tap);
        for stream in [&mut client, &mut server] {
            let end = timeout(DEADLINE, stream.read(&mut [0])).await?;
            assert!(matches!(end, Ok(0) | Err(_)));
        }
        let refused = async { while TcpStream::connect(addr).await.is_ok() {} };
        timeout(DEADLINE, refused).await?;
    }
    Ok(())
}
