//! The starter and the solution are one file, `solutions/src/bin/NAME.rs`, in which
//! comments mark what is only in one of them:
//!
//! ```text
//! // SOLUTION
//! served.fetch_add(1, Ordering::Relaxed);
//! // STARTER
//! // // TODO: count the request.
//! // END
//! ```
//!
//! The starter gets the lines between `STARTER` and `END`, without their `// `.

use crate::Result;

/// Where a line of the file belongs.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Both,
    Solution,
    Starter,
}

/// What a solution looks like without what is only in the starter.
pub(crate) fn solution(marked: &str) -> Result<String> {
    select(marked, Part::Solution)
}

/// What a learner begins with.
pub(crate) fn starter(marked: &str) -> Result<String> {
    select(marked, Part::Starter)
}

fn select(marked: &str, wanted: Part) -> Result<String> {
    let mut part = Part::Both;
    let mut selected = String::new();
    for (index, line) in marked.lines().enumerate() {
        part = match (line.trim_start(), part) {
            ("// SOLUTION", Part::Both) => Part::Solution,
            ("// STARTER", Part::Both | Part::Solution) => Part::Starter,
            ("// END", Part::Solution | Part::Starter) => Part::Both,
            (mark @ ("// SOLUTION" | "// STARTER" | "// END"), _) => {
                return Err(format!("line {}: `{mark}` does not fit", index + 1));
            }
            (text, _) => {
                if part == wanted && part == Part::Starter {
                    let indent = &line[..line.len() - text.len()];
                    let code = match text.strip_prefix("//") {
                        Some(code) => code.strip_prefix(' ').unwrap_or(code),
                        None => {
                            return Err(format!(
                                "line {}: what is in the starter alone begins with //",
                                index + 1
                            ));
                        }
                    };
                    if !code.is_empty() {
                        selected += indent;
                        selected += code;
                    }
                    selected += "\n";
                } else if part == wanted || part == Part::Both {
                    selected += line;
                    selected += "\n";
                }
                part
            }
        };
    }
    match part {
        Part::Both => Ok(selected),
        _ => Err("the last `// END` is missing".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKED: &str = "\
fn main() {
    // SOLUTION
    run();
    // STARTER
    // // TODO: run.
    //
    // todo!()
    // END
}
";

    #[test]
    fn each_side_gets_its_own_lines() {
        assert_eq!(
            solution(MARKED).as_deref(),
            Ok("fn main() {\n    run();\n}\n")
        );
        assert_eq!(
            starter(MARKED).as_deref(),
            Ok("fn main() {\n    // TODO: run.\n\n    todo!()\n}\n")
        );
    }

    #[test]
    fn a_mark_in_the_wrong_place_is_an_error() {
        for bad in [
            "// END\n",
            "// SOLUTION\n",
            "// SOLUTION\n// SOLUTION\n// END\n",
            "// STARTER\n// SOLUTION\n// END\n",
            "// STARTER\ntodo!()\n// END\n",
        ] {
            starter(bad).expect_err(bad);
        }
    }
}
