//! Times as people read them.

use alloc::string::String;

use crate::ambient::UnixSeconds;

const DAY: u64 = 86_400;

/// Years repeat after four centuries.
const DAYS_OF_ERA: u64 = 146_097;

/// Writes a time as RFC 3339 does, in UTC. The proleptic Gregorian calendar is counted from
/// 0000-03-01, so that leap days end years.
pub(super) fn utc(time: UnixSeconds) -> String {
    /// Days from 0000-03-01 to 1970-01-01.
    const EPOCH: u64 = 719_468;
    /// What no log of ours shows and no clock says.
    const LAST: u64 = 253_402_300_799;
    if time.0 > LAST {
        return alloc::format!("{} s after 1970", time.0);
    }
    let days = time.0 / DAY + EPOCH;
    let (era, of_era) = (days / DAYS_OF_ERA, days % DAYS_OF_ERA);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (time.0 / 3_600 % 24, time.0 / 60 % 60, time.0 % 60);
    alloc::format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Writes how long something takes: its largest unit, and the next where that tells more.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => alloc::format!("{seconds} s"),
        120..=7_199 => alloc::format!("{} min", seconds / 60),
        7_200..=172_799 => alloc::format!("{} h", seconds / 3_600),
        _ => alloc::format!("{} days", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        let check = |seconds, expected: &str| assert_eq!(utc(UnixSeconds(seconds)), expected);
        check(0, "1970-01-01T00:00:00Z");
        check(951_782_399, "2000-02-28T23:59:59Z");
        check(951_782_400, "2000-02-29T00:00:00Z");
        check(951_868_800, "2000-03-01T00:00:00Z");
        check(1_800_000_000, "2027-01-15T08:00:00Z");
        check(4_107_542_399, "2100-02-28T23:59:59Z");
        check(4_107_542_400, "2100-03-01T00:00:00Z");
        check(253_402_300_799, "9999-12-31T23:59:59Z");
        check(u64::MAX, "18446744073709551615 s after 1970");
    }

    #[test]
    fn spans_have_units_that_people_use() {
        let spans = [119, 120, 7_200, 172_800].map(span);
        assert_eq!(spans, ["119 s", "2 min", "2 h", "2 days"]);
    }
}
