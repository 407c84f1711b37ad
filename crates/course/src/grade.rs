//! `cargo course grade`: many exercises at once, in a form that others can read.

use std::{fs, path::Path};

use clap::ValueEnum;
use data_encoding::BASE64;
use exercises::{Checked, Exercise, PATIENCE, Report, Result, Verdict, not_reached};
use serde_json::{Value, json};

use crate::{programs, terminal};

pub(crate) const EXAMPLES: &str = "\
Examples:
  cargo course grade                               everything, to read
  cargo course grade --from handed-in/ada 5 6 7    what Ada handed in
  cargo course grade --format json > grades.json
  cargo course grade --format classroom >> \"$GITHUB_OUTPUT\"
  cargo course grade --format exercism ex05_accept_key > results.json
  cargo course grade --format check50 ex05_accept_key

Exit codes: 0 all has passed; 1 something has not; 2 nothing could be graded.";

/// The form of the result.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Format {
    /// For a person.
    #[default]
    Text,
    /// All there is to know; the teacher's page of the book describes it.
    Json,
    /// A line `result=…` for GitHub Classroom's autograding reporter.
    Classroom,
    /// results.json of an Exercism test runner, version 2, of one exercise.
    Exercism,
    /// What check50 prints with --output json, of one exercise.
    Check50,
}

/// Grades these exercises, prints the result, and says whether all have passed.
pub(crate) fn grade(
    exercises: &[&'static Exercise],
    format: Format,
    from: Option<&Path>,
) -> Result<bool> {
    if let (Format::Exercism | Format::Check50, [_, _, ..]) = (format, exercises) {
        return Err("this format is for one exercise: name it".into());
    }
    let color = matches!(format, Format::Text) && terminal::color();
    let reports = match from {
        None => exercises.iter().map(|one| one.grade_now(color)).collect(),
        Some(folder) => handed_in(exercises, folder)?,
    };
    match format {
        Format::Text => print_text(&reports, color),
        Format::Json => println!("{:#}", to_json(&reports)),
        Format::Classroom => {
            let result = to_classroom(&reports).to_string();
            println!("result={}", BASE64.encode(result.as_bytes()));
        }
        Format::Exercism => println!("{:#}", to_exercism(&reports[0])),
        Format::Check50 => println!("{:#}", to_check50(&reports[0])),
    }
    Ok(reports.iter().all(Report::passed))
}

/// Grades the files in `folder`.
fn handed_in(exercises: &[&'static Exercise], folder: &Path) -> Result<Vec<Report>> {
    if !folder.is_dir() {
        return Err(format!("{} is not a folder", folder.display()));
    }
    let mut sources = Vec::new();
    let mut missing = Vec::new();
    for exercise in exercises {
        let name = exercise.name();
        match fs::read_to_string(folder.join(name).with_extension("rs")) {
            Ok(source) => sources.push((name.to_owned(), source)),
            Err(error) => {
                missing
                    .push((name, format!("{name}.rs was not handed in: {error}")));
            }
        }
    }
    if sources.is_empty() {
        return Err(format!(
            "{} has none of the files exNN_….rs",
            folder.display()
        ));
    }
    let mut programs = programs::build("handed-in", &sources)?;
    let reports = exercises.iter().map(|exercise| {
        let name = exercise.name();
        match programs.remove(name) {
            Some(Ok(program)) => exercise.grade_program_now(&program, PATIENCE),
            Some(Err(said)) => exercise.broken(said),
            None => {
                let why = missing.iter().find(|(one, _)| *one == name);
                exercise.broken(why.map_or_else(String::new, |(_, why)| why.clone()))
            }
        }
    });
    Ok(reports.collect())
}

fn print_text(reports: &[Report], color: bool) {
    for report in reports {
        println!("{}", report.text(color));
    }
    if reports.len() > 1 {
        let passed = reports.iter().filter(|report| report.passed()).count();
        let (points, of) = total(reports);
        println!(
            "{passed} of {} exercises passed, {points} of {of} points",
            reports.len()
        );
    }
}

fn total(reports: &[Report]) -> (u32, u32) {
    reports
        .iter()
        .map(Report::points)
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

fn to_json(reports: &[Report]) -> Value {
    let (points, of) = total(reports);
    json!({
        "version": 1,
        "passed": reports.iter().all(Report::passed),
        "points": points,
        "max_points": of,
        "exercises": reports.iter().map(Report::json).collect::<Vec<_>>(),
    })
}

/// What is read by `classroom-resources/autograding-grading-reporter`: one test for each
/// exercise, whose score may be a part of its points.
fn to_classroom(reports: &[Report]) -> Value {
    let (_, of) = total(reports);
    let tests: Vec<_> = reports
        .iter()
        .map(|report| {
            let (points, of) = report.points();
            json!({
                "name": format!("{} ({of})", report.exercise.name()),
                "status": status(report),
                "score": points,
                "message": report.text(false),
            })
        })
        .collect();
    let worst = |wanted: &str| tests.iter().any(|test| test["status"] == wanted);
    let status = match () {
        () if worst("error") => "error",
        () if worst("fail") => "fail",
        () => "pass",
    };
    json!({ "version": 1, "status": status, "max_score": of, "tests": tests })
}

/// `error` is for what could not be run.
fn status(report: &Report) -> &'static str {
    match (&report.broken, report.passed()) {
        (Some(_), _) => "error",
        (None, false) => "fail",
        (None, true) => "pass",
    }
}

/// `results.json`, version 2 (<https://exercism.org/docs/building/tooling/test-runners>).
fn to_exercism(report: &Report) -> Value {
    let tests = report.checks.iter().map(|check| {
        let (status, message, output) = match &check.verdict {
            Verdict::Passed => ("pass", None, None),
            Verdict::NotReached { because } => {
                ("error", Some(not_reached(because)), None)
            }
            Verdict::Failed { failure, output } => {
                ("fail", Some(failure.to_string()), Some(shown(output)))
            }
        };
        let name = format!("{}: {}", check.name, check.wants);
        json!({ "name": name, "status": status, "message": message, "output": output })
    });
    json!({
        "version": 2,
        "status": status(report),
        "message": report.broken,
        "tests": tests.collect::<Vec<_>>(),
    })
}

/// Exercism shows 500 characters of output.
fn shown(output: &[String]) -> String {
    output.join("\n").chars().take(500).collect()
}

/// What `check50 --output json` prints
/// (<https://cs50.readthedocs.io/projects/check50/en/latest/json_specification.html>).
/// A program that does not compile is a first check, on which all others depend.
fn to_check50(report: &Report) -> Value {
    let compiles = json!({
        "name": "compiles",
        "description": "it compiles",
        "passed": report.broken.is_none(),
        "log": [],
        "cause": report.broken.as_ref().map(|said| json!({
            "rationale": "it does not compile",
            "help": said,
        })),
        "data": {},
        "dependency": null,
    });
    let mut results = vec![compiles];
    if report.broken.is_some() {
        results.extend(report.exercise.checks().iter().map(|check| {
            json!({
                "name": check.name,
                "description": check.wants,
                "passed": null,
                "log": [],
                "cause": { "rationale": not_reached("compiles"), "help": null },
                "data": {},
                "dependency": "compiles",
            })
        }));
    }
    results.extend(report.checks.iter().map(|check| {
        let (passed, log, cause) = outcome(check);
        json!({
            "name": check.name,
            "description": check.wants,
            "passed": passed,
            "log": log,
            "cause": cause,
            "data": { "points": check.points },
            "dependency": check.after.first().copied().unwrap_or("compiles"),
        })
    }));
    json!({
        "slug": report.exercise.name(),
        "results": results,
        "version": env!("CARGO_PKG_VERSION"),
    })
}

fn outcome(check: &Checked) -> (Option<bool>, Vec<String>, Value) {
    match &check.verdict {
        Verdict::Passed => (Some(true), Vec::new(), Value::Null),
        Verdict::NotReached { because } => {
            let rationale = not_reached(because);
            let cause = json!({ "rationale": rationale, "help": null });
            (None, Vec::new(), cause)
        }
        Verdict::Failed { failure, output } => {
            let mut cause = json!({
                "rationale": failure.message(),
                "help": (!failure.advice().is_empty())
                    .then(|| failure.advice().join("\n")),
            });
            if let Some((expected, actual)) = failure.values() {
                cause["expected"] = expected.into();
                cause["actual"] = actual.into();
            }
            let transcript = failure.transcript().into_iter().flat_map(str::lines);
            let log = transcript.map(str::to_owned).chain(output.iter().cloned());
            (Some(false), log.collect(), cause)
        }
    }
}
