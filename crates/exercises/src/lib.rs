//! The exercises, and how they are graded.
//!
//! An exercise is a server that a learner writes, in `examples/NAME.rs`. It is graded
//! from outside: it is built, started as often as need be, and talked to over the
//! network, by the clients of [`contract`]. So whatever it does, loop, panic, exit, or
//! fall silent, there is a verdict.
//!
//! | file | what it is |
//! |---|---|
//! | `examples/NAME.rs` | what the learner edits |
//! | `tests/NAME.rs` | `cargo test -p exercises --test NAME` |
//! | `src/graders/NAME.rs` | the checks |
//! | `about/NAME.toml` | title, chapter, hints, wrong servers |
//! | `solutions/src/bin/NAME.rs` | the solution, from which the starter is made |
//!
//! Nothing here is trusted because it looks right: `cargo course verify` shows that the
//! starter fails, that the solution passes, and that each wrong server fails with the
//! sentence meant for it.

mod about;
mod check;
mod diagnosis;
mod exercise;
mod graders;
pub mod progress;
mod report;
mod source;

pub use contract::root;

pub use about::{About, Edit, Wrong, sabotage};
pub use check::Check;
pub use exercise::{Exercise, PATIENCE, all, find};
pub use report::{Checked, Report, Verdict, not_reached, wrapped};

/// What goes wrong before anything is graded: a file that is missing or not as it
/// should be. It says which, and what to do.
pub type Result<T = (), E = String> = std::result::Result<T, E>;

/// In `tests/NAME.rs`: grades the exercise of that name.
#[macro_export]
macro_rules! graded {
    () => {
        #[test]
        fn graded() -> ::std::result::Result<(), $crate::Report> {
            $crate::Exercise::named(env!("CARGO_CRATE_NAME")).into_result()
        }
    };
}
