use std::{fmt, time::Duration};

use contract::{Failure, Program};
use futures_util::{FutureExt, future::LocalBoxFuture};

/// One thing that an exercise must do, and how many points that gives.
///
/// A check starts the program itself, so that no check sees what another has done.
pub struct Check {
    /// What it is called, as in `nobody_else`.
    pub name: &'static str,
    /// How many points it gives.
    pub points: u32,
    /// What is wanted, in a sentence that begins with a small letter.
    pub wants: &'static str,
    /// The checks without which this one makes no sense.
    pub after: Vec<&'static str>,
    run: Box<dyn Fn(Program) -> LocalBoxFuture<'static, contract::Result>>,
}

/// No check takes longer than this: each of its waits has its own, shorter limit.
const LONGEST: Duration = Duration::from_secs(30);

/// A check, which is one async function of the program.
pub(crate) fn check<F>(
    name: &'static str,
    points: u32,
    wants: &'static str,
    run: F,
) -> Check
where
    F: AsyncFn(&Program) -> contract::Result + Copy + 'static,
{
    Check {
        name,
        points,
        wants,
        after: Vec::new(),
        run: Box::new(move |program| {
            async move { run(&program).await }.boxed_local()
        }),
    }
}

impl Check {
    /// The same check, which needs what that other one has shown.
    #[must_use]
    pub(crate) fn after(mut self, name: &'static str) -> Self {
        self.after.push(name);
        self
    }

    /// Does it hold?
    ///
    /// # Errors
    ///
    /// It does not.
    pub(crate) async fn run(&self, program: Program) -> contract::Result {
        match tokio::time::timeout(LONGEST, (self.run)(program)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::new(format!("no end after {LONGEST:?}"))),
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}
