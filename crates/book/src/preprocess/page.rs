//! One page: its directives and fences are replaced, and everything in it is checked.

use super::{
    broken, diagram, exercises,
    links::Targets,
    listing::{self, Listing},
    outline::{self, Outline},
    quiz, recorded,
};
use crate::problem::Problem;
use mdbook_markdown::pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};
use std::{ops::Range, path::Path};

/// A page of the book, and what it is made and checked with.
pub(crate) struct Page<'a> {
    /// The root of the repository.
    pub(crate) root: &'a Path,
    /// Whether a mistake may no longer fit its lesson.
    pub(crate) lessons_may_change: bool,
    /// The page's path in `book/src`, with `/`.
    pub(crate) name: &'a str,
    /// Its Markdown.
    pub(crate) text: &'a str,
    /// What its links may lead to.
    pub(crate) targets: &'a Targets,
}

/// A fenced or indented block of code.
struct Block<'a> {
    /// The language after the fence; `None` for an indented block.
    language: Option<String>,
    /// Its place in the page, fences included.
    range: Range<usize>,
    /// Where the text in it begins.
    inside: usize,
    text: &'a str,
    closed: bool,
}

impl Page<'_> {
    /// The page with HTML for its directives and fences.
    pub(crate) fn render(&self) -> Result<String, Vec<Problem>> {
        let blocks = self.blocks();
        let mut problems = Vec::new();
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        let mut take =
            |range: Range<usize>, made: Result<String, (usize, String)>| match made {
                Ok(html) => edits.push((range, format!("\n{html}\n\n"))),
                Err((at, message)) => problems.push((at, message)),
            };
        let stem = self.name.trim_end_matches(".md").replace(['/', ' '], "-");
        let (mut quizzes, mut diagrams) = (0, 0);
        for block in &blocks {
            let line = |(n, message): (usize, String)| {
                let before = block.text.split_inclusive('\n').take(n);
                (block.inside + before.map(str::len).sum::<usize>(), message)
            };
            let fence = self.check_fence(block);
            match (fence, block.language.as_deref()) {
                (Err(message), _) => take(0..0, Err((block.range.start, message))),
                (Ok(()), Some("quiz")) => {
                    quizzes += 1;
                    let id = format!("quiz-{stem}-{quizzes}");
                    let html = quiz::render(block.text, &id).map_err(line);
                    take(block.range.clone(), html);
                }
                (Ok(()), Some("mermaid")) => {
                    diagrams += 1;
                    let id = format!("diagram-{stem}-{diagrams}");
                    let html = diagram::render(block.text, &id).map_err(line);
                    take(block.range.clone(), html);
                }
                _ => {}
            }
        }
        for (range, line) in self.lines_with_braces() {
            let html = if blocks
                .iter()
                .any(|block| block.range.contains(&range.start))
            {
                Err("mdBook would read this as a directive: write `\\{{#`"
                    .to_owned())
            } else if line.starts_with("{{#title ") {
                continue;
            } else if let Some(argument) = line
                .strip_prefix("{{#diagram ")
                .and_then(|line| line.strip_suffix("}}"))
            {
                diagrams += 1;
                let id = format!("diagram-{stem}-{diagrams}");
                recorded::diagram(self.root, argument.trim(), &id)
            } else {
                self.directive(line)
            };
            take(
                range.clone(),
                html.map_err(|message| (range.start, message)),
            );
        }
        problems.extend(self.check_links(&blocks));
        if outline::is_lesson(self.name) {
            problems.extend(Outline::of(self.text).shape());
            for (found, wanted) in [
                (diagrams, "```mermaid fence or {{#diagram}}"),
                (quizzes, "```quiz fence"),
            ] {
                if found == 0 {
                    let message = format!("a lesson has at least one {wanted}");
                    problems.push((0, message));
                }
            }
        }
        if problems.is_empty() {
            edits.sort_by_key(|(range, _)| range.start);
            return Ok(replace(self.text, &edits));
        }
        let file = format!("book/src/{}", self.name);
        let problem = |(at, message): (usize, String)| {
            let line = self.text[..at].matches('\n').count() + 1;
            Problem::at(&file, line, message)
        };
        Err(problems.into_iter().map(problem).collect())
    }

    /// The blocks of code, in order.
    fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks: Vec<Block<'_>> = Vec::new();
        for (event, range) in outline::events(self.text) {
            let Event::Start(Tag::CodeBlock(kind)) = event else {
                continue;
            };
            let whole = &self.text[range.clone()];
            let language = match &kind {
                CodeBlockKind::Indented => None,
                CodeBlockKind::Fenced(info) => {
                    let end = [',', ' ', '\t'];
                    Some(info.split(end).next().unwrap_or("").to_owned())
                }
            };
            let fence_char = if whole.starts_with('~') { '~' } else { '`' };
            let fence = whole.len() - whole.trim_start_matches(fence_char).len();
            let body = whole.split_once('\n').map_or("", |(_, body)| body);
            let inside = range.end - body.len();
            let last = body
                .trim_end()
                .lines()
                .next_back()
                .unwrap_or("")
                .trim_start();
            let closed = language.is_none()
                || (last.len() >= fence && last.chars().all(|c| c == fence_char));
            let text = match closed {
                true => body
                    .trim_end()
                    .rsplit_once('\n')
                    .map_or("", |(text, _)| text),
                false => body,
            };
            blocks.push(Block {
                language,
                range,
                inside,
                text,
                closed,
            });
        }
        blocks
    }

    /// Which blocks of code may be written by hand.
    fn check_fence(&self, block: &Block<'_>) -> Result<(), String> {
        let Some(language) = block.language.as_deref() else {
            return Err("an indented block of code: use a ```text fence".to_owned());
        };
        if !block.closed {
            return Err(format!("this ```{language} fence is never closed"));
        }
        let start = block.range.start;
        let alone = start == 0 || self.text.as_bytes()[start - 1] == b'\n';
        match language {
            "text" | "console" => Ok(()),
            "mermaid" | "quiz" if alone => Ok(()),
            "mermaid" | "quiz" => Err(format!(
                "a ```{language} fence starts its line, outside any list or quote"
            )),
            "" => Err("a fence without a language: write ```text".to_owned()),
            _ => Err(format!(
                "code is never pasted, so that all of it is tested: instead of \
                 ```{language} write {{{{#listing path:anchor}}}}; only text, \
                 console, mermaid and quiz are written by hand"
            )),
        }
    }

    /// The lines with `{{#`, or `{{ #`, which mdBook reads the same; but not those with
    /// `\{{#`, which it shows as text.
    fn lines_with_braces(&self) -> impl Iterator<Item = (Range<usize>, &str)> {
        let mut at = 0;
        let lines = self.text.split_inclusive('\n').map(move |line| {
            at += line.len();
            (at - line.len()..at, line.trim_end())
        });
        lines.filter(|(_, line)| {
            let line = line.replace("\\{{", "");
            let mut inner = line.split("{{").skip(1);
            inner.any(|inner| inner.trim_start().starts_with('#'))
        })
    }

    /// What takes the place of a directive.
    fn directive(&self, line: &str) -> Result<String, String> {
        let inner = line
            .strip_prefix("{{#")
            .and_then(|line| line.strip_suffix("}}"))
            .filter(|inner| !inner.contains("{{") && !inner.contains("}}"));
        let Some(inner) = inner else {
            let error = "a directive stands alone on its line: {{#name argument}}";
            return Err(error.to_owned());
        };
        let (name, argument) = inner.split_once(' ').unwrap_or((inner, ""));
        let argument = argument.trim();
        match name {
            "include" | "rustdoc_include" | "playground" | "playpen" => {
                Err(format!(
                    "mdBook's {{{{#{name}}}}} says nothing when the file or the anchor is \
                     missing: use {{{{#listing path:anchor}}}}"
                ))
            }
            _ if argument.is_empty() => Err(format!(
                "{{{{#{name}}}}} needs an argument: {{{{#{name} argument}}}}"
            )),
            "listing" => Ok(Listing::load(self.root, argument)?.figure(None)),
            "side-by-side" => listing::side_by_side(self.root, argument),
            "exercises" => exercises::exercises(self.root, argument),
            "recorded" => recorded::recorded(self.root, argument),
            "wire" => recorded::wire(self.root, argument),
            "mistake" => {
                broken::mistake(self.root, argument, self.lessons_may_change)
            }
            _ => Err(format!(
                "there is no directive `{name}`: use listing, side-by-side, recorded, \
                 wire, diagram, mistake or exercises"
            )),
        }
    }

    /// The page's links, pictures and HTML that lead nowhere.
    fn check_links(&self, blocks: &[Block<'_>]) -> Vec<(usize, String)> {
        let mut problems = Vec::new();
        let mut html: Option<(usize, String)> = None;
        // Whether we are in the head of a table, and where a cell that has no text yet
        // began.
        let (mut heading, mut cell) = (false, usize::MAX);
        let mut check = |at: usize, result: Result<(), String>| {
            problems.extend(result.err().map(|message| (at, message)));
        };
        let events = outline::events(self.text);
        for (event, range) in events {
            match event {
                Event::Start(Tag::Link { dest_url, .. }) => {
                    check(range.start, self.targets.link(self.name, &dest_url));
                }
                Event::Start(Tag::Image { dest_url, .. }) => {
                    check(range.start, self.targets.resource(self.name, &dest_url));
                }
                Event::TaskListMarker(_) => {
                    let message = "a tick box that nobody can tick, without a name: \
                                   use a plain list, or a ```quiz fence";
                    check(range.start, Err(message.to_owned()));
                }
                Event::Start(Tag::TableHead) => heading = true,
                Event::End(TagEnd::TableHead) => heading = false,
                Event::Start(Tag::TableCell) => cell = range.start,
                Event::Text(_) | Event::Code(_) => cell = usize::MAX,
                Event::End(TagEnd::TableCell) if heading && cell != usize::MAX => {
                    let message = "a column of this table has no heading";
                    check(cell, Err(message.to_owned()));
                }
                // A tag may be spread over several lines, each of which is one event.
                Event::Start(Tag::HtmlBlock) => {
                    html = Some((range.start, String::new()));
                }
                Event::Html(part) => {
                    if let Some((_, text)) = &mut html {
                        text.push_str(&part);
                    }
                }
                Event::End(TagEnd::HtmlBlock) => {
                    if let Some((at, text)) = html.take() {
                        check(at, self.targets.html(self.name, &text));
                    }
                }
                Event::InlineHtml(tag) => {
                    check(range.start, self.targets.html(self.name, &tag));
                }
                _ => {}
            }
        }
        // What a quiz says is Markdown too.
        for quiz in blocks
            .iter()
            .filter(|block| block.language.as_deref() == Some("quiz"))
        {
            for (event, range) in outline::events(quiz.text) {
                if let Event::Start(Tag::Link { dest_url, .. }) = event {
                    let link = self.targets.link(self.name, &dest_url);
                    check(quiz.inside + range.start, link);
                }
            }
        }
        problems
    }
}

/// `text` with each of the ranges, which are in order, replaced.
fn replace(text: &str, edits: &[(Range<usize>, String)]) -> String {
    let mut made = String::with_capacity(text.len());
    let mut at = 0;
    for (range, html) in edits {
        made += &text[at..range.start];
        made += html;
        at = range.end;
    }
    made + &text[at..]
}
