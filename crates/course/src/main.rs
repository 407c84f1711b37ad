//! `cargo course`: the exercises, for those who do them, grade them, and write them.

mod doctor;
mod grade;
mod learn;
mod list;
mod programs;
mod terminal;
mod verify;
mod watch;

use std::{
    panic,
    path::PathBuf,
    process::{self, ExitCode},
};

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use exercises::{Exercise, Result, progress};

/// Do the exercises of the course, and see how far you are.
///
/// NAME is an exercise (ex07_everyone_else), the beginning of its name, its file, or the
/// number of a lesson (7). Where only one can be meant it is the first of them that you
/// have not passed; without a name, the one that you are at.
#[derive(Parser)]
#[command(name = "cargo course", bin_name = "cargo course", after_help = EXAMPLES)]
#[command(max_term_width = 80)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  cargo course                 what there is, and what is next
  cargo course watch           grade the next exercise whenever you save
  cargo course check 7         grade the exercises of lesson 07, once
  cargo course hint            one more hint for the next exercise
  cargo course grade --format json > grades.json

Exit codes: 0 all is well; 1 something has not passed; 2 it could not be done.";

#[derive(Subcommand)]
enum Command {
    /// Show all exercises, and how far you are.
    List,
    /// Grade exercises, once.
    Check {
        /// Which ones; a lesson has several.
        name: Option<String>,
    },
    /// Grade an exercise whenever its file is saved.
    ///
    /// Keys: h a hint, n the next exercise, l the list, r grade again, q quit.
    Watch {
        /// Where to begin.
        name: Option<String>,
    },
    /// Show the task of an exercise, as it stands at the top of its file.
    Task {
        /// Which one.
        name: Option<String>,
    },
    /// Show one more hint.
    Hint {
        /// For which exercise.
        name: Option<String>,
    },
    /// Show a solution, once you have passed.
    Solution {
        /// Of which exercise.
        name: Option<String>,
        /// Show it although you have not passed yet.
        #[arg(long)]
        now: bool,
    },
    /// Begin an exercise anew. What you had is kept in .course/kept.
    Reset {
        /// Which ones: a name, or --all.
        #[arg(required_unless_present = "all")]
        name: Option<String>,
        /// All exercises.
        #[arg(long, conflicts_with = "name")]
        all: bool,
    },
    /// Open an exercise in your editor (VISUAL or EDITOR), or its chapter.
    Open {
        /// Which one.
        name: Option<String>,
        /// The chapter, in your browser; `cargo book build` makes it.
        #[arg(long)]
        chapter: bool,
    },
    /// Say what this machine has of what the course needs.
    Doctor,
    /// Grade many exercises, for a teacher or a machine.
    #[command(after_help = grade::EXAMPLES)]
    Grade {
        /// Which ones; all of them if none is named.
        names: Vec<String>,
        /// The form of the result.
        #[arg(long, value_enum, default_value_t)]
        format: grade::Format,
        /// A folder with a learner's exNN_*.rs, in place of crates/exercises/examples.
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
    },
    /// Prove the graders.
    ///
    /// Each starter fails, each solution passes, and each wrong server fails with the
    /// sentence meant for it.
    Verify {
        /// Which ones; all of them if none is named.
        names: Vec<String>,
    },
    /// Print a completion script for a shell.
    ///
    /// It completes `course`, as a short name for `cargo course`. In bash:
    ///
    ///   alias course='cargo course'
    ///   eval "$(cargo course completions bash)"
    #[command(verbatim_doc_comment)]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

fn main() -> ExitCode {
    end_with_the_reader();
    match run(Cli::parse().command.unwrap_or(Command::List)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Ends quietly when nobody reads on, as after `| head`: Rust panics at that.
fn end_with_the_reader() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let said = panic.payload().downcast_ref::<String>();
        if said.is_some_and(|said| said.starts_with("failed printing to stdout")) {
            process::exit(0);
        }
        report(panic);
    }));
}

/// Whether all that was graded has passed.
fn run(command: Command) -> Result<bool> {
    match command {
        Command::List => list::list().map(|()| true),
        Command::Check { name } => learn::check(&these(name.as_deref())?),
        Command::Watch { name } => {
            watch::watch(one(name.as_deref())?).map(|()| true)
        }
        Command::Task { name } => {
            println!("{}", one(name.as_deref())?.task()?);
            Ok(true)
        }
        Command::Hint { name } => {
            println!("{}", learn::hint(one(name.as_deref())?)?);
            Ok(true)
        }
        Command::Solution { name, now } => {
            print!("{}", learn::solution(one(name.as_deref())?, now)?);
            Ok(true)
        }
        Command::Reset { name, .. } => {
            let all = || exercises::all().iter().collect();
            learn::reset(&name.as_deref().map_or_else(|| Ok(all()), find)?)?;
            Ok(true)
        }
        Command::Open { name, chapter } => {
            learn::open(one(name.as_deref())?, chapter).map(|()| true)
        }
        Command::Doctor => Ok(doctor::doctor()),
        Command::Grade {
            names,
            format,
            from,
        } => grade::grade(&all_of(&names)?, format, from.as_deref()),
        Command::Verify { names } => verify::verify(&all_of(&names)?),
        Command::Completions { shell } => {
            let mut command = Cli::command();
            let out = &mut std::io::stdout();
            clap_complete::generate(shell, &mut command, "course", out);
            Ok(true)
        }
    }
}

/// The exercises that are meant; the next one if none is named.
fn these(name: Option<&str>) -> Result<Vec<&'static Exercise>> {
    match name {
        Some(name) => find(name),
        None => Ok(vec![next()?]),
    }
}

/// The exercises that a name means, or an error that says what may have been meant.
fn find(name: &str) -> Result<Vec<&'static Exercise>> {
    exercises::find(name).map_err(|error| {
        let likeness = |one: &&Exercise| {
            (strsim::jaro_winkler(one.name(), name) * 1000.0) as u32
        };
        let nearest = exercises::all().iter().max_by_key(likeness);
        match nearest.filter(|one| likeness(one) > 850) {
            Some(one) => format!("{error}. Did you mean {}?", one.name()),
            None => error,
        }
    })
}

/// The exercise that is meant: of several, the first that has not been passed.
fn one(name: Option<&str>) -> Result<&'static Exercise> {
    let found = these(name)?;
    let passed = progress::load()?.passed;
    let open = found.iter().find(|one| !passed.contains(one.name()));
    Ok(open.unwrap_or(&found[0]))
}

/// The exercise to go on with: the one that was graded last, or after that the first that
/// has not been passed; from the beginning again after the last one.
fn next() -> Result<&'static Exercise> {
    let progress = progress::load()?;
    let current = progress.current.unwrap_or_default();
    let all = exercises::all();
    let start = all.iter().position(|one| one.name() == current);
    let mut rest = all.iter().cycle().skip(start.unwrap_or(0)).take(all.len());
    let open = rest
        .clone()
        .find(|one| !progress.passed.contains(one.name()));
    open.or_else(|| rest.next())
        .ok_or_else(|| "there are no exercises".into())
}

/// All exercises that are named, or all there are.
fn all_of(names: &[String]) -> Result<Vec<&'static Exercise>> {
    if names.is_empty() {
        return Ok(exercises::all().iter().collect());
    }
    let found = names.iter().map(|name| find(name));
    Ok(found.collect::<Result<Vec<_>>>()?.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_as_clap_wants_it() {
        Cli::command().debug_assert();
    }
}
