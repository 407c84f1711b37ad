//! `cargo course` check, hint, solution, reset and open.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use exercises::{Exercise, Report, Result, progress, root};

use crate::terminal;

/// Grades these exercises in turn; whether all have passed.
pub(crate) fn check(exercises: &[&'static Exercise]) -> Result<bool> {
    let color = terminal::color();
    let mut all = true;
    for (index, exercise) in exercises.iter().enumerate() {
        if index > 0 {
            println!();
        }
        // The first time this takes a while.
        eprintln!("building {} …", exercise.file());
        let report = exercise.grade_now(color);
        print!("{}", report.text(color));
        progress::record(&report)?;
        all &= report.passed();
        if let [_] = exercises {
            println!("{}", what_now(&report)?);
        }
    }
    Ok(all)
}

/// What to do after a report.
pub(crate) fn what_now(report: &Report) -> Result<String> {
    let name = report.exercise.name();
    if !report.passed() {
        return Ok(format!("\nStuck? cargo course hint {name}"));
    }
    let next = crate::next()?;
    let passed = progress::load()?.passed.contains(next.name());
    Ok(match passed {
        true => "\nPassed, and so are all the others.".to_owned(),
        false => format!(
            "\nPassed. Compare: cargo course solution {name}\nNext: {}, in {}",
            next.name(),
            next.file()
        ),
    })
}

/// One more hint than last time, until there are no more.
pub(crate) fn hint(exercise: &Exercise) -> Result<String> {
    let hints = exercise.about()?.hints;
    let name = exercise.name();
    let mut shown = 0;
    progress::change(|progress| {
        let seen = progress.hints.entry(name.to_owned()).or_default();
        *seen = hints.len().min(*seen + 1);
        shown = *seen;
    })?;
    let mut text = String::new();
    for (index, hint) in hints[..shown].iter().enumerate() {
        let number = format!("{}. ", index + 1);
        text += &exercises::wrapped(&number, number.len(), hint);
    }
    let rest = match hints.len() - shown {
        0 => format!("That was the last one. cargo course solution {name} --now"),
        more => format!("{more} more: cargo course hint {name}"),
    };
    Ok(format!("{name}\n\n{text}\n{rest}"))
}

/// A solution, if the learner may see it.
pub(crate) fn solution(exercise: &Exercise, now: bool) -> Result<String> {
    let name = exercise.name();
    if !now && !progress::load()?.passed.contains(name) {
        return Err(format!(
            "you have not passed {name} yet: `cargo course hint {name}` helps, and \
             `cargo course solution {name} --now` shows it all the same"
        ));
    }
    exercise.solution()
}

/// Puts the starters back, and keeps what was there.
pub(crate) fn reset(exercises: &[&'static Exercise]) -> Result {
    for exercise in exercises {
        let starter = exercise.starter()?;
        let file = exercise.file();
        match exercise.answer() {
            Ok(answer) if answer == starter => {
                if exercises.len() == 1 {
                    println!("{file} is as it was in the beginning");
                }
                continue;
            }
            Ok(answer) => {
                let kept = keep(exercise.name(), &answer)?;
                println!("{file} begins anew; what you had is in {kept}");
            }
            Err(_) => println!("{file} is there again"),
        }
        write(&root().join(&file), &starter)?;
        progress::change(|progress| {
            progress.hints.remove(exercise.name());
        })?;
    }
    Ok(())
}

/// Writes what somebody has made to a new file, and returns where that is.
fn keep(name: &str, answer: &str) -> Result<String> {
    let folder = progress::folder().join("kept");
    let mut files = (1..).map(|number| folder.join(format!("{name}-{number}.rs")));
    let free = files.find(|file| !file.exists());
    let file = free.expect("there are more numbers than files");
    write(&file, answer)?;
    let shown = file.strip_prefix(root()).unwrap_or(&file);
    Ok(shown.display().to_string())
}

fn write(path: &Path, text: &str) -> Result {
    let folder = path.parent().unwrap_or(root());
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Opens the file in an editor, or the chapter in a browser.
pub(crate) fn open(exercise: &Exercise, chapter: bool) -> Result {
    let editor = ["VISUAL", "EDITOR"].iter().find_map(|name| {
        env::var(name).ok().filter(|value| !value.trim().is_empty())
    });
    let (program, file) = if chapter {
        let page = exercise.chapter()?.replace(".md", ".html");
        let file = root().join("target/book/html").join(page);
        if !file.is_file() {
            return Err("the book is not built yet: run `cargo book build`".into());
        }
        (None, file)
    } else {
        (editor, root().join(exercise.file()))
    };
    let mut command = opener(program.as_deref(), file.clone());
    let done = command.stdin(Stdio::inherit()).status().map_err(|error| {
        let with = command.get_program().to_string_lossy().into_owned();
        let file = file.display();
        format!("cannot run `{with}`: {error}: open {file} yourself, or set EDITOR")
    })?;
    match done.success() {
        true => Ok(()),
        false => Err(format!("the editor says {done}")),
    }
}

/// The command that opens `file`: an editor, which may have arguments, or whatever the
/// system opens such a file with.
fn opener(editor: Option<&str>, file: PathBuf) -> Command {
    let words: Vec<&str> = match editor {
        Some(editor) => editor.split_whitespace().collect(),
        None if cfg!(target_os = "macos") => vec!["open"],
        None if cfg!(windows) => vec!["cmd", "/C", "start", ""],
        None => vec!["xdg-open"],
    };
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(file);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_editor_may_have_arguments() {
        let command = opener(Some("code --wait"), "a.rs".into());
        assert_eq!(command.get_program(), "code");
        let args: Vec<_> = command.get_args().collect();
        assert_eq!(args, ["--wait", "a.rs"]);
    }
}
