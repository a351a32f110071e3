//! Dates as people write them.

use core::fmt;

use crate::ambient::UnixSeconds;

const SECONDS_A_DAY: u64 = 86_400;
const DAYS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Counts days from 1970-01-01; `month` counts from zero. Years from 1970 to 9999.
pub(crate) fn days_since_1970(year: u64, month: usize, day: u64) -> Option<u64> {
    let leap_day = |of: usize| u64::from(of == 1 && is_leap(year));
    let length = DAYS.get(month)? + leap_day(month);
    if !(1970..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    let before = DAYS.iter().enumerate().take(month);
    let before: u64 = before.map(|(month, days)| days + leap_day(month)).sum();
    let past = year - 1;
    let leap_days = (past / 4 - past / 100 + past / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
    Some((year - 1970) * 365 + leap_days + before + day - 1)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// A time as it is written in UTC (RFC 3339 §5.6): `2027-01-31T08:30:00Z`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timestamp(pub UnixSeconds);

impl Timestamp {
    /// Parses a time in whole seconds of UTC, from 1970 to 9999.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let separators = [
            (4, b'-'),
            (7, b'-'),
            (10, b'T'),
            (13, b':'),
            (16, b':'),
            (19, b'Z'),
        ];
        let bytes = text.as_bytes();
        let separated = |(at, separator): &(usize, u8)| bytes.get(*at) == Some(separator);
        if bytes.len() != 20 || !separators.iter().all(separated) {
            return None;
        }
        let number = |at: usize, length: usize| -> Option<u64> {
            let digits = text.get(at..at + length)?;
            let all = digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|_| all)
        };
        let month = usize::try_from(number(5, 2)?).ok()?.checked_sub(1)?;
        let days = days_since_1970(number(0, 4)?, month, number(8, 2)?)?;
        let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
        let seconds = days * SECONDS_A_DAY + hour * 3600 + minute * 60 + second;
        (hour < 24 && minute < 60 && second < 60).then_some(Self(UnixSeconds(seconds)))
    }
}

impl fmt::Display for Timestamp {
    /// Writes times after the year 9999 as its last second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LAST: u64 = 253_402_300_799;
        let seconds = self.0.0.min(LAST);
        let (mut days, time) = (seconds / SECONDS_A_DAY, seconds % SECONDS_A_DAY);
        let mut year = 1970;
        while days >= 365 + u64::from(is_leap(year)) {
            days -= 365 + u64::from(is_leap(year));
            year += 1;
        }
        let mut month = 1;
        for length in DAYS {
            let length = length + u64::from(month == 2 && is_leap(year));
            if days < length {
                break;
            }
            days -= length;
            month += 1;
        }
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        let day = days + 1;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[track_caller]
    fn check(text: &str, seconds: u64) {
        let parsed = Timestamp::parse(text).unwrap();
        assert_eq!(parsed.0.0, seconds, "{text}");
        assert_eq!(parsed.to_string(), text);
    }

    #[test]
    fn times_are_read_and_written_alike() {
        check("1970-01-01T00:00:00Z", 0);
        check("2000-02-29T23:59:59Z", 951_868_799);
        check("2000-03-01T00:00:00Z", 951_868_800);
        check("2026-12-31T08:30:05Z", 1_798_705_805);
        check("2100-03-01T00:00:00Z", 4_107_542_400);
        check("9999-12-31T23:59:59Z", 253_402_300_799);
        let late = Timestamp(UnixSeconds(u64::MAX)).to_string();
        assert_eq!(late, "9999-12-31T23:59:59Z");
    }

    #[test]
    fn what_is_no_time_of_utc_in_whole_seconds_is_refused() {
        for bad in [
            "",
            "2026-12-31",
            "2026-12-31T08:30:00",
            "2026-12-31T08:30:00+00:00",
            "2026-12-31T08:30:00.5Z",
            "2026-12-31t08:30:00z",
            "2026-12-31 08:30:00Z",
            "2026-00-31T08:30:00Z",
            "2026-13-31T08:30:00Z",
            "2026-02-29T08:30:00Z",
            "2026-12-00T08:30:00Z",
            "2026-12-31T24:00:00Z",
            "2026-12-31T08:60:00Z",
            "2026-12-31T08:30:60Z",
            "1969-12-31T23:59:59Z",
            "+026-12-31T08:30:00Z",
            "2026-1é-31T08:30:00Z",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }
}
