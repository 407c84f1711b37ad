//! `{{#mistake NAME}}`: the edit that breaks a lesson, and the message it causes.

use super::{html, listing::without_marks, recorded};
use crate::mistake::Mistake;
use similar::{Change, ChangeTag, TextDiff};
use std::path::Path;

/// How many unchanged lines are shown around a change.
const CONTEXT: usize = 3;

/// The two figures: the diff, and the recorded message under it.
///
/// If `lesson_may_change`, an edit that no longer fits is shown without the lines
/// around it in the lesson.
pub(crate) fn mistake(
    root: &Path,
    name: &str,
    lesson_may_change: bool,
) -> Result<String, String> {
    let say = |error: anyhow::Error| format!("{error:#}");
    let mistake = Mistake::load(root, name).map_err(say)?;
    let mut source = mistake.source(root).map_err(say)?;
    let broken = match mistake.apply(&source) {
        Ok(broken) => broken,
        Err(_) if lesson_may_change => {
            source = mistake.find.clone();
            mistake.replace.clone()
        }
        Err(error) => return Err(say(error)),
    };
    let message = recorded::load(root, &format!("mistake-{name}.txt"))?;
    let Some((command, output)) = message
        .strip_prefix("$ ")
        .and_then(|message| message.split_once('\n'))
    else {
        return Err(format!(
            "`book/recorded/mistake-{name}.txt` does not begin with `$ ` and the \
             command: run `cargo book record`"
        ));
    };
    let diff = html::lines(
        "diff",
        &format!("The change: {}", mistake.title.replace('`', "")),
        diff(&without_marks(&source), &without_marks(&broken)),
    );
    let caption = format!(
        "<strong>{}</strong> {}",
        html::inline(&mistake.title),
        html::escape(&mistake.file())
    );
    let diff = html::figure("mistake", &caption, &diff);
    let caption = format!("<code>{}</code> says", html::escape(command.trim()));
    let said = html::code("text", output.trim_end());
    Ok(diff + &html::figure("recorded", &caption, &said))
}

/// The changed lines and a few around them, each with its class and its sign.
fn diff(old: &str, new: &str) -> Vec<(&'static str, String)> {
    let diff = TextDiff::from_lines(old, new);
    let mut lines = Vec::new();
    for group in diff.grouped_ops(CONTEXT) {
        if !lines.is_empty() {
            lines.push(("same", "  …".to_owned()));
        }
        let mut changes: Vec<_> =
            group.iter().flat_map(|op| diff.iter_changes(op)).collect();
        // A blank line at the edge does not show where we are.
        let blank = |change: &Change<&str>| {
            change.tag() == ChangeTag::Equal && change.value().trim().is_empty()
        };
        while changes.last().is_some_and(blank) {
            changes.pop();
        }
        for change in changes.into_iter().skip_while(blank) {
            let (class, sign) = match change.tag() {
                ChangeTag::Delete => ("removed", "−"),
                ChangeTag::Insert => ("added", "+"),
                ChangeTag::Equal => ("same", " "),
            };
            let line = change.value().trim_end();
            lines.push((class, format!("{sign} {line}")));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    const MAIN: &str = "// ANCHOR: a\n\none\ntwo\nthree\n// ANCHOR_END: a\n\n";
    const TOML: &str = "lesson = \"01_a\"\ntitle = \"No `<two>`\"\ncargo = \"check\"\n\
                        find = \"two\"\nreplace = \"2\"\n";

    fn tree(toml: &str, message: &str) -> Fixture {
        Fixture::new()
            .file("examples/01_a/main.rs", MAIN)
            .file("book/mistakes/m.toml", toml)
            .file("book/recorded/mistake-m.txt", message)
    }

    #[test]
    fn a_mistake_is_a_diff_and_its_message() {
        let tree = tree(TOML, "$ cargo check --example 01_a\nerror[E0308]\n");
        let html = mistake(tree.path(), "m", false).expect("all is there");
        assert!(
            html.contains("<span class=\"removed\">− two&#10;</span>"),
            "{html}"
        );
        assert!(
            html.contains("<span class=\"added\">+ 2&#10;</span>"),
            "{html}"
        );
        assert!(
            html.contains("<span class=\"same\">  one&#10;</span>"),
            "{html}"
        );
        assert!(
            html.contains("<strong>No <code>&lt;two&gt;</code></strong>"),
            "{html}"
        );
        assert!(
            html.contains("<code>cargo check --example 01_a</code> says"),
            "{html}"
        );
        assert!(html.contains(">error[E0308]</code>"), "{html}");
        assert!(!html.contains("ANCHOR"), "{html}");
    }

    #[test]
    fn a_mistake_that_no_longer_fits_is_reported() {
        let good = "$ cargo check\nerror\n";
        let stale = TOML.replace("\"two\"", "\"four\"");
        for (tree, cause) in [
            (tree(&stale, good), "no longer holds the text"),
            (tree(TOML, "error\n"), "does not begin with `$ `"),
            (tree(TOML, ""), "is empty"),
            (
                tree(&TOML.replace("01_a", "02_b"), good),
                "no file `examples/02_b",
            ),
        ] {
            let error = mistake(tree.path(), "m", false).expect_err(cause);
            assert!(error.contains(cause), "{error}");
        }
    }

    #[test]
    fn while_a_lesson_is_changed_the_edit_stands_alone() {
        let tree = tree(TOML, "$ cargo check\nerror\n");
        tree.write("examples/01_a/main.rs", "another\n");
        let html = mistake(tree.path(), "m", true).expect("it may change");
        assert!(
            html.contains("− two&#10;</span><span class=\"added\">+ 2"),
            "{html}"
        );
        assert!(!html.contains("class=\"same\""), "{html}");
    }

    #[test]
    fn far_apart_changes_are_parted_by_an_ellipsis() {
        let old: String = (0..30).map(|n| format!("{n}\n")).collect();
        let new = old.replace("\n3\n", "\nx\n").replace("\n27\n", "\ny\n");
        let lines = diff(&old, &new);
        assert!(lines.contains(&("same", "  …".to_owned())), "{lines:?}");
        assert!(!lines.contains(&("same", "  15".to_owned())), "{lines:?}");
    }
}
