//! A named mistake: one edit of a lesson that a learner would plausibly make.
//!
//! `book/mistakes/NAME.toml` holds the edit. What the compiler or the running program
//! says about it is recorded in `book/recorded/mistake-NAME.txt`, whose first line is
//! `$ ` and the command that was run.

use crate::root;
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::path::Path;

/// An edit of a lesson that breaks it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    /// The folder of the lesson in `examples`, such as `01_raw_hyper`.
    pub lesson: String,
    /// The file in that folder, if it is not `main.rs`.
    #[serde(default = "main_rs")]
    pub file: String,
    /// What is wrong, in a few words: the caption of the figure.
    pub title: String,
    /// What shows that it is a mistake: the arguments for Cargo, such as
    /// `check --example 01_raw_hyper`.
    pub cargo: String,
    /// The text to take out, which occurs exactly once in the file.
    pub find: String,
    /// The text to put in its place.
    pub replace: String,
}

fn main_rs() -> String {
    "main.rs".into()
}

impl Mistake {
    /// Reads `book/mistakes/NAME.toml`.
    ///
    /// # Errors
    ///
    /// There is no such file, it is not TOML, or a field is missing or wrong.
    pub fn load(root: &Path, name: &str) -> Result<Self> {
        let path = format!("book/mistakes/{name}.toml");
        let text = root::read(root, &path).map_err(anyhow::Error::msg)?;
        let mistake: Self =
            toml::from_str(&text).with_context(|| format!("`{path}`"))?;
        ensure!(
            mistake.find != mistake.replace,
            "`{path}`: find and replace are the same, so nothing would break"
        );
        Ok(mistake)
    }

    /// The file that it edits, relative to the root of the repository.
    pub fn file(&self) -> String {
        format!("examples/{}/{}", self.lesson, self.file)
    }

    /// The file as it is.
    ///
    /// # Errors
    ///
    /// There is no such file.
    pub fn source(&self, root: &Path) -> Result<String> {
        root::read(root, &self.file()).map_err(anyhow::Error::msg)
    }

    /// `source` with the mistake in it.
    ///
    /// # Errors
    ///
    /// [`Mistake::find`] does not occur exactly once in `source`.
    pub fn apply(&self, source: &str) -> Result<String> {
        match source.matches(&self.find).count() {
            1 => Ok(source.replacen(&self.find, &self.replace, 1)),
            0 => bail!(
                "`{}` no longer holds the text to find: {:?}",
                self.file(),
                self.find
            ),
            n => bail!(
                "`{}` holds the text to find {n} times: add lines until it \
                 occurs once: {:?}",
                self.file(),
                self.find
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    const TOML: &str = "lesson = \"01_a\"\ntitle = \"t\"\ncargo = \"check\"\n\
                        find = \"\"\"b\"\"\"\nreplace = \"\"\"c\"\"\"\n";

    fn load(toml: &str) -> Result<Mistake> {
        let tree = Fixture::new().file("book/mistakes/m.toml", toml);
        Mistake::load(tree.path(), "m")
    }

    #[test]
    fn an_edit_is_applied_where_its_text_stands_once() {
        let mistake = load(TOML).expect("it is complete");
        assert_eq!(mistake.apply("a b d").expect("once"), "a c d");
        assert_eq!(mistake.file(), "examples/01_a/main.rs");
        let other = load(&format!("file = \"b.rs\"\n{TOML}")).expect("complete");
        assert_eq!(other.file(), "examples/01_a/b.rs");
        let error = mistake.apply("a d").expect_err("not there").to_string();
        assert!(error.contains("no longer holds the text"), "{error}");
        let error = mistake.apply("b b").expect_err("twice").to_string();
        assert!(error.contains("2 times"), "{error}");
    }

    #[test]
    fn a_file_that_is_incomplete_or_does_nothing_is_refused() {
        for (bad, cause) in [
            ("lesson = \"01_a\"\n", "missing field"),
            (&format!("{TOML}extra = 1\n"), "unknown field"),
            (&TOML.replace("\"\"\"c\"\"\"", "\"b\""), "are the same"),
            ("=", "book/mistakes/m.toml"),
        ] {
            let error = format!("{:#}", load(bad).expect_err(bad));
            assert!(error.contains(cause), "{bad}: {error}");
        }
        let tree = Fixture::new();
        let error = Mistake::load(tree.path(), "gone").expect_err("not there");
        assert!(
            error
                .to_string()
                .contains("no file `book/mistakes/gone.toml`")
        );
    }
}
