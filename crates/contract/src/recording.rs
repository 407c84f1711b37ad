use std::{env, fs};

use crate::{Failure, Result, Transcript, lesson::root, peer};

/// Compares a transcript with what the book prints: `book/recorded/NAME.rust.txt`, or
/// `.node.txt` when the peer is the twin. `RECORD=1` writes that file instead.
///
/// Dates and ports differ from run to run, so both are made the same first.
///
/// # Errors
///
/// The book prints something else, or nothing yet.
pub fn compare_with_the_book(name: &str, transcript: &Transcript) -> Result {
    let file = format!("book/recorded/{name}.{}.txt", peer());
    let path = root().join(&file);
    let now = normalised(&transcript.to_string());
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

fn normalised(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let name = line[2.min(line.len())..].split(':').next().unwrap_or("");
        let mark = &line[..1];
        if name.eq_ignore_ascii_case("date") {
            out += &format!("{mark} {name}: Thu, 01 Jan 1970 00:00:00 GMT\n");
        } else if name.eq_ignore_ascii_case("host") {
            out += &format!("{mark} {name}: 127.0.0.1:3000\n");
        } else {
            out += line;
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[test]
    fn dates_and_ports_are_made_the_same() {
        let wire = "> GET / HTTP/1.1\n> host: 127.0.0.1:40123\n>\n\
                    < HTTP/1.1 200 OK\n< Date: Sun, 22 Nov 2026 20:04:16 GMT\n<\n< é\n";
        let book = "> GET / HTTP/1.1\n> host: 127.0.0.1:3000\n>\n\
                    < HTTP/1.1 200 OK\n< Date: Thu, 01 Jan 1970 00:00:00 GMT\n<\n< é\n";
        assert_eq!(normalised(wire), book);
    }
}
