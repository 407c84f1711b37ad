//! `cargo measure requests`: what a request costs.

use std::fmt::Write as _;

use contract::{Lesson, Request, Result, Server};
use tokio::task::JoinSet;

use crate::{
    process::{Usage, medians},
    side_by_side,
};

/// How many requests are measured in each round.
const REQUESTS: usize = 100_000;

/// Connections that are open, and in use, at the same time.
const CONNECTIONS: usize = 50;

/// Not counted: they warm up caches, and let V8 compile.
const WARM_UP: usize = 10_000;

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

/// Measures every case, and returns the table.
pub(crate) async fn measure() -> Result<String> {
    let mut table = format!(
        "{REQUESTS} requests on {CONNECTIONS} connections kept alive\n\n\
         {:26} {:>23} {:>17}\n{:<26} {:>7} {:>7} {:>6} {:>9} {:>7}\n",
        "",
        "CPU µs per request",
        "resident MiB",
        "GET /",
        "Rust",
        "Node",
        "ratio",
        "Rust",
        "Node"
    );
    for (title, lesson, arg) in CASES {
        let mut lesson = Lesson::new(lesson).release();
        if let Some(arg) = arg {
            lesson = lesson.arg(arg);
        }
        let sides = side_by_side(title, &lesson, one_round).await?;
        let [rust, node] = sides.map(|rounds| medians(&rounds));
        table += &row(title, rust, node);
    }
    Ok(table)
}

/// CPU time for one request, in microseconds, and memory after the load, in MiB.
async fn one_round(lesson: Lesson) -> Result<[f64; 2]> {
    let server = lesson.start().await?;
    load(&server, WARM_UP).await?;
    let before = Usage::of(&server)?;
    load(&server, REQUESTS).await?;
    let after = Usage::of(&server)?;
    let mib = after.memory as f64 / f64::from(1 << 20);
    Ok([after.micros_each(&before, REQUESTS), mib])
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
    clients.join_all().await.into_iter().collect()
}

fn row(title: &str, rust: [f64; 2], node: [f64; 2]) -> String {
    let mut row = String::new();
    let _ = writeln!(
        row,
        "{title:<26} {:>7.1} {:>7.1} {:>6.2} {:>9.1} {:>7.1}",
        rust[0],
        node[0],
        rust[0] / node[0],
        rust[1],
        node[1]
    );
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_holds_both_sides_and_their_ratio() {
        let row = row("01", [5.0, 4.0], [20.0, 50.0]);
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(cells, ["01", "5.0", "20.0", "0.25", "4.0", "50.0"]);
        assert!(row.chars().count() <= 80, "{row}");
    }
}
