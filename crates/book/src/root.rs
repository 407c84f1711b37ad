//! The repository that the book belongs to.

use anyhow::{Context, Result};
use std::{
    env, fs, io,
    path::{Component, Path, PathBuf},
};

/// The file that marks the root of the repository.
const MARK: &str = "book/book.toml";

/// The root of the repository: the nearest folder from `start` upwards that holds
/// `book/book.toml`, else the one that this program was compiled in.
///
/// # Errors
///
/// Neither is there.
pub fn find(start: &Path) -> Result<PathBuf> {
    let compiled_in = Path::new(env!("CARGO_MANIFEST_DIR"));
    start
        .ancestors()
        .chain(compiled_in.ancestors())
        .find(|folder| folder.join(MARK).is_file())
        .map(Path::to_path_buf)
        .with_context(|| {
            format!(
                "{} is not in a folder that holds {MARK}: change into the \
                 repository, or name it with --root",
                start.display()
            )
        })
}

/// Reads a file named in a chapter: `path` is relative to `root`, with `/` between
/// folders, and may not lead out of it. Line ends are returned as `\n`.
///
/// # Errors
///
/// A sentence that says what is wrong with the path, for the reader of a chapter.
pub(crate) fn read(root: &Path, path: &str) -> Result<String, String> {
    let inside = !path.contains('\\')
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
    if path.is_empty() || !inside {
        return Err(format!(
            "`{path}` leads out of the repository: write the path from its root, \
             such as examples/01_raw_hyper/main.rs"
        ));
    }
    match fs::read_to_string(root.join(path)) {
        Ok(text) => Ok(text.replace("\r\n", "\n")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(format!(
            "there is no file `{path}`: paths are relative to the root of the \
             repository"
        )),
        Err(error) => Err(format!("cannot read `{path}`: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn the_root_is_found_from_any_folder_below_it() {
        let tree = Fixture::new()
            .file("book/book.toml", "")
            .file("a/b/c.rs", "");
        let from = tree.path().join("a/b");
        assert_eq!(find(&from).expect("two folders up"), tree.path());
    }

    #[test]
    fn a_path_stays_inside_the_repository() {
        let tree = Fixture::new().file("a/b.rs", "1\r\n2\r\n");
        assert_eq!(read(tree.path(), "a/b.rs").as_deref(), Ok("1\n2\n"));
        for bad in [
            "",
            "../b.rs",
            "a/../../b.rs",
            "/etc/hosts",
            "./a/b.rs",
            "a\\b",
        ] {
            let error = read(tree.path(), bad).expect_err(bad);
            assert!(error.contains("leads out of the repository"), "{error}");
        }
        let error = read(tree.path(), "a/c.rs").expect_err("it is not there");
        assert!(error.contains("there is no file `a/c.rs`"), "{error}");
    }
}
