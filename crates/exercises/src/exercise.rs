use std::{collections::HashMap, fs, path::Path, time::Duration};

use contract::Program;
use futures_util::future::join_all;

use crate::{
    About, Check, Checked, Report, Result, Verdict, check::check, diagnosis,
    graders, source,
};

/// An exercise.
#[derive(Debug)]
pub struct Exercise {
    pub(crate) name: &'static str,
    pub(crate) checks: fn() -> Vec<Check>,
}

/// The check that comes before all others, by itself.
const STARTS: &str = "starts";

/// How long a check waits for anything when a learner waits too. What answers at all
/// answers at once.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// All exercises, in the order of the lessons.
pub fn all() -> &'static [Exercise] {
    graders::ALL
}

/// The exercises that `name` means: a whole name, the beginning of one, or the number of
/// a lesson.
///
/// # Errors
///
/// It means none.
pub fn find(name: &str) -> Result<Vec<&'static Exercise>> {
    let name = Path::new(name).file_stem().unwrap_or_default();
    let name = name.to_string_lossy();
    let prefix = match name.parse::<u32>() {
        Ok(number) => format!("ex{number:02}_"),
        Err(_) => name.clone().into_owned(),
    };
    let found: Vec<_> = match all().iter().find(|one| one.name == prefix) {
        Some(exact) => vec![exact],
        None => all()
            .iter()
            .filter(|one| !prefix.is_empty() && one.name.starts_with(&prefix))
            .collect(),
    };
    match (found.is_empty(), name.parse::<u32>()) {
        (false, _) => Ok(found),
        (true, Ok(number)) => Err(format!(
            "lesson {number:02} has no exercises: `cargo course list` shows them all"
        )),
        (true, Err(_)) => Err(format!(
            "no exercise is called `{name}`: `cargo course list` shows them all"
        )),
    }
}

impl Exercise {
    /// What it is called, as in `ex07_everyone_else`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The number of its lesson, in two digits.
    pub fn lesson(&self) -> &'static str {
        &self.name[2..4]
    }

    /// How many points it gives.
    pub fn points(&self) -> u32 {
        (self.checks)().iter().map(|check| check.points).sum()
    }

    /// Its checks.
    pub fn checks(&self) -> Vec<Check> {
        (self.checks)()
    }

    /// The file that the learner edits, relative to the root of the repository.
    pub fn file(&self) -> String {
        format!("crates/exercises/examples/{}.rs", self.name)
    }

    /// What is said of it.
    ///
    /// # Errors
    ///
    /// The file is missing, or not as it should be.
    pub fn about(&self) -> Result<About> {
        let path = format!("crates/exercises/about/{}.toml", self.name);
        toml::from_str(&read(&path)?).map_err(|error| format!("{path}: {error}"))
    }

    /// The file of its chapter in `book/src`, such as `07-ws-broadcast.md`.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn chapter(&self) -> Result<String> {
        let start = format!("{}-", self.lesson());
        let folder = crate::root().join("book/src");
        let files = fs::read_dir(&folder)
            .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
        files
            .flatten()
            .filter_map(|file| file.file_name().into_string().ok())
            .find(|name| name.starts_with(&start) && name.ends_with(".md"))
            .ok_or_else(|| format!("there is no book/src/{start}….md"))
    }

    /// The task: what the starter begins with.
    ///
    /// # Errors
    ///
    /// As for [`starter`](Self::starter).
    pub fn task(&self) -> Result<String> {
        let starter = self.starter()?;
        let lines = starter
            .lines()
            .map_while(|line| line.strip_prefix("//!"))
            .map(|line| line.strip_prefix(' ').unwrap_or(line));
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    /// What the learner has written.
    ///
    /// # Errors
    ///
    /// The file is missing.
    pub fn answer(&self) -> Result<String> {
        read(&self.file())
    }

    /// What the learner begins with.
    ///
    /// # Errors
    ///
    /// The solution's file is missing, or its marks are not as they should be.
    pub fn starter(&self) -> Result<String> {
        let (path, text) = self.marked()?;
        source::starter(&text).map_err(|error| format!("{path}: {error}"))
    }

    /// A solution.
    ///
    /// # Errors
    ///
    /// As for [`starter`](Self::starter).
    pub fn solution(&self) -> Result<String> {
        let (path, text) = self.marked()?;
        source::solution(&text).map_err(|error| format!("{path}: {error}"))
    }

    fn marked(&self) -> Result<(String, String)> {
        let path = format!("crates/exercises/solutions/src/bin/{}.rs", self.name);
        let text = read(&path)?;
        Ok((path, text))
    }

    /// Grades the exercise of this name, for `tests/NAME.rs`.
    ///
    /// # Panics
    ///
    /// There is no such exercise.
    pub fn named(name: &str) -> Report {
        let exercise = all()
            .iter()
            .find(|exercise| exercise.name == name)
            .expect("tests/NAME.rs is there for an exercise of that name");
        let report = exercise.grade_now(false);
        // What has been passed is kept for `cargo course list`. That it cannot be kept
        // is said there.
        let _ = crate::progress::record(&report);
        report
    }

    /// [`build_and_grade`](Self::build_and_grade), which nobody else has to wait for.
    ///
    /// # Panics
    ///
    /// In a Tokio runtime.
    pub fn grade_now(&'static self, color: bool) -> Report {
        block_on(self.build_and_grade(color))
    }

    /// [`grade`](Self::grade), which nobody else has to wait for.
    ///
    /// # Panics
    ///
    /// In a Tokio runtime.
    pub fn grade_program_now(
        &'static self,
        program: &Path,
        patience: Duration,
    ) -> Report {
        block_on(self.grade(program, patience))
    }

    /// Builds what the learner has written, and grades it.
    pub async fn build_and_grade(&'static self, color: bool) -> Report {
        let arguments = ["--package", "exercises", "--example", self.name];
        match contract::build(&arguments, color).await {
            Ok((program, warnings)) => Report {
                warnings,
                ..self.grade(&program, PATIENCE).await
            },
            Err(failure) => self.broken(failure.message().to_owned()),
        }
    }

    /// A report that nothing could be checked.
    pub fn broken(&'static self, why: String) -> Report {
        Report {
            exercise: self,
            broken: Some(why),
            warnings: String::new(),
            checks: Vec::new(),
        }
    }

    /// Grades a program: whether it starts, then all checks that do not depend on one
    /// another at the same time, each with a process of its own. They wait for anything
    /// for as long as `patience`, as do all others that are being graded in this process.
    ///
    /// # Panics
    ///
    /// A check comes after one that there is not.
    pub async fn grade(&'static self, program: &Path, patience: Duration) -> Report {
        contract::set_deadline(patience);
        let program = Program::new(program).memory(diagnosis::MEMORY);
        let mut checks = vec![check(STARTS, 0, "it starts, and listens", starts)];
        checks.extend((self.checks)().into_iter().map(|one| one.after(STARTS)));

        let mut verdicts = HashMap::new();
        while verdicts.len() < checks.len() {
            let is_due = |check: &&Check| {
                !verdicts.contains_key(check.name)
                    && check.after.iter().all(|name| verdicts.contains_key(name))
            };
            let due = checks.iter().filter(is_due);
            let round = join_all(due.map(async |check| {
                (check.name, verdict(check, &verdicts, &program).await)
            }))
            .await;
            assert!(
                !round.is_empty(),
                "a check comes after one that is not there"
            );
            verdicts.extend(round);
        }
        let checked = |check: Check| Checked {
            name: check.name,
            points: check.points,
            wants: check.wants,
            after: check.after,
            verdict: verdicts.remove(check.name).expect("each has one by now"),
        };
        Report {
            exercise: self,
            broken: None,
            warnings: String::new(),
            checks: checks.into_iter().map(checked).collect(),
        }
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build();
    runtime
        .expect("a process can have a runtime")
        .block_on(future)
}

async fn starts(program: &Program) -> contract::Result {
    program.start().await.map(drop)
}

async fn verdict(
    check: &Check,
    verdicts: &HashMap<&str, Verdict>,
    program: &Program,
) -> Verdict {
    let passed = |name: &&&str| matches!(verdicts[**name], Verdict::Passed);
    if let Some(because) = check.after.iter().find(|name| !passed(name)) {
        return Verdict::NotReached { because };
    }
    // Its own memory of what was started: others are running at the same time.
    let program = program.clone().forget();
    match check.run(program.clone()).await {
        Ok(()) => Verdict::Passed,
        Err(failure) => {
            let logs = program.logs();
            for log in &logs {
                log.complete().await;
            }
            Verdict::Failed {
                failure: diagnosis::explain(failure, &logs),
                output: diagnosis::output(&logs),
            }
        }
    }
}

/// A file of the repository.
pub(crate) fn read(path: &str) -> Result<String> {
    let text = fs::read_to_string(crate::root().join(path));
    text.map_err(|error| format!("cannot read {path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exercise_is_found_by_its_number_or_name() {
        let names = |name: &str| -> Vec<_> {
            let found = find(name).expect(name);
            found.iter().map(|exercise| exercise.name).collect()
        };
        assert!(names("1").iter().all(|name| name.starts_with("ex01_")));
        assert_eq!(names("1"), names("01"));
        let one = all()[0].name;
        assert_eq!(names(one), [one]);
        assert_eq!(names(&all()[0].file()), [one]);
        for bad in ["", "99", "nonsense"] {
            let error = find(bad).expect_err(bad);
            assert!(error.contains("cargo course list"), "{error}");
        }
    }

    #[test]
    fn names_are_in_the_order_of_the_lessons() {
        let lessons: Vec<_> = all().iter().map(Exercise::lesson).collect();
        assert!(lessons.is_sorted(), "{lessons:?}");
    }
}
