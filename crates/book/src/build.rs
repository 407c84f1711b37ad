//! From `book/` to pages, through mdBook's own crates in this process.

use crate::{
    log::Log,
    preprocess::Course,
    problem::{Problem, Problems},
};
use anyhow::{Context, Result, anyhow, ensure};
use mdbook_driver::{MDBook, config::Config};
use std::{
    fs, io, panic,
    path::{Path, PathBuf},
    process,
};

/// Who the pages are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// Static pages, which need no server.
    Readers,
    /// Pages that reload themselves when `cargo book serve` has built newer ones.
    Writers,
}

/// Writes the pages to `out`, a new folder or one whose content may go, and returns the
/// number of chapters.
///
/// # Errors
///
/// Everything that is wrong with the book. `out` may then hold some of the pages.
pub fn pages(root: &Path, out: &Path, whom: For) -> Result<usize, Problems> {
    let (built, logged) = Log::during(|| {
        // mdBook panics on some HTML that it does not expect.
        panic::catch_unwind(|| render(root, out, whom)).unwrap_or_else(|panic| {
            let text = panic
                .downcast::<String>()
                .map_or_else(|_| "see the message above".to_owned(), |text| *text);
            Err(anyhow!("mdBook failed: {text}"))
        })
    });
    let mut problems = Vec::new();
    let mut chapters = 0;
    match built {
        Ok(number) => chapters = number,
        Err(error) => problems.extend(told(root, error)),
    }
    problems.extend(logged.into_iter().map(|entry| Problem::of("book", entry)));
    match problems.is_empty() {
        true => Ok(chapters),
        false => Err(Problems(problems)),
    }
}

fn render(root: &Path, out: &Path, whom: For) -> Result<usize> {
    let book = root.join("book");
    let mut config = Config::from_disk(book.join("book.toml"))?;
    config.build.build_dir = out.to_path_buf();
    if whom == For::Writers {
        let key = "output.html.additional-js";
        let mut scripts: Vec<String> = config.get(key)?.unwrap_or_default();
        scripts.push("theme/live.js".to_owned());
        config.set(key, scripts)?;
    }
    let mut mdbook = MDBook::load_with_config(&book, config)?;
    let mut course = Course::new(root);
    if whom == For::Writers {
        course = course.lessons_may_change();
    }
    mdbook.with_preprocessor(course).build()?;
    Ok(mdbook.book.chapters().count())
}

/// Where an error of mdBook belongs.
fn told(root: &Path, error: anyhow::Error) -> Vec<Problem> {
    let error = match error.downcast::<Problems>() {
        Ok(problems) => return problems.0,
        Err(error) => format!("{error:#}"),
    };
    // A chapter that is not there is a mistake in the line that names it.
    let chapter = error
        .strip_prefix("failed to read chapter `")
        .and_then(|rest| rest.split('`').next());
    if let Some(chapter) = chapter {
        let file = "book/src/SUMMARY.md";
        let summary = fs::read_to_string(root.join(file)).unwrap_or_default();
        let line = summary.lines().position(|line| line.contains(chapter));
        let message = format!("there is no chapter `book/src/{chapter}`");
        return vec![match line {
            Some(n) => Problem::at(file, n + 1, message),
            None => Problem::of(file, message),
        }];
    }
    vec![Problem::of("book", error)]
}

/// Writes static pages to `out`, all of them or none: they are built beside it and take
/// its place when they are complete. Returns the number of chapters.
///
/// # Errors
///
/// [`Problems`] of the book, or `out` cannot be written, or holds something other than
/// pages, which must not be lost.
pub fn replace(root: &Path, out: &Path) -> Result<usize> {
    let pages_there = out.join("toc.html").is_file();
    let free = fs::read_dir(out).map_or(true, |mut files| files.next().is_none());
    ensure!(
        pages_there || free,
        "{} holds files that are not pages of the book: name a new or empty folder",
        out.display()
    );
    let new = beside(out, "new");
    let old = beside(out, "old");
    let made = pages(root, &new, For::Readers);
    let chapters = match made {
        Ok(chapters) => chapters,
        Err(problems) => {
            remove(&new)?;
            return Err(problems.into());
        }
    };
    let swap = || -> io::Result<()> {
        if out.exists() {
            fs::rename(out, &old)?;
        }
        fs::rename(&new, out).inspect_err(|_| {
            // Better the old pages than none.
            let _ = fs::rename(&old, out);
        })
    };
    swap().with_context(|| format!("cannot put the pages in {}", out.display()))?;
    // The new pages are there, whether or not the old ones can be removed.
    let _ = remove(&old);
    Ok(chapters)
}

/// A folder beside `out`, so that it can be renamed to it: no other process has it.
fn beside(out: &Path, what: &str) -> PathBuf {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!(".{name}-{what}-{}", process::id()))
}

/// Removes a folder, if it is there.
fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn a_failed_build_leaves_the_pages_as_they_were() {
        let tree = Fixture::book(&[("a.md", "# First\n")]);
        let out = tree.path().join("out/html");
        let page =
            || fs::read_to_string(out.join("a.html")).expect("a page is there");
        assert_eq!(replace(tree.path(), &out).expect("it is right"), 1);
        assert!(page().contains("First"));

        tree.write("book/src/a.md", "# Second\n\n[x](#y)\n");
        let error = replace(tree.path(), &out).expect_err("a link is wrong");
        assert_eq!(
            error.to_string(),
            "book/src/a.md:3: `a.md` has no heading with the id `y`: it has second"
        );
        assert!(page().contains("First"));

        tree.write("book/src/a.md", "# Third\n");
        replace(tree.path(), &out).expect("it is right again");
        assert!(page().contains("Third"));
        let folder = fs::read_dir(tree.path().join("out")).expect("it is there");
        assert_eq!(folder.count(), 1, "nothing is left beside the pages");
    }

    #[test]
    fn a_folder_with_other_files_is_left_alone() {
        let tree = Fixture::book(&[("a.md", "# A\n")]).file("mine/notes.txt", "x");
        let error = replace(tree.path(), &tree.path().join("mine"));
        let error = error.expect_err("there are notes").to_string();
        assert!(error.contains("not pages of the book"), "{error}");
        assert!(tree.path().join("mine/notes.txt").is_file());
    }

    #[test]
    fn only_served_pages_have_the_live_script() {
        let tree = Fixture::book(&[("a.md", "# A\n")]);
        let page = |whom| {
            let out = tree.path().join("out");
            pages(tree.path(), &out, whom).expect("it is right");
            fs::read_to_string(out.join("a.html")).expect("a page is there")
        };
        assert!(!page(For::Readers).contains("live"));
        assert!(page(For::Writers).contains("theme/live"));
    }

    #[test]
    fn a_missing_chapter_is_reported_where_it_is_named() {
        let tree = Fixture::book(&[("a.md", "# A\n")]);
        tree.write(
            "book/src/SUMMARY.md",
            "# Summary\n\n- [A](a.md)\n- [B](b.md)\n",
        );
        let problems = pages(tree.path(), &tree.path().join("out"), For::Readers);
        assert_eq!(
            problems.expect_err("there is no b.md").to_string(),
            "book/src/SUMMARY.md:4: there is no chapter `book/src/b.md`"
        );
    }
}
