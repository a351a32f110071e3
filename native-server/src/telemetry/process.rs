//! What the system knows of this process, under the names that Prometheus' own libraries use.

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// What `/proc` says at one moment; `None` where there is no such file system.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ProcessFacts {
    pub(super) cpu_seconds: Option<f64>,
    pub(super) resident_bytes: Option<u64>,
    pub(super) open_files: Option<usize>,
    pub(super) max_files: Option<u64>,
}

impl ProcessFacts {
    pub(super) fn read() -> Self {
        let stat = std::fs::read_to_string("/proc/self/stat").ok();
        let times = stat.as_deref().and_then(parse_stat);
        let open = std::fs::read_dir("/proc/self/fd").ok();
        Self {
            cpu_seconds: times.map(|(ticks, _)| seconds(ticks)),
            resident_bytes: times.and_then(|(_, pages)| {
                let page = u64::try_from(page_size()).ok()?;
                pages.checked_mul(page)
            }),
            open_files: open.map(Iterator::count),
            max_files: getrlimit(Resource::Nofile).current,
        }
    }
}

/// Returns the ticks of CPU time and the pages of memory (proc_pid_stat(5)); the name of the
/// program, which may hold anything, ends with the last parenthesis.
fn parse_stat(stat: &str) -> Option<(u64, u64)> {
    let (_, fields) = stat.rsplit_once(')')?;
    let field = |number: usize| fields.split_ascii_whitespace().nth(number)?.parse().ok();
    let (user, system): (u64, u64) = (field(11)?, field(12)?);
    Some((user.checked_add(system)?, field(21)?))
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "fifty-two bits of ticks are more than a process lives"
)]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / clock_ticks_per_second().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_be_called_anything() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 12 30 0 0 20 0 1 0 5 1000 55 18 1 1";
        assert_eq!(parse_stat(stat), Some((42, 55)));
        assert_eq!(parse_stat("7 (a"), None);
    }
}
