use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    time::Duration,
};

use crate::{Direction, Event, Record, diagram, normalise::Names, words};

/// What went over the wire, to be shown.
///
/// Its `Display` is [`text`](Self::text) in the default style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    records: Vec<Record>,
    names: BTreeMap<u64, String>,
    ids: Vec<(String, String)>,
}

/// How a transcript is shown as text. Nothing is on by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Colours (ANSI), which say the same as the marks.
    pub colour: bool,
    /// The connection in each line, even if there is only one.
    pub connections: bool,
    /// Milliseconds.
    pub times: bool,
}

impl Extend<Record> for Transcript {
    fn extend<T: IntoIterator<Item = Record>>(&mut self, records: T) {
        self.records.extend(records);
    }
}

impl FromIterator<Record> for Transcript {
    fn from_iter<T: IntoIterator<Item = Record>>(records: T) -> Self {
        let mut transcript = Self::default();
        transcript.extend(records);
        transcript
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Style::default()))
    }
}

impl Transcript {
    /// Adds one event.
    pub fn push(&mut self, record: Record) {
        self.records.push(record);
    }

    /// The events, in order.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Calls the client of a connection by a name, in one word.
    pub fn name(&mut self, connection: u64, name: impl Into<String>) {
        self.names.insert(connection, name.into());
    }

    /// Has [`normalised`](Self::normalised) write `name` wherever `id` stands, an id of 8
    /// or more characters that only the application knows for one.
    pub fn name_id(&mut self, id: impl Into<String>, name: impl Into<String>) {
        self.ids.push((id.into(), name.into()));
    }

    /// Lines with a mark: `>` for what a client sent, `<` for what it received, `#` for
    /// a remark. HTTP is shown line by line, a WebSocket with a line for each message,
    /// or for each frame of one that came in several, and a packet of Engine.IO or
    /// Socket.IO with a line below its message that says what it means. A line that
    /// begins with `!` says what is wrong.
    ///
    /// If there are several connections, the client's name precedes the mark, or `#1`
    /// for the first connection if it has none.
    pub fn text(&self, style: Style) -> String {
        let clients = self.clients("#");
        let named = style.connections || clients.len() > 1;
        let width = clients.values().map(|name| name.chars().count()).max();
        let width = width.unwrap_or_default();
        let mut out = String::new();
        for record in &self.records {
            let (mark, colour) = match (&record.event, record.direction) {
                (Event::Note(_) | Event::Missed { .. }, _) => ('#', "90"),
                (_, Direction::ToServer) => ('>', "36"),
                (_, Direction::ToClient) => ('<', "33"),
            };
            let mut start = String::new();
            if named {
                let name = clients.get(&record.connection);
                let name = name.map_or("", String::as_str);
                let _ = write!(start, "{name:<width$} ");
            }
            if style.times {
                let _ = write!(start, "{:>6} ms ", record.at.as_millis());
            }
            for line in words::lines(&record.event) {
                // Blanks at the end of a payload are escaped: this is an empty line.
                let line = format!("{mark} {line}");
                let line = line.trim_end();
                let _ = match style.colour {
                    true => writeln!(out, "{start}\x1b[{colour}m{line}\x1b[0m"),
                    false => writeln!(out, "{start}{line}"),
                };
            }
        }
        out
    }

    /// The connections and what to call them: one without a name by `unnamed` and its
    /// number.
    fn clients(&self, unnamed: &str) -> BTreeMap<u64, String> {
        let connections = self.records.iter().map(|record| record.connection);
        // What concerns no connection has the number 0.
        let clients = connections.filter(|&n| n > 0).map(|n| {
            let name = self.names.get(&n).cloned();
            (n, name.unwrap_or_else(|| format!("{unnamed}{n}")))
        });
        clients.collect()
    }

    /// The same transcript without what differs from run to run, to be committed.
    ///
    /// Times, dates, local ports and masks become the same in every run, and the key of
    /// a WebSocket handshake that of RFC 6455's example, with the answer to that. If it
    /// was that key, the answer stays what it was. Session ids and UUIDs become
    /// placeholders: `sid-1` wherever the first id was, in headers, paths and payloads
    /// alike. A session id is a string of 8 or more characters that appears as `sid` or
    /// `pid` in a handshake or as `sid=` in a path. What a header or a frame says of a
    /// length stays.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let mut names = Names::new(&self.ids);
        for record in &self.records {
            names.collect(record);
        }
        names.longest_first();
        let records = self.records.iter().map(|record| Record {
            at: Duration::ZERO,
            event: names.normalise(record),
            ..record.clone()
        });
        let ids = self.ids.iter();
        let kept = ids.map(|(_, name)| (name.clone(), name.clone()));
        Self {
            records: records.collect(),
            names: self.names.clone(),
            // From now on the names are the ids.
            ids: kept.collect(),
        }
    }

    /// A mermaid `sequenceDiagram`. For a message it shows the highest layer that was
    /// decoded; for TCP, how a connection ends.
    pub fn mermaid(&self) -> String {
        let mut clients = self.clients("client ");
        if clients.len() < 2 && self.names.is_empty() {
            let only = clients.keys().next().copied();
            clients.insert(only.unwrap_or(1), "client".into());
        }
        diagram::mermaid(&self.records, &clients)
    }
}
