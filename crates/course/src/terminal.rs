//! What differs between a terminal and a pipe.

use std::{
    env,
    io::{self, IsTerminal},
};

/// Whether to write colours: only to a terminal, and not if `NO_COLOR` is set to anything
/// (<https://no-color.org>).
pub(crate) fn color() -> bool {
    let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let able = env::var_os("TERM").is_none_or(|term| term != "dumb");
    wanted && able && io::stdout().is_terminal()
}

/// `text` in bold, if there are colours.
pub(crate) fn bold(text: &str) -> String {
    match color() {
        true => format!("\x1b[1m{text}\x1b[0m"),
        false => text.to_owned(),
    }
}

/// Makes single keys readable, without Enter, until it is dropped. Ctrl-C still works.
#[cfg(unix)]
pub(crate) struct Keys(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl Keys {
    pub(crate) fn new() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let stdin = io::stdin();
        let Ok(before) = tcgetattr(&stdin) else {
            return Self(None);
        };
        let mut raw = before.clone();
        raw.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        match tcsetattr(&stdin, OptionalActions::Now, &raw) {
            Ok(()) => Self(Some(before)),
            Err(_) => Self(None),
        }
    }
}

#[cfg(unix)]
impl Drop for Keys {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Elsewhere a key needs Enter after it.
#[cfg(not(unix))]
pub(crate) struct Keys;

#[cfg(not(unix))]
impl Keys {
    pub(crate) fn new() -> Self {
        Self
    }
}
