//! ```` ```quiz ````: one question, its choices, and why the right one is right.
//!
//! ```text
//! What does `hyper` do with a request that has no `Host`?
//! - [ ] Answers 400
//! - [x] Calls the handler
//! > RFC 9112 asks for 400, but hyper leaves that check to you.
//! ```

use super::html::inline;
use std::fmt::Write as _;

/// A mistake in a quiz: the line in the fence, from 0, and what is wrong.
pub(crate) type Error = (usize, String);

/// A quiz as written.
#[derive(Debug, Default)]
struct Quiz {
    question: String,
    choices: Vec<(bool, String)>,
    why: String,
}

/// The quiz as a group of radio buttons, which theme/course.js checks. `id` is
/// unique in the book, since its print page holds every quiz.
pub(crate) fn render(source: &str, id: &str) -> Result<String, Error> {
    let quiz = Quiz::parse(source)?;
    let mut choices = String::new();
    for (right, text) in &quiz.choices {
        let value = if *right { "right" } else { "wrong" };
        let _ = write!(
            choices,
            "<label><input type=\"radio\" name=\"{id}\" value=\"{value}\"> \
             <span>{}</span></label>",
            inline(text)
        );
    }
    let answer = quiz.choices.iter().find(|(right, _)| *right);
    let (_, answer) = answer.expect("parse refuses a quiz without a right choice");
    Ok(format!(
        "<div class=\"quiz\" id=\"{id}\"><fieldset><legend>{}</legend>{choices}\
         </fieldset><p class=\"verdict\"><button type=\"button\" hidden>Check</button> \
         <output aria-live=\"polite\"></output></p><details><summary>The answer, and \
         why</summary><p>{}</p><p>{}</p></details></div>",
        inline(&quiz.question),
        inline(answer),
        inline(&quiz.why)
    ))
}

impl Quiz {
    fn parse(source: &str) -> Result<Self, Error> {
        let mut quiz = Self::default();
        let mut last = 0;
        for (n, line) in source.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            last = n;
            if let Some(choice) = line.strip_prefix("- ") {
                if !quiz.why.is_empty() {
                    return Err((n, "a choice goes before the `> why`".to_owned()));
                }
                quiz.choices.push(parse_choice(choice).map_err(|e| (n, e))?);
            } else if let Some(why) = line.strip_prefix('>') {
                push(&mut quiz.why, why);
            } else if quiz.choices.is_empty() && quiz.why.is_empty() {
                push(&mut quiz.question, line);
            } else {
                let error = "after the question come only `- [ ]` choices and `> why`: \
                             keep each choice on one line";
                return Err((n, error.to_owned()));
            }
        }
        let right = quiz.choices.iter().filter(|(right, _)| *right).count();
        let wrong_number = |what: &str| Err((0, what.to_owned()));
        match (quiz.question.is_empty(), quiz.choices.len(), right) {
            (true, ..) => wrong_number("a quiz begins with its question"),
            (_, 0 | 1, _) => {
                wrong_number("a quiz needs two choices or more: `- [ ] …`")
            }
            (_, 6.., _) => wrong_number("a quiz has at most five choices"),
            (.., 0) => wrong_number("a quiz needs its right choice: `- [x] …`"),
            (.., 1) if quiz.why.is_empty() => Err((
                last,
                "a quiz ends with `> why the right choice is right`".into(),
            )),
            (.., 1) => Ok(quiz),
            _ => wrong_number("a quiz has one right choice: `[x]` is there twice"),
        }
    }
}

fn push(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(line.trim());
}

fn parse_choice(choice: &str) -> Result<(bool, String), String> {
    let (right, text) = if let Some(text) = choice.strip_prefix("[x]") {
        (true, text.trim())
    } else if let Some(text) = choice.strip_prefix("[ ]") {
        (false, text.trim())
    } else {
        return Err(
            "a choice begins with `- [ ] ` or, the right one, `- [x] `".into()
        );
    };
    match text.is_empty() {
        true => Err("this choice is empty".to_owned()),
        false => Ok((right, text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "What is\n`1 < 2`?\n\n- [ ] no\n- [x] *yes*\n> It is\n> less.\n";

    #[test]
    fn a_quiz_is_a_named_group_of_radio_buttons_with_the_answer_in_details() {
        let html = render(GOOD, "quiz-a-1").expect("it is complete");
        for part in [
            "<legend>What is <code>1 &lt; 2</code>?</legend>",
            "<input type=\"radio\" name=\"quiz-a-1\" value=\"wrong\"> <span>no</span>",
            "value=\"right\"> <span><em>yes</em></span>",
            "<output aria-live=\"polite\">",
            "<p><em>yes</em></p><p>It is less.</p></details>",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains('\n'), "{html}");
    }

    #[test]
    fn every_wrong_shape_is_refused_on_its_line() {
        for (bad, line, cause) in [
            ("", 0, "begins with its question"),
            ("- [ ] a\n- [x] b\n> c\n", 0, "begins with its question"),
            ("q\n> c\n", 0, "two choices or more"),
            ("q\n- [x] a\n> c\n", 0, "two choices or more"),
            ("q\n- [ ] a\n- [ ] b\n> c\n", 0, "needs its right choice"),
            ("q\n- [x] a\n- [x] b\n> c\n", 0, "one right choice"),
            ("q\n- [x] a\n- [ ] b\n", 2, "ends with `> why"),
            (
                "q\n- [x] a\n- [ ] b\nmore\n> c\n",
                3,
                "only `- [ ]` choices",
            ),
            ("q\n- [x] a\n> c\n- [ ] b\n", 3, "before the `> why`"),
            ("q\n- [X] a\n- [ ] b\n> c\n", 1, "a choice begins with"),
            ("q\n- a\n- [x] b\n> c\n", 1, "a choice begins with"),
            ("q\n- [x]\n- [ ] b\n> c\n", 1, "is empty"),
            (
                "q\n- [x] a\n- [ ] b\n- [ ] c\n- [ ] d\n- [ ] e\n- [ ] f\n> g\n",
                0,
                "at most five",
            ),
        ] {
            let (at, error) = render(bad, "q").expect_err(bad);
            assert!(error.contains(cause), "{bad:?}: {error}");
            assert_eq!(at, line, "{bad:?}");
        }
    }
}
