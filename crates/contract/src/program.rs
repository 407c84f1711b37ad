use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::Value;
use tokio::process::Command;

use crate::{Exit, Failure, Result, Server, server::Log};

/// A program that has been built, and that can be started as often as need be.
///
/// It remembers what it has started, so that one can ask [how that went](Self::logs).
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    args: Vec<String>,
    env: Vec<(&'static str, String)>,
    memory: Option<u64>,
    logs: Arc<Mutex<Vec<Log>>>,
}

impl Program {
    /// The program at `path`. It is started with `PORT=0`, any free port.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            args: Vec::new(),
            env: vec![("PORT", "0".into()), ("RUST_BACKTRACE", "0".into())],
            memory: None,
            logs: Arc::default(),
        }
    }

    pub(crate) fn at(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = path.into();
        self
    }

    pub(crate) fn first_arg(mut self, arg: impl Into<String>) -> Self {
        self.args.insert(0, arg.into());
        self
    }

    /// The same program, started with one more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// The same program, started with this variable in its environment.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.env.push((name, value.to_string()));
        self
    }

    /// The same program, which gets no more memory than this, in bytes. One that asks
    /// for more is aborted. Only Linux can do that; elsewhere there is no limit.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// The same program with a memory of its own of what it has started.
    #[must_use]
    pub fn forget(mut self) -> Self {
        self.logs = Arc::default();
        self
    }

    /// Starts the program, and waits until it listens.
    ///
    /// # Errors
    ///
    /// It cannot be started; it ends, or prints anything else, before
    /// `listening on http://127.0.0.1:<port>`; or it does nothing at all.
    pub async fn start(&self) -> Result<Server> {
        Server::start(self.command(), self.memory, |log| self.remember(log)).await
    }

    /// Runs a program that should end by itself, and says how it ended.
    ///
    /// # Errors
    ///
    /// It cannot be started, or it does not end.
    pub async fn run(&self) -> Result<Exit> {
        Server::run(self.command(), self.memory, |log| self.remember(log)).await
    }

    /// What is known of each process that was started, in that order. What is still
    /// running has not said everything yet.
    pub fn logs(&self) -> Vec<Log> {
        self.remembered().clone()
    }

    fn remember(&self, log: Log) {
        self.remembered().push(log);
    }

    fn remembered(&self) -> MutexGuard<'_, Vec<Log>> {
        self.logs.lock().expect("nobody panics while holding it")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Has Cargo build the one program that `arguments` select, such as
/// `["--example", "01_raw_hyper"]`, and returns where it is, with Cargo's warnings.
///
/// # Errors
///
/// Cargo cannot be run, or cannot build it: its errors, without the warnings.
pub async fn build(arguments: &[&str], color: bool) -> Result<(PathBuf, String)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let format = match color {
        true => "json-diagnostic-rendered-ansi",
        false => "json",
    };
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--message-format", format])
        .args(arguments)
        .current_dir(crate::lesson::root())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let mut built = Built::read(&output.stdout);
    match built.programs.pop_last() {
        Some((name, program)) if output.status.success() => {
            Ok((program, built.warnings.remove(&name).unwrap_or_default()))
        }
        _ => {
            let errors: String = built.errors.into_values().collect();
            Err(Failure::new(match errors.is_empty() {
                true => String::from_utf8_lossy(&output.stderr).into_owned(),
                false => errors,
            }))
        }
    }
}

/// What Cargo says, with `--message-format json`, of the programs that it builds. They
/// are under their names.
#[derive(Debug, Default)]
pub struct Built {
    /// Where they are.
    pub programs: BTreeMap<String, PathBuf>,
    /// The compiler's errors, as it would print them.
    pub errors: BTreeMap<String, String>,
    /// Its warnings, but those for what is not used yet.
    pub warnings: BTreeMap<String, String>,
}

impl Built {
    /// Reads Cargo's messages, one JSON object per line.
    pub fn read(messages: &[u8]) -> Self {
        let mut built = Self::default();
        let lines = messages.split(|&byte| byte == b'\n');
        for message in
            lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        {
            let name = message["target"]["name"].as_str().unwrap_or_default();
            if let Some(program) = message["executable"].as_str() {
                built.programs.insert(name.to_owned(), program.into());
            }
            let said = match message["message"]["level"].as_str() {
                Some("error") => &mut built.errors,
                Some("warning") => &mut built.warnings,
                _ => continue,
            };
            let summary = message["message"]["message"].as_str().unwrap_or_default();
            if summary.starts_with("aborting due to")
                || summary.ends_with(" emitted")
            {
                continue;
            }
            // While a program is being written, these say nothing new.
            if let Some(
                "dead_code" | "unused_imports" | "unused_mut" | "unused_variables",
            ) = message["message"]["code"]["code"].as_str()
            {
                continue;
            }
            let text = message["message"]["rendered"].as_str().unwrap_or_default();
            *said.entry(name.to_owned()).or_default() += text;
        }
        built
    }
}
