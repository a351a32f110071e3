//! Times for people.

use portcullis_core::UnixSeconds;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: u64 = 719_468;
const DAYS_IN_400_YEARS: u64 = 146_097;

/// Writes a time as `2026-11-25 15:56:24 UTC`.
pub(crate) fn civil(at: UnixSeconds) -> String {
    let (days, second) = (at.0 / DAY, at.0 % DAY);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / HOUR, second % HOUR / MINUTE, second % MINUTE);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// Returns the time of a date and a time of day in UTC; `None` before 1970 and for what is none.
pub(crate) fn from_civil(date: [u64; 3], time: [u64; 3]) -> Option<UnixSeconds> {
    let ([year, month, day], [hour, minute, second]) = (date, time);
    let real = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !real || year > 9999 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Years begin in March, so that the odd day is the last one.
    let year = if month > 2 {
        year
    } else {
        year.checked_sub(1)?
    };
    let (cycle, year) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_cycle = year * 365 + year / 4 - year / 100 + day_of_year;
    let days = (cycle * DAYS_IN_400_YEARS + day_of_cycle).checked_sub(EPOCH_DAYS)?;
    Some(UnixSeconds(
        days * DAY + hour * HOUR + minute * MINUTE + second,
    ))
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

/// Returns the date that is `days` after 1970-01-01.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH_DAYS;
    let (cycle, day) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = cycle * 400 + year + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: u64, text: &str) {
        let at = UnixSeconds(seconds);
        assert_eq!(civil(at), text);
        let number = |range: std::ops::Range<usize>| -> u64 {
            text.get(range).and_then(|part| part.parse().ok()).unwrap()
        };
        let date = [number(0..4), number(5..7), number(8..10)];
        let time = [number(11..13), number(14..16), number(17..19)];
        assert_eq!(from_civil(date, time), Some(at), "{text}");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        check(0, "1970-01-01 00:00:00 UTC");
        check(951_782_400, "2000-02-29 00:00:00 UTC");
        check(1_709_251_199, "2024-02-29 23:59:59 UTC");
        check(1_709_251_200, "2024-03-01 00:00:00 UTC");
        check(1_795_622_184, "2026-11-25 15:56:24 UTC");
        check(4_107_542_400, "2100-03-01 00:00:00 UTC");
        check(253_402_300_799, "9999-12-31 23:59:59 UTC");
    }

    #[test]
    fn any_number_of_seconds_has_a_date() {
        assert!(civil(UnixSeconds(u64::MAX)).ends_with(" UTC"));
    }

    #[test]
    fn what_is_no_date_has_no_time() {
        for date in [
            [1969, 12, 31],
            [2024, 0, 1],
            [2024, 13, 1],
            [2024, 1, 0],
            [0, 1, 1],
        ] {
            assert_eq!(from_civil(date, [0, 0, 0]), None, "{date:?}");
        }
        assert_eq!(from_civil([2024, 1, 1], [24, 0, 0]), None);
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
