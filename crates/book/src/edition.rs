//! The builds of a running `cargo book`, each in its own folder, so that no file is
//! read while it is being written or removed.

use crate::{
    build::{self, For},
    problem::Problem,
};
use anyhow::{Context, Result};
use std::{
    collections::VecDeque,
    fs::{self, File},
    hash::{DefaultHasher, Hasher},
    io,
    path::{Path, PathBuf},
    process,
};

/// The newest pages, and what has been wrong since.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edition {
    /// The folder of the last good build, if there was one.
    pub(crate) pages: Option<PathBuf>,
    /// A short fingerprint of that folder: pages that are the same need no reload.
    /// `none` when the first build failed, empty before it.
    pub(crate) id: String,
    /// Why the last build failed; empty when it was good.
    pub(crate) problems: Vec<Problem>,
}

impl Edition {
    /// Whether there has been a build, good or not.
    pub(crate) fn is_built(&self) -> bool {
        !self.id.is_empty()
    }
}

/// Makes editions, and removes those that are no longer read.
#[derive(Debug)]
pub(crate) struct Press {
    root: PathBuf,
    /// The folder of this process in `target/book/serve`.
    home: PathBuf,
    /// A process that was killed cannot tidy up. The lock of its file ends with it
    /// however it ends, so anyone who can take that lock may remove the folder.
    _lock: File,
    kept: VecDeque<PathBuf>,
    next: usize,
}

impl Press {
    /// A press in `target/book/serve`. It first removes the folders of processes that
    /// are gone.
    pub(crate) fn new(root: &Path) -> Result<Self> {
        let shelf = root.join("target/book/serve");
        let home = shelf.join(process::id().to_string());
        let make = || -> io::Result<File> {
            fs::create_dir_all(&shelf)?;
            remove_stale(&shelf)?;
            fs::create_dir_all(&home)?;
            let lock = File::create(home.with_extension("lock"))?;
            lock.try_lock()?;
            Ok(lock)
        };
        let lock =
            make().with_context(|| format!("cannot write {}", shelf.display()))?;
        Ok(Self {
            root: root.to_path_buf(),
            home,
            _lock: lock,
            kept: VecDeque::new(),
            next: 0,
        })
    }

    /// Builds once more. If that fails, the pages of `last` stay.
    pub(crate) fn print(&mut self, last: &Edition) -> Edition {
        let pages = self.home.join(self.next.to_string());
        self.next += 1;
        let built = build::pages(&self.root, &pages, For::Writers)
            .map_err(|problems| problems.0)
            .and_then(|_| {
                fingerprint(&pages).map_err(|error| {
                    vec![Problem::of("target/book", error.to_string())]
                })
            });
        match built {
            Ok(id) => {
                self.kept.push_back(pages.clone());
                // Pages that are loading at this moment still read the one before.
                while self.kept.len() > 2 {
                    let old = self.kept.pop_front().expect("there are three");
                    let _ = fs::remove_dir_all(old);
                }
                Edition {
                    pages: Some(pages),
                    id,
                    problems: Vec::new(),
                }
            }
            Err(problems) => {
                let _ = fs::remove_dir_all(&pages);
                let id = match last.is_built() {
                    true => last.id.clone(),
                    false => "none".to_owned(),
                };
                Edition {
                    pages: last.pages.clone(),
                    id,
                    problems,
                }
            }
        }
    }
}

impl Drop for Press {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.home);
        let _ = fs::remove_file(self.home.with_extension("lock"));
    }
}

/// Removes what killed processes left behind.
fn remove_stale(shelf: &Path) -> io::Result<()> {
    for entry in fs::read_dir(shelf)? {
        let lock = entry?.path();
        if lock.extension().is_none_or(|end| end != "lock") {
            continue;
        }
        let free = File::open(&lock).is_ok_and(|file| file.try_lock().is_ok());
        if free {
            let _ = fs::remove_dir_all(lock.with_extension(""));
            let _ = fs::remove_file(lock);
        }
    }
    Ok(())
}

/// The names and contents of all files in `folder`, as one number.
fn fingerprint(folder: &Path) -> io::Result<String> {
    let mut folders = vec![folder.to_path_buf()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => folders.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        let name = file.strip_prefix(folder).unwrap_or(&file);
        hasher.write(name.as_os_str().as_encoded_bytes());
        hasher.write(&fs::read(&file)?);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn pages_that_are_the_same_have_the_same_id() {
        let tree = Fixture::book(&[("a.md", "# A\n")]);
        let mut press = Press::new(tree.path()).expect("target can be written");
        let first = press.print(&Edition::default());
        let same = press.print(&first);
        assert_eq!(first.id, same.id);
        assert_ne!(first.pages, same.pages);
        tree.write("book/src/a.md", "# B\n");
        assert_ne!(press.print(&same).id, first.id);
    }

    #[test]
    fn the_last_good_pages_stay_until_the_mistake_is_fixed() {
        let tree = Fixture::book(&[("a.md", "# A\n")]);
        let mut press = Press::new(tree.path()).expect("target can be written");
        let good = press.print(&Edition::default());
        tree.write("book/src/a.md", "# A\n\n[x](#y)\n");
        let bad = press.print(&good);
        assert_eq!((&bad.pages, &bad.id), (&good.pages, &good.id));
        assert_eq!(bad.problems.len(), 1);
        let page = bad.pages.clone().expect("the good one").join("a.html");
        assert!(page.is_file());
        tree.write("book/src/a.md", "# A\n");
        assert!(press.print(&bad).problems.is_empty());
    }

    #[test]
    fn only_the_last_two_builds_are_kept_and_none_at_the_end() {
        let tree = Fixture::book(&[("a.md", "# A\n")]);
        let mut press = Press::new(tree.path()).expect("target can be written");
        let mut last = Edition::default();
        for _ in 0..4 {
            last = press.print(&last);
        }
        let home = press.home.clone();
        assert_eq!(fs::read_dir(&home).expect("it is there").count(), 2);
        drop(press);
        assert!(!home.exists());
    }

    #[test]
    fn folders_of_processes_that_are_gone_are_removed_and_no_others() {
        let tree = Fixture::new()
            .file("serve/1/0/a.html", "")
            .file("serve/1.lock", "")
            .file("serve/2/0/a.html", "")
            .file("serve/2.lock", "");
        let shelf = tree.path().join("serve");
        let alive = File::open(shelf.join("2.lock")).expect("it was written");
        alive.lock().expect("nobody else has it");
        remove_stale(&shelf).expect("it can be read");
        assert!(!shelf.join("1").exists() && !shelf.join("1.lock").exists());
        assert!(shelf.join("2").exists() && shelf.join("2.lock").exists());
    }
}
