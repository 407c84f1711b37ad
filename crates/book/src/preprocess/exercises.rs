//! `{{#exercises NN}}`: the graded exercises of a lesson.

use crate::root;
use serde::Deserialize;
use std::path::Path;

/// The file that lists all exercises, in order, each as a line with its name and a comma.
const LIST: &str = "crates/exercises/src/graders.rs";

/// What is needed of `crates/exercises/about/NAME.toml`.
#[derive(Deserialize)]
struct About {
    title: String,
}

/// How to do them, and a list of them, in Markdown.
pub(crate) fn exercises(root: &Path, lesson: &str) -> Result<String, String> {
    let list = root::read(root, LIST)?;
    let prefix = format!("ex{lesson}_");
    let names = list.lines().filter_map(|line| {
        let name = line.trim().strip_suffix(',')?;
        name.starts_with(&prefix).then_some(name)
    });
    let mut items = String::new();
    for name in names {
        let path = format!("crates/exercises/about/{name}.toml");
        let about: About = toml::from_str(&root::read(root, &path)?)
            .map_err(|error| format!("`{path}`: {error}"))?;
        items += &format!("1. **{}**: `{name}.rs`\n", about.title);
    }
    if items.is_empty() {
        return Err(format!(
            "`{LIST}` has no exercise of lesson {lesson}: a lesson is two digits, as in \
             {{{{#exercises 07}}}}"
        ));
    }
    Ok(format!(
        "Each is a file in `crates/exercises/examples` that begins with the task, and \
         becomes a server that is graded over the network ([how to do \
         them](exercises.md)):\n\n{items}\n\
         `cargo course watch {lesson}` grades them, one after the other, whenever you \
         save."
    ))
}
