//! `cargo course list`.

use std::fs;

use exercises::{Exercise, Result, progress, root};

use crate::terminal::bold;

/// Prints all exercises, and how far the learner is.
pub(crate) fn list() -> Result {
    let progress = progress::load()?;
    let all = exercises::all();
    let passed = |one: &&Exercise| progress.passed.contains(one.name());
    let points = |one: &Exercise| {
        let most = one.points();
        let points = progress.points.get(one.name()).copied().unwrap_or(0);
        (points.min(most), most)
    };
    let count = all.iter().filter(passed).count();
    let (got, of) = all
        .iter()
        .map(points)
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    println!(
        "{count} of {} exercises passed, {got} of {of} points",
        all.len()
    );
    let next = Some(crate::next()?).filter(|one| !passed(one));
    let mut lesson = "";
    for one in all {
        if one.lesson() != lesson {
            lesson = one.lesson();
            println!("\n{}", bold(&chapter_title(one)?));
        }
        let is_next = next.is_some_and(|next| next.name() == one.name());
        let mark = match (passed(&one), is_next) {
            (true, _) => "✓",
            (_, true) => ">",
            _ => " ",
        };
        let title = one.about()?.title;
        let (got, of) = points(one);
        println!(
            "  {mark} {:<24} {title:<41.41} {got:>2} of {of:>2}",
            one.name()
        );
    }
    match next {
        Some(one) => println!(
            "\nNext: edit {}\nand run: cargo course watch",
            bold(&one.file())
        ),
        None => println!("\nYou have passed them all."),
    }
    Ok(())
}

/// The heading of the exercise's chapter: `07 · Broadcast: one room for everybody`.
fn chapter_title(one: &Exercise) -> Result<String> {
    let path = format!("book/src/{}", one.chapter()?);
    let text = fs::read_to_string(root().join(&path))
        .map_err(|error| format!("cannot read {path}: {error}"))?;
    let heading = text.lines().find_map(|line| line.strip_prefix("# "));
    heading
        .map(str::to_owned)
        .ok_or_else(|| format!("{path} has no heading"))
}
