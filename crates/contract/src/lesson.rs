use std::{
    collections::HashMap,
    env, fmt, io,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use tokio::{
    process::Command,
    sync::{Mutex, OnceCell},
};

use crate::{Exit, Failure, Program, Result, Server};

/// Which of the two servers a contract is run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The lesson itself: `examples/NN_name/main.rs`.
    Rust,
    /// Its twin: `examples/NN_name/node/server.mjs`.
    Node,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "rust",
            Self::Node => "node",
        })
    }
}

/// The peer that `CONTRACT_PEER` names: `rust` (also when it is not set) or `node`.
///
/// # Panics
///
/// `CONTRACT_PEER` names anything else.
pub fn peer() -> Peer {
    match env::var("CONTRACT_PEER").as_deref() {
        Err(_) | Ok("rust") => Peer::Rust,
        Ok("node") => Peer::Node,
        Ok(other) => panic!("CONTRACT_PEER={other}: set it to `rust` or `node`"),
    }
}

/// A lesson that can be started, on the side that [`peer`] names.
#[derive(Clone, Debug)]
pub struct Lesson {
    name: &'static str,
    peer: Peer,
    release: bool,
    /// How it is started. Where it is, is known once it has been built.
    program: Program,
}

impl Lesson {
    /// The lesson in `examples/<name>`, on any free port.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            peer: peer(),
            // An optimised test is there to see the lesson optimised.
            release: !cfg!(debug_assertions),
            program: Program::new(""),
        }
    }

    /// The same lesson, on this side whatever [`peer`] says.
    #[must_use]
    pub fn on(mut self, peer: Peer) -> Self {
        self.peer = peer;
        self
    }

    /// The same lesson, built with optimisation, for measurements.
    #[must_use]
    pub fn release(mut self) -> Self {
        self.release = true;
        self
    }

    /// The same lesson, started with one more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.program = self.program.arg(arg);
        self
    }

    /// The same lesson, started with this variable in its environment.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.program = self.program.env(name, value);
        self
    }

    /// The same lesson, started with `PORT` set to `port`, whatever that is.
    #[must_use]
    pub fn port(self, port: impl fmt::Display) -> Self {
        self.env("PORT", port)
    }

    /// Builds the lesson if need be, starts it, and waits until it listens.
    ///
    /// # Errors
    ///
    /// It cannot be built or started; it ends, or prints anything else, before
    /// `listening on http://127.0.0.1:<port>`; or it does nothing at all.
    pub async fn start(&self) -> Result<Server> {
        self.program().await?.start().await
    }

    /// Runs a lesson that should end by itself, and says how it ended.
    ///
    /// # Errors
    ///
    /// It cannot be built or started, or it does not end.
    pub async fn run(&self) -> Result<Exit> {
        self.program().await?.run().await
    }

    async fn program(&self) -> Result<Program> {
        let program = self.program.clone();
        Ok(match self.peer {
            Peer::Rust => program.at(build(self.name, self.release).await?),
            Peer::Node => {
                let twin = root().join("examples").join(self.name).join("node");
                let twin = twin.join("server.mjs");
                program.at(node().await?).first_arg(twin.to_string_lossy())
            }
        })
    }
}

/// The root of the repository, two levels above this crate.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> =
        LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    &ROOT
}

/// Has Cargo build an example and returns its program. `cargo test --test lesson_01`
/// does not build `examples/01_*`, so without this an old one would be tested.
async fn build(example: &'static str, release: bool) -> Result<PathBuf> {
    // The lock is held while Cargo runs: all tests of a lesson wait for one build.
    static BUILT: LazyLock<Mutex<HashMap<(&'static str, bool), PathBuf>>> =
        LazyLock::new(Default::default);
    let mut built = BUILT.lock().await;
    if let Some(program) = built.get(&(example, release)) {
        return Ok(program.clone());
    }

    let mut arguments = vec!["--example", example];
    if release {
        arguments.push("--release");
    }
    let (program, _) = crate::program::build(&arguments, false)
        .await
        .map_err(|log| Failure::new(format!("cannot build {example}:\n{log}")))?;
    built.insert((example, release), program.clone());
    Ok(program)
}

/// `node`, once it is clear that the twins can run.
async fn node() -> Result<&'static str> {
    static VERSION: OnceCell<io::Result<String>> = OnceCell::const_new();
    let version = VERSION.get_or_init(async || {
        let output = Command::new("node").arg("--version").output().await?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    });
    let cure = "install Node.js 20 or newer, or leave CONTRACT_PEER out";
    match version.await {
        Err(error) => Err(Failure::new(format!(
            "`node` does not run: {error}; {cure}"
        ))),
        Ok(version) if major(version).is_none_or(|major| major < 20) => Err(
            Failure::new(format!("the twins cannot run on {version}; {cure}")),
        ),
        Ok(_) if !root().join("examples/node_modules/socket.io").is_dir() => {
            let cure = "run `npm ci --prefix examples`";
            Err(Failure::new(format!(
                "the twins' packages are not installed: {cure}"
            )))
        }
        Ok(_) => Ok("node"),
    }
}

/// 20 for `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn a_version_of_node_begins_with_its_major_number() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("v8.0.0"), Some(8));
        assert_eq!(major(""), None);
    }
}
