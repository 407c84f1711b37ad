//! `cargo measure [REQUESTS]`: what a request costs a lesson, and what it costs its twin.
//!
//! The figure is the CPU time (user and system) of the server's process over the
//! requests it answered. Wall-clock time would say more about the client, and about
//! whatever else the machine does; the CPU time of one process is about that process.
//! Trust the ratios more than the figures, and even those only on a machine that has
//! little else to do.

use std::{
    env,
    fmt::{self, Write as _},
    fs,
    path::Path,
    thread,
};

use contract::{Failure, Lesson, Peer, Request, Result, Server};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::task::JoinSet;

/// How many requests are measured in each round, unless the command line says
/// otherwise.
const REQUESTS: usize = 100_000;

/// Connections that are open, and in use, at the same time.
const CONNECTIONS: usize = 50;

/// Not counted: they warm up caches, and let V8 compile.
const WARM_UP: usize = 10_000;

/// How often each server is measured, in turn with its twin; the median counts.
const ROUNDS: usize = 5;

/// One thing to measure on both sides: what to call it, the lesson, and its argument.
const CASES: [(&str, &str, Option<&str>); 3] = [
    ("01 raw_hyper", "01_raw_hyper", None),
    (
        "03 axum_on_hyper -- hello",
        "03_axum_on_hyper",
        Some("hello"),
    ),
    ("03 axum_on_hyper", "03_axum_on_hyper", None),
];

/// What one server used in one round.
#[derive(Clone, Copy, Debug)]
struct Used {
    /// CPU time for one request, in microseconds.
    micros: f64,
    /// Resident memory after the load, in MiB.
    mib: f64,
}

/// Measures every case, prints the table, and writes it to `book/recorded/figures.txt`.
#[tokio::main]
async fn main() -> Result {
    let requests = match env::args().nth(1) {
        None => REQUESTS,
        Some(text) => {
            text.parse()
                .ok()
                .filter(|&n| n >= CONNECTIONS)
                .ok_or_else(|| {
                    Failure::new(format!(
                        "`{text}` is not a number of requests: give {CONNECTIONS} or more"
                    ))
                })?
        }
    };
    let mut table = Table::default();
    for (title, lesson, arg) in CASES {
        let mut lesson = Lesson::new(lesson).release();
        if let Some(arg) = arg {
            lesson = lesson.arg(arg);
        }
        let mut sides = [Vec::new(), Vec::new()];
        for round in 1..=ROUNDS {
            eprintln!("{title}: round {round} of {ROUNDS}");
            for (side, peer) in sides.iter_mut().zip([Peer::Rust, Peer::Node]) {
                side.push(one_round(&lesson.clone().on(peer), requests).await?);
            }
        }
        let [rust, node] = sides.map(|rounds| Used::median(&rounds));
        table.row(title, rust, node);
    }
    let cores = thread::available_parallelism()?;
    let text = format!(
        "$ cargo measure {requests}\n{requests} requests on {CONNECTIONS} connections kept alive, {cores} cores, \
         median of {ROUNDS} rounds\n\n{table}"
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::write(root.join("book/recorded/figures.txt"), &text)?;
    print!("{text}");
    Ok(())
}

async fn one_round(lesson: &Lesson, requests: usize) -> Result<Used> {
    let server = lesson.start().await?;
    load(&server, WARM_UP).await?;
    let before = Process::look(&server)?;
    load(&server, requests).await?;
    let after = Process::look(&server)?;
    let millis = after.cpu_millis - before.cpu_millis;
    Ok(Used {
        micros: millis as f64 * 1_000.0 / requests as f64,
        mib: after.memory_bytes as f64 / f64::from(1 << 20),
    })
}

/// Sends `requests` in all; each connection sends its share one after another.
async fn load(server: &Server, requests: usize) -> Result {
    let mut clients = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut connection = server.connect().await?;
        connection.record_nothing();
        clients.spawn(async move {
            let request = Request::get("/");
            for _ in 0..requests / CONNECTIONS {
                let response = connection.request(&request).await?;
                response.expect_status(200)?;
            }
            Result::Ok(())
        });
    }
    for client in clients.join_all().await {
        client?;
    }
    Ok(())
}

/// What the system says about a process at this moment.
struct Process {
    cpu_millis: u64,
    memory_bytes: u64,
}

impl Process {
    fn look(server: &Server) -> Result<Self> {
        let ended = || Failure::new("the server has ended");
        let pid = Pid::from_u32(server.pid().ok_or_else(ended)?);
        let mut system = System::new();
        system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[pid]),
            true,
            ProcessRefreshKind::nothing().with_cpu().with_memory(),
        );
        let process = system.process(pid).ok_or_else(ended)?;
        Ok(Self {
            cpu_millis: process.accumulated_cpu_time(),
            memory_bytes: process.memory(),
        })
    }
}

impl Used {
    fn median(rounds: &[Self]) -> Self {
        let middle = |figure: fn(&Self) -> f64| {
            let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        Self {
            micros: middle(|used| used.micros),
            mib: middle(|used| used.mib),
        }
    }
}

/// The figures of both sides, and their ratio.
#[derive(Default)]
struct Table {
    rows: String,
}

impl Table {
    fn row(&mut self, title: &str, rust: Used, node: Used) {
        let ratio = rust.micros / node.micros;
        let _ = writeln!(
            self.rows,
            "{title:<26} {:>7.1} {:>7.1} {ratio:>6.2} {:>9.1} {:>7.1}",
            rust.micros, node.micros, rust.mib, node.mib
        );
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:26} {:>23} {:>17}",
            "", "CPU µs per request", "resident MiB"
        )?;
        writeln!(
            f,
            "{:<26} {:>7} {:>7} {:>6} {:>9} {:>7}",
            "GET /", "Rust", "Node", "ratio", "Rust", "Node"
        )?;
        f.write_str(&self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_each_figure_counts() {
        let used = |micros, mib| Used { micros, mib };
        let median =
            Used::median(&[used(9.0, 1.0), used(8.0, 3.0), used(99.0, 2.0)]);
        assert_eq!((median.micros, median.mib), (9.0, 2.0));
    }

    #[test]
    fn a_row_holds_both_sides_and_their_ratio() {
        let mut table = Table::default();
        let [rust, node] =
            [(5.0, 4.0), (20.0, 50.0)].map(|(micros, mib)| Used { micros, mib });
        table.row("01", rust, node);
        let text = table.to_string();
        let row: Vec<&str> = text
            .lines()
            .last()
            .expect("a row")
            .split_whitespace()
            .collect();
        assert_eq!(row, ["01", "5.0", "20.0", "0.25", "4.0", "50.0"]);
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
    }
}
