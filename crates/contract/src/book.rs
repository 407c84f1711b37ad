use std::{borrow::Borrow, env, fs};

use wire::Transcript;

use crate::{Failure, Peer, Result, lesson::root, peer};

/// Compares a transcript with what the book prints: `book/recorded/NAME.rust.txt`, or
/// `.node.txt` when the peer is the twin. `RECORD=1` writes that file instead.
///
/// What differs from run to run is [made the same](Transcript::normalised) first.
///
/// # Errors
///
/// The book prints something else, or nothing yet.
pub fn compare_with_the_book(
    name: &str,
    transcript: impl Borrow<Transcript>,
) -> Result {
    let now = transcript.borrow().normalised().to_string();
    compare(&format!("{name}.{}.txt", peer()), &now)
}

/// Compares the sequence diagram of a transcript with the one that the book draws,
/// `book/recorded/NAME.mermaid`. `RECORD=1` writes that file instead.
///
/// The book draws what the lesson did, so with the twin there is nothing to compare.
///
/// # Errors
///
/// The book draws something else, or nothing yet.
pub fn compare_diagram_with_the_book(
    name: &str,
    transcript: impl Borrow<Transcript>,
) -> Result {
    match peer() {
        Peer::Node => Ok(()),
        Peer::Rust => {
            let now = transcript.borrow().normalised().mermaid();
            compare(&format!("{name}.mermaid"), &now)
        }
    }
}

fn compare(file: &str, now: &str) -> Result {
    let file = format!("book/recorded/{file}");
    let path = root().join(&file);
    if env::var_os("RECORD").is_some() {
        fs::create_dir_all(path.parent().expect("the path has two folders in it"))?;
        return Ok(fs::write(&path, now)?);
    }
    let book = fs::read_to_string(&path).map_err(|error| {
        Failure::new(format!("{file}: {error}; run `cargo book record`"))
    })?;
    // A checkout on Windows may have turned the line ends into CRLF.
    if book.replace("\r\n", "\n") == now {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the wire differs from the book's, {file}; if it is right now, run \
         `cargo book record`\n--- the book\n{book}--- now\n{now}"
    )))
}
