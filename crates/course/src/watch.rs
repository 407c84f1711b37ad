//! `cargo course watch`.

use std::{
    fs,
    io::{self, IsTerminal, Read},
    thread,
    time::{Duration, Instant, SystemTime},
};

use exercises::{Exercise, Result, progress, root};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::{
    learn, list,
    terminal::{self, Keys},
};

const KEYS: &str =
    "Keys: h a hint, n the next exercise, l the list, r again, q quit";

/// How often to look whether the file has changed. That is as good as being told, on
/// every system and in every shared folder.
const LOOK: Duration = Duration::from_millis(50);

/// Grades `exercise` now and whenever its file is saved, until `q` or Ctrl-C.
pub(crate) fn watch(exercise: &'static Exercise) -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    // What it changes is put right again also at Ctrl-C, which therefore is caught.
    let _keys = Keys::new();
    let watched = runtime.block_on(async {
        tokio::select! {
            done = follow(exercise, keys()) => done,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    });
    // A thread may still be waiting for a key.
    runtime.shutdown_background();
    watched
}

async fn follow(
    mut exercise: &'static Exercise,
    mut keys: UnboundedReceiver<u8>,
) -> Result {
    let mut graded = None;
    loop {
        let version = version(exercise);
        if graded != Some((exercise.name(), version)) {
            tokio::select! {
                () = grade(exercise) => graded = Some((exercise.name(), version)),
                // Saved again: what was being graded is out of date.
                () = changed(exercise, version) => continue,
                Some(b'q') = keys.recv() => return Ok(()),
            }
        }
        let key = tokio::select! {
            key = keys.recv() => key,
            () = changed(exercise, version) => continue,
        };
        match key {
            Some(b'q') => return Ok(()),
            Some(b'r' | b'\n') => graded = None,
            Some(b'h') => println!("\n{}\n\n{}", learn::hint(exercise)?, KEYS),
            Some(b'l') => {
                println!();
                list::list()?;
                println!("\n{KEYS}");
            }
            Some(b'n') => exercise = after(exercise)?,
            Some(_) => {}
            // Nobody can press a key: go on until Ctrl-C.
            None => changed(exercise, version).await,
        }
    }
}

/// When the learner's file was written, and how long it is.
fn version(exercise: &Exercise) -> Option<(SystemTime, u64)> {
    let about = fs::metadata(root().join(exercise.file())).ok()?;
    Some((about.modified().ok()?, about.len()))
}

async fn changed(exercise: &Exercise, before: Option<(SystemTime, u64)>) {
    while version(exercise) == before {
        tokio::time::sleep(LOOK).await;
    }
}

async fn grade(exercise: &'static Exercise) {
    let color = terminal::color();
    if color {
        // Clears the screen, and what can be scrolled back to stays.
        print!("\x1b[2J\x1b[H");
    }
    println!("grading {} …", exercise.file());
    let start = Instant::now();
    let report = exercise.build_and_grade(color).await;
    let took = start.elapsed().as_secs_f64();
    if let Err(error) = progress::record(&report) {
        eprintln!("{error}");
    }
    print!("\n{}", report.text(color));
    let next = learn::what_now(&report).unwrap_or_else(|error| error);
    println!("{next}\n\n{took:.1} s. Waiting for you to save.");
    if io::stdin().is_terminal() {
        println!("{KEYS}");
    }
}

/// The exercise after this one that has not been passed, from the beginning again after
/// the last one.
fn after(exercise: &Exercise) -> Result<&'static Exercise> {
    let all = exercises::all();
    let at = all.iter().position(|one| one.name() == exercise.name());
    let after = all[(at.unwrap_or(0) + 1) % all.len()].name();
    progress::change(|progress| progress.current = Some(after.to_owned()))?;
    crate::next()
}

/// The bytes that come from the keyboard; there are none if it is not a keyboard.
fn keys() -> UnboundedReceiver<u8> {
    let (sender, keys) = mpsc::unbounded_channel();
    if io::stdin().is_terminal() {
        thread::spawn(move || {
            for byte in io::stdin().lock().bytes().map_while(io::Result::ok) {
                if sender.send(byte).is_err() {
                    return;
                }
            }
        });
    }
    keys
}
