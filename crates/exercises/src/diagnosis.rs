//! Why a check has failed, as far as the server's process shows it.

use contract::{Explain, Failure, Log};

/// What an exercise may have of memory of its own, in bytes.
pub(crate) const MEMORY: u64 = 1 << 30;

/// The share of one core above which a server is not waiting. One that does nothing takes
/// next to none, and one that loops takes all it gets.
const BUSY: f64 = 0.15;

/// How help begins about what the learner has not written yet.
pub(crate) const UNFINISHED: &str = "there is a `todo!()` left";

/// How many lines of the server's output are shown.
const LINES: usize = 12;

/// Adds to a failure what the processes say that were started for this check.
pub(crate) fn explain(mut failure: Failure, logs: &[Log]) -> Failure {
    for log in logs {
        failure = match panics(&log.stderr()) {
            Some(help) => failure.help(help),
            None => state(failure, log),
        };
    }
    failure
}

/// The panics in what a program has printed. A server goes on after a panic in one of
/// its tasks, so this is not only for those that have ended.
fn panics(stderr: &str) -> Option<String> {
    let mut lines = stderr.lines().filter(|line| !line.is_empty());
    let at = lines.find(|line| is_panic(line))?;
    let place = at.split(" panicked at ").nth(1)?.trim_end_matches(':');
    let message = lines.next().unwrap_or_default();
    Some(match message.strip_prefix("not yet implemented") {
        Some(what) => format!("{UNFINISHED}, at {place}{what}"),
        None => format!("the server panicked at {place}: {message}"),
    })
}

/// What became of a process that has not panicked.
fn state(failure: Failure, log: &Log) -> Failure {
    let Some(end) = log.end() else {
        return failure;
    };
    match end.status {
        Some(status) if log.stderr().contains("memory allocation of") => {
            let most = MEMORY >> 20;
            failure.help(format!(
                "the server wanted more than {most} MiB of memory, and was stopped \
                 ({status}): something grows without end"
            ))
        }
        Some(status) => {
            failure.help(format!("the server has ended by itself ({status})"))
        }
        None if !failure.timed_out() => failure,
        None => match end.cpu {
            Some(cpu) if cpu.as_secs_f64() > BUSY * end.lived.as_secs_f64() => failure
                .help(format!(
                    "the server was busy for {:.1} of {:.1} s: look for a loop that \
                     never ends, or that has no `.await` which waits",
                    cpu.as_secs_f64(),
                    end.lived.as_secs_f64()
                )),
            // Whoever wrote the check may know better.
            Some(_) if failure.advice().is_empty() => failure.help(
                "the server is idle. Either it never sends this, or it is stuck: look \
                 for an `.await` of something that never comes, a lock that is never \
                 released, or a call that blocks the thread, like `std::thread::sleep`",
            ),
            _ => failure,
        },
    }
}

/// What the servers of a check have printed besides the line that they listen: what
/// they end with, as that is nearest to what went wrong. The first panic is left out, as
/// [`explain`] tells of it.
pub(crate) fn output(logs: &[Log]) -> Vec<String> {
    let mut lines = Vec::new();
    for log in logs {
        for text in [log.stdout(), log.stderr()] {
            let mut told = text.lines();
            let mut panicked = false;
            while let Some(line) = told.next() {
                if is_panic(line) && !panicked {
                    panicked = true;
                    told.next();
                } else if !line.is_empty()
                    && !line.starts_with("listening on http://")
                    && !line.starts_with("note: run with `RUST_BACKTRACE")
                {
                    lines.push(shorten(line));
                }
            }
        }
    }
    if let Some(more) = lines.len().checked_sub(LINES).filter(|&more| more > 0) {
        lines.drain(..more);
        lines.insert(0, format!("… {more} lines before these"));
    }
    lines
}

fn is_panic(line: &str) -> bool {
    line.starts_with("thread '") && line.contains(" panicked at ")
}

fn shorten(line: &str) -> String {
    const LONGEST: usize = 200;
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_place() {
        let stderr = "hello\n\nthread 'tokio-rt-worker' (7) panicked at a/b.rs:3:9:\n\
                      no such client\nnote: run with `RUST_BACKTRACE=1`\n";
        assert_eq!(
            panics(stderr).as_deref(),
            Some("the server panicked at a/b.rs:3:9: no such client")
        );
        let todo =
            "thread 'main' (7) panicked at a/b.rs:3:9:\nnot yet implemented: x";
        assert_eq!(
            panics(todo).as_deref(),
            Some("there is a `todo!()` left, at a/b.rs:3:9: x")
        );
        assert_eq!(panics("all is well\n"), None);
    }
}
