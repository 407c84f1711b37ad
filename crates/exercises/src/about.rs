use serde::Deserialize;

use crate::Result;

/// What is said of an exercise: `about/NAME.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The title, in a few words.
    pub title: String,
    /// What to look at when stuck, each a step further than the one before.
    pub hints: Vec<String>,
    /// Servers that must not pass.
    pub wrong: Vec<Wrong>,
}

/// A wrong server: the solution with a plausible mistake in it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrong {
    /// What it is called, as in `forgets_nobody`.
    pub name: String,
    /// The mistake, in a sentence.
    pub mistake: String,
    /// What makes the mistake in the solution.
    pub edits: Vec<Edit>,
    /// The checks that fail, no more and no fewer.
    pub fails: Vec<String>,
    /// What the learner must read in the first of them.
    pub says: String,
}

/// One change of a text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// What to take out; it occurs once.
    pub find: String,
    /// What to put in its place.
    pub replace: String,
}

/// What a program can do besides being wrong: `about/sabotage.toml`. The first exercise
/// is what it is done to.
///
/// # Errors
///
/// The file is missing, or not as it should be.
pub fn sabotage() -> Result<Vec<Wrong>> {
    #[derive(Deserialize)]
    struct Sabotage {
        wrong: Vec<Wrong>,
    }
    let path = "crates/exercises/about/sabotage.toml";
    let text = crate::exercise::read(path)?;
    let sabotage: Sabotage =
        toml::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
    Ok(sabotage.wrong)
}

impl Wrong {
    /// `solution` with the mistake in it.
    ///
    /// # Errors
    ///
    /// What an edit looks for does not occur exactly once.
    pub fn apply(&self, solution: &str) -> Result<String> {
        self.edits
            .iter()
            .try_fold(solution.to_owned(), |text, edit| {
                match text.matches(&edit.find).count() {
                    1 if edit.find != edit.replace => {
                        Ok(text.replacen(&edit.find, &edit.replace, 1))
                    }
                    1 => Err("an edit changes nothing".to_owned()),
                    n => Err(format!(
                        "an edit looks for what is there {n} times, not once: {:?}",
                        edit.find
                    )),
                }
            })
            .map_err(|error| format!("wrong server `{}`: {error}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(find: &str, replace: &str) -> Wrong {
        Wrong {
            name: "other".into(),
            mistake: String::new(),
            edits: vec![Edit {
                find: find.into(),
                replace: replace.into(),
            }],
            fails: Vec::new(),
            says: String::new(),
        }
    }

    #[test]
    fn an_edit_fits_in_one_place() {
        let changed = wrong("b", "x").apply("a b c").expect("b is there once");
        assert_eq!(changed, "a x c");
        for (find, said) in [("z", "0 times"), ("a", "2 times")] {
            let error = wrong(find, "x").apply("a b a").expect_err(find);
            assert!(
                error.starts_with("wrong server `other`: ") && error.contains(said),
                "{error}"
            );
        }
        let error = wrong("b", "b").apply("a b c").expect_err("the same");
        assert!(error.ends_with("an edit changes nothing"), "{error}");
    }
}
