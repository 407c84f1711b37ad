//! What a learner has done so far: `progress.json` in the [folder](folder()) `.course`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs, io,
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use crate::{Report, Result, root};

/// What has been done.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Progress {
    /// The exercises that have been passed at some time.
    pub passed: BTreeSet<String>,
    /// The most points there have been for each that was tried.
    pub points: BTreeMap<String, u32>,
    /// The exercise that was graded last.
    pub current: Option<String>,
    /// How many hints have been read of each.
    pub hints: BTreeMap<String, usize>,
}

/// Where things of the learner are kept: `.course` in the root of the repository, where
/// neither `cargo clean` nor Git touches them, or what `COURSE_DIR` names.
pub fn folder() -> PathBuf {
    env::var_os("COURSE_DIR").map_or_else(|| root().join(".course"), PathBuf::from)
}

/// What is kept; nothing, if nothing was kept yet.
///
/// # Errors
///
/// The file cannot be read. It is left as it is.
pub fn load() -> Result<Progress> {
    let file = folder().join("progress.json");
    let cure = "repair it, or move it away to begin anew";
    match fs::read_to_string(&file) {
        Ok(text) => serde_json::from_str(&text)
            .map_err(|error| format!("{}: {error}: {cure}", file.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(Progress::default())
        }
        Err(error) => Err(format!("{}: {error}: {cure}", file.display())),
    }
}

/// Changes what is kept.
///
/// # Errors
///
/// It cannot be read or written.
pub fn change(change: impl FnOnce(&mut Progress)) -> Result {
    let mut progress = load()?;
    change(&mut progress);
    let file = folder().join("progress.json");
    let save = || -> io::Result<()> {
        fs::create_dir_all(folder())?;
        // First another file, so that this one is never half written.
        let new = file.with_extension(format!("{}.new", std::process::id()));
        fs::write(&new, serde_json::to_string_pretty(&progress)? + "\n")?;
        fs::rename(new, &file)
    };
    save().map_err(|error| format!("cannot write {}: {error}", file.display()))
}

/// Keeps what a report says.
///
/// # Errors
///
/// As for [`change`].
pub fn record(report: &Report) -> Result {
    let name = report.exercise.name();
    change(|progress| {
        let (points, _) = report.points();
        let best = progress.points.entry(name.to_owned()).or_default();
        *best = points.max(*best);
        progress.current = Some(name.to_owned());
        if report.passed() {
            progress.passed.insert(name.to_owned());
        }
    })
}
