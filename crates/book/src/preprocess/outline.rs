//! The headings of a page: what a link can point at, and the shape of a lesson.

use super::html_attributes;
use mdbook_markdown::{
    MarkdownOptions, new_cmark_parser,
    pulldown_cmark::{Event, HeadingLevel, OffsetIter, Tag, TagEnd},
};
use std::collections::HashSet;

/// The parts that every lesson's chapter has, in this order.
///
/// A reader who knows one chapter finds their way in all: first Node, which they know,
/// then the same in Rust, then what both say on the wire, and only then why.
pub const SECTIONS: [&str; 10] = [
    "What you will build",
    "In Node",
    "In Rust, side by side",
    "On the wire",
    "Why it works",
    "Try it",
    "Break it",
    "Exercises",
    "Quiz",
    "What changed since the last lesson",
];

/// How many lessons there are: the chapters `01-….md` to `17-….md`.
const LESSONS: u8 = 17;

/// One heading.
#[derive(Debug, PartialEq)]
pub(crate) struct Heading {
    pub(crate) level: HeadingLevel,
    pub(crate) text: String,
    pub(crate) id: String,
    /// Where it begins in the page's text.
    pub(crate) at: usize,
}

/// The headings and ids of one page.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub(crate) headings: Vec<Heading>,
    /// Ids of HTML that the page's author wrote.
    other_ids: HashSet<String>,
}

/// The Markdown of `text`, read as mdBook reads it.
pub(crate) fn events(text: &str) -> OffsetIter<'_> {
    new_cmark_parser(text, &MarkdownOptions::default()).into_offset_iter()
}

impl Outline {
    /// Reads a page, giving headings the ids that mdBook will give them.
    pub(crate) fn of(text: &str) -> Self {
        let mut outline = Self::default();
        let mut used = HashSet::new();
        // The heading or defined term that we are in: both get ids.
        let mut open: Option<(Option<HeadingLevel>, Option<String>, String, usize)> =
            None;
        for (event, range) in events(text) {
            match event {
                Event::Start(Tag::Heading { level, id, .. }) => {
                    let id = id.map(String::from);
                    open = Some((Some(level), id, String::new(), range.start));
                }
                Event::Start(Tag::DefinitionListTitle) => {
                    open = Some((None, None, String::new(), range.start));
                }
                Event::Text(part) | Event::Code(part) => {
                    if let Some((_, _, text, _)) = &mut open {
                        text.push_str(&part);
                    }
                }
                Event::SoftBreak => {
                    if let Some((_, _, text, _)) = &mut open {
                        text.push('\n');
                    }
                }
                Event::End(TagEnd::Heading(_) | TagEnd::DefinitionListTitle) => {
                    let Some((level, id, text, at)) = open.take() else {
                        continue;
                    };
                    let id = id.unwrap_or_else(|| unique_id(&text, &mut used));
                    match level {
                        Some(level) => {
                            let text = text.trim().to_owned();
                            outline.headings.push(Heading {
                                level,
                                text,
                                id,
                                at,
                            });
                        }
                        None => _ = outline.other_ids.insert(id),
                    }
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    let ids = html_attributes(&html)
                        .into_iter()
                        .filter(|(name, _)| name == "id");
                    outline.other_ids.extend(ids.map(|(_, id)| id));
                }
                _ => {}
            }
        }
        outline
    }

    /// Whether a link may end in `#id`.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.headings.iter().any(|heading| heading.id == id)
            || self.other_ids.contains(id)
    }

    /// What a link may end in, in the order of the page.
    pub(crate) fn ids(&self) -> Vec<&str> {
        self.headings
            .iter()
            .map(|heading| heading.id.as_str())
            .collect()
    }

    /// What a lesson's chapter lacks: places in its text, and what is wrong there.
    pub(crate) fn shape(&self) -> Vec<(usize, String)> {
        let parts: Vec<&Heading> = self
            .headings
            .iter()
            .filter(|heading| heading.level == HeadingLevel::H2)
            .collect();
        let place = |name: &str| parts.iter().position(|part| part.text == name);
        let mut problems = Vec::new();
        let mut last: Option<(&str, usize)> = None;
        for name in SECTIONS {
            match (place(name), last) {
                (Some(n), Some((before, m))) if n < m => problems.push((
                    parts[n].at,
                    format!(
                        "`## {name}` comes too early: it belongs after `## {before}`"
                    ),
                )),
                (Some(n), _) => last = Some((name, n)),
                (None, Some((before, n))) => problems.push((
                    parts[n].at,
                    format!(
                        "`## {name}` is missing: it belongs after `## {before}`"
                    ),
                )),
                (None, None) => problems.push((
                    0,
                    format!("`## {name}` is missing: it is the first part"),
                )),
            }
        }
        problems
    }
}

/// Whether `file` is a lesson's chapter, `01-….md` to `17-….md`.
pub(crate) fn is_lesson(file: &str) -> bool {
    let number = file.split_once('-').map_or("", |(number, _)| number);
    number.len() == 2 && number.parse().is_ok_and(|n: u8| (1..=LESSONS).contains(&n))
}

/// mdBook's rule: lower case, letters and digits and `_-`, spaces as `-`, and then a
/// number if the page already has the same id.
fn unique_id(heading: &str, used: &mut HashSet<String>) -> String {
    let id: String = heading
        .trim()
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
            c if c.is_whitespace() => Some('-'),
            _ => None,
        })
        .collect();
    let mut unique = id.clone();
    let mut n = 0;
    while !used.insert(unique.clone()) {
        n += 1;
        unique = format!("{id}-{n}");
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_has_the_id_that_mdbook_gives_it() {
        let outline = Outline::of(
            "# It's `a < b`, *really*\n\n## Same\n\n## Same\n\n## Own {#mine}\n\n\
             ## 한국어 Ü\n\n<a id=\"hand\"></a>\n\nSetext\n------\n\n```text\n# no\n```\n",
        );
        assert_eq!(
            outline.ids(),
            [
                "its-a--b-really",
                "same",
                "same-1",
                "mine",
                "한국어-ü",
                "setext"
            ]
        );
        assert!(outline.has("hand") && outline.has("same-1") && !outline.has("no"));
    }

    #[test]
    fn the_chapters_of_lessons_are_known_by_their_number() {
        assert!(is_lesson("01-raw-hyper.md") && is_lesson("17-production.md"));
        for other in ["00-x.md", "18-x.md", "1-x.md", "preface.md", "xx-y.md"] {
            assert!(!is_lesson(other), "{other}");
        }
    }

    fn chapter(parts: &[&str]) -> String {
        parts
            .iter()
            .map(|part| format!("## {part}\n\ntext\n\n"))
            .collect()
    }

    #[test]
    fn a_lesson_has_its_parts_in_order() {
        assert_eq!(Outline::of(&chapter(&SECTIONS)).shape(), []);
        let mut more = SECTIONS.to_vec();
        more.insert(3, "Another");
        assert_eq!(Outline::of(&chapter(&more)).shape(), []);
    }

    #[test]
    fn a_part_that_is_missing_or_in_the_wrong_place_is_reported() {
        for n in 0..SECTIONS.len() {
            let mut parts = SECTIONS.to_vec();
            let gone = parts.remove(n);
            let problems = Outline::of(&chapter(&parts)).shape();
            assert_eq!(problems.len(), 1, "{gone}: {problems:?}");
            assert!(
                problems[0]
                    .1
                    .starts_with(&format!("`## {gone}` is missing"))
            );
        }
        let mut parts = SECTIONS.to_vec();
        parts.swap(3, 4);
        let problems = Outline::of(&chapter(&parts)).shape();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].1.contains("comes too early"), "{problems:?}");
    }
}
