//! What a process uses, as the kernel counts it.

use std::fs;
use std::time::Duration;

/// Returns the processor time, user and system, of all threads of these processes.
///
/// The scheduler's own count is exact to the nanosecond, where `utime` and `stime` come in ticks
/// of 10 ms.
pub(crate) fn processor_time(processes: &[u32]) -> Duration {
    let threads = processes.iter().flat_map(|id| {
        fs::read_dir(format!("/proc/{id}/task"))
            .into_iter()
            .flatten()
            .flatten()
    });
    let nanoseconds = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// Returns the resident memory of a process in bytes.
pub(crate) fn resident_memory(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kilobytes.map_or(f64::NAN, |kilobytes| kilobytes * 1024.0)
}
