//! `cargo course doctor`.

use std::{env, net::TcpListener, path::Path, process::Command};

use exercises::root;

/// What the machine has of one thing.
struct Finding {
    what: &'static str,
    /// What was found, or what is missing and how to get it.
    found: Result<String, String>,
    /// What it is needed for.
    needed_for: &'static str,
    /// Whether the lessons and exercises need it.
    essential: bool,
}

/// Says what this machine has and lacks; whether lessons and exercises can be done.
pub(crate) fn doctor() -> bool {
    let findings = [
        Finding {
            what: "Rust",
            found: version(
                "rustc",
                (1, 94),
                "run `rustup update stable`, or see https://rustup.rs",
            ),
            needed_for: "everything",
            essential: true,
        },
        Finding {
            what: "port 3000",
            found: port(3000, "stop what listens there, or set PORT"),
            needed_for: "running a lesson or an exercise",
            essential: false,
        },
        Finding {
            what: "port 4000",
            found: port(4000, "stop what listens there, or set PORT"),
            needed_for: "cargo book",
            essential: false,
        },
        Finding {
            what: "memory limit",
            found: match cfg!(target_os = "linux") {
                true => Ok("a server that is graded gets 1 GiB".into()),
                false => Err("only Linux can limit what a server takes".into()),
            },
            needed_for: "exercises that go wrong",
            essential: false,
        },
        Finding {
            what: "Node.js",
            found: version("node", (20, 0), "install Node.js 20, from nodejs.org"),
            needed_for: "the Node twins",
            essential: false,
        },
        Finding {
            what: "npm packages",
            found: folder(
                "examples/node_modules/socket.io",
                "run `npm ci --prefix examples`",
            ),
            needed_for: "the Node twins, and the official Socket.IO client",
            essential: false,
        },
        Finding {
            what: "Chromium",
            found: chromium(),
            needed_for: "the browser tests of the course itself",
            essential: false,
        },
        Finding {
            what: "Redis",
            found: version("redis-server", (6, 0), "install redis-server"),
            needed_for: "lessons with more than one process",
            essential: false,
        },
    ];
    for finding in &findings {
        let (mark, text) = match &finding.found {
            Ok(text) => ("✓", text),
            Err(text) if finding.essential => ("✗", text),
            Err(text) => ("–", text),
        };
        println!("{mark} {:<13} {text}", finding.what);
        if finding.found.is_err() {
            println!("  {:<13} it is for: {}", "", finding.needed_for);
        }
    }
    let able = findings
        .iter()
        .all(|finding| finding.found.is_ok() || !finding.essential);
    println!(
        "\n{}",
        match able {
            true => "Lessons and exercises can be done on this machine.",
            false => "Lessons and exercises cannot be done before ✗ is put right.",
        }
    );
    able
}

/// The version that `program --version` prints, if it is high enough.
fn version(program: &str, least: (u32, u32), cure: &str) -> Result<String, String> {
    let output = Command::new(program).arg("--version").output();
    let output = output.map_err(|_| format!("not found: {cure}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    match number(&line) {
        Some(version) if version >= least => Ok(line),
        Some(_) => Err(format!(
            "{line}, but it takes {}.{}: {cure}",
            least.0, least.1
        )),
        None => Err(format!("it says `{line}` for a version: {cure}")),
    }
}

/// The first two numbers with a dot between them, as in `rustc 1.95.0` or `v=7.0.15`.
fn number(line: &str) -> Option<(u32, u32)> {
    let words = line.split(|c: char| !c.is_ascii_digit() && c != '.');
    words.into_iter().find_map(|word| {
        let mut parts = word.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    })
}

fn port(port: u16, cure: &str) -> Result<String, String> {
    TcpListener::bind(("127.0.0.1", port))
        .map(|_| "free".to_owned())
        .map_err(|error| format!("{error}: {cure}"))
}

fn folder(path: &str, cure: &str) -> Result<String, String> {
    match root().join(path).is_dir() {
        true => Ok("installed".into()),
        false => Err(format!("not installed: {cure}")),
    }
}

fn chromium() -> Result<String, String> {
    let named =
        env::var_os("CHROMIUM").map(|path| path.to_string_lossy().into_owned());
    let programs = named
        .into_iter()
        .chain(["chromium", "chromium-browser", "google-chrome"].map(str::to_owned));
    let mut found = programs.map(|program| version(&program, (0, 0), ""));
    found
        .find_map(Result::ok)
        .or_else(|| {
            let mac = "/Applications/Google Chrome.app";
            Path::new(mac).exists().then(|| mac.to_owned())
        })
        .ok_or_else(|| "not found: install chromium".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_a_program_prints() {
        for (line, version) in [
            ("rustc 1.95.0 (59807616e 2026-04-14)", Some((1, 95))),
            ("v20.20.2", Some((20, 20))),
            ("Redis server v=7.0.15 sha=00000000:0", Some((7, 0))),
            ("Chromium 142.0.7444.134 built on Debian", Some((142, 0))),
            ("no version", None),
        ] {
            assert_eq!(number(line), version, "{line}");
        }
    }
}
