//! `{{#recorded NAME}}`, `{{#wire NAME}}` and `{{#diagram NAME TITLE}}`: what a run
//! printed, and what went over the wire, as text or drawn, from the files in
//! `book/recorded`.

use super::{diagram, html};
use crate::root;
use std::path::Path;

/// The figure of `book/recorded/NAME.txt`, whose first line is `$ ` and the command
/// that wrote it.
pub(crate) fn recorded(root: &Path, name: &str) -> Result<String, String> {
    let text = load(root, &format!("{name}.txt"))?;
    let (first, text) = text.split_once('\n').unwrap_or((&text, ""));
    let command = first.strip_prefix("$ ").ok_or_else(|| {
        format!(
            "`book/recorded/{name}.txt` does not begin with the command that wrote \
             it: its first line should be `$ cargo …`"
        )
    })?;
    let caption = format!("recorded by <code>{}</code>", html::escape(command));
    Ok(html::figure(
        "recorded",
        &caption,
        &html::code("text", text.trim_matches('\n')),
    ))
}

/// The recording `FILE`, which must not be empty.
pub(super) fn load(root: &Path, file: &str) -> Result<String, String> {
    let path = format!("book/recorded/{file}");
    let text = root::read(root, &path).map_err(|error| {
        format!("{error}; `cargo book record` writes recordings")
    })?;
    match text.trim().is_empty() {
        true => Err(format!("`{path}` is empty: run `cargo book record`")),
        false => Ok(text),
    }
}

/// `book/recorded/NAME.node.txt` beside `book/recorded/NAME.rust.txt`.
pub(crate) fn wire(root: &Path, name: &str) -> Result<String, String> {
    let side = |end: &str, who: &str| -> Result<String, String> {
        let text = load(root, &format!("{name}.{end}.txt"))?;
        let lines = text.trim_end().lines().enumerate().map(|(n, line)| {
            direction(line).map(|class| (class, line.to_owned())).ok_or_else(|| {
                format!(
                    "`book/recorded/{name}.{end}.txt`, line {}, has none of the marks \
                     `>` (the client sends), `<` (the server sends), `#` (a note)",
                    n + 1
                )
            })
        });
        let lines = lines.collect::<Result<Vec<_>, String>>()?;
        let label = format!("{who}, the wire of {name}");
        Ok(html::figure(
            "wire",
            &format!("<strong>{who}</strong> what went over the wire"),
            &html::lines("wire", &label, lines),
        ))
    };
    Ok(html::side_by_side(
        &side("node", "Node twin")?,
        &side("rust", "Rust lesson")?,
    ))
}

/// The sequence diagram `book/recorded/NAME.mermaid`. The title is the chapter's.
pub(crate) fn diagram(
    root: &Path,
    argument: &str,
    id: &str,
) -> Result<String, String> {
    let Some((name, title)) = argument.split_once(' ') else {
        return Err(
            "{{#diagram}} needs the name of a recording and a title, for those who \
             cannot see it: {{#diagram 05-echo What it shows}}"
                .to_owned(),
        );
    };
    let file = format!("{name}.mermaid");
    let source = load(root, &file)?;
    let title = title.trim();
    diagram::render(&format!("%% title: {title}\n{source}"), id).map_err(
        // The renderer counts from 0, with the line of the title.
        |(line, error)| format!("`book/recorded/{file}`, line {line}: {error}"),
    )
}

/// Who speaks in a line of a wire recording: its class. The mark itself stays in the
/// text, since not everybody sees colours. A client's name may precede it.
fn direction(line: &str) -> Option<&'static str> {
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let class = |mark| match mark {
        ">" => Some("client"),
        "<" => Some("server"),
        "#" => Some("note"),
        _ => None,
    };
    class(words.next()?).or_else(|| class(words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn a_recording_says_how_to_record_it_again() {
        let tree = Fixture::new()
            .file("book/recorded/log.txt", "$ cargo run <a>\r\nlistening\r\n")
            .file("book/recorded/bare.txt", "listening\n");
        let html = recorded(tree.path(), "log").expect("it is there");
        assert!(html.contains("<code>cargo run &lt;a&gt;</code>"), "{html}");
        assert!(html.contains("language-text\">listening<"), "{html}");
        let error = recorded(tree.path(), "bare").expect_err("who wrote it?");
        assert!(error.contains("does not begin with the command"), "{error}");
    }

    #[test]
    fn a_missing_or_empty_recording_is_a_mistake() {
        let tree = Fixture::new().file("book/recorded/empty.txt", "\n");
        let error = recorded(tree.path(), "gone").expect_err("it is not there");
        assert!(
            error.contains("no file `book/recorded/gone.txt`"),
            "{error}"
        );
        let error = recorded(tree.path(), "empty").expect_err("it is empty");
        assert!(error.contains("is empty"), "{error}");
    }

    #[test]
    fn a_recorded_diagram_has_the_title_of_the_chapter() {
        let tree = Fixture::new()
            .file(
                "book/recorded/a.mermaid",
                "sequenceDiagram\n  participant C1 as Ada\n  participant S as server\n  \
                 C1->>S: text: hello\n",
            )
            .file("book/recorded/bad.mermaid", "sequenceDiagram\n  what is it\n");
        let html =
            diagram(tree.path(), "a Ada says <hello>", "d").expect("it is right");
        assert!(
            html.contains("<figcaption>Ada says &lt;hello&gt;</figcaption>"),
            "{html}"
        );
        for (argument, cause) in [
            (
                "a",
                "{{#diagram}} needs the name of a recording and a title",
            ),
            ("gone A title", "no file `book/recorded/gone.mermaid`"),
            (
                "bad A title",
                "`book/recorded/bad.mermaid`, line 2: `what is it`",
            ),
        ] {
            let error = diagram(tree.path(), argument, "d").expect_err(argument);
            assert!(error.contains(cause), "{argument}: {error}");
        }
    }

    #[test]
    fn the_wire_shows_who_speaks_without_colour() {
        let tree = Fixture::new()
            .file(
                "book/recorded/01.node.txt",
                "# connect\n> GET /\n< <200>\n>\n",
            )
            .file(
                "book/recorded/01.rust.txt",
                "Ada > GET /\n    # hm\nAda < 200\n",
            );
        let html = wire(tree.path(), "01").expect("both are there");
        assert!(
            html.contains("<span class=\"note\"># connect&#10;</span>"),
            "{html}"
        );
        assert!(html.contains("<span class=\"client\">&gt; GET /&#10;</span>"));
        assert!(
            html.contains("<span class=\"server\">&lt; &lt;200&gt;&#10;</span>")
        );
        assert!(
            html.contains("<span class=\"client\">Ada &gt; GET /&#10;</span>"),
            "{html}"
        );
        assert!(html.contains("<span class=\"note\">    # hm&#10;</span>"));
        assert!(html.contains("tabindex=\"0\" role=\"region\""), "{html}");
        assert!(html.contains("<strong>Node twin</strong>"), "{html}");
        assert!(html.contains("<strong>Rust lesson</strong>"), "{html}");
    }

    #[test]
    fn a_wire_line_without_a_speaker_is_a_mistake() {
        let tree = Fixture::new()
            .file("book/recorded/01.node.txt", "> GET /\nHTTP\n")
            .file("book/recorded/01.rust.txt", "> GET /\n");
        let error = wire(tree.path(), "01").expect_err("line 2 has no mark");
        assert!(
            error.contains("`book/recorded/01.node.txt`, line 2,"),
            "{error}"
        );
        let error = wire(tree.path(), "02").expect_err("it is not there");
        assert!(
            error.contains("no file `book/recorded/02.node.txt`"),
            "{error}"
        );
    }
}
