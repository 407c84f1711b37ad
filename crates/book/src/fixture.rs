//! A small repository in its own folder, for the tests of this crate.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicUsize, Ordering},
};

/// A temporary folder with files in it; removed when dropped.
pub(crate) struct Fixture(PathBuf);

impl Fixture {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("book-{}-{n}", process::id()));
        // An earlier process with the same id may have left one behind.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the temporary folder can be written");
        Self(folder.canonicalize().expect("it was created above"))
    }

    /// A folder with a book of these pages, listed in its `SUMMARY.md` in this order.
    pub(crate) fn book(pages: &[(&str, &str)]) -> Self {
        let list = pages
            .iter()
            .map(|(name, _)| format!("- [{name}]({name})\n"));
        let summary = format!("# Summary\n\n{}", list.collect::<String>());
        let config = "[book]\ntitle = \"Fixture\"\n\
                      [build]\ncreate-missing = false\n\
                      [preprocessor.course]\nbefore = [\"links\"]\n\
                      [output.html.playground]\nrunnable = false\n";
        let mut tree = Self::new()
            .file("book/book.toml", config)
            .file("book/theme/live.js", "// live")
            .file("book/src/SUMMARY.md", &summary);
        for (name, text) in pages {
            tree = tree.file(&format!("book/src/{name}"), text);
        }
        tree
    }

    /// Adds or replaces a file.
    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        self.write(path, text);
        self
    }

    /// Adds or replaces a file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        let folder = path.parent().expect("a file is in a folder");
        fs::create_dir_all(folder).expect("the temporary folder can be written");
        fs::write(path, text).expect("the temporary folder can be written");
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
