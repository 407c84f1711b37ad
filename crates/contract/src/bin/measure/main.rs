//! `cargo measure [requests | broadcast | rooms]`: what a request or a delivery costs a lesson,
//! and what it costs its twin.
//!
//! The figure is the CPU time (user and system) of the server's process over the
//! requests it answered, or the messages it delivered. Wall-clock time would say more
//! about the client, and about whatever else the machine does; the CPU time of one
//! process is about that process. Trust the ratios more than the figures, and even those
//! only on a machine that has little else to do.

mod broadcast;
mod fanout;
mod process;
mod requests;
mod rooms;

use std::{env, fs, path::Path, thread};

use contract::{Failure, Lesson, Peer, Result};

use crate::{broadcast::Broadcast, rooms::Rooms};

/// How often each server is measured, in turn with its twin; the median counts.
const ROUNDS: usize = 5;

/// Measures what the command line names, or everything, and writes each table to
/// `book/recorded/figures-NAME.txt`.
#[tokio::main]
async fn main() -> Result {
    let wanted = env::args().nth(1);
    let wanted = wanted.as_deref();
    if !matches!(wanted, None | Some("requests" | "broadcast" | "rooms")) {
        return Err(Failure::new(
            "usage: cargo measure [requests | broadcast | rooms]; without a word it \
             measures all of them",
        ));
    }
    let measures = |name| wanted.is_none_or(|wanted| wanted == name);
    if measures("requests") {
        save("requests", &requests::measure().await?)?;
    }
    if measures("broadcast") {
        save("broadcast", &fanout::measure::<Broadcast>().await?)?;
    }
    if measures("rooms") {
        save("rooms", &fanout::measure::<Rooms>().await?)?;
    }
    Ok(())
}

/// Measures a lesson and its twin in turn, and returns what each round has found.
async fn side_by_side<const N: usize, F>(
    title: &str,
    lesson: &Lesson,
    one_round: impl Fn(Lesson) -> F,
) -> Result<[Vec<[f64; N]>; 2]>
where
    F: Future<Output = Result<[f64; N]>>,
{
    let mut sides = [Vec::new(), Vec::new()];
    for round in 1..=ROUNDS {
        eprintln!("{title}: round {round} of {ROUNDS}");
        for (side, peer) in sides.iter_mut().zip([Peer::Rust, Peer::Node]) {
            side.push(one_round(lesson.clone().on(peer)).await?);
        }
    }
    Ok(sides)
}

fn save(name: &str, table: &str) -> Result {
    let cores = thread::available_parallelism()?;
    let text = format!(
        "$ cargo measure {name}\n{cores} cores, median of {ROUNDS} rounds, {table}"
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::write(
        root.join(format!("book/recorded/figures-{name}.txt")),
        &text,
    )?;
    print!("{text}");
    Ok(())
}
