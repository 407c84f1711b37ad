use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    sync::{oneshot, watch},
    task::JoinHandle,
};

use crate::{Connection, Failure, Request, Response, Result, WebSocket, within};

/// A running lesson or twin. Dropping it kills it and waits until it is gone.
#[derive(Debug)]
pub struct Server {
    process: Process,
    addr: SocketAddr,
}

/// A signal that asks a program to end.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// What Ctrl-C sends: SIGINT.
    Interrupt,
    /// What `kill`, systemd and containers send: SIGTERM.
    Terminate,
}

/// How a program ended.
#[derive(Debug)]
pub struct Exit {
    /// Its exit code; `None` if a signal killed it.
    pub code: Option<i32>,
    /// All it printed on standard output.
    pub stdout: String,
    /// All it printed on standard error.
    pub stderr: String,
}

impl Exit {
    /// Fails unless the program ended with exit code 0 and nothing on standard error.
    ///
    /// # Errors
    ///
    /// It did not.
    pub fn expect_clean(&self) -> Result {
        let got = (self.code, self.stderr.as_str());
        if got == (Some(0), "") {
            return Ok(());
        }
        let what = "exit code and standard error";
        Err(Failure::expected(what, &(Some(0), ""), &got))
    }

    /// Fails unless the program refused to start: exit code 1, nothing on standard
    /// output, and one line on standard error, which contains `cause`.
    ///
    /// # Errors
    ///
    /// It did something else.
    pub fn expect_refusal(&self, cause: &str) -> Result {
        let lines: Vec<&str> = self.stderr.lines().collect();
        let refused = self.code == Some(1) && self.stdout.is_empty();
        if refused && lines.len() == 1 && lines[0].contains(cause) {
            return Ok(());
        }
        let what = "exit code, standard output, standard error";
        let expected = format_args!("1, \"\", one line with {cause:?}");
        let code = self.code.map_or("a signal".into(), |code| code.to_string());
        let got = format_args!("{code}, {:?}, {:?}", self.stdout, self.stderr);
        Err(Failure::expected(what, &expected, &got))
    }
}

impl Server {
    pub(crate) async fn start(
        command: Command,
        memory: Option<u64>,
        remember: impl FnOnce(Log),
    ) -> Result<Self> {
        let mut process = Process::spawn(command, memory)?;
        remember(process.log.clone());
        let line = within("first line on stdout", &mut process.first_line).await;
        let line = line.map_err(|failure| match process.log.stderr() {
            said if said.is_empty() => failure,
            said => {
                let what = format!("{}; it said: {said}", failure.message());
                failure.saying(what)
            }
        })?;
        let Ok(first) = line else {
            let Exit { code, stderr, .. } = process.exit().await?;
            let how = code.map_or_else(
                || "by a signal".to_owned(),
                |code| format!("with exit code {code}"),
            );
            return Err(Failure::new(format!(
                "the server ended before it listened, {how}; it said: {stderr}"
            )));
        };
        let addr = first
            .strip_prefix("listening on http://")
            .and_then(|addr| addr.parse::<SocketAddr>().ok())
            .filter(|addr| addr.ip() == Ipv4Addr::LOCALHOST)
            .ok_or_else(|| {
                let form = "listening on http://127.0.0.1:<port>";
                Failure::expected("first line on stdout", &form, &first)
            })?;
        Ok(Self { process, addr })
    }

    pub(crate) async fn run(
        command: Command,
        memory: Option<u64>,
        remember: impl FnOnce(Log),
    ) -> Result<Exit> {
        let process = Process::spawn(command, memory)?;
        remember(process.log.clone());
        process.exit().await
    }

    /// Where the server listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The id of the server's process; `None` once it has ended.
    pub fn pid(&self) -> Option<u32> {
        self.process.child.id()
    }

    /// The memory that the server has in use now (its resident set), in bytes. Only on
    /// Linux, which shows it in `/proc`.
    ///
    /// # Errors
    ///
    /// The server has ended, or the system has no `/proc`.
    pub fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(self.in_proc("status")?)?;
        let mut lines = status.lines();
        let kib = lines.find_map(|line| {
            let kib = line.strip_prefix("VmRSS:")?.strip_suffix("kB")?;
            kib.trim().parse::<u64>().ok()
        });
        // A process that has ended, but was not waited for, has no such line.
        Ok(kib.ok_or_else(has_ended)? * 1024)
    }

    /// How many files and sockets the server has open now. Only on Linux, as
    /// [`memory`](Self::memory).
    ///
    /// # Errors
    ///
    /// The server has ended, or the system has no `/proc`.
    pub fn open_files(&self) -> Result<usize> {
        Ok(fs::read_dir(self.in_proc("fd")?)?.count())
    }

    /// What Linux shows of the server's process under this name.
    fn in_proc(&self, name: &str) -> Result<String> {
        let pid = self.pid().ok_or_else(has_ended)?;
        Ok(format!("/proc/{pid}/{name}"))
    }

    /// A new TCP connection to the server.
    ///
    /// # Errors
    ///
    /// It is refused, or not accepted.
    pub async fn connect(&self) -> Result<Connection> {
        Connection::open(self.addr).await
    }

    /// Sends `request` on a new connection and reads the response.
    ///
    /// # Errors
    ///
    /// The connection is refused, or what comes back is not an HTTP/1.1 response.
    pub async fn request(&self, request: Request) -> Result<Response> {
        self.connect().await?.request(&request).await
    }

    /// Opens a WebSocket at `path`.
    ///
    /// # Errors
    ///
    /// The handshake is refused, or the answer to it breaks RFC 6455, section 4.2.2.
    pub async fn websocket(&self, path: &str) -> Result<WebSocket> {
        WebSocket::open(self.connect().await?, path).await
    }

    /// Sends the server a signal and does not wait.
    ///
    /// # Errors
    ///
    /// The server is gone, or the system is Windows, where a program has no way to
    /// press Ctrl-C in another's console.
    pub fn signal(&self, signal: Signal) -> Result {
        self.process.signal(signal)
    }

    /// Fails if the server ends within `window`, while it still has something to do.
    ///
    /// # Errors
    ///
    /// It ends.
    pub async fn expect_running_for(&mut self, window: Duration) -> Result {
        match tokio::time::timeout(window, self.process.child.wait()).await {
            Err(_) => Ok(()),
            Ok(status) => Err(Failure::new(format!(
                "the server ended too early: {}",
                status?
            ))),
        }
    }

    /// Waits until the server ends by itself.
    ///
    /// # Errors
    ///
    /// It does not end.
    pub async fn exit(self) -> Result<Exit> {
        self.process.exit().await
    }

    /// [`signal`](Self::signal), then [`exit`](Self::exit).
    ///
    /// # Errors
    ///
    /// As for those two.
    pub async fn stop(self, signal: Signal) -> Result<Exit> {
        self.signal(signal)?;
        self.exit().await
    }
}

fn has_ended() -> Failure {
    Failure::new("the server has ended")
}

/// A child process whose output is read all the time, so that it never blocks.
#[derive(Debug)]
struct Process {
    child: Child,
    started: Instant,
    /// The first line on stdout; an error if there is none.
    first_line: oneshot::Receiver<String>,
    log: Log,
    readers: Vec<JoinHandle<()>>,
}

/// What is known of a process, also after it has gone.
#[derive(Clone, Debug)]
pub struct Log(Arc<Written>);

#[derive(Debug)]
struct Written {
    stdout: Mutex<Vec<u8>>,
    stderr: Mutex<Vec<u8>>,
    /// How many of the two may still say something.
    open: watch::Sender<usize>,
    end: Mutex<Option<End>>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// What the process ended with by itself; `None` if it had to be killed.
    pub status: Option<ExitStatus>,
    /// How long it ran.
    pub lived: Duration,
    /// For how long it used a core, all threads together; `None` where the system does
    /// not say, and for what ended by itself.
    pub cpu: Option<Duration>,
}

impl Log {
    fn new() -> Self {
        Self(Arc::new(Written {
            stdout: Mutex::default(),
            stderr: Mutex::default(),
            open: watch::Sender::new(2),
            end: Mutex::default(),
        }))
    }

    /// Waits until all that a process has printed before its end is here. That does not
    /// take long, unless a process that it has started holds its output open.
    pub async fn complete(&self) {
        const LONGEST: Duration = Duration::from_millis(500);
        let mut open = self.0.open.subscribe();
        let _ =
            tokio::time::timeout(LONGEST, open.wait_for(|open| *open == 0)).await;
    }

    /// What it has printed on standard output so far; of very much, the first MiB.
    pub fn stdout(&self) -> String {
        text(&self.0.stdout)
    }

    /// What it has printed on standard error so far; of very much, the first MiB.
    pub fn stderr(&self) -> String {
        text(&self.0.stderr)
    }

    /// How it ended; `None` as long as it runs.
    pub fn end(&self) -> Option<End> {
        *self.0.end.lock().expect("nobody panics while holding it")
    }
}

fn text(bytes: &Mutex<Vec<u8>>) -> String {
    let bytes = bytes.lock().expect("its reader does not panic");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The most output that is kept: a server in a loop must not fill the memory.
const MOST_OUTPUT: usize = 1 << 20;

/// A first line is not longer than this.
const LONGEST_LINE: usize = 4096;

impl Process {
    fn spawn(mut command: Command, memory: Option<u64>) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let (Some(pid), Some(bytes)) = (child.id(), memory) {
            limit_memory(pid, bytes)?;
        }
        let out = child.stdout.take().expect("stdout is piped");
        let err = child.stderr.take().expect("stderr is piped");
        let (tx, first_line) = oneshot::channel();
        let log = Log::new();
        let (to_out, to_err) = (log.clone(), log.clone());
        let readers = vec![
            tokio::spawn(async move {
                collect(out, &to_out.0.stdout, Some(tx)).await;
                to_out.0.open.send_modify(|open| *open -= 1);
            }),
            tokio::spawn(async move {
                collect(err, &to_err.0.stderr, None).await;
                to_err.0.open.send_modify(|open| *open -= 1);
            }),
        ];
        Ok(Self {
            child,
            started: Instant::now(),
            first_line,
            log,
            readers,
        })
    }

    async fn exit(mut self) -> Result<Exit> {
        let status: ExitStatus = within("exit", self.child.wait()).await??;
        for reader in self.readers.drain(..) {
            within("end of the output", reader).await??;
        }
        Ok(Exit {
            code: status.code(),
            stdout: self.log.stdout(),
            stderr: self.log.stderr(),
        })
    }

    #[cfg(unix)]
    fn signal(&self, signal: Signal) -> Result {
        use rustix::process::{Pid, Signal as Unix, kill_process};
        let pid = self
            .child
            .id()
            .and_then(|id| Pid::from_raw(id.cast_signed()))
            .ok_or_else(|| Failure::new("the server has ended already"))?;
        let signal = match signal {
            Signal::Interrupt => Unix::INT,
            Signal::Terminate => Unix::TERM,
        };
        Ok(kill_process(pid, signal)?)
    }

    #[cfg(windows)]
    fn signal(&self, signal: Signal) -> Result {
        Err(Failure::new(format!(
            "Windows has no way to send {signal:?} from here"
        )))
    }
}

impl Drop for Process {
    /// `kill_on_drop` alone would leave a zombie if the runtime ends first.
    fn drop(&mut self) {
        let cpu = self.child.id().and_then(cpu_time);
        let lived = self.started.elapsed();
        let _ = self.child.start_kill();
        let mut status = Ok(None);
        for _ in 0..1_000 {
            status = self.child.try_wait();
            if !matches!(status, Ok(None)) {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        let status = status.ok().flatten().filter(|status| !is_killed(*status));
        let mut end = self
            .log
            .0
            .end
            .lock()
            .expect("nobody panics while holding it");
        *end = Some(End { status, lived, cpu });
    }
}

/// Whether a process has ended because of what [`Drop`] does to it. What was ending by
/// itself at that moment has another status.
#[cfg(unix)]
fn is_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(rustix::process::Signal::KILL.as_raw())
}

/// Whether a process has ended because of what [`Drop`] does to it, which looks like exit
/// code 1 here.
#[cfg(windows)]
fn is_killed(status: ExitStatus) -> bool {
    status.code() == Some(1)
}

/// For how long a process has used a core.
#[cfg(target_os = "linux")]
fn cpu_time(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the name, is in parentheses and may hold anything. `utime` and
    // `stime` are fields 14 and 15, in ticks.
    let fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let ticks: u64 = fields.take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    let a_second = rustix::param::clock_ticks_per_second();
    Some(Duration::from_millis(ticks * 1000 / a_second))
}

#[cfg(not(target_os = "linux"))]
fn cpu_time(_: u32) -> Option<Duration> {
    None
}

/// Sets how much memory of its own (`RLIMIT_DATA`) a process may have, in bytes.
#[cfg(target_os = "linux")]
fn limit_memory(pid: u32, bytes: u64) -> Result {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    let pid = Pid::from_raw(pid.cast_signed());
    match prlimit(pid, Resource::Data, limit) {
        // It has ended already.
        Err(rustix::io::Errno::SRCH) => Ok(()),
        done => Ok(done.map(drop)?),
    }
}

#[cfg(not(target_os = "linux"))]
fn limit_memory(_: u32, _: u64) -> Result {
    Ok(())
}

/// Keeps the first [`MOST_OUTPUT`] bytes of `from`, and keeps reading whatever comes.
///
/// The first line goes to `first_line` as soon as it is complete.
async fn collect(
    mut from: impl AsyncRead + Unpin,
    into: &Mutex<Vec<u8>>,
    mut first_line: Option<oneshot::Sender<String>>,
) {
    let mut chunk = vec![0; 8 * 1024];
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        let mut kept = into.lock().expect("nobody panics while holding it");
        let room = MOST_OUTPUT - kept.len();
        kept.extend_from_slice(&chunk[..length.min(room)]);
        // A flood without a newline is not searched for one again and again.
        let mut start = kept.iter().take(LONGEST_LINE);
        if let Some(end) = start.position(|&byte| byte == b'\n')
            && let Some(first_line) = first_line.take()
        {
            let line = String::from_utf8_lossy(&kept[..end]);
            // Nobody waits for it when the program is only run to its end.
            let _ = first_line.send(line.trim_end_matches('\r').to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn collected(output: &[u8]) -> (Option<String>, Vec<u8>) {
        let (tx, first_line) = oneshot::channel();
        let kept = Mutex::default();
        collect(output, &kept, Some(tx)).await;
        let kept = kept.into_inner().expect("no panic");
        (first_line.await.ok(), kept)
    }

    #[tokio::test]
    async fn the_first_line_is_reported_and_the_rest_is_kept() {
        let (first, kept) = collected(b"one\r\ntwo\n").await;
        assert_eq!(first.as_deref(), Some("one"));
        assert_eq!(kept, b"one\r\ntwo\n");
        assert_eq!(collected(b"no end of line").await.0, None);
    }

    #[tokio::test]
    async fn bytes_that_are_not_text_do_not_end_the_reading() {
        let (first, kept) = collected(b"\xff\nmore\n").await;
        assert_eq!(first.as_deref(), Some("\u{fffd}"));
        assert_eq!(kept, b"\xff\nmore\n");
    }

    #[tokio::test]
    async fn a_flood_is_read_and_only_its_beginning_kept() {
        let flood = vec![b'x'; 3 * MOST_OUTPUT];
        let (first, kept) = collected(&flood).await;
        assert_eq!((first, kept.len()), (None, MOST_OUTPUT));
    }
}
