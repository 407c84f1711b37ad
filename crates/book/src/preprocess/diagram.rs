//! ```` ```mermaid ````: a diagram as SVG in the page, drawn here and not by a script.
//!
//! Its colours are variables of theme/course.css, so that it reads in every theme. The
//! line `%% title: …` is its name and its caption.

use super::html;
use mermaid_rs_renderer::{
    LayoutConfig, ParseError, RenderOptions, Theme, render_strict,
};
use std::{
    collections::HashMap,
    panic,
    sync::{LazyLock, Mutex, PoisonError},
};

/// A mistake in a diagram: the line in the fence, from 0, and what is wrong.
pub(crate) type Error = (usize, String);

/// The kinds that have been looked at in the book's themes.
const KINDS: [&str; 4] =
    ["flowchart", "graph", "sequenceDiagram", "stateDiagram-v2"];

/// How far a diagram may shrink, so that its letters can still be read.
const SMALLEST: f32 = 0.75;

/// The diagram as a figure. `id` is unique in the book, since its print page holds
/// every diagram.
pub(crate) fn render(source: &str, id: &str) -> Result<String, Error> {
    let title = title(source)?;
    check(source)?;
    let svg = name(&draw(source)?, id, &title)?;
    let body = format!("<div class=\"scroll\">{svg}</div>");
    Ok(html::figure("diagram", &html::escape(&title), &body))
}

/// Draws the diagram, or finds it drawn: while a chapter is being written it is built
/// again and again, and most of that time would go into unchanged diagrams.
fn draw(source: &str) -> Result<String, Error> {
    static DRAWN: LazyLock<Mutex<HashMap<String, String>>> =
        LazyLock::new(Mutex::default);
    let drawn = || DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(svg) = drawn().get(source) {
        return Ok(svg.clone());
    }
    let options = RenderOptions {
        theme: theme(),
        layout: LayoutConfig::default(),
    };
    // The renderer is young, and one odd line of a chapter must not end `cargo book`.
    let svg =
        panic::catch_unwind(|| render_strict(source, options)).map_err(|_| {
            (
                0,
                "the renderer fails on this diagram: write it differently"
                    .to_owned(),
            )
        })?;
    let svg = svg.map_err(|error| (line_of(&error), error.to_string()))?;
    drawn().insert(source.to_owned(), svg.clone());
    Ok(svg)
}

/// What the line `%% title: …` says.
fn title(source: &str) -> Result<String, Error> {
    let titles = source.lines().filter_map(|line| {
        line.trim()
            .strip_prefix("%%")?
            .trim()
            .strip_prefix("title:")
    });
    match titles.map(str::trim).find(|title| !title.is_empty()) {
        Some(title) => Ok(title.to_owned()),
        None => {
            let error = "a diagram needs the line `%% title: what it shows`, for those \
                         who cannot see it";
            Err((0, error.to_owned()))
        }
    }
}

/// Refuses what the renderer would draw as something other than what was meant.
fn check(source: &str) -> Result<(), Error> {
    let mut kind = None;
    for (n, line) in source.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with("%%") {
            continue;
        }
        let word = line.split([' ', ';']).next().unwrap_or("");
        let ok = match kind {
            None if KINDS.contains(&word) => {
                kind = Some(word);
                true
            }
            None => {
                let known = KINDS.join(", ");
                return Err((n, format!("`{word}` is not supported: use {known}")));
            }
            Some("sequenceDiagram") => is_sequence_line(line, word),
            Some("stateDiagram-v2") => true,
            Some(_) => is_flowchart_line(line, word),
        };
        if !ok {
            return Err((
                n,
                format!("`{line}` means nothing in this kind of diagram"),
            ));
        }
    }
    match kind {
        Some(_) => Ok(()),
        None => Err((0, "this diagram is empty".to_owned())),
    }
}

/// A statement, or a message `A->>B: text`.
fn is_sequence_line(line: &str, word: &str) -> bool {
    const WORDS: [&str; 20] = [
        "participant",
        "actor",
        "create",
        "destroy",
        "loop",
        "alt",
        "else",
        "opt",
        "par",
        "and",
        "critical",
        "option",
        "break",
        "rect",
        "box",
        "end",
        "activate",
        "deactivate",
        "autonumber",
        "Note",
    ];
    const ARROWS: [&str; 8] = ["-->>", "->>", "-->", "->", "--x", "-x", "--)", "-)"];
    if word.eq_ignore_ascii_case("note") {
        return line.contains(':');
    }
    let message = || {
        let (ends, text) = line.split_once(':')?;
        let (from, to) = ARROWS.iter().find_map(|arrow| ends.split_once(arrow))?;
        Some(
            !from.trim().is_empty()
                && !to.trim().is_empty()
                && !text.trim().is_empty(),
        )
    };
    WORDS.contains(&word) || message() == Some(true)
}

/// A statement, an edge, or a node: several bare words are none of these.
fn is_flowchart_line(line: &str, word: &str) -> bool {
    const WORDS: [&str; 8] = [
        "subgraph",
        "end",
        "direction",
        "classDef",
        "class",
        "style",
        "linkStyle",
        "click",
    ];
    const EDGES: [&str; 5] = ["--", "==", "-.", "~~~", "&"];
    WORDS.contains(&word)
        || EDGES.iter().any(|edge| line.contains(edge))
        || !line.contains(char::is_whitespace)
        || word.contains(['[', '(', '{', '>'])
}

/// The line of the fence, from 0, that the renderer complains about.
fn line_of(error: &ParseError) -> usize {
    let line = match error {
        ParseError::UnknownParticipant { line, .. }
        | ParseError::UnexpectedToken { line, .. }
        | ParseError::InvalidDirective { line, .. } => *line,
        ParseError::UnclosedSubgraph { opened_at } => *opened_at,
        _ => 1,
    };
    usize::try_from(line.saturating_sub(1)).unwrap_or(0)
}

/// Variables instead of colours. See `.diagram` in theme/course.css.
fn theme() -> Theme {
    let is = |name: &str| format!("var(--diagram-{name})");
    let mut theme = Theme::modern();
    // The fonts of the book, whose letters are about as wide as those measured.
    theme.font_family = "Open Sans, sans-serif".to_owned();
    theme.background = "none".to_owned();
    for text in [&mut theme.text_color, &mut theme.primary_text_color] {
        *text = is("text");
    }
    for fill in [&mut theme.primary_color, &mut theme.sequence_actor_fill] {
        *fill = is("box");
    }
    for border in [
        &mut theme.primary_border_color,
        &mut theme.sequence_actor_border,
        &mut theme.sequence_activation_border,
    ] {
        *border = is("border");
    }
    for line in [&mut theme.line_color, &mut theme.sequence_actor_line] {
        *line = is("line");
    }
    theme.secondary_color = is("group");
    theme.tertiary_color = is("group");
    theme.cluster_background = is("group");
    theme.cluster_border = is("group-border");
    theme.edge_label_background = is("behind");
    theme.sequence_note_fill = is("note");
    theme.sequence_note_border = is("note-border");
    theme.sequence_activation_fill = is("active");
    theme
}

/// Makes the ids unique, and gives the picture a name.
fn name(svg: &str, id: &str, title: &str) -> Result<String, Error> {
    let Some((open, rest)) = svg
        .strip_prefix("<svg ")
        .and_then(|svg| svg.split_once('>'))
        .filter(|(_, rest)| rest.contains("<text"))
    else {
        return Err((0, "nothing was drawn: is the diagram empty?".to_owned()));
    };
    let rest = rest
        .replace(" id=\"", &format!(" id=\"{id}-"))
        .replace("url(#", &format!("url(#{id}-"))
        .replace('{', "&#123;")
        .replace('\n', " ");
    let title = html::escape(title);
    let width = open
        .split_once("width=\"")
        .and_then(|(_, rest)| rest.split('"').next()?.parse::<f32>().ok())
        .unwrap_or_default();
    let least = (width * SMALLEST).round();
    Ok(format!(
        "<svg {open} style=\"min-width:{least}px\" role=\"img\" aria-labelledby=\"{id}-title\">\
         <title id=\"{id}-title\">{title}</title>{rest}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: &str = "%% title: A <flow>\nflowchart LR\n  a[one] --> b[two]\n";

    #[test]
    fn a_diagram_has_a_name_and_its_own_ids() {
        let html = render(FLOW, "diagram-a-1").expect("it is valid");
        for part in [
            "<figcaption>A &lt;flow&gt;</figcaption>",
            "px\" role=\"img\" aria-labelledby=\"diagram-a-1-title\"",
            "<title id=\"diagram-a-1-title\">A &lt;flow&gt;</title>",
            "var(--diagram-text)",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains('\n'), "a newline could end the HTML: {html}");
        for part in html.split(" id=\"").skip(1) {
            assert!(part.starts_with("diagram-a-1-"), "{part}");
        }
        for part in html.split("url(#").skip(1) {
            assert!(part.starts_with("diagram-a-1-"), "{part}");
        }
    }

    #[test]
    fn no_colour_is_fixed() {
        let sequence = "%% title: t\nsequenceDiagram\n  participant A\n  \
                        participant B\n  A->>B: hi\n  activate B\n  \
                        Note over A,B: note\n  loop often\n    B-->>A: yes\n  \
                        end\n  deactivate B\n";
        let groups =
            "%% title: t\nflowchart TD\n  subgraph g\n    a --> |x| b\n  end\n";
        let states =
            "%% title: t\nstateDiagram-v2\n  [*] --> open\n  open --> [*]\n";
        for source in [sequence, groups, FLOW, states] {
            let html = render(source, "d").expect("it is valid");
            for kind in ["fill=\"#", "stroke=\"#", "stop-color=\"#"] {
                assert!(!html.contains(kind), "{kind} in {html}");
            }
        }
    }

    #[test]
    fn what_is_not_a_diagram_is_refused_on_its_line() {
        for (bad, line, cause) in [
            ("flowchart LR\n a --> b\n", 0, "needs the line `%% title:"),
            ("%% title: \nflowchart LR\n a --> b\n", 0, "needs the line"),
            ("%% title: t\n", 0, "is empty"),
            (
                "%% title: t\nflowchrat LR\n",
                1,
                "`flowchrat` is not supported",
            ),
            (
                "%% title: t\npie\n  \"a\": 1\n",
                1,
                "`pie` is not supported",
            ),
            ("%% title: t\nflowchart LR\n", 0, "nothing was drawn"),
            (
                "%% title: t\nflowchart LR\n a b c\n",
                2,
                "`a b c` means nothing",
            ),
            (
                "%% title: t\nsequenceDiagram\n A->>B hello\n",
                2,
                "means nothing",
            ),
            (
                "%% title: t\nsequenceDiagram\n what is this\n",
                2,
                "means nothing",
            ),
            (
                "%% title: t\nflowchart LR\n a --> b\n --> c\n",
                3,
                "unexpected token",
            ),
            (
                "%% title: t\nflowchart LR\n subgraph g\n a --> b\n",
                2,
                "unclosed",
            ),
        ] {
            let (at, error) = render(bad, "d").expect_err(bad);
            assert!(error.contains(cause), "{bad:?}: {error}");
            assert_eq!(at, line, "{bad:?}: {error}");
        }
    }
}
