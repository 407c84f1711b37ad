use contract::{Failure, Result, Server};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// What the system says about a server's process at this moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// CPU time since its start, user and system, in milliseconds.
    pub(crate) cpu_millis: u64,
    /// Resident memory, in bytes.
    pub(crate) memory: u64,
}

impl Usage {
    /// Looks now.
    pub(crate) fn of(server: &Server) -> Result<Self> {
        let ended = || Failure::new("the server has ended");
        let pid = Pid::from_u32(server.pid().ok_or_else(ended)?);
        let mut system = System::new();
        system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[pid]),
            true,
            ProcessRefreshKind::nothing().with_cpu().with_memory(),
        );
        let process = system.process(pid).ok_or_else(ended)?;
        Ok(Self {
            cpu_millis: process.accumulated_cpu_time(),
            memory: process.memory(),
        })
    }

    /// The CPU time from `earlier` to now for each of `n` things, in microseconds.
    pub(crate) fn micros_each(&self, earlier: &Self, n: usize) -> f64 {
        (self.cpu_millis - earlier.cpu_millis) as f64 * 1_000.0 / n as f64
    }
}

/// The median of each column.
pub(crate) fn medians<const N: usize>(rounds: &[[f64; N]]) -> [f64; N] {
    std::array::from_fn(|column| {
        let mut figures: Vec<f64> = rounds.iter().map(|row| row[column]).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_each_column_counts() {
        let rounds = [[9.0, 1.0], [8.0, 3.0], [99.0, 2.0]];
        assert_eq!(medians(&rounds), [9.0, 2.0]);
    }

    #[test]
    fn cpu_time_is_what_was_used_in_between() {
        let [earlier, now] = [100, 350].map(|cpu_millis| Usage {
            cpu_millis,
            memory: 0,
        });
        assert_eq!(now.micros_each(&earlier, 1_000), 250.0);
    }
}
