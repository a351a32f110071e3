//! The wall clock, and times for people.

use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_core::{Ambient, Timestamp, UnixSeconds};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

/// Returns the wall clock; a clock before 1970 counts as 1970.
pub(crate) fn now() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixSeconds(since.map_or(0, |since| since.as_secs()))
}

/// Returns the surroundings of an engine call.
pub(crate) fn ambient() -> Ambient {
    Ambient { now: now() }
}

/// Writes a time as `2026-11-25 15:56:24 UTC`.
pub(crate) fn civil(at: UnixSeconds) -> String {
    let text = Timestamp(at).to_string();
    text.replace('T', " ").replace('Z', " UTC")
}

/// Says how far `at` is from `now`: `in 5 minutes`, `3 days ago`.
pub(crate) fn relative(at: UnixSeconds, now: UnixSeconds) -> String {
    match (at.since(now), now.since(at)) {
        (0, 0) => "now".to_owned(),
        (ahead, 0) => format!("in {}", span(ahead)),
        (_, past) => format!("{} ago", span(past)),
    }
}

/// Writes a length of time in its largest unit, cut off.
pub(crate) fn span(seconds: u64) -> String {
    let (count, unit) = if seconds < MINUTE {
        (seconds, "second")
    } else if seconds < HOUR {
        (seconds / MINUTE, "minute")
    } else if seconds < DAY {
        (seconds / HOUR, "hour")
    } else {
        (seconds / DAY, "day")
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_for_people() {
        let text = civil(UnixSeconds(1_795_622_184));
        assert_eq!(text, "2026-11-25 15:56:24 UTC");
    }

    #[test]
    fn distances_are_said_in_their_largest_unit() {
        let now = UnixSeconds(1_000_000);
        for (at, expected) in [
            (1_000_000, "now"),
            (1_000_001, "in 1 second"),
            (1_000_119, "in 1 minute"),
            (1_007_200, "in 2 hours"),
            (999_941, "59 seconds ago"),
            (740_800, "3 days ago"),
        ] {
            assert_eq!(relative(UnixSeconds(at), now), expected);
        }
    }
}
