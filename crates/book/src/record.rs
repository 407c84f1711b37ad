//! `cargo book record`: runs what the book shows, and records the output.
//!
//! The wire comes from the contracts' own tests. A [`Mistake`] is made in a copy of the
//! repository, so that neither a lesson nor its program is ever broken meanwhile.

use crate::mistake::Mistake;
use anyhow::{Context, Result, bail, ensure};
use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Records the wire of every lesson, from the Rust side and from the Node twin, into
/// `book/recorded/NAME.rust.txt` and `NAME.node.txt`, and what is drawn of it into
/// `NAME.mermaid`.
///
/// # Errors
///
/// A contract's test fails; most often because Node or the twins' packages are missing.
pub fn wire(root: &Path) -> Result<()> {
    let folder = root.join("book/recorded");
    // Recordings that nothing writes any more must go.
    for file in files(&folder)? {
        let name = file.to_string_lossy();
        let ends = [".rust.txt", ".node.txt", ".mermaid"];
        if ends.iter().any(|end| name.ends_with(end)) {
            fs::remove_file(&file)?;
        }
    }
    for peer in ["rust", "node"] {
        eprintln!("recording the wire, peer {peer}");
        let output = cargo(root)
            .args(["test", "--quiet", "--no-fail-fast"])
            .args(["--test", "lesson_*", "recorded"])
            .envs([("RECORD", "1"), ("CONTRACT_PEER", peer)])
            .output()?;
        ensure!(
            output.status.success(),
            "recording the wire failed:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
    }
    Ok(())
}

/// Makes each mistake in `book/mistakes` in turn, runs what shows it, and records that
/// in `book/recorded/mistake-NAME.txt`.
///
/// # Errors
///
/// An edit no longer fits its lesson, or Cargo finds nothing wrong.
pub fn mistakes(root: &Path) -> Result<()> {
    let copy = root.join("target/mistakes/tree");
    let target = root.join("target/mistakes/target");
    for name in names(root)? {
        eprintln!("recording the mistake {name}");
        let mistake = Mistake::load(root, &name)?;
        let broken = mistake.apply(&mistake.source(root)?)?;
        // A fresh copy each time, which undoes the previous mistake.
        copy_tree(root, &copy)?;
        write_if_changed(&copy.join(mistake.file()), broken.as_bytes())?;
        let output = run(&copy, &target, &mistake.cargo)?;
        let said = said(&output, &mistake.cargo)?;
        let text = format!("$ cargo {}\n{said}", mistake.cargo);
        let file = root.join(format!("book/recorded/mistake-{name}.txt"));
        fs::write(&file, text).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// Runs `cargo course` as a learner does who has just begun, and records what it prints
/// in `book/recorded/course-*.txt`.
///
/// # Errors
///
/// It does not run.
pub fn course(root: &Path) -> Result<()> {
    let progress = root.join("target/course/no-progress");
    for (name, arguments) in [("list", ""), ("check", "check ex01_status_page")] {
        let command = format!("cargo course {arguments}");
        let command = command.trim_end();
        eprintln!("recording `{command}`");
        let output = cargo(root)
            .args(command.split(' ').skip(1))
            .env("COURSE_DIR", &progress)
            .output()?;
        // Nothing has been written yet, so the check fails, which is exit code 1.
        ensure!(
            output.status.success() || output.status.code() == Some(1),
            "`{command}` failed:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let said = steady(&String::from_utf8_lossy(&output.stdout));
        let file = root.join(format!("book/recorded/course-{name}.txt"));
        fs::write(&file, format!("$ {command}\n{said}"))
            .with_context(|| file.display().to_string())?;
        // A check is progress, too.
        let _ = fs::remove_dir_all(&progress);
    }
    Ok(())
}

/// What `cargo ARGUMENTS` says in the copy.
///
/// A program that is run should end by itself: if it does not, it is no longer a
/// mistake, and it is killed after a while.
fn run(copy: &Path, target: &Path, arguments: &str) -> Result<Output> {
    let mut command = cargo(copy);
    command.env("CARGO_TARGET_DIR", target);
    let Some(example) = arguments.strip_prefix("run --example ") else {
        return Ok(command.args(arguments.split(' ')).output()?);
    };
    let built = command
        .args(["build", "--quiet", "--example", example])
        .output()?;
    ensure!(
        built.status.success(),
        "cannot build {example} with the mistake in it:\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let program = target.join("debug/examples").join(example);
    let mut child = Command::new(program.with_extension(env::consts::EXE_EXTENSION))
        .env("PORT", "0")
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let start = Instant::now();
    while child.try_wait()?.is_none() {
        if start.elapsed() > Duration::from_secs(10) {
            child.kill()?;
            child.wait()?;
            bail!(
                "{example} keeps running with the mistake in it, so it is no longer one"
            );
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(child.wait_with_output()?)
}

/// The names of all mistakes, in order.
fn names(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for path in files(&root.join("book/mistakes"))? {
        if path.extension() == Some(OsStr::new("toml"))
            && let Some(name) = path.file_stem()
        {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// What is in a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// Cargo in `folder`, without anything that would make its output differ from machine
/// to machine.
fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .env("CARGO_TERM_COLOR", "never")
        .env("RUST_BACKTRACE", "0")
        .env("PORT", "0")
        .env_remove("CONTRACT_DEADLINE")
        .env_remove("CONTRACT_PEER")
        .env_remove("RECORD");
    command
}

/// What a learner would read of `output`, the same on every machine.
fn said(output: &Output, arguments: &str) -> Result<String> {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let text = match arguments.split(' ').next() {
        Some("check") => first_diagnostic(&stderr),
        Some("test") => failed_test(&stdout),
        Some("run") => panic_message(&stderr),
        _ => bail!("`cargo {arguments}`: only check, test and run are recorded"),
    };
    let text =
        text.with_context(|| format!("nothing to record in:\n{stdout}{stderr}"))?;
    Ok(steady(&text))
}

/// The first error that rustc reports, else its first warning, up to a blank line.
fn first_diagnostic(stderr: &str) -> Option<String> {
    let reported = |level: &&str| stderr.lines().any(|line| line.starts_with(level));
    let level = ["error", "warning"].into_iter().find(reported)?;
    let lines = stderr.lines().skip_while(|line| !line.starts_with(level));
    Some(
        lines
            .take_while(|line| !line.is_empty())
            .map(line)
            .collect(),
    )
}

/// What libtest prints of the first test that failed.
fn failed_test(stdout: &str) -> Option<String> {
    let lines = stdout.lines().skip_while(|line| !line.starts_with("---- "));
    let lines: Vec<&str> = lines.take_while(|line| *line != "failures:").collect();
    let text = lines.join("\n");
    (!text.is_empty()).then(|| text.trim_end().to_owned() + "\n")
}

/// The panic that ended the program.
fn panic_message(stderr: &str) -> Option<String> {
    let lines = stderr
        .lines()
        .skip_while(|line| !line.starts_with("thread '"));
    let lines = lines.take_while(|line| !line.starts_with("note:"));
    let text: String = lines.map(line).collect();
    (!text.is_empty()).then_some(text)
}

fn line(line: &str) -> String {
    format!("{line}\n")
}

/// Takes out what differs from run to run: the id of a thread, ports, dates, where
/// Cargo keeps its sources, and notes that name files of this one build.
fn steady(text: &str) -> String {
    let mut out = String::new();
    for text in text.lines() {
        if text.contains("the full name for the type has been written to")
            || text.contains("consider using `--verbose` to print the full type")
        {
            continue;
        }
        out += &line(&steady_line(text));
    }
    out
}

fn steady_line(text: &str) -> String {
    let mut text = text.to_owned();
    // `thread 'main' (12345) panicked at …`
    if let Some(start) = text.find("' (")
        && text.starts_with("thread '")
        && let Some(end) = text[start..].find(") ")
    {
        text.replace_range(start + 1..start + end + 1, "");
    }
    // A path into Cargo's registry or Rust's own sources.
    for folder in ["/registry/src/", "/rustc/"] {
        if let Some(at) = text.find(folder)
            && let Some(start) = text[..at].rfind(' ').map(|space| space + 1)
        {
            // The next folder is a hash, which goes too.
            let rest = &text[at + folder.len()..];
            let rest = rest.split_once('/').map_or(rest, |(_hash, rest)| rest);
            text = format!("{}…/{rest}", &text[..start]);
        }
    }
    if let Some((head, tail)) = text.split_once("127.0.0.1:") {
        let tail = tail.trim_start_matches(|digit: char| digit.is_ascii_digit());
        text = format!("{head}127.0.0.1:3000{tail}");
    }
    if let Some((head, _)) = text.to_ascii_lowercase().split_once("< date:") {
        let name = &text[head.len()..head.len() + "< date:".len()];
        text = format!("{head}{name} Thu, 01 Jan 1970 00:00:00 GMT");
    }
    text.trim_end().to_owned()
}

/// What a build of the lessons needs, as far as it can differ from the copy.
const COPIED: [&str; 6] = [
    "Cargo.toml",
    "Cargo.lock",
    "book/recorded",
    "crates",
    "examples",
    "tests",
];

/// Makes `copy` the same as `root`. Files that have not changed are left alone, so
/// that Cargo does not take them for new.
fn copy_tree(root: &Path, copy: &Path) -> Result<()> {
    for name in COPIED {
        mirror(&root.join(name), &copy.join(name))
            .with_context(|| format!("copying {name}"))?;
    }
    Ok(())
}

fn mirror(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        return write_if_changed(to, &fs::read(from)?);
    }
    fs::create_dir_all(to)?;
    let is_copied =
        |path: &PathBuf| path.file_name() != Some("node_modules".as_ref());
    for path in files(from)?.iter().filter(|path| is_copied(path)) {
        mirror(path, &to.join(path.file_name().expect("read_dir names it")))?;
    }
    for path in files(to)? {
        let original = from.join(path.file_name().expect("read_dir names it"));
        if !original.exists() {
            if path.is_dir() {
                fs::remove_dir_all(path)
            } else {
                fs::remove_file(path)
            }?;
        }
    }
    Ok(())
}

fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|now| now == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_taken_out() {
        for (said, steady) in [
            (
                "thread 'main' (812) panicked at a.rs:1:2:",
                "thread 'main' panicked at a.rs:1:2:",
            ),
            (
                "   --> /home/me/.cargo/registry/src/index-1a/hyper-1.12.0/src/a.rs:4:1",
                "   --> …/hyper-1.12.0/src/a.rs:4:1",
            ),
            (
                "  --> /rustc/5980/library/core/a.rs:1",
                "  --> …/library/core/a.rs:1",
            ),
            ("    > host: 127.0.0.1:43210", "    > host: 127.0.0.1:3000"),
            (
                "    < date: Sun, 22 Nov 2026 20:29:05 GMT",
                "    < date: Thu, 01 Jan 1970 00:00:00 GMT",
            ),
            (
                "    > keep this (12) as it is",
                "    > keep this (12) as it is",
            ),
        ] {
            assert_eq!(steady_line(said), steady);
        }
    }

    #[test]
    fn the_first_error_of_the_compiler_is_recorded() {
        let stderr =
            "warning: unused\n\nerror[E0382]: moved\n --> a.rs\n\nerror: two\n";
        assert_eq!(
            first_diagnostic(stderr).as_deref(),
            Some("error[E0382]: moved\n --> a.rs\n")
        );
        assert_eq!(
            first_diagnostic("warning: unused\n\nwarning: 1 warning\n").as_deref(),
            Some("warning: unused\n")
        );
        assert_eq!(first_diagnostic("    Finished in 0.1s\n"), None);
    }

    #[test]
    fn the_failure_of_a_test_is_recorded() {
        let stdout = "running 1 test\nF\nfailures:\n\n---- a stdout ----\nError: no\n\n\
                      \nfailures:\n    a\n";
        assert_eq!(
            failed_test(stdout).as_deref(),
            Some("---- a stdout ----\nError: no\n")
        );
        assert_eq!(failed_test("running 1 test\n.\n"), None);
    }
}
