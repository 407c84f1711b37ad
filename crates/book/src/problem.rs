//! What is wrong with the book, said so that an editor can jump to it.

use std::fmt;

/// One mistake: where it is, what it is, and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, relative to the root of the repository, with `/` between folders.
    pub file: String,
    /// The line, counted from 1; `None` if the whole file is meant.
    pub line: Option<usize>,
    /// The cause and the cure, on one line.
    pub message: String,
}

impl Problem {
    /// A problem on one line of a file.
    pub fn at(
        file: impl Into<String>,
        line: usize,
        message: impl Into<String>,
    ) -> Self {
        Self {
            file: file.into(),
            line: Some(line),
            message: message.into(),
        }
    }

    /// A problem of a whole file.
    pub fn of(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: None,
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One line per problem, whatever the cause had to say.
        let message = self
            .message
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        match self.line {
            Some(line) => write!(f, "{}:{line}: {message}", self.file),
            None => write!(f, "{}: {message}", self.file),
        }
    }
}

/// Every problem of one build, never empty: why there are no pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            let newline = if n == 0 { "" } else { "\n" };
            write!(f, "{newline}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_one_line_that_an_editor_can_open() {
        let problem = Problem::at("book/src/a.md", 42, "no such\n  anchor");
        assert_eq!(problem.to_string(), "book/src/a.md:42: no such anchor");
        let problem = Problem::of("book/book.toml", "is missing");
        assert_eq!(problem.to_string(), "book/book.toml: is missing");
    }
}
