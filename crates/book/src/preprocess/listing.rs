//! `{{#listing FILE[:ANCHOR]}}`: code out of a file that is compiled and tested.
//!
//! An anchor is the lines between the comments `ANCHOR: name` and `ANCHOR_END: name`.

use super::html;
use crate::root;
use std::{collections::BTreeMap, ops::Range, path::Path};

/// A piece of a file, ready to be shown.
#[derive(Debug)]
pub(crate) struct Listing {
    path: String,
    language: &'static str,
    /// The lines it is on, from 1; `None` for a whole file.
    lines: Option<Range<usize>>,
    text: String,
}

impl Listing {
    /// Reads `spec`, which is `path` or `path:anchor`.
    pub(crate) fn load(root: &Path, spec: &str) -> Result<Self, String> {
        let (path, anchor) = match spec.split_once(':') {
            Some((path, anchor)) => (path.trim(), Some(anchor.trim())),
            None => (spec, None),
        };
        let language = language(path)?;
        let file = root::read(root, path)?;
        let all: Vec<&str> = file.lines().collect();
        let place = match anchor {
            Some(name) => find(&all, name).map_err(|e| format!("`{path}` {e}"))?,
            None => 0..all.len(),
        };
        // Marks of anchors inside this one are not part of the program's text.
        let mut kept: Vec<(usize, &str)> = place
            .map(|n| (n, all[n]))
            .filter(|(_, line)| mark(line).is_none())
            .collect();
        let blank = |line: &(usize, &str)| line.1.trim().is_empty();
        while kept.last().is_some_and(blank) {
            kept.pop();
        }
        let start = kept.iter().position(|line| !blank(line)).unwrap_or(0);
        kept.drain(..start);
        let (Some(first), Some(last)) = (kept.first(), kept.last()) else {
            return Err(format!("`{spec}` has no lines to show"));
        };
        Ok(Self {
            path: path.to_owned(),
            language,
            lines: anchor.map(|_| first.0 + 1..last.0 + 2),
            text: dedent(kept.iter().map(|(_, line)| *line)),
        })
    }

    /// The figure; `who` names the side when there are two.
    pub(crate) fn figure(&self, who: Option<&str>) -> String {
        let mut caption = String::new();
        if let Some(who) = who {
            caption += &format!("<strong>{who}</strong> ");
        }
        caption += &html::escape(&self.path);
        if let Some(lines) = &self.lines {
            let (first, last) = (lines.start, lines.end - 1);
            caption += &match first == last {
                true => format!(" · line {first}"),
                false => format!(" · lines {first}–{last}"),
            };
        }
        html::figure("listing", &caption, &html::code(self.language, &self.text))
    }
}

/// `{{#side-by-side NODE | RUST}}`: two listings.
pub(crate) fn side_by_side(root: &Path, spec: &str) -> Result<String, String> {
    let Some((node, rust)) = spec.split_once('|') else {
        return Err("side-by-side needs two listings, `node | rust`".to_owned());
    };
    let node = Listing::load(root, node.trim())?;
    let rust = Listing::load(root, rust.trim())?;
    Ok(html::side_by_side(
        &node.figure(Some("Node")),
        &rust.figure(Some("Rust")),
    ))
}

/// What the page's highlighter calls the language of a file.
fn language(path: &str) -> Result<&'static str, String> {
    Ok(match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "rs" => "rust",
        "js" | "mjs" | "cjs" => "javascript",
        "toml" => "toml",
        "html" => "html",
        "css" => "css",
        "json" => "json",
        "sh" => "bash",
        "txt" => "text",
        other => {
            return Err(format!(
                "`{path}` ends in `{other}`, which has no known language yet: add it \
                 to `language` in crates/book/src/preprocess/listing.rs"
            ));
        }
    })
}

/// A line that starts or ends an anchor.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mark<'a> {
    Start(&'a str),
    End(&'a str),
}

/// Reads `// ANCHOR: name`, also in `#` and `<!-- -->` comments.
fn mark(line: &str) -> Option<Mark<'_>> {
    let line = line.trim();
    let comment = ["//", "#", "<!--", "/*"]
        .iter()
        .find_map(|start| line.strip_prefix(start))?;
    let comment = comment
        .trim_end_matches("-->")
        .trim_end_matches("*/")
        .trim();
    let name =
        |rest: &'_ str| !rest.is_empty() && !rest.contains(char::is_whitespace);
    if let Some(rest) = comment.strip_prefix("ANCHOR:") {
        Some(Mark::Start(rest.trim())).filter(|_| name(rest.trim()))
    } else {
        let rest = comment.strip_prefix("ANCHOR_END:")?.trim();
        Some(Mark::End(rest)).filter(|_| name(rest))
    }
}

/// `lines` without the marks of anchors, as one text.
pub(crate) fn without_marks(text: &str) -> String {
    let kept = text
        .split_inclusive('\n')
        .filter(|line| mark(line).is_none());
    kept.collect()
}

/// The lines between the marks of the anchor `wanted`, counted from 0.
fn find(lines: &[&str], wanted: &str) -> Result<Range<usize>, String> {
    let mut starts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut ends: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (n, line) in lines.iter().enumerate() {
        match mark(line) {
            Some(Mark::Start(name)) => starts.entry(name).or_default().push(n),
            Some(Mark::End(name)) => ends.entry(name).or_default().push(n),
            None => {}
        }
    }
    let at = |marks: &BTreeMap<&str, Vec<usize>>| {
        marks.get(wanted).cloned().unwrap_or_default()
    };
    match (&at(&starts)[..], &at(&ends)[..]) {
        (&[start], &[end]) if start < end => Ok(start + 1..end),
        ([], []) => {
            let known: Vec<&str> = starts.keys().copied().collect();
            let known = match known.is_empty() {
                true => "it has none".to_owned(),
                false => format!("it has {}", known.join(", ")),
            };
            Err(format!("has no anchor `{wanted}`: {known}"))
        }
        (&[start], []) => Err(format!(
            "opens the anchor `{wanted}` on line {} but never closes it: add \
             `ANCHOR_END: {wanted}`",
            start + 1
        )),
        ([], &[end]) | (&[_], &[end]) => Err(format!(
            "closes the anchor `{wanted}` on line {} before it opens it",
            end + 1
        )),
        (starts, ends) => {
            let again = if starts.len() > 1 { starts[1] } else { ends[1] };
            Err(format!(
                "marks the anchor `{wanted}` again on line {}: rename one of the two",
                again + 1
            ))
        }
    }
}

/// `lines` without the indentation that they share.
fn dedent<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let full = lines.clone().filter(|line| !line.trim().is_empty());
    let shared = full.map(indent).min().unwrap_or(0);
    let mut text = String::new();
    for line in lines {
        text += line.get(shared..).unwrap_or("").trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    const SOURCE: &str = "\
//! Head.
// ANCHOR: all
fn main() {
    // ANCHOR: inner
    if 1 < 2 {
        call(\"{{#x}}\");

    }
    // ANCHOR_END: inner
}
// ANCHOR_END: all

// ANCHOR: open
// ANCHOR: twice
// ANCHOR_END: twice
// ANCHOR: twice
// ANCHOR_END: twice
// ANCHOR_END: backward
// ANCHOR: backward
// ANCHOR_END: never_opened
// ANCHOR: empty

// ANCHOR_END: empty
";

    fn load(spec: &str) -> Result<Listing, String> {
        let tree = Fixture::new()
            .file("a/main.rs", SOURCE)
            .file("a/run.sh", "# ANCHOR: it\necho 1\n# ANCHOR_END: it\n")
            .file(
                "a/p.html",
                "<!-- ANCHOR: it -->\n<p>\n<!-- ANCHOR_END: it -->\n",
            )
            .file("a/marks.rs", "// ANCHOR: a\n// ANCHOR_END: a\n")
            .file("a/x.zig", "");
        Listing::load(tree.path(), spec)
    }

    #[test]
    fn an_anchor_is_dedented_and_says_where_it_is() {
        let listing = load("a/main.rs:inner").expect("it is there");
        assert_eq!(listing.text, "if 1 < 2 {\n    call(\"{{#x}}\");\n\n}\n");
        let html = listing.figure(None);
        assert!(html.contains("a/main.rs · lines 5–8"), "{html}");
        assert!(
            html.contains("<code class=\"language-rust\">if 1 &lt; 2 &#123;&#10;")
        );
        assert!(!html.contains('\n'), "a blank line would end it: {html}");
    }

    #[test]
    fn marks_inside_an_anchor_are_not_shown() {
        let listing = load("a/main.rs:all").expect("it is there");
        assert!(!listing.text.contains("ANCHOR"), "{}", listing.text);
        assert_eq!(listing.lines, Some(3..11));
    }

    #[test]
    fn a_whole_file_is_shown_without_marks() {
        let listing = load("a/main.rs").expect("it is there");
        assert!(listing.text.starts_with("//! Head.\nfn main() {\n"));
        assert!(!listing.text.contains("ANCHOR"));
        assert!(
            listing
                .figure(None)
                .contains("<figcaption>a/main.rs</figcaption>")
        );
    }

    #[test]
    fn other_comments_mark_anchors_too() {
        assert_eq!(load("a/run.sh:it").expect("`#`").text, "echo 1\n");
        assert_eq!(load("a/p.html:it").expect("`<!--`").text, "<p>\n");
        assert_eq!(load("a/run.sh:it").expect("`#`").lines, Some(2..3));
    }

    #[test]
    fn every_mistake_names_its_cause() {
        for (spec, cause) in [
            (
                "a/main.rs:handler",
                "has no anchor `handler`: it has all, backward,",
            ),
            (
                "a/main.rs:open",
                "opens the anchor `open` on line 13 but never closes",
            ),
            (
                "a/main.rs:twice",
                "marks the anchor `twice` again on line 16",
            ),
            (
                "a/main.rs:backward",
                "closes the anchor `backward` on line 18 before",
            ),
            ("a/main.rs:never_opened", "before it opens it"),
            ("a/main.rs:empty", "`a/main.rs:empty` has no lines to show"),
            ("a/marks.rs", "has no lines to show"),
            ("a/gone.rs", "there is no file `a/gone.rs`"),
            ("../a/main.rs", "leads out of the repository"),
            ("a/x.zig", "has no known language yet"),
        ] {
            let error = load(spec).expect_err(spec);
            assert!(error.contains(cause), "{spec}: {error}");
        }
    }

    #[test]
    fn side_by_side_is_two_named_listings() {
        let tree = Fixture::new().file("a.mjs", "1\n").file("a.rs", "2\n");
        let html =
            side_by_side(tree.path(), "a.mjs | a.rs").expect("both are there");
        assert!(
            html.starts_with("<div class=\"side-by-side\"><figure"),
            "{html}"
        );
        assert!(html.contains("<strong>Node</strong> a.mjs"), "{html}");
        assert!(html.contains("<strong>Rust</strong> a.rs"), "{html}");
        let error = side_by_side(tree.path(), "a.mjs").expect_err("one is missing");
        assert!(error.contains("needs two listings"), "{error}");
        side_by_side(tree.path(), "a.mjs | b.rs")
            .expect_err("the second is missing");
    }
}
