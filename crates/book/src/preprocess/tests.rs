//! Whole pages through the preprocessor, in books in temporary folders.

use super::*;
use crate::{build, fixture::Fixture};
use std::fs;

const QUIZ: &str = "```quiz\nQ?\n- [x] a\n- [ ] b\n> c\n```\n";
const DIAGRAM: &str = "```mermaid\n%% title: t\nflowchart LR\n  a --> b\n```\n";

/// The lines that a build of one page fails with, without `book/src/page.md:`.
fn problems(text: &str) -> Vec<String> {
    problems_of("page.md", text)
}

fn problems_of(name: &str, text: &str) -> Vec<String> {
    let tree = Fixture::book(&[(name, text)]);
    match build::pages(tree.path(), &tree.path().join("out"), build::For::Readers) {
        Ok(_) => Vec::new(),
        Err(problems) => {
            let text = problems.to_string();
            text.lines()
                .map(|line| line.replace("book/src/page.md:", ""))
                .collect()
        }
    }
}

fn html(tree: &Fixture) -> String {
    let out = tree.path().join("out");
    build::pages(tree.path(), &out, build::For::Readers).expect("the page is right");
    fs::read_to_string(out.join("page.html")).expect("the build wrote it")
}

#[test]
fn a_listing_reaches_the_page_exactly_as_it_is_in_the_file() {
    let code = "#[derive(Debug)]\nstruct A<'a>(&'a str);\n\n# hidden\n## two\n\
                fn main() {\n    println!(\"{{#include x}} ``` {{}}\");\n}\n";
    let tree = Fixture::book(&[("page.md", "# T\n\n{{#listing a/b.rs}}\n")])
        .file("a/b.rs", code);
    let html = html(&tree);
    let (_, rest) = html
        .split_once("<code class=\"language-rust\">")
        .expect("code");
    let (shown, _) = rest.split_once("</code>").expect("code");
    let shown = shown.replace("&lt;", "<").replace("&gt;", ">");
    let shown = shown.replace("&quot;", "\"").replace("&#39;", "'");
    assert_eq!(shown.replace("&amp;", "&").trim_end(), code.trim_end());
}

#[test]
fn mdbook_gives_headings_the_ids_that_links_are_checked_against() {
    let text = "# It's `a < b`, *really*\n\n## Same\n\n## Same\n\n## A {#own}\n\n\
                ## \"Quoted\" -- dash…\n\nterm\n: what\n\n## term\n";
    let html = html(&Fixture::book(&[("page.md", text)]));
    let ids = Outline::of(text);
    assert_eq!(ids.ids().len(), 6);
    for id in ids.ids() {
        assert!(html.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[test]
fn a_directive_needs_no_blank_lines_around_it() {
    let text = "# T\n\nbefore\n{{#listing a.rs}}\n**after**\n";
    let html = html(&Fixture::book(&[("page.md", text)]).file("a.rs", "1\n"));
    assert!(html.contains("<p>before</p>"), "{html}");
    assert!(html.contains("<strong>after</strong>"), "{html}");
}

#[test]
fn an_escaped_directive_is_text() {
    let html = html(&Fixture::book(&[(
        "page.md",
        "# T\n\n`\\{{#listing x}}`\n",
    )]));
    assert!(html.contains("<code>{{#listing x}}</code>"), "{html}");
}

#[test]
fn every_wrong_directive_is_reported_on_its_line() {
    for (text, cause) in [
        (
            "# T\n\n{{#listing a/b.rs:x}}\n",
            "3: there is no file `a/b.rs`",
        ),
        (
            "# T\n\nsee {{#listing a.rs}}\n",
            "3: a directive stands alone",
        ),
        (
            "# T\n\n- {{#listing a.rs}}\n",
            "3: a directive stands alone",
        ),
        (
            "# T\n\n{{#listing a.rs}} {{#wire b}}\n",
            "3: a directive stands alone",
        ),
        ("# T\n\n{{#listing}}\n", "3: {{#listing}} needs an argument"),
        (
            "# T\n\n{{#lisitng a.rs}}\n",
            "3: there is no directive `lisitng`",
        ),
        (
            "# T\n\n{{#include a.rs}}\n",
            "3: mdBook's {{#include}} says nothing",
        ),
        ("# T\n\n{{ #include a.rs}}\n", "3: a directive stands alone"),
        (
            "# T\n\n{{#rustdoc_include a.rs}}\n",
            "3: mdBook's {{#rustdoc_include}}",
        ),
        (
            "# T\n\n{{#playground a.rs}}\n",
            "3: mdBook's {{#playground}}",
        ),
        (
            "# T\n\n```text\n{{#listing a.rs}}\n```\n",
            "4: mdBook would read this",
        ),
        (
            "# T\n\n{{#side-by-side a.rs}}\n",
            "3: side-by-side needs two",
        ),
        (
            "# T\n\n{{#recorded a}}\n",
            "3: there is no file `book/recorded/a.txt`",
        ),
        (
            "# T\n\n{{#wire a}}\n",
            "3: there is no file `book/recorded/a.node.txt`",
        ),
        (
            "# T\n\n{{#diagram a What it shows}}\n",
            "3: there is no file `book/recorded/a.mermaid`",
        ),
        ("# T\n\n{{#diagram a}}\n", "3: {{#diagram}} needs the name"),
        (
            "# T\n\n{{#exercises 07}}\n",
            "3: there is no file `crates/exercises/src/graders.rs`",
        ),
        (
            "# T\n\n{{#mistake a}}\n",
            "3: there is no file `book/mistakes/a.toml`",
        ),
    ] {
        let problems = problems(text);
        assert_eq!(problems.len(), 1, "{text:?}: {problems:?}");
        assert!(problems[0].starts_with(cause), "{text:?}: {problems:?}");
    }
}

#[test]
fn the_exercises_of_a_lesson_are_listed_in_their_order() {
    let about = |title: &str| format!("title = \"{title}\"\nhints = []\n");
    let pages = [
        ("page.md", "# T\n\n{{#exercises 07}}\n"),
        ("exercises.md", "# How\n"),
    ];
    let tree = Fixture::book(&pages)
        .file(
            "crates/exercises/src/graders.rs",
            "all! {\n    ex01_x,\n    ex07_b,\n    ex07_a,\n}\n",
        )
        .file("crates/exercises/about/ex07_a.toml", &about("Later"))
        .file("crates/exercises/about/ex07_b.toml", &about("First"));
    let html = html(&tree);
    let at =
        |text: &str| html.find(text).unwrap_or_else(|| panic!("{text}: {html}"));
    assert!(at("First</strong>: <code>ex07_b.rs") < at("Later"));
    assert!(html.contains("href=\"exercises.html\""), "{html}");
    assert!(!html.contains("ex01_x"), "{html}");
}

#[test]
fn code_is_never_written_by_hand() {
    for language in [
        "rust",
        "js",
        "javascript",
        "toml",
        "html",
        "css",
        "rust,ignore",
    ] {
        let problems = problems(&format!("# T\n\n```{language}\nx\n```\n"));
        assert_eq!(problems.len(), 1, "{language}: {problems:?}");
        assert!(
            problems[0].starts_with("3: code is never pasted"),
            "{problems:?}"
        );
    }
    for (text, cause) in [
        ("# T\n\n```\nx\n```\n", "3: a fence without a language"),
        ("# T\n\n    x\n", "3: an indented block"),
        (
            "# T\n\n```text\nx\n",
            "3: this ```text fence is never closed",
        ),
        (
            "# T\n\n- a\n\n  ```quiz\n  x\n  ```\n",
            "5: a ```quiz fence starts its line",
        ),
    ] {
        let problems = problems(text);
        assert_eq!(problems.len(), 1, "{text:?}: {problems:?}");
        assert!(problems[0].starts_with(cause), "{text:?}: {problems:?}");
    }
    let good = "# T\n\n```text\nx\n```\n\n- a\n\n  ```console\n  $ x\n  ```\n\n\
                ~~~text\n```\n~~~\n";
    assert_eq!(problems(good), [""; 0]);
}

#[test]
fn mistakes_in_quizzes_and_diagrams_are_reported_on_their_line() {
    let text = format!("# T\n\n{QUIZ}\n{DIAGRAM}\n{QUIZ}");
    let html = html(&Fixture::book(&[("page.md", &text)]));
    for id in ["quiz-page-1", "quiz-page-2", "diagram-page-1-title"] {
        assert_eq!(html.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
    let bad = problems("# T\n\n```quiz\nQ?\n- [x] a\n- b\n> c\n```\n");
    assert!(bad[0].starts_with("6: a choice begins with"), "{bad:?}");
    let bad =
        problems("# T\n\n```mermaid\n%% title: t\nflowchart LR\n a b c\n```\n");
    assert!(bad[0].starts_with("6: `a b c` means nothing"), "{bad:?}");
}

#[test]
fn links_are_checked_wherever_they_are() {
    for (text, cause) in [
        (
            "# T\n\na [b](#c)\n",
            "3: `page.md` has no heading with the id `c`",
        ),
        ("# T\n\na [b](c.md)\n", "3: `c.md` is not a chapter"),
        (
            "# T\n\n[b]\n\n[b]: ../../examples/x\n",
            "3: `../../examples/x` leads out",
        ),
        (
            "# T\n\n![b](https://example.com/x.png)\n",
            "3: `https://example.com/x.png`",
        ),
        (
            "# T\n\n<img alt=\"\"\n  src=\"//x/y.png\">\n",
            "3: `//x/y.png` would be",
        ),
        (
            "# T\n\na <a href=\"c.md\">b</a>\n",
            "3: `c.md` is not a chapter",
        ),
        (
            "# T\n\n```quiz\nQ?\n- [x] a\n- [ ] b\n> [c](d.md)\n```\n",
            "7: `d.md` is not a chapter",
        ),
    ] {
        let problems = problems(text);
        assert_eq!(problems.len(), 1, "{text:?}: {problems:?}");
        assert!(problems[0].starts_with(cause), "{text:?}: {problems:?}");
    }
}

#[test]
fn all_problems_of_all_pages_are_reported_at_once_in_order() {
    let tree = Fixture::book(&[
        ("a.md", "# A\n\n[x](#y)\n\n{{#listing b.rs}}\n"),
        ("b.md", "# B\n\n```rust\n```\n"),
    ]);
    let out = tree.path().join("out");
    let problems = build::pages(tree.path(), &out, build::For::Readers);
    let places: Vec<_> = problems
        .expect_err("three problems")
        .0
        .into_iter()
        .map(|problem| (problem.file, problem.line))
        .collect();
    let at = |file: &str, line| (file.to_owned(), Some(line));
    assert_eq!(
        places,
        [
            at("book/src/a.md", 3),
            at("book/src/a.md", 5),
            at("book/src/b.md", 3)
        ]
    );
}

#[test]
fn a_lesson_has_its_parts_a_diagram_and_a_quiz() {
    let mut text = String::from("# T\n\n");
    for part in SECTIONS {
        text += &format!("## {part}\n\ntext\n\n");
    }
    let whole = format!("{text}{DIAGRAM}\n{QUIZ}");
    assert_eq!(problems_of("01-a.md", &whole), [""; 0]);
    let short = whole.replace("## On the wire\n", "");
    let bad = problems_of("01-a.md", &short);
    assert_eq!(
        bad,
        [
            "book/src/01-a.md:11: `## On the wire` is missing: it belongs after `## In Rust, \
          side by side`"
        ]
    );
    assert_eq!(problems_of("preface.md", &short), [""; 0]);
    let bad = problems_of("17-a.md", &text);
    assert_eq!(
        bad,
        [
            "book/src/17-a.md:1: a lesson has at least one ```mermaid fence or {{#diagram}}",
            "book/src/17-a.md:1: a lesson has at least one ```quiz fence"
        ]
    );
}

#[test]
fn what_mdbook_only_logs_fails_the_build() {
    let bad = problems("# T\n\n<div>\n\ntext\n");
    assert!(
        bad.iter().any(|line| line.contains("unclosed HTML tag")),
        "{bad:?}"
    );
}
