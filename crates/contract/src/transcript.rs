use std::fmt;

/// Who sent a run of bytes, or that nobody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Client,
    Server,
    Note,
}

/// The bytes of one connection, in the order in which this side saw them.
///
/// It displays as text: `> ` before a line that the client sent, `< ` before one that
/// it received, `# ` before a remark. A line ends at CRLF or LF; what is not printable
/// is escaped.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    runs: Vec<(From, Vec<u8>)>,
}

/// Longer lines are cut, and say how long they were: a body of 100 kB helps nobody.
const LONGEST_LINE: usize = 200;

impl Transcript {
    pub(crate) fn sent(&mut self, bytes: &[u8]) {
        self.push(From::Client, bytes);
    }

    pub(crate) fn received(&mut self, bytes: &[u8]) {
        self.push(From::Server, bytes);
    }

    pub(crate) fn note(&mut self, text: &str) {
        self.push(From::Note, format!("{text}\n").as_bytes());
    }

    /// A line that stands for bytes which are not text.
    pub(crate) fn sent_line(&mut self, line: &str) {
        self.push(From::Client, format!("{line}\n").as_bytes());
    }

    /// A line that stands for bytes which are not text.
    pub(crate) fn received_line(&mut self, line: &str) {
        self.push(From::Server, format!("{line}\n").as_bytes());
    }

    fn push(&mut self, from: From, bytes: &[u8]) {
        match self.runs.last_mut() {
            Some((last, run)) if *last == from => run.extend_from_slice(bytes),
            _ => self.runs.push((from, bytes.to_vec())),
        }
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (from, bytes) in &self.runs {
            let mark = match from {
                From::Client => '>',
                From::Server => '<',
                From::Note => '#',
            };
            for line in bytes.split_inclusive(|&byte| byte == b'\n') {
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let text = printable(line);
                writeln!(f, "{}", format!("{mark} {text}").trim_end())?;
            }
        }
        Ok(())
    }
}

/// One line of text: cut if it is long, and with what cannot be printed escaped.
pub(crate) fn printable(line: &[u8]) -> String {
    let shown = &line[..line.len().min(LONGEST_LINE)];
    let mut text = String::new();
    for chunk in shown.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                ' '.. if !char.is_control() => text.push(char),
                _ => text.extend(char.escape_default()),
            }
        }
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    if shown.len() < line.len() {
        text += &format!(" … ({} bytes in all)", line.len());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_says_who_sent_it() {
        let mut wire = Transcript::default();
        wire.sent(b"GET / HT");
        wire.sent(b"TP/1.1\r\n\r\n");
        wire.note("meanwhile, the server is told to stop");
        wire.received(b"HTTP/1.1 200 OK\r\n\r\nHello");
        let expected = "> GET / HTTP/1.1\n>\n\
            # meanwhile, the server is told to stop\n\
            < HTTP/1.1 200 OK\n<\n< Hello\n";
        assert_eq!(wire.to_string(), expected);
    }

    #[test]
    fn what_is_not_printable_is_escaped() {
        let mut wire = Transcript::default();
        wire.sent("é\u{1b}[31m\0\t".as_bytes());
        wire.sent(b"\xff");
        assert_eq!(wire.to_string(), "> é\\u{1b}[31m\\u{0}\\t\\xff\n");
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let mut wire = Transcript::default();
        wire.sent(&[b'x'; 1_000]);
        let text = wire.to_string();
        assert!(text.ends_with("xxx … (1000 bytes in all)\n"), "{text}");
        assert!(text.len() < 250, "{text}");
    }
}
