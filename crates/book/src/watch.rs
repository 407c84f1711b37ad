//! Has a file changed? This looks at all of them, which works on every system and on
//! shared folders, and takes a few milliseconds.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The files that pages are made of: when each was written, and its size.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot(BTreeMap<PathBuf, (SystemTime, u64)>);

impl Snapshot {
    /// Looks at the whole repository except what other tools write: a listing may show
    /// any file.
    pub(crate) fn take(root: &Path) -> Self {
        let mut seen = Self::default();
        // What cannot be read now is read next time: an editor may be in the middle of
        // replacing it.
        let _ = seen.add(root);
        seen
    }

    fn add(&mut self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if [".git", "node_modules", "target"]
                .iter()
                .any(|other| name == *other)
            {
                continue;
            }
            let Ok(about) = entry.metadata() else {
                continue;
            };
            if about.is_dir() {
                let _ = self.add(&entry.path());
            } else if let Ok(written) = about.modified() {
                self.0.insert(entry.path(), (written, about.len()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn a_file_that_is_written_added_or_removed_is_a_change() {
        let tree = Fixture::book(&[("a.md", "# A\n")])
            .file("examples/01_a/main.rs", "1")
            .file("crates/kit/src/lib.rs", "1")
            .file("tests/lesson_01.rs", "1");
        let mut last = Snapshot::take(tree.path());
        assert_eq!(Snapshot::take(tree.path()), last);
        let mut changed = |what: &str| {
            let now = Snapshot::take(tree.path());
            assert_ne!(now, last, "{what}");
            last = now;
        };
        for file in [
            "book/src/a.md",
            "book/recorded/new.txt",
            "examples/01_a/main.rs",
            "crates/kit/src/lib.rs",
            "tests/lesson_01.rs",
        ] {
            tree.write(file, "longer than before");
            changed(file);
        }
        fs::remove_file(tree.path().join("book/recorded/new.txt"))
            .expect("it is there");
        changed("removed");
    }

    #[test]
    fn what_no_page_uses_is_not_looked_at() {
        let tree = Fixture::book(&[("a.md", "# A\n")]);
        let before = Snapshot::take(tree.path());
        tree.write("examples/node_modules/x/index.js", "1");
        tree.write("target/x", "1");
        tree.write(".git/index", "1");
        assert_eq!(Snapshot::take(tree.path()), before);
    }
}
