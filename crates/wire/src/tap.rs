use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{Barrier, mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use crate::{Decoder, Direction, Event, Limits, Tcp};

/// An event, and where and when a [`Tap`] saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The number of the TCP connection, from 1, in order of arrival; 0 for what concerns
    /// none of them.
    pub connection: u64,
    /// The time since the tap was started.
    pub at: Duration,
    /// Who sent it. What concerns both sides is reported as the client's.
    pub direction: Direction,
    /// What it was.
    pub event: Event,
}

/// The most events that wait to be taken …
const MOST_RECORDS: usize = 4096;

/// … and the most memory that they take, in bytes.
const MOST_BYTES: usize = 16 << 20;

/// The most that is read at once, and so the most that a tap holds of what one side has
/// sent and the other has not taken. Beyond that the sender has to wait.
const READ: usize = 16 << 10;

/// What has come of a body, or of bytes that are not decoded, is reported after so long
/// without more of it, so that a stream shows while it runs.
const SILENCE: Duration = Duration::from_millis(100);

/// A TCP proxy on loopback that reports what passes.
///
/// It forwards every byte untouched and at once, whether it can be decoded or not. It
/// passes on the end of a direction (FIN) and the abort of a connection (RST). If one
/// side stalls, the other has to wait, as without a tap.
///
/// Events have to be taken with [`next`](Self::next). If nobody does, up to 4,096 of
/// them are kept, in up to 16 MiB; any more are dropped, and
/// [`Event::Missed`] stands in its place. Forwarding never waits for them.
///
/// Dropping a tap ends it and its connections.
#[derive(Debug)]
pub struct Tap {
    addr: SocketAddr,
    records: mpsc::Receiver<Record>,
    queue: Arc<Queue>,
    start: Instant,
    accepting: Option<JoinHandle<()>>,
    /// Never used to send: dropping it is the signal to stop.
    running: Option<watch::Sender<()>>,
}

/// What is known about the events on their way from the connections to the tap's owner.
#[derive(Debug, Default)]
struct Queue {
    bytes: AtomicUsize,
    missed: AtomicU64,
}

impl Tap {
    /// Listens on a free port of 127.0.0.1, and connects each client to `target`.
    ///
    /// # Errors
    ///
    /// There is no port to listen on. If `target` cannot be reached, that shows in the
    /// events, and to the client as a reset.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        Self::with_limits(target, Limits::default()).await
    }

    /// Like [`start`](Self::start), with limits for what is decoded.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub async fn with_limits(
        target: SocketAddr,
        limits: Limits,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let (sender, records) = mpsc::channel(MOST_RECORDS);
        let queue = Arc::new(Queue::default());
        let start = Instant::now();
        let reporter = Reporter {
            connection: 0,
            start,
            sender,
            queue: Arc::clone(&queue),
        };
        let (running, stopped) = watch::channel(());
        let accepting = accept(listener, target, limits, reporter, stopped);
        Ok(Self {
            addr,
            records,
            queue,
            start,
            accepting: Some(tokio::spawn(accepting)),
            running: Some(running),
        })
    }

    /// The address that clients connect to.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The next event; `None` once the tap has stopped and all events have been taken.
    /// If this future is dropped before it is ready, nothing is lost.
    pub async fn next(&mut self) -> Option<Record> {
        if let Some(record) = self.try_next() {
            return Some(record);
        }
        let record = self.records.recv().await?;
        self.queue.take(&record);
        Some(record)
    }

    /// The next event, if there is one now. So `iter::from_fn(|| tap.try_next())` is all
    /// that has come so far, for a [`Transcript`](crate::Transcript) for example.
    pub fn try_next(&mut self) -> Option<Record> {
        if let Ok(record) = self.records.try_recv() {
            self.queue.take(&record);
            return Some(record);
        }
        // No event has come since that could have carried this count.
        let n = self.queue.missed.swap(0, Ordering::Relaxed);
        (n > 0).then(|| Record {
            connection: 0,
            at: self.start.elapsed(),
            direction: Direction::ToServer,
            event: Event::Missed { n },
        })
    }

    /// Stops listening and cuts the connections. What has come is reported, complete or
    /// not, and can still be taken.
    pub async fn stop(&mut self) {
        self.running = None;
        if let Some(accepting) = self.accepting.take() {
            // An error would be a panic in that task, which has been printed.
            let _ = accepting.await;
        }
    }
}

impl Queue {
    fn take(&self, record: &Record) {
        self.bytes.fetch_sub(record.event.size(), Ordering::Relaxed);
    }
}

/// Records what one connection does.
#[derive(Clone, Debug)]
struct Reporter {
    connection: u64,
    start: Instant,
    sender: mpsc::Sender<Record>,
    queue: Arc<Queue>,
}

impl Reporter {
    fn report(&self, direction: Direction, event: Event) {
        let missed = self.queue.missed.swap(0, Ordering::Relaxed);
        // They may have been any connection's.
        let told =
            missed == 0 || self.send(0, direction, Event::Missed { n: missed });
        if !told || !self.send(self.connection, direction, event) {
            let lost = 1 + if told { 0 } else { missed };
            self.queue.missed.fetch_add(lost, Ordering::Relaxed);
        }
    }

    fn send(&self, connection: u64, direction: Direction, event: Event) -> bool {
        let size = event.size();
        let queued = self.queue.bytes.fetch_add(size, Ordering::Relaxed);
        let record = Record {
            connection,
            at: self.start.elapsed(),
            direction,
            event,
        };
        let sent = queued.saturating_add(size) <= MOST_BYTES
            && self.sender.try_send(record).is_ok();
        if !sent {
            self.queue.bytes.fetch_sub(size, Ordering::Relaxed);
        }
        sent
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    limits: Limits,
    mut reporter: Reporter,
    mut stopped: watch::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    reporter.connection += 1;
                    let link = Link {
                        decoder: Mutex::new(Decoder::new(limits)),
                        reporter: reporter.clone(),
                        over: Barrier::new(2),
                    };
                    connections.spawn(connection(client, target, link, stopped.clone()));
                }
                // Out of file descriptors, most likely: some will be free again.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = stopped.changed() => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(
    mut client: TcpStream,
    target: SocketAddr,
    link: Link,
    mut stopped: watch::Receiver<()>,
) {
    let server = tokio::select! {
        server = TcpStream::connect(target) => server,
        _ = stopped.changed() => return,
    };
    let mut server = match server {
        Ok(server) => server,
        Err(error) => {
            let event = Event::Tcp(Tcp::Unreachable(error.to_string()));
            link.reporter.report(Direction::ToServer, event);
            let _ = client.set_zero_linger();
            return;
        }
    };
    let opened = Event::Tcp(Tcp::Opened);
    link.reporter.report(Direction::ToServer, opened);
    // What arrives is to leave at once. An error here shows again at the first write.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));

    let outcome = {
        let (client_in, client_out) = client.split();
        let (server_in, server_out) = server.split();
        let to_server = link.forward(Direction::ToServer, client_in, server_out);
        let to_client = link.forward(Direction::ToClient, server_in, client_out);
        tokio::select! {
            outcome = async { tokio::try_join!(to_server, to_client) } => outcome,
            _ = stopped.changed() => Ok(((), ())),
        }
    };
    // One that has ended has nothing more to report.
    for direction in [Direction::ToServer, Direction::ToClient] {
        link.decode(direction, |decoder| decoder.abort(direction));
    }
    if let Err(by) = outcome {
        link.reporter.report(by, Event::Tcp(Tcp::Reset));
        // Dropping a socket would send FIN, as if all had been sent. Without time to
        // linger it sends RST. On the one that was already aborted this does nothing.
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
}

/// What the two directions of a connection share.
struct Link {
    /// A std Mutex, not a tokio one, because nothing awaits while it is held.
    decoder: Mutex<Decoder>,
    reporter: Reporter,
    /// Where a direction that has ended waits for the other: the connection may still be
    /// aborted.
    over: Barrier,
}

impl Link {
    /// Reports what the decoder makes of what has come in a direction.
    fn decode(
        &self,
        direction: Direction,
        decode: impl FnOnce(&mut Decoder) -> Vec<(Direction, Event)>,
    ) {
        let mut decoder =
            self.decoder.lock().unwrap_or_else(PoisonError::into_inner);
        // What the other side has sent came before.
        let mut events = decoder.flush(direction.other());
        events.extend(decode(&mut decoder));
        // Under the lock: the other direction's events must not come in between.
        for (direction, event) in events {
            self.reporter.report(direction, event);
        }
    }

    /// Forwards one direction until it ends.
    ///
    /// # Errors
    ///
    /// Who has aborted the connection.
    async fn forward(
        &self,
        direction: Direction,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
    ) -> Result<(), Direction> {
        let mut buffer = vec![0; READ];
        loop {
            let read = match timeout(SILENCE, from.read(&mut buffer)).await {
                Ok(read) => read,
                Err(_) => {
                    self.decode(direction, |decoder| decoder.flush(direction));
                    from.read(&mut buffer).await
                }
            };
            let length = read.map_err(|_| direction)?;
            if length == 0 {
                self.decode(direction, |decoder| decoder.finish(direction));
                self.reporter.report(direction, Event::Tcp(Tcp::Fin));
                // This fails if the reader is gone, and then no FIN is needed.
                let _ = to.shutdown().await;
                return tokio::select! {
                    biased;
                    _ = self.over.wait() => Ok(()),
                    _ = from.ready(Interest::ERROR) => Err(direction),
                };
            }
            let bytes = &buffer[..length];
            // Before they are forwarded, so that no answer to them is seen first.
            self.decode(direction, |decoder| decoder.feed(direction, bytes));
            tokio::select! {
                biased;
                // A side that cannot be written to has aborted the connection.
                written = to.write_all(bytes) => {
                    written.map_err(|_| direction.other())?;
                }
                // Nobody reads now who would see it.
                _ = from.ready(Interest::ERROR) => return Err(direction),
            }
        }
    }
}
