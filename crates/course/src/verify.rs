//! `cargo course verify`: the graders, proved in three directions.
//!
//! For each exercise: the starter compiles, is what the learner's file began as, says
//! `TODO`, and fails; the solution passes; each wrong server compiles and fails the
//! checks that it should fail, no others, with the sentence meant for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use exercises::{Exercise, Report, Result};
use toml::{Table, Value};

/// A program of the proof.
struct Case {
    exercise: &'static Exercise,
    /// What it is called among the programs.
    name: String,
    source: String,
    expected: Expected,
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
/// What does not hold, all of it.
pub(crate) fn verify(exercises: &[&'static Exercise]) -> Result {
    let start = Instant::now();
    let mut problems = Vec::new();
    let mut cases = Vec::new();
    for exercise in exercises {
        match self::cases(exercise, &mut problems) {
            Ok(more) => cases.extend(more),
            Err(problem) => problems.push(format!("{}: {problem}", exercise.name())),
        }
    }
    let programs = build(&cases)?;
    let built = start.elapsed();
    let count = cases.len();
    contract::set_deadline(PATIENCE);
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
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems.join("\n\n")),
    }
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
        let expected = Expected::Failed {
            checks: wrong.fails,
            says: wrong.says,
        };
        cases.push(case(&wrong.name, source, expected));
    }
    Ok(cases)
}

/// Builds all programs at once, in a package of their own that has the dependencies of
/// the solutions and shares what is already compiled.
fn build(cases: &[Case]) -> Result<BTreeMap<String, PathBuf>> {
    let root = exercises::root();
    let folder = root.join("target/course/proof");
    let bin = folder.join("src/bin");
    let write = |path: &Path, text: &str| -> Result {
        if fs::read_to_string(path).is_ok_and(|now| now == text) {
            return Ok(());
        }
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    };
    fs::create_dir_all(&bin)
        .map_err(|error| format!("{}: {error}", bin.display()))?;
    for old in fs::read_dir(&bin).into_iter().flatten().flatten() {
        let name = old.file_name();
        if !cases
            .iter()
            .any(|case| name == format!("{}.rs", case.name).as_str())
        {
            let _ = fs::remove_file(old.path());
        }
    }
    write(&folder.join("Cargo.toml"), &manifest(root)?)?;
    // The versions that everything else has been built with.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))
        .map_err(|error| format!("cannot copy Cargo.lock: {error}"))?;
    for case in cases {
        write(&bin.join(format!("{}.rs", case.name)), &case.source)?;
    }

    let output = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["build", "--quiet", "--keep-going", "--bins"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", target())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "not everything compiles:\n{}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    let suffix = env::consts::EXE_SUFFIX;
    let programs = cases.iter().map(|case| {
        let program = target().join(format!("debug/{}{suffix}", case.name));
        (case.name.clone(), program)
    });
    Ok(programs.collect())
}

/// Where Cargo builds: this program is there too.
fn target() -> PathBuf {
    let this = env::current_exe().unwrap_or_default();
    let debug = this.parent().and_then(Path::parent);
    debug.map_or_else(|| exercises::root().join("target"), Path::to_path_buf)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn prove_and_tell(case: &Case, program: &Path) -> Result {
    let began = Instant::now();
    let outcome = prove(case, program);
    let took = began.elapsed().as_secs_f64();
    let word = if outcome.is_ok() { "ok    " } else { "FAILED" };
    println!("{word}  {took:5.1} s  {}", case.name);
    outcome.map_err(|problem| format!("{}: {problem}", case.name))
}

fn prove(case: &Case, program: &Path) -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let report = runtime.block_on(case.exercise.grade(program));
    let seen = || report.text(false);
    match &case.expected {
        Expected::Success if report.passed() => Ok(()),
        Expected::Success => Err(format!("the solution fails\n{}", seen())),
        Expected::Failure if !report.passed() => Ok(()),
        Expected::Failure => Err("the starter passes".into()),
        Expected::Failed { checks, says } => {
            let failed: Vec<_> = report.failed().collect();
            let names: Vec<_> = failed.iter().map(|(check, _)| check.name).collect();
            if names != *checks {
                return Err(format!(
                    "it should fail {checks:?}, but it fails {names:?}\n{}",
                    seen()
                ));
            }
            match said(&report).contains(says.as_str()) {
                true => Ok(()),
                false => Err(format!("it does not say {says:?}\n{}", seen())),
            }
        }
    }
}

/// What is said of the first check that failed, as one text.
fn said(report: &Report) -> String {
    let first = report.failed().next();
    first.map_or_else(String::new, |(_, failure)| failure.to_string())
}

/// The manifest of the programs' package: the dependencies of the solutions, in the
/// versions and with the profiles of the workspace.
fn manifest(root: &Path) -> Result<String> {
    let table = |path: &str| -> Result<Table> {
        let text = fs::read_to_string(root.join(path))
            .map_err(|error| format!("cannot read {path}: {error}"))?;
        text.parse().map_err(|error| format!("{path}: {error}"))
    };
    let mut workspace = table("Cargo.toml")?;
    let solutions = table("crates/exercises/solutions/Cargo.toml")?;
    let profiles = workspace.remove("profile");
    let get = |value: &Value, key: &str| value.get(key).cloned();
    let versions = workspace
        .remove("workspace")
        .ok_or("Cargo.toml has no [workspace]")?;
    let package = get(&versions, "package").and_then(|p| get(&p, "edition"));
    let mut versions = get(&versions, "dependencies")
        .and_then(|dependencies| dependencies.try_into::<Table>().ok())
        .ok_or("Cargo.toml has no [workspace.dependencies]")?;

    let mut dependencies = Table::new();
    let used = solutions.get("dependencies").and_then(Value::as_table);
    for name in used.into_iter().flat_map(Table::keys) {
        let mut version = versions
            .remove(name)
            .ok_or_else(|| format!("Cargo.toml has no version of {name}"))?;
        if let Some(path) = version.get_mut("path") {
            let absolute = root.join(path.as_str().unwrap_or_default());
            *path = absolute.to_string_lossy().into_owned().into();
        }
        dependencies.insert(name.clone(), version);
    }
    let mut manifest = Table::new();
    let about = [
        ("name", "proof".into()),
        ("version", "0.0.0".into()),
        ("edition", package.ok_or("Cargo.toml has no edition")?),
    ];
    let about = about.map(|(key, value)| (key.to_owned(), value));
    manifest.insert("package".into(), Value::Table(about.into_iter().collect()));
    manifest.insert("dependencies".into(), Value::Table(dependencies));
    if let Some(profiles) = profiles {
        manifest.insert("profile".into(), profiles);
    }
    // Not a member of the workspace above it.
    manifest.insert("workspace".into(), Value::Table(Table::new()));
    Ok(manifest.to_string())
}
