use std::fmt::{self, Write};

use contract::Failure;
use serde_json::{Value, json};

use crate::{Exercise, diagnosis};

/// What came of grading an exercise.
pub struct Report {
    /// The exercise.
    pub exercise: &'static Exercise,
    /// What has happened before anything could be checked: what the compiler says, or
    /// what is wrong with the files.
    pub broken: Option<String>,
    /// What the compiler warns of.
    pub warnings: String,
    /// The checks, in their order. There are none if it is [broken](Self::broken).
    pub checks: Vec<Checked>,
}

/// What came of one check.
#[derive(Debug)]
pub struct Checked {
    /// What it is called.
    pub name: &'static str,
    /// How many points it gives.
    pub points: u32,
    /// What is wanted.
    pub wants: &'static str,
    /// The checks without which it makes no sense.
    pub after: Vec<&'static str>,
    /// Whether it holds.
    pub verdict: Verdict,
}

/// Whether a check holds.
#[derive(Debug)]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not.
    Failed {
        /// What was wanted, what came, the wire, and what may be the cause.
        failure: Failure,
        /// What the server has printed.
        output: Vec<String>,
    },
    /// Another one, without which it makes no sense, does not hold.
    NotReached {
        /// The name of that other one.
        because: &'static str,
    },
}

impl Report {
    /// Has everything passed?
    pub fn passed(&self) -> bool {
        self.broken.is_none()
            && self
                .checks
                .iter()
                .all(|check| matches!(check.verdict, Verdict::Passed))
    }

    /// How many points there are, and how many could have been.
    pub fn points(&self) -> (u32, u32) {
        let passed = self
            .checks
            .iter()
            .filter(|check| matches!(check.verdict, Verdict::Passed));
        let points = passed.map(|check| check.points).sum();
        (points, self.exercise.points())
    }

    /// The checks that failed, which are not those that were not reached.
    pub fn failed(&self) -> impl Iterator<Item = (&Checked, &Failure)> {
        self.checks.iter().filter_map(|check| match &check.verdict {
            Verdict::Failed { failure, .. } => Some((check, failure)),
            _ => None,
        })
    }

    /// Itself as an error, unless everything has passed.
    ///
    /// # Errors
    ///
    /// Something has not.
    pub fn into_result(self) -> Result<(), Self> {
        if self.passed() { Ok(()) } else { Err(self) }
    }

    /// The report for a person, for a terminal of 80 columns.
    pub fn text(&self, color: bool) -> String {
        let mut text = String::new();
        self.write(&mut text, color)
            .expect("a String takes everything");
        text
    }

    fn write(&self, out: &mut String, color: bool) -> fmt::Result {
        let paint = Paint(color);
        let (points, of) = self.points();
        let name = self.exercise.name();
        let score = match self.broken {
            Some(_) => "not graded".to_owned(),
            None => format!("{points} of {of} points"),
        };
        let gap = 80usize.saturating_sub(name.len() + score.len());
        let styled = if self.passed() {
            paint.green(&score)
        } else {
            score
        };
        writeln!(out, "{}{}{styled}", paint.bold(name), " ".repeat(gap))?;
        if let Some(broken) = &self.broken {
            writeln!(out)?;
            write!(out, "{}", broken.trim_end())?;
            return writeln!(out);
        }
        writeln!(out)?;
        for check in &self.checks {
            // What a check gives is seen where it is told, and the first gives nothing.
            let wants = match check.points {
                0 => check.wants.to_owned(),
                points => format!("{} ({points})", check.wants),
            };
            match &check.verdict {
                Verdict::Passed => {
                    wrap(out, &format!("  {} ", paint.green("✓")), 4, &wants)?;
                }
                Verdict::NotReached { because } => {
                    wrap(out, &format!("  {} ", paint.dim("–")), 4, &wants)?;
                    writeln!(out, "    {}", paint.dim(&not_reached(because)))?;
                }
                Verdict::Failed { failure, output } => {
                    let mark = format!("  {} ", paint.red("✗"));
                    wrap(out, &mark, 4, &format!("{wants} [{}]", check.name))?;
                    write_failure(out, paint, failure, output)?;
                }
            }
        }
        // A warning often names the mistake. But what is not there yet is warned of, too.
        let unfinished = |help: &String| help.contains(diagnosis::UNFINISHED);
        let mut failed = self.failed();
        let is_finished =
            !failed.any(|(_, failure)| failure.advice().iter().any(unfinished));
        if !self.passed() && is_finished && !self.warnings.is_empty() {
            writeln!(out, "\n{}", self.warnings.trim_end())?;
        }
        Ok(())
    }

    /// The report for a program.
    pub fn json(&self) -> Value {
        let (points, of) = self.points();
        let checks = self.checks.iter().map(|check| {
            let mut value = json!({
                "name": check.name,
                "description": check.wants,
                "points": check.points,
            });
            let (status, more) = match &check.verdict {
                Verdict::Passed => ("passed", json!({})),
                Verdict::NotReached { because } => {
                    ("not_reached", json!({ "because": because }))
                }
                Verdict::Failed { failure, output } => {
                    let values = failure.values();
                    let more = json!({
                        "message": failure.message(),
                        "expected": values.map(|(expected, _)| expected),
                        "actual": values.map(|(_, actual)| actual),
                        "transcript": failure.transcript(),
                        "help": failure.advice(),
                        "output": output,
                    });
                    ("failed", more)
                }
            };
            value["status"] = status.into();
            if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
                value.extend(more);
            }
            value
        });
        json!({
            "exercise": self.exercise.name(),
            "lesson": self.exercise.lesson(),
            "passed": self.passed(),
            "points": points,
            "max_points": of,
            "error": self.broken,
            "checks": checks.collect::<Vec<_>>(),
        })
    }
}

fn write_failure(
    out: &mut String,
    paint: Paint,
    failure: &Failure,
    output: &[String],
) -> fmt::Result {
    writeln!(out)?;
    wrap(out, "      ", 6, failure.message())?;
    if let Some((expected, got)) = failure.values() {
        writeln!(out, "        expected  {}", paint.green(expected))?;
        writeln!(out, "             got  {}", paint.red(got))?;
    }
    if let Some(transcript) = failure.transcript() {
        writeln!(out, "      on the wire (> sent, < received):")?;
        for line in transcript.lines() {
            writeln!(out, "        {}", paint.dim(line))?;
        }
    }
    if !output.is_empty() {
        writeln!(out, "      printed by the server:")?;
        for line in output {
            writeln!(out, "        {}", paint.dim(line))?;
        }
    }
    for help in failure.advice() {
        wrap(out, &format!("      {} ", paint.bold("help:")), 12, help)?;
    }
    writeln!(out)
}

/// What is said of a check that was not reached.
pub fn not_reached(because: &str) -> String {
    format!("not reached: it needs `{because}`")
}

/// `text` in lines of 80 columns at most, the first after `first`, the others indented
/// by `indent` columns.
pub fn wrapped(first: &str, indent: usize, text: &str) -> String {
    let mut out = String::new();
    wrap(&mut out, first, indent, text).expect("a String takes everything");
    out
}

/// Writes `text` in lines of 80 columns at most, the first after `first`, the others
/// indented by `indent` columns, which are as many as `first` takes.
fn wrap(out: &mut String, first: &str, indent: usize, text: &str) -> fmt::Result {
    let mut column = indent;
    out.write_str(first)?;
    for (index, word) in text.split_whitespace().enumerate() {
        let width = word.chars().count();
        if index > 0 && column + 1 + width > 80 {
            write!(out, "\n{:indent$}", "")?;
            column = indent;
        } else if index > 0 {
            out.write_char(' ')?;
            column += 1;
        }
        out.write_str(word)?;
        column += width;
    }
    writeln!(out)
}

/// Colours, if they are wanted.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        match self.0 {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

/// `Debug` prints what `Display` does, because `Debug` is what the test runner prints
/// when a test returns an error.
impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}", self.text(false))
    }
}
