//! `cargo measure broadcast`: what a delivery costs, when one client speaks and all of
//! them listen.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use contract::{Failure, Lesson, Request, Result, Server, WebSocket, within};
use tokio::{io::AsyncReadExt, net::TcpStream, task::JoinSet};

use crate::{process::Usage, side_by_side};

/// How many deliveries are measured in each round.
const DELIVERIES: usize = 400_000;

/// Clients in the room, and messages on their way at the same time: the speaker waits
/// until it has heard its own, and then sends the next.
const CASES: [(usize, usize); 4] = [(100, 1), (100, 16), (400, 1), (400, 16)];

const TEXT: &str = "the quick brown fox jumps over the lazy dog";

/// Measures every case, and returns the table.
pub(crate) async fn measure() -> Result<String> {
    let mut table = format!(
        "{DELIVERIES} deliveries of {} bytes\n\n\
         {:17} {:>20} {:>14} {:>20}\n\
         07: clients, sent {:>6} {:>6} {:>6} {:>7} {:>6} {:>13} {:>6}\n",
        TEXT.len(),
        "",
        "CPU µs per delivery",
        "p99 ms",
        "KiB per idle client",
        "Rust",
        "Node",
        "ratio",
        "Rust",
        "Node",
        "Rust",
        "Node"
    );
    let lesson = Lesson::new("07_ws_broadcast").release();
    for (clients, in_flight) in CASES {
        let at_once = match in_flight {
            1 => "one by one".to_owned(),
            n => format!("{n} at once"),
        };
        let title = format!("{clients}, {at_once}");
        let one_round = |lesson| one_round(lesson, clients, in_flight);
        let [rust, node] = side_by_side(&title, &lesson, one_round).await?;
        table += &row(&title, rust, node);
    }
    Ok(table)
}

/// CPU time for one delivery, in microseconds; the time within which 99 of 100
/// deliveries arrive, in milliseconds; memory for an idle client, in KiB.
async fn one_round(
    lesson: Lesson,
    clients: usize,
    in_flight: usize,
) -> Result<[f64; 3]> {
    let server = lesson.start().await?;
    let mut room = Room::enter(&server).await?;
    room.speak(DELIVERIES / clients / 10, in_flight).await?;

    let alone = Usage::of(&server)?;
    room.fill(&server, clients).await?;
    let idle = Usage::of(&server)?;
    let kib = idle.memory.saturating_sub(alone.memory) as f64 / 1024.0;

    room.speak(DELIVERIES / clients / 10, in_flight).await?;
    let before = Usage::of(&server)?;
    let mut latencies = room.speak(DELIVERIES / clients, in_flight).await?;
    let after = Usage::of(&server)?;

    latencies.sort_unstable();
    let p99 = latencies[latencies.len() * 99 / 100];
    Ok([
        after.micros_each(&before, DELIVERIES),
        f64::from(p99) / 1_000.0,
        kib / (clients - 1) as f64,
    ])
}

/// A speaker, and everyone who listens to it.
struct Room {
    speaker: WebSocket,
    /// What its messages look like when they come back.
    echo: String,
    listeners: Vec<TcpStream>,
}

impl Room {
    async fn enter(server: &Server) -> Result<Self> {
        let mut speaker = server.websocket("/").await?;
        speaker.connection().record_nothing();
        speaker.send_text(TEXT).await?;
        let echo = speaker.receive().await?.payload;
        Ok(Self {
            speaker,
            echo: String::from_utf8(echo)?,
            listeners: Vec::new(),
        })
    }

    /// Connects listeners until there are this many clients in all.
    async fn fill(&mut self, server: &Server, clients: usize) -> Result {
        while self.listeners.len() + 1 < clients {
            let listener = server.websocket("/").await?;
            self.listeners.push(listener.into_stream());
        }
        let all_there = within("room that is full", async {
            loop {
                let response = server.request(Request::get("/clients")).await?;
                let ids = response.json()?;
                if ids.as_array().is_some_and(|ids| ids.len() == clients) {
                    return Ok(());
                }
            }
        });
        all_there.await?
    }

    /// Sends this many messages, and returns how long each delivery took, in
    /// microseconds.
    async fn speak(
        &mut self,
        messages: usize,
        in_flight: usize,
    ) -> Result<Vec<u32>> {
        let start = Instant::now();
        let sent = (0..messages).map(|_| AtomicU64::new(0)).collect();
        let clock = Arc::new(Clock { start, sent });
        // An unmasked text frame with a head of two bytes (RFC 6455, section 5.2).
        let length = 2 + self.echo.len();
        let mut tasks = JoinSet::new();
        for stream in self.listeners.drain(..) {
            tasks.spawn(listen(stream, length, Arc::clone(&clock)));
        }

        let mut latencies = Vec::new();
        for n in 0..messages + in_flight {
            if n >= in_flight {
                self.speaker.expect_text(&self.echo).await?;
                latencies.push(clock.since(n - in_flight));
            }
            if n < messages {
                clock.sent[n].store(clock.now(), Relaxed);
                self.speaker.send_text(TEXT).await?;
            }
        }
        for done in within("end of the listeners", tasks.join_all()).await? {
            let (stream, heard) = done?;
            self.listeners.push(stream);
            latencies.extend(heard);
        }
        Ok(latencies)
    }
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

/// Reads all messages, which have `length` bytes each with their heads, and returns how
/// long each of them took. A bare stream, because four hundred clients share two cores
/// with the server that they measure.
async fn listen(
    mut stream: TcpStream,
    length: usize,
    clock: Arc<Clock>,
) -> Result<(TcpStream, Vec<u32>)> {
    let mut latencies = Vec::with_capacity(clock.sent.len());
    let mut buffer = vec![0; 16 * 1024];
    let mut read = 0;
    while latencies.len() < clock.sent.len() {
        read += match stream.read(&mut buffer).await? {
            0 => return Err(Failure::new("a listener was sent away")),
            n => n,
        };
        for n in latencies.len()..read / length {
            latencies.push(clock.since(n));
        }
    }
    Ok((stream, latencies))
}

fn row(title: &str, rust: [f64; 3], node: [f64; 3]) -> String {
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
        let row = row("400", [2.0, 1.5, 8.0], [8.0, 3.0, 9.5]);
        let cells: Vec<&str> = row.split_whitespace().collect();
        let expected = ["400", "2.00", "8.00", "0.25", "1.5", "3.0", "8.0", "9.5"];
        assert_eq!(cells, expected);
        assert!(row.chars().count() <= 80, "{row}");
    }
}
