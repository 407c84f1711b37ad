//! A transcript as a mermaid sequence diagram.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Write as _,
};

use crate::{
    Direction, Event, Record, Tcp, http, websocket,
    words::{self, printable},
};

/// A label of more characters than this is cut, whatever it is made of.
const LONGEST_LABEL: usize = 80;

/// A longer word does not fit between two lifelines, and would be drawn beside them.
const LONGEST_WORD: usize = 22;

/// `clients` are the connections and what to call them, in the order to draw them in.
pub(crate) fn mermaid(
    records: &[Record],
    clients: &BTreeMap<u64, String>,
) -> String {
    let mut out = "sequenceDiagram\n".to_owned();
    // With the server in the middle, an arrow crosses as few lifelines as it can.
    let middle = clients.len().div_ceil(2);
    for (n, (connection, name)) in clients.iter().enumerate() {
        if n == middle {
            out += "  participant S as server\n";
        }
        let name = plain(&printable(name, usize::MAX));
        let _ = writeln!(out, "  participant C{connection} as {name}");
    }
    if middle == clients.len() {
        out += "  participant S as server\n";
    }
    let ends = clients.keys().next().zip(clients.keys().next_back());
    let everyone = match ends {
        Some((first, last)) if first < last => format!("C{first},C{last}"),
        Some((only, _)) => format!("C{only},S"),
        None => "S".to_owned(),
    };
    let mut arrows: Vec<String> = Vec::new();
    // The arrow of the HTTP head that came last, by connection and direction.
    let mut heads: HashMap<_, usize> = HashMap::new();
    for (record, told) in records.iter().zip(told_elsewhere(records)) {
        let event = &record.event;
        if told {
            continue;
        }
        let label = label(&words::label(event));
        let key = (record.connection, record.direction);
        if let (Event::Http(http::Event::Body(_)), Some(head)) =
            (event, heads.remove(&key))
        {
            let _ = write!(arrows[head], ": {label}");
            continue;
        }
        if let Event::Http(http::Event::Request(_) | http::Event::Response(_)) =
            event
        {
            heads.insert(key, arrows.len());
        }
        let client = format!("C{}", record.connection);
        arrows.push(match (event, record.direction) {
            _ if record.connection == 0 => format!("Note over {everyone}: {label}"),
            (Event::Note(_) | Event::Missed { .. }, _) => {
                format!("Note over {client},S: {label}")
            }
            (_, Direction::ToServer) => format!("{client}->>S: {label}"),
            (_, Direction::ToClient) => format!("S->>{client}: {label}"),
        });
    }
    for arrow in arrows {
        let _ = writeln!(out, "  {arrow}");
    }
    out
}

/// For each record, whether another arrow says the same: that of the highest layer that
/// was decoded.
fn told_elsewhere(records: &[Record]) -> Vec<bool> {
    let is_packet =
        |event: &Event| matches!(event, Event::EngineIo(_) | Event::SocketIo(_));
    let packets = records.iter().filter(|record| is_packet(&record.event));
    let with_packets: HashSet<_> = packets.map(|record| record.connection).collect();
    // Whether the next event of a connection is a packet.
    let mut next = HashMap::new();
    let told = records.iter().rev().map(|record| {
        let next = next.insert(record.connection, is_packet(&record.event));
        match &record.event {
            Event::Tcp(Tcp::Opened) => true,
            Event::WebSocket(websocket::Event::Frame(_)) => true,
            Event::WebSocket(websocket::Event::Message(message)) => {
                use websocket::Kind;
                matches!(message.kind, Kind::Text | Kind::Binary)
                    && with_packets.contains(&record.connection)
            }
            Event::Http(http::Event::Body(_)) => next == Some(true),
            _ => false,
        }
    });
    let mut told: Vec<_> = told.collect();
    told.reverse();
    told
}

/// What would mean something to mermaid: a comment (`%%`, `#`), an entity, the end of a
/// statement, a tag, an arrow, a line break, how to break lines. And what stands for it.
const LOOKALIKES: [(&str, &str); 7] = [
    ("%%", "％％"),
    ("#", "＃"),
    (";", "；"),
    ("<", "‹"),
    (">", "›"),
    ("\\", "∖"),
    ("wrap:", "wrap："),
];

/// Printable text that means nothing to mermaid.
fn plain(text: &str) -> String {
    let plain = LOOKALIKES
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    plain.trim().into()
}

/// Plain text, cut and with long words broken, to fit a diagram.
fn label(text: &str) -> String {
    let text = plain(text);
    let mut out = String::new();
    let mut word = 0;
    for (n, char) in text.chars().enumerate() {
        if n == LONGEST_LABEL {
            out.push('…');
            break;
        }
        out.push(char);
        word += 1;
        let joint = word > LONGEST_WORD / 2 && ",&?/:+".contains(char);
        if char == ' ' {
            word = 0;
        } else if joint || word == LONGEST_WORD {
            out += "<br/>";
            word = 0;
        }
    }
    out.trim_end_matches("<br/>").into()
}
