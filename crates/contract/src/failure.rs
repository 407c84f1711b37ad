use std::{borrow::Borrow, env, fmt, time::Duration};

use wire::Transcript;

/// What a contract's test returns.
pub type Result<T = ()> = std::result::Result<T, Failure>;

/// A promise that was not kept, reported to the person who has to fix it.
///
/// `Debug` prints what `Display` does, because `Debug` is what the test runner prints
/// when a test returns an error.
pub struct Failure {
    message: String,
    transcript: Option<String>,
}

impl Failure {
    /// A failure that says `message`.
    pub fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            message,
            transcript: None,
        }
    }

    /// `what` should have been `expected`, but was `got`.
    pub fn expected(
        what: &str,
        expected: &dyn fmt::Debug,
        got: &dyn fmt::Debug,
    ) -> Self {
        Self::new(format!(
            "{what}\n  expected  {expected:?}\n       got  {got:?}"
        ))
    }

    /// The same failure with what went over the wire. The first transcript given stays.
    #[must_use]
    pub fn with(mut self, transcript: impl Borrow<Transcript>) -> Self {
        self.transcript
            .get_or_insert_with(|| transcript.borrow().to_string());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.transcript {
            Some(text) if !text.is_empty() => {
                f.write_str("\n  on the wire (> sent, < received):")?;
                text.lines().try_for_each(|line| write!(f, "\n    {line}"))
            }
            _ => Ok(()),
        }
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

/// How long the kit waits for anything: 10 seconds, or `CONTRACT_DEADLINE` of them.
///
/// It is there to end a wait that would never end. No test measures time by it.
///
/// # Panics
///
/// `CONTRACT_DEADLINE` is not a whole number of seconds.
pub fn deadline() -> Duration {
    match env::var("CONTRACT_DEADLINE") {
        Ok(text) => Duration::from_secs(
            text.parse()
                .expect("CONTRACT_DEADLINE is a whole number of seconds"),
        ),
        Err(_) => Duration::from_secs(10),
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
        .map_err(|_| Failure::new(format!("no {what} within {deadline:?}")))
}
