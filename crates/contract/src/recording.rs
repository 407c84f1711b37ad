use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use wire::{Decoder, Direction, Event, Limits, Record, Tcp, Transcript};

use crate::Connection;

/// What is kept of each payload. A transcript shows less.
const LIMITS: Limits = Limits {
    head: 64 << 10,
    body: 16 << 10,
    message: 16 << 10,
};

/// The most events that are kept …
const MOST_EVENTS: usize = 300;

/// … and the most memory that they take, in bytes.
const MOST_BYTES: usize = 256 << 10;

/// Several connections in one transcript, in the order in which the test sent and
/// awaited things.
///
/// ```no_run
/// # async fn contract() -> contract::Result {
/// # let server = contract::Lesson::new("07_ws_broadcast").start().await?;
/// let mut ada = server.websocket("/").await?;
/// let mut bob = server.websocket("/").await?;
/// let recording = contract::Recording::new();
/// recording.add("Ada", ada.connection());
/// recording.add("Bob", bob.connection());
/// recording.forget(); // the handshakes
///
/// ada.send_text("hello").await?;
/// ada.expect_text("1: hello").await?;
/// bob.expect_text("1: hello").await?;
/// println!("{}", recording.transcript());
/// # Ok(())
/// # }
/// ```
///
/// The last 300 events are kept, in up to 256 KiB. A transcript says how
/// many came before.
#[derive(Clone, Debug, Default)]
pub struct Recording(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
struct Log {
    /// Events, and how many had come by then, with this one.
    events: VecDeque<(u64, Record)>,
    /// How many have come.
    count: u64,
    /// How many of each connection had to make room.
    left_out: BTreeMap<u64, u64>,
    /// The size of `events`.
    bytes: usize,
    /// That of connection 1 is the first.
    names: Vec<String>,
}

impl Log {
    fn push(&mut self, record: Record) {
        self.count += 1;
        self.bytes += record.event.size();
        self.events.push_back((self.count, record));
        while self.events.len() > MOST_EVENTS || self.bytes > MOST_BYTES {
            let Some((_, record)) = self.events.pop_front() else {
                return;
            };
            self.bytes -= record.event.size();
            *self.left_out.entry(record.connection).or_default() += 1;
        }
    }

    /// Forgets what is of these connections.
    fn forget(&mut self, of: impl Fn(u64) -> bool) {
        self.left_out.retain(|&connection, _| !of(connection));
        self.events.retain(|(_, record)| !of(record.connection));
        let sizes = self.events.iter().map(|(_, record)| record.event.size());
        self.bytes = sizes.sum();
    }
}

impl Recording {
    /// A recording of no connection yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connection, with what it has recorded so far, and calls its client by a
    /// name in one word. From then on the connection's own transcript, which its
    /// failures show, is that of this recording.
    pub fn add(&self, name: impl Into<String>, connection: &mut Connection) {
        let trace = connection.trace();
        let past = trace.recording.transcript();
        let mut log = self.log();
        log.names.push(name.into());
        trace.connection = log.names.len() as u64;
        for record in past.records() {
            log.push(Record {
                connection: trace.connection,
                ..record.clone()
            });
        }
        drop(log);
        trace.recording = self.clone();
    }

    /// Writes a remark that concerns no single connection.
    pub fn note(&self, text: &str) {
        self.push(0, Direction::ToServer, Event::Note(text.to_owned()));
    }

    /// Empties the transcript: what comes next is its beginning.
    pub fn forget(&self) {
        self.log().forget(|_| true);
    }

    /// What has been sent and received so far.
    pub fn transcript(&self) -> Transcript {
        self.up_to(u64::MAX)
    }

    /// The transcript as it was after `count` events.
    fn up_to(&self, count: u64) -> Transcript {
        let log = self.log();
        let mut transcript = Transcript::default();
        let n = log.left_out.values().sum();
        if n > 0 {
            let missed = Event::Missed { n };
            transcript.push(record(0, Direction::ToServer, missed));
        }
        let events = log.events.iter().take_while(|(n, _)| *n <= count);
        transcript.extend(events.map(|(_, record)| record.clone()));
        for (connection, name) in (1..).zip(&log.names) {
            transcript.name(connection, name);
        }
        transcript
    }

    fn push(&self, connection: u64, direction: Direction, event: Event) {
        self.log().push(record(connection, direction, event));
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // A test that panicked meanwhile leaves a transcript worth showing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn record(connection: u64, direction: Direction, event: Event) -> Record {
    Record {
        connection,
        // Times would differ from run to run.
        at: Duration::ZERO,
        direction,
        event,
    }
}

/// A moment of a recording, to be shown if it has to be.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    recording: Recording,
    count: u64,
}

impl Moment {
    pub(crate) fn transcript(&self) -> Transcript {
        self.recording.up_to(self.count)
    }
}

/// One connection's part in a recording.
#[derive(Debug)]
pub(crate) struct Trace {
    recording: Recording,
    connection: u64,
    /// In a box, as tests keep hundreds of connections on the stack.
    decoder: Box<Decoder>,
    last: Option<Direction>,
    /// Whether the end of the connection is recorded.
    over: bool,
    /// Whether nothing is recorded, because nobody will read it.
    off: bool,
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            recording: Recording::new(),
            connection: 1,
            decoder: Box::new(Decoder::new(LIMITS)),
            last: None,
            over: false,
            off: false,
        }
    }
}

impl Trace {
    /// Records bytes that were sent, or that the test has taken.
    pub(crate) fn add(&mut self, direction: Direction, bytes: &[u8]) {
        if self.off {
            return;
        }
        if self.last.is_some_and(|last| last != direction) {
            self.flush();
        }
        self.last = Some(direction);
        let events = self.decoder.feed(direction, bytes);
        self.push(events);
    }

    pub(crate) fn note(&mut self, text: &str) {
        if self.off {
            return;
        }
        self.flush();
        self.push(vec![(Direction::ToServer, Event::Note(text.to_owned()))]);
    }

    pub(crate) fn stop(&mut self) {
        self.forget();
        self.off = true;
    }

    /// Records once that the server has ended the connection.
    pub(crate) fn end(&mut self, how: Tcp) {
        if self.off || std::mem::replace(&mut self.over, true) {
            return;
        }
        let mut events = match how {
            Tcp::Fin => self.decoder.finish(Direction::ToClient),
            _ => self.decoder.abort(Direction::ToClient),
        };
        events.push((Direction::ToClient, Event::Tcp(how)));
        self.push(events);
    }

    pub(crate) fn forget(&mut self) {
        self.recording.log().forget(|one| one == self.connection);
    }

    pub(crate) fn transcript(&self) -> Transcript {
        self.recording.transcript()
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment {
            recording: self.recording.clone(),
            count: self.recording.log().count,
        }
    }

    /// The transcript together with what is not over: what was sent and is not complete,
    /// and what has come and was not taken.
    pub(crate) fn with_the_rest(
        &self,
        untaken: &[u8],
        ended: Option<&Tcp>,
    ) -> Transcript {
        let mut transcript = self.transcript();
        if self.off {
            return transcript;
        }
        let mut decoder = self.decoder.clone();
        let mut events = decoder.flush(Direction::ToServer);
        events.extend(decoder.feed(Direction::ToClient, untaken));
        events.extend(decoder.abort(Direction::ToServer));
        events.extend(match ended {
            Some(Tcp::Fin) => decoder.finish(Direction::ToClient),
            _ => decoder.abort(Direction::ToClient),
        });
        if let (Some(how), false) = (ended, self.over) {
            events.push((Direction::ToClient, Event::Tcp(how.clone())));
        }
        for (direction, event) in events {
            transcript.push(record(self.connection, direction, event));
        }
        transcript
    }

    /// What was sent, or taken, before the turn that now comes is shown before it.
    fn flush(&mut self) {
        for direction in [Direction::ToServer, Direction::ToClient] {
            let events = self.decoder.flush(direction);
            self.push(events);
        }
    }

    fn push(&mut self, events: Vec<(Direction, Event)>) {
        if events.is_empty() {
            return;
        }
        let mut log = self.recording.log();
        for (direction, event) in events {
            log.push(record(self.connection, direction, event));
        }
    }
}
