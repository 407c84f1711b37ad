//! What mdBook only logs: a page with such a message is not as intended.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};
use tracing_subscriber::{filter::LevelFilter, fmt, util::SubscriberInitExt as _};

/// The warnings and errors logged by one thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Runs `work`, and keeps what this thread logs meanwhile.
    pub(crate) fn during<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
        let log = Self::default();
        let entries = log.clone();
        let guard = fmt()
            .with_max_level(LevelFilter::WARN)
            .with_ansi(false)
            .with_level(false)
            .with_target(false)
            .without_time()
            .with_writer(move || Entry(entries.clone(), Vec::new()))
            .set_default();
        let done = work();
        drop(guard);
        let entries = log.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (done, entries)
    }
}

/// One message, which ends when it is dropped.
struct Entry(Log, Vec<u8>);

impl Write for Entry {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.1).trim().to_owned();
        let Self(log, _) = self;
        log.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(text);
    }
}
