use std::{
    borrow::Borrow,
    env, fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use wire::Transcript;

/// What a contract's test returns.
pub type Result<T = ()> = std::result::Result<T, Failure>;

/// A promise that was not kept, reported to the person who has to fix it.
///
/// `Debug` prints what `Display` does, because `Debug` is what the test runner prints
/// when a test returns an error.
pub struct Failure(Box<Parts>);

/// In a box, as a result that holds it is passed through every call.
#[derive(Default)]
struct Parts {
    message: String,
    values: Option<(String, String)>,
    transcript: Option<String>,
    help: Vec<String>,
    timed_out: bool,
}

impl Failure {
    /// A failure that says `message`.
    pub fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Parts {
            message,
            ..Parts::default()
        }))
    }

    /// A failure that says `message`: something did not come in time.
    pub(crate) fn timeout(message: impl Into<String>) -> Self {
        let mut failure = Self::new(message);
        failure.0.timed_out = true;
        failure
    }

    /// `what` should have been `expected`, but was `got`.
    pub fn expected(
        what: &str,
        expected: &dyn fmt::Debug,
        got: &dyn fmt::Debug,
    ) -> Self {
        let mut failure = Self::new(what);
        failure.0.values = Some((format!("{expected:?}"), format!("{got:?}")));
        failure
    }

    /// Like [`expected`](Self::expected), for what may be long: then both are shown from
    /// shortly before the first byte in which they differ, and otherwise as `whole` says.
    pub(crate) fn differing(
        what: &str,
        (expected, got): (&[u8], &[u8]),
        whole: impl FnOnce() -> (String, String),
    ) -> Self {
        let mut failure = Self::new(what);
        failure.0.values = Some(apart(expected, got).unwrap_or_else(whole));
        failure
    }

    /// Like [`differing`](Self::differing), for texts that are shown without quotes.
    pub(crate) fn texts(what: &str, expected: &str, got: &str) -> Self {
        let both = (expected.as_bytes(), got.as_bytes());
        Self::differing(what, both, || (expected.into(), got.into()))
    }

    /// The same failure with what went over the wire. The first transcript given stays.
    #[must_use]
    pub fn with(mut self, transcript: impl Borrow<Transcript>) -> Self {
        self.0
            .transcript
            .get_or_insert_with(|| transcript.borrow().to_string());
        self
    }

    /// The same failure, told by somebody who knows what it means.
    #[must_use]
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// What went wrong, in a few words.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What was expected and what came, if the two were compared.
    pub fn values(&self) -> Option<(&str, &str)> {
        let (expected, got) = self.0.values.as_ref()?;
        Some((expected, got))
    }

    /// What had gone over the wire, if there was a wire.
    pub fn transcript(&self) -> Option<&str> {
        self.0.transcript.as_deref().filter(|text| !text.is_empty())
    }

    /// Whether something did not come in time.
    pub fn timed_out(&self) -> bool {
        self.0.timed_out
    }

    /// What may be the cause, and what to do about it.
    pub fn advice(&self) -> &[String] {
        &self.0.help
    }
}

/// Says more about a failure, where it is known what it means.
pub trait Explain {
    /// Puts in front of the message whose it is, or what was tried: `context: message`.
    #[must_use]
    fn context(self, context: impl fmt::Display) -> Self;

    /// Adds what may be the cause, and what to do about it.
    #[must_use]
    fn help(self, help: impl fmt::Display) -> Self;
}

impl Explain for Failure {
    fn context(mut self, context: impl fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    fn help(mut self, help: impl fmt::Display) -> Self {
        self.0.help.push(help.to_string());
        self
    }
}

impl<T> Explain for Result<T> {
    fn context(self, context: impl fmt::Display) -> Self {
        self.map_err(|failure| failure.context(context))
    }

    fn help(self, help: impl fmt::Display) -> Self {
        self.map_err(|failure| Explain::help(failure, help))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())?;
        if let Some((expected, got)) = self.values() {
            write!(f, "\n  expected  {expected}\n       got  {got}")?;
        }
        if let Some(text) = self.transcript() {
            f.write_str("\n  on the wire (> sent, < received):")?;
            text.lines()
                .try_for_each(|line| write!(f, "\n    {line}"))?;
        }
        self.advice()
            .iter()
            .try_for_each(|help| write!(f, "\n  help: {help}"))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.to_string())
    }
}

/// The most bytes of text that are shown whole when two differ …
const LONGEST_TEXT: usize = 160;

/// … and of what is not text.
const MOST_BYTES: usize = 16;

/// How many bytes are shown before the first that differs.
const BEFORE: usize = 8;

/// Both of them around the first byte in which they differ, if one is long.
fn apart(expected: &[u8], got: &[u8]) -> Option<(String, String)> {
    let texts = str::from_utf8(expected).ok().zip(str::from_utf8(got).ok());
    let (whole, most) = match texts {
        Some(_) => (LONGEST_TEXT, 8 * BEFORE),
        None => (MOST_BYTES, 2 * BEFORE),
    };
    if expected.len().max(got.len()) <= whole {
        return None;
    }
    let same = expected.iter().zip(got).take_while(|(a, b)| a == b).count();
    let start = same.saturating_sub(BEFORE);
    let shown = |bytes: &[u8], text: Option<&str>| {
        let end = bytes.len().min(start + most);
        let (start, part) = match text {
            Some(text) => {
                let start = text.floor_char_boundary(start);
                let end = text.floor_char_boundary(end);
                (start, format!("{:?}", &text[start..end]))
            }
            None => {
                let hex = bytes[start..end].iter().map(|b| format!("{b:02x}"));
                (start, hex.collect::<Vec<_>>().join(" "))
            }
        };
        let more = if end < bytes.len() { " …" } else { "" };
        format!("from byte {start} of {}: {part}{more}", bytes.len())
    };
    let (one, other) = texts.unzip();
    Some((shown(expected, one), shown(got, other)))
}

/// In milliseconds; 0 if nobody has set it.
static DEADLINE: AtomicU64 = AtomicU64::new(0);

/// Makes the kit wait for this long at most, in whole milliseconds. What is in
/// `CONTRACT_DEADLINE` comes first.
pub fn set_deadline(deadline: Duration) {
    let millis = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
    DEADLINE.store(millis, Ordering::Relaxed);
}

/// How long the kit waits for anything: `CONTRACT_DEADLINE` seconds, else what was
/// [set](set_deadline), else 10 seconds.
///
/// It is there to end a wait that would never end. No test measures time by it.
///
/// # Panics
///
/// `CONTRACT_DEADLINE` is not a whole number of seconds.
pub fn deadline() -> Duration {
    if let Ok(text) = env::var("CONTRACT_DEADLINE") {
        let seconds = text.parse();
        return Duration::from_secs(
            seconds.expect("CONTRACT_DEADLINE is a whole number of seconds"),
        );
    }
    match DEADLINE.load(Ordering::Relaxed) {
        0 => Duration::from_secs(10),
        millis => Duration::from_millis(millis),
    }
}

/// Awaits `future`, or fails with "no `what`" once the [deadline](deadline()) is over.
///
/// # Errors
///
/// The deadline is over.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> Result<T> {
    let deadline = deadline();
    tokio::time::timeout(deadline, future)
        .await
        .map_err(|_| Failure::timeout(format!("no {what} within {deadline:?}")))
}
