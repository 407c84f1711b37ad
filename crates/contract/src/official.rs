//! The official `socket.io-client`, driven by a script in `tests/official`.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::Command,
    time::timeout,
};

use crate::{Failure, Lesson, Result, deadline, lesson::root};

/// The line with which a script asks for a new server on the same port.
const RESTART: &str = "restart the server";

impl Lesson {
    /// Starts the lesson, runs `tests/official/<script>.mjs` against it, and fails if the
    /// script does. `ORIGIN` tells the script where the lesson listens, and `TRANSPORTS`
    /// what to begin with: `websocket`, or `polling,websocket` for a client that begins
    /// with HTTP and then upgrades, as it does unless told otherwise.
    ///
    /// # Errors
    ///
    /// The script fails or does not end, or it cannot be run: Node or the packages of
    /// `examples/package.json` are missing.
    pub async fn official_client(&self, script: &str, transports: &str) -> Result {
        let file = format!("tests/official/{script}.mjs");
        if !root()
            .join("examples/node_modules/socket.io-client")
            .is_dir()
        {
            let cure = "run `npm ci --prefix examples`";
            return Err(Failure::new(format!(
                "socket.io-client is not installed: {cure}"
            )));
        }
        let mut server = self.start().await?;
        let mut child = Command::new("node")
            .arg(root().join(&file))
            .env("ORIGIN", format!("http://{}", server.addr()))
            .env("TRANSPORTS", transports)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                let cure = "install Node.js 20 or newer";
                Failure::new(format!("`node` does not run: {error}; {cure}"))
            })?;
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let mut stdout =
            BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut stderr = child.stderr.take().expect("stderr is piped");

        let (mut said, mut complaints) = (String::new(), String::new());
        let driven = async {
            let mut line = String::new();
            while stdout.read_line(&mut line).await? > 0 {
                if line.trim_end() == RESTART {
                    let port = server.addr().port();
                    drop(server);
                    server = self.clone().port(port).start().await?;
                    stdin.write_all(b"restarted\n").await?;
                } else {
                    said += &line;
                }
                line.clear();
            }
            Ok::<_, Failure>(())
        };
        // Both at once: a program that nobody reads from may have to wait.
        let complaining = async {
            stderr.read_to_string(&mut complaints).await?;
            Ok(())
        };
        let script = async {
            tokio::try_join!(driven, complaining)?;
            Ok::<_, Failure>(child.wait().await?)
        };
        // It waits for heartbeats and restarts, one after the other.
        let limit: Duration = 6 * deadline();
        let status = match timeout(limit, script).await {
            Ok(status) => status?,
            Err(_) => {
                let what = format!("{file} has not ended after {limit:?}");
                return Err(Failure::new(format!("{what}:\n{said}{complaints}")));
            }
        };
        match status.success() {
            true => Ok(()),
            false => {
                let what = format!("{file}: {status}\n{said}{complaints}");
                Err(Failure::new(what))
            }
        }
    }
}
