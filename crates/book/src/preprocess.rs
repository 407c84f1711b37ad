//! The mdBook preprocessor `course`: directives and fences become figures, diagrams and
//! quizzes, and whatever does not match the repository is a [`Problem`].
//!
//! [`Problem`]: crate::problem::Problem

mod broken;
mod diagram;
mod exercises;
mod html;
mod links;
mod listing;
mod outline;
mod page;
mod quiz;
mod recorded;

pub use outline::SECTIONS;

use crate::problem::Problems;
use links::Targets;
use mdbook_preprocessor::{
    Preprocessor, PreprocessorContext, book::Book, errors::Result,
};
use outline::Outline;
use page::Page;
use std::path::{Path, PathBuf};

/// The preprocessor. `book.toml` names it, so that `mdbook` runs it as a command, and
/// [`crate::build`] takes that place.
#[derive(Debug)]
pub struct Course {
    root: PathBuf,
    lessons_may_change: bool,
}

impl Course {
    /// A preprocessor that reads the files of the repository at `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            lessons_may_change: false,
        }
    }

    /// The same for someone who is working on a lesson: a mistake whose edit no longer
    /// fits there is shown on its own, and does not stop the book from being built.
    #[must_use]
    pub fn lessons_may_change(mut self) -> Self {
        self.lessons_may_change = true;
        self
    }
}

impl Preprocessor for Course {
    fn name(&self) -> &str {
        "course"
    }

    /// # Errors
    ///
    /// [`Problems`], with those of all pages.
    fn run(&self, ctx: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let targets = Targets {
            src: self.root.join("book").join(&ctx.config.book.src),
            pages: book
                .chapters()
                .filter_map(|chapter| {
                    let name = name(chapter.source_path.as_deref()?);
                    Some((name, Outline::of(&chapter.content)))
                })
                .collect(),
        };
        let mut problems = Vec::new();
        book.for_each_chapter_mut(|chapter| {
            let Some(path) = &chapter.source_path else {
                return;
            };
            let page = Page {
                root: &self.root,
                lessons_may_change: self.lessons_may_change,
                name: &name(path),
                text: &chapter.content,
                targets: &targets,
            };
            match page.render() {
                Ok(text) => chapter.content = text,
                Err(found) => problems.extend(found),
            }
        });
        if problems.is_empty() {
            return Ok(book);
        }
        problems.sort();
        problems.dedup();
        Err(Problems(problems).into())
    }

    fn supports_renderer(&self, renderer: &str) -> Result<bool> {
        // Figures, diagrams and quizzes are HTML.
        Ok(renderer == "html")
    }
}

/// A path in `book/src` as links write it.
fn name(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// The attributes of the tags in `html`: good enough for what a person writes by hand.
fn html_attributes(html: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('=') {
        let name: String = before
            .chars()
            .rev()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect();
        let name: String = name.chars().rev().collect();
        let (value, after) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                after[1..].split_once(quote).unwrap_or((&after[1..], ""))
            }
            _ => {
                let end = after
                    .find(|c: char| c.is_whitespace() || c == '>')
                    .unwrap_or(after.len());
                after.split_at(end)
            }
        };
        found.push((name.to_ascii_lowercase(), value.to_owned()));
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests;
