//! What a delivery costs, when one client of a room speaks and all of them listen.

use std::{
    fmt::Write as _,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use contract::{Failure, Frame, Lesson, Opcode, Result, Server, handshake, within};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::{
    process::{Usage, medians},
    side_by_side,
};

/// How many deliveries are measured in each round.
const DELIVERIES: usize = 400_000;

/// Clients in the room, and messages on their way at the same time: the speaker waits
/// until it has heard its own, and then sends the next.
const CASES: [(usize, usize); 4] = [(100, 1), (100, 16), (400, 1), (400, 16)];

/// What follows the number of each message.
const TEXT: &str = " brown fox jumps over the lazy dog";

/// How many digits a number has.
const DIGITS: usize = 9;

/// A lesson in which everybody hears what one of them says.
pub(crate) trait Room {
    const LESSON: &str;

    /// Connects a client that is in the room.
    fn enter(server: &Server) -> impl Future<Output = Result<Client>>;

    /// Waits until the server knows of all these clients, and has nothing more to send.
    fn settle(
        server: &Server,
        clients: &mut [Client],
    ) -> impl Future<Output = Result>;

    /// What a client sends to say `text`. All that anybody gets for it contains `text`.
    fn say(text: &str) -> String;
}

/// Measures every case, and returns the table.
pub(crate) async fn measure<R: Room>() -> Result<String> {
    let mut table = format!(
        "{DELIVERIES} deliveries of {} bytes\n\n\
         {:17} {:>20} {:>14} {:>20}\n\
         {:.2}: clients, sent {:>6} {:>6} {:>6} {:>7} {:>6} {:>13} {:>6}\n",
        DIGITS + TEXT.len(),
        "",
        "CPU µs per delivery",
        "p99 ms",
        "KiB per idle client",
        R::LESSON,
        "Rust",
        "Node",
        "ratio",
        "Rust",
        "Node",
        "Rust",
        "Node"
    );
    let lesson = Lesson::new(R::LESSON).release();
    let mut lost = [0.0, 0.0];
    for (clients, in_flight) in CASES {
        let at_once = match in_flight {
            1 => "one by one".to_owned(),
            n => format!("{n} at once"),
        };
        let title = format!("{clients}, {at_once}");
        let one_round = |lesson| one_round::<R>(lesson, clients, in_flight);
        let sides = side_by_side(&title, &lesson, one_round).await?;
        for (lost, rounds) in lost.iter_mut().zip(&sides) {
            *lost += rounds.iter().map(|round| round[3]).sum::<f64>();
        }
        let [rust, node] = sides.map(|rounds| medians(&rounds));
        table += &row(&title, rust, node);
    }
    let [rust, node] = lost;
    let _ = writeln!(table, "\ndeliveries lost in all rounds: {rust}, {node}");
    Ok(table)
}

/// CPU time for one delivery, in microseconds; the time within which 99 of 100
/// deliveries arrive, in milliseconds; memory for an idle client, in KiB; deliveries that
/// did not arrive.
async fn one_round<R: Room>(
    lesson: Lesson,
    clients: usize,
    in_flight: usize,
) -> Result<[f64; 4]> {
    let messages = DELIVERIES / clients;
    let server = lesson.start().await?;
    let mut room = vec![R::enter(&server).await?];
    speak::<R>(&mut room, messages / 10, in_flight).await?;

    let alone = Usage::of(&server)?;
    while room.len() < clients {
        room.push(R::enter(&server).await?);
    }
    R::settle(&server, &mut room).await?;
    let idle = Usage::of(&server)?;
    let kib = idle.memory.saturating_sub(alone.memory) as f64 / 1024.0;

    speak::<R>(&mut room, messages / 10, in_flight).await?;
    let before = Usage::of(&server)?;
    let mut latencies = speak::<R>(&mut room, messages, in_flight).await?;
    let after = Usage::of(&server)?;

    latencies.sort_unstable();
    let p99 = latencies[latencies.len() * 99 / 100];
    Ok([
        after.micros_each(&before, DELIVERIES),
        f64::from(p99) / 1_000.0,
        kib / (clients - 1) as f64,
        (messages * clients - latencies.len()) as f64,
    ])
}

/// Has the first client send this many messages, and returns how long each delivery took,
/// in microseconds.
async fn speak<R: Room>(
    room: &mut Vec<Client>,
    messages: usize,
    in_flight: usize,
) -> Result<Vec<u32>> {
    let start = Instant::now();
    let sent = (0..messages).map(|_| AtomicU64::new(0)).collect();
    let clock = Arc::new(Clock { start, sent });
    let mut listeners = JoinSet::new();
    for client in room.drain(1..) {
        listeners.spawn(listen(client, Arc::clone(&clock)));
    }

    let mut latencies = Vec::new();
    let speaker = &mut room[0];
    for n in 0..messages + in_flight {
        if n >= in_flight {
            let heard = within("message", speaker.hear()).await??;
            latencies.push(clock.since(heard));
        }
        if n < messages {
            clock.sent[n].store(clock.now(), Relaxed);
            let text = format!("{n:0DIGITS$}{TEXT}");
            speaker.send(&R::say(&text)).await?;
        }
    }
    for done in within("end of the listeners", listeners.join_all()).await? {
        let (client, heard) = done?;
        room.push(client);
        latencies.extend(heard);
    }
    Ok(latencies)
}

/// Listens until the last message has come, and returns how long each of those took that
/// have come.
async fn listen(
    mut client: Client,
    clock: Arc<Clock>,
) -> Result<(Client, Vec<u32>)> {
    let mut latencies = Vec::with_capacity(clock.sent.len());
    let mut next = 0;
    while next < clock.sent.len() {
        let n = client.hear().await?;
        if n < next {
            return Err(Failure::new(format!("{n} came after {next}")));
        }
        latencies.push(clock.since(n));
        next = n + 1;
    }
    Ok((client, latencies))
}

/// When each message was sent.
struct Clock {
    start: Instant,
    /// In microseconds from the start.
    sent: Vec<AtomicU64>,
}

impl Clock {
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).expect("no run is that long")
    }

    /// Microseconds since message `n` was sent.
    fn since(&self, n: usize) -> u32 {
        let micros = self.now() - self.sent[n].load(Relaxed);
        u32::try_from(micros).unwrap_or(u32::MAX)
    }
}

/// A client that costs little, because four hundred of them share two cores with the
/// server that they measure. It takes texts, and answers Engine.IO's pings.
pub(crate) struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
    /// Where in `unread` the next frame begins.
    next: usize,
}

impl Client {
    /// Opens a WebSocket at `path`.
    pub(crate) async fn open(server: &Server, path: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(server.addr()).await?;
        stream.set_nodelay(true)?;
        let request = handshake(path).to_bytes(&server.addr().to_string());
        stream.write_all(&request).await?;
        let mut client = Self {
            stream,
            unread: Vec::with_capacity(16 * 1024),
            next: 0,
        };
        let end = b"\r\n\r\n";
        loop {
            let mut windows = client.unread.windows(end.len());
            if let Some(at) = windows.position(|window| window == end) {
                client.next = at + end.len();
                break;
            }
            client.read().await?;
        }
        match client.unread.starts_with(b"HTTP/1.1 101 ") {
            true => Ok(client),
            false => Err(Failure::new("the handshake is refused")),
        }
    }

    pub(crate) async fn send(&mut self, text: &str) -> Result {
        let frame = Frame::new(Opcode::Text, text).to_bytes();
        Ok(self.stream.write_all(&frame).await?)
    }

    /// The next text that is no ping.
    pub(crate) async fn receive(&mut self) -> Result<&str> {
        let text = loop {
            match frame(&self.unread[self.next..])? {
                Some((text, length)) => {
                    let text = self.next + text.start..self.next + text.end;
                    self.next += length;
                    match &self.unread[text.clone()] {
                        b"2" => self.send("3").await?,
                        _ => break text,
                    }
                }
                None => self.read().await?,
            }
        };
        Ok(str::from_utf8(&self.unread[text])?)
    }

    /// The number of the next message.
    async fn hear(&mut self) -> Result<usize> {
        let text = self.receive().await?;
        let number = text.split_once(TEXT).and_then(|(before, _)| {
            let start = before.len().checked_sub(DIGITS)?;
            before.get(start..)?.parse().ok()
        });
        number.ok_or_else(|| Failure::new(format!("not a message: {text}")))
    }

    async fn read(&mut self) -> Result {
        self.unread.drain(..self.next);
        self.next = 0;
        match self.stream.read_buf(&mut self.unread).await? {
            0 => Err(Failure::new("a client was sent away")),
            _ => Ok(()),
        }
    }
}

/// Where the payload is in the text frame that `bytes` begin with, and the frame's length,
/// once it is complete (RFC 6455, section 5.2).
fn frame(bytes: &[u8]) -> Result<Option<(Range<usize>, usize)>> {
    let (start, length) = match *bytes {
        [] | [0x81] | [0x81, 126] | [0x81, 126, _] => return Ok(None),
        [0x81, length @ 0..126, ..] => (2, usize::from(length)),
        [0x81, 126, high, low, ..] => {
            (4, usize::from(u16::from_be_bytes([high, low])))
        }
        [first, ..] => {
            let what =
                format!("not a short text: a frame that begins with {first:#x}");
            return Err(Failure::new(what));
        }
    };
    let end = start + length;
    Ok((end <= bytes.len()).then_some((start..end, end)))
}

fn row(title: &str, rust: [f64; 4], node: [f64; 4]) -> String {
    let mut row = String::new();
    let _ = writeln!(
        row,
        "{title:<17} {:>6.2} {:>6.2} {:>6.2} {:>7.1} {:>6.1} {:>13.1} {:>6.1}",
        rust[0],
        node[0],
        rust[0] / node[0],
        rust[1],
        node[1],
        rust[2],
        node[2]
    );
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_holds_both_sides_and_the_ratio_of_their_cpu_time() {
        let row = row("400", [2.0, 1.5, 8.0, 0.0], [8.0, 3.0, 9.5, 0.0]);
        let cells: Vec<&str> = row.split_whitespace().collect();
        let expected = ["400", "2.00", "8.00", "0.25", "1.5", "3.0", "8.0", "9.5"];
        assert_eq!(cells, expected);
        assert!(row.chars().count() <= 80, "{row}");
    }

    #[test]
    fn a_frame_is_found_once_it_is_complete() {
        let find = |bytes: &[u8]| frame(bytes).expect("it is a text");
        for incomplete in [&b""[..], b"\x81", b"\x81\x02a", b"\x81\x7e\x00"] {
            assert_eq!(find(incomplete), None);
        }
        assert_eq!(find(b"\x81\x02ab\x81"), Some((2..4, 4)));
        let long = [&[0x81, 126, 1, 0][..], &[b'x'; 256]].concat();
        assert_eq!(find(&long), Some((4..260, 260)));
        assert!(frame(b"\x88\x00").is_err(), "that is a close");
    }
}
