//! `cargo course verify`: the graders, proved in three directions.
//!
//! For each exercise: the starter compiles, is what the learner's file began as, says
//! `TODO`, and fails; the solution passes; each wrong server compiles and fails the
//! checks that it should fail, no others, with the sentence meant for it.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use exercises::{Exercise, Report, Result, Wrong};

use crate::programs;

/// A program of the proof.
struct Case {
    exercise: &'static Exercise,
    /// What it is called among the programs.
    name: String,
    source: String,
    expected: Expected,
}

impl Case {
    fn wrong(
        exercise: &'static Exercise,
        prefix: &str,
        wrong: Wrong,
        source: String,
    ) -> Self {
        Self {
            exercise,
            name: format!("{prefix}-{}", wrong.name),
            source,
            expected: Expected::Failed {
                checks: wrong.fails,
                says: wrong.says,
            },
        }
    }
}

enum Expected {
    /// At least one check fails.
    Failure,
    /// All checks pass.
    Success,
    /// These checks fail, and the first of them says that.
    Failed { checks: Vec<String>, says: String },
}

/// How long a check waits for anything here: the machine is busy with several programs
/// at once, and no learner is waiting.
const PATIENCE: Duration = Duration::from_secs(8);

/// How many programs are graded at once. Most of the time they wait for what a wrong
/// server never sends.
const AT_ONCE: usize = 6;

/// Proves these exercises, and says how it went.
///
/// # Errors
///
/// The programs cannot be built at all.
pub(crate) fn verify(exercises: &[&'static Exercise]) -> Result<bool> {
    let start = Instant::now();
    let mut problems = Vec::new();
    let mut cases = Vec::new();
    for exercise in exercises {
        match self::cases(exercise, &mut problems) {
            Ok(more) => cases.extend(more),
            Err(problem) => problems.push(format!("{}: {problem}", exercise.name())),
        }
    }
    // With the first exercise goes what any program can do.
    if let Some(first) = exercises::all().first()
        && exercises.iter().any(|one| one.name() == first.name())
    {
        let solution = first.solution()?;
        for wrong in exercises::sabotage()? {
            let source = wrong.apply(&solution)?;
            cases.push(Case::wrong(first, "sabotage", wrong, source));
        }
    }
    // Cargo knows of no package without programs.
    if cases.is_empty() {
        return Err(problems.join("\n\n"));
    }
    let sources: Vec<_> = cases
        .iter()
        .map(|case| (case.name.clone(), case.source.clone()))
        .collect();
    let programs = programs::build("proof", &sources)?;
    let built = start.elapsed();
    let count = cases.len();
    let queue = Mutex::new(cases.iter());
    let found = Mutex::new(problems);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    // Not in a `while let`, which would hold the lock all the time.
                    let Some(case) = lock(&queue).next() else {
                        return;
                    };
                    let problem = prove_and_tell(case, &programs[&case.name]).err();
                    lock(&found).extend(problem);
                }
            });
        }
    });
    let problems = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!(
        "{} exercises, {count} programs, built in {:.0} s, graded in {:.0} s",
        exercises.len(),
        built.as_secs_f64(),
        (start.elapsed() - built).as_secs_f64(),
    );
    for problem in &problems {
        println!("\n{}", problem.trim_end());
    }
    Ok(problems.is_empty())
}

/// The programs of one exercise. What can be seen without running them is checked here.
fn cases(
    exercise: &'static Exercise,
    problems: &mut Vec<String>,
) -> Result<Vec<Case>> {
    let name = exercise.name();
    let mut complain = |problem: &str| problems.push(format!("{name}: {problem}"));
    let (starter, solution) = (exercise.starter()?, exercise.solution()?);
    let about = exercise.about()?;
    if exercise.answer()? != starter {
        complain(
            "the file in examples/ is not the starter: run `cargo course reset`, \
             with this name",
        );
    }
    if !starter.contains("TODO") {
        complain("the starter has no TODO");
    }
    if solution.contains("TODO") || solution.contains("todo!") {
        complain("the solution has a TODO");
    }
    let task = exercise.task()?;
    for part in [
        format!("(chapter {})", exercise.lesson()),
        format!("cargo run -p exercises --example {name}"),
        format!("cargo course watch {name}"),
        format!("cargo test -p exercises --test {name}"),
    ] {
        if !task.contains(&part) {
            complain(&format!("the task does not say `{part}`"));
        }
    }
    if !task.starts_with(&format!("# {} (", about.title)) {
        complain("the task does not begin with the title in about/");
    }
    let test = format!("crates/exercises/tests/{name}.rs");
    if !exercises::root().join(&test).is_file() {
        complain(&format!("{test} is missing"));
    }
    let hints: BTreeSet<_> = about.hints.iter().map(|hint| hint.trim()).collect();
    if hints.len() < 2 || hints.len() < about.hints.len() || hints.contains("") {
        complain("it has less than two hints, or an empty one, or one twice");
    }
    if about.wrong.len() < 2 {
        complain("it has less than two wrong servers");
    }
    if exercise.points() == 0 {
        complain("it gives no points");
    }

    let case = |kind: &str, source, expected| Case {
        exercise,
        name: format!("{name}-{kind}"),
        source,
        expected,
    };
    let mut cases = vec![
        case("starter", starter, Expected::Failure),
        case("solution", solution.clone(), Expected::Success),
    ];
    let mut names = BTreeSet::new();
    for wrong in about.wrong {
        if !names.insert(wrong.name.clone()) {
            complain(&format!("two wrong servers are called `{}`", wrong.name));
        }
        let source = wrong.apply(&solution)?;
        cases.push(Case::wrong(exercise, name, wrong, source));
    }
    Ok(cases)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn prove_and_tell(case: &Case, program: &Result<PathBuf>) -> Result {
    let began = Instant::now();
    let report = match program {
        Ok(program) => case.exercise.grade_program_now(program, PATIENCE),
        Err(said) => case.exercise.broken(said.clone()),
    };
    let outcome = prove(case, &report);
    let took = began.elapsed().as_secs_f64();
    let word = if outcome.is_ok() { "ok    " } else { "FAILED" };
    println!("{word}  {took:5.1} s  {}", case.name);
    outcome.map_err(|problem| format!("{}: {problem}", case.name))
}

fn prove(case: &Case, report: &Report) -> Result {
    let seen = || report.text(false);
    let failed: Vec<_> = report.failed().map(|(check, _)| check.name).collect();
    let failed = match report.broken {
        Some(_) => vec!["compiles"],
        None => failed,
    };
    match &case.expected {
        Expected::Success if report.passed() => Ok(()),
        Expected::Success => Err(format!("the solution fails\n{}", seen())),
        Expected::Failure if failed == ["compiles"] => {
            Err(format!("the starter does not compile\n{}", seen()))
        }
        Expected::Failure if !report.passed() => Ok(()),
        Expected::Failure => Err("the starter passes".into()),
        Expected::Failed { checks, .. } if failed != *checks => Err(format!(
            "it should fail {checks:?}, but it fails {failed:?}\n{}",
            seen()
        )),
        Expected::Failed { says, .. } => {
            match said(report).contains(says.as_str()) {
                true => Ok(()),
                false => Err(format!("it does not say {says:?}\n{}", seen())),
            }
        }
    }
}

/// What is said of the first check that failed, as one text.
fn said(report: &Report) -> String {
    match (&report.broken, report.failed().next()) {
        (Some(said), _) => said.clone(),
        (None, Some((_, failure))) => failure.to_string(),
        (None, None) => String::new(),
    }
}
