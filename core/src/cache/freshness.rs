//! How long a response is fresh (RFC 9111 §4.2).

use core::ops::RangeInclusive;

use crate::ambient::UnixSeconds;
use crate::calendar::days_since_1970;
use crate::upstream::UpstreamResponse;

/// The shortest and the longest life, in seconds.
pub(super) const LIVES: RangeInclusive<u64> = MIN_SECONDS..=MAX_SECONDS;

const MIN_SECONDS: u64 = 60;
const MAX_SECONDS: u64 = 24 * 60 * 60;

/// What counts when a response says nothing of its life.
pub(crate) const DEFAULT_SECONDS: u64 = 60 * 60;

/// Returns how long a response that came at `now` may be used, in seconds: what `Cache-Control`
/// or `Expires` says less `Age`, held between a minute and a day; `None` when nothing is said.
pub(crate) fn freshness_seconds(response: &UpstreamResponse, now: UnixSeconds) -> Option<u64> {
    let age = response.header("age").and_then(seconds).unwrap_or(0);
    let control = CacheControl::of(response);
    let lifetime = if control.forbidden {
        Some(0)
    } else {
        control.max_age.or_else(|| expires_in(response, now))
    };
    lifetime.map(|seconds| seconds.saturating_sub(age).clamp(MIN_SECONDS, MAX_SECONDS))
}

#[derive(Clone, Copy, Default)]
struct CacheControl {
    forbidden: bool,
    max_age: Option<u64>,
}

impl CacheControl {
    /// Reads the directives of all lines: they are one list (RFC 9110 §5.3).
    fn of(response: &UpstreamResponse) -> Self {
        let mut control = Self::default();
        let lines = response.values("cache-control");
        for directive in lines.flat_map(|line| line.split(',')) {
            let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
            let name = name.trim();
            if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
                control.forbidden = true;
            } else if name.eq_ignore_ascii_case("max-age") {
                // RFC 9111 §4.2.1: what cannot be read counts as stale, and of two the lesser.
                let given = seconds(argument.trim().trim_matches('"')).unwrap_or(0);
                control.max_age = Some(control.max_age.map_or(given, |other| other.min(given)));
            }
        }
        control
    }
}

/// Returns `Expires` less `Date`, or less the time of receipt without one (RFC 9110 §6.6.1); an
/// invalid `Expires` is in the past (RFC 9111 §5.3).
fn expires_in(response: &UpstreamResponse, now: UnixSeconds) -> Option<u64> {
    let expires = response.header("expires")?;
    let date = response.header("date").and_then(http_date).unwrap_or(now.0);
    Some(http_date(expires).map_or(0, |expires| expires.saturating_sub(date)))
}

fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // RFC 9111 §1.2.2: a number too large to be represented is a very large one.
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Parses `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7, the form that is generated), to
/// seconds since 1970.
fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_, rest) = text.trim().split_once(", ")?;
    let mut fields = rest.split(' ');
    let (day, month, year) = (fields.next()?, fields.next()?, fields.next()?);
    let (clock, zone) = (fields.next()?, fields.next()?);
    if zone != "GMT" || fields.next().is_some() {
        return None;
    }
    let month = MONTHS.iter().position(|name| *name == month)?;
    let mut parts = clock.split(':').map(seconds);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let days = days_since_1970(seconds(year)?, month, seconds(day)?)?;
    let valid = hour < 24 && minute < 60 && second <= 60 && parts.next().is_none();
    valid.then_some(
        days.checked_mul(86_400)?
            .checked_add(hour * 3600 + minute * 60 + second)?,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    #[track_caller]
    fn check(headers: &[(&str, &str)], expected: impl Into<Option<u64>>) {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect();
        let response = UpstreamResponse {
            status: 200,
            headers,
            body: Vec::new(),
        };
        let found = freshness_seconds(&response, UnixSeconds(784_111_177));
        assert_eq!(found, expected.into(), "{:?}", response.headers);
    }

    #[test]
    fn lifetimes_are_honoured_within_a_minute_and_a_day() {
        check(&[], None);
        check(&[("cache-control", "public, Max-Age=600")], 600);
        check(&[("cache-control", "max-age=600"), ("age", "500")], 100);
        check(&[("cache-control", "max-age=600"), ("age", "590")], 60);
        check(&[("cache-control", "max-age=99999999999999999999")], 86_400);
        check(&[("cache-control", "max-age=x")], 60);
        check(&[("cache-control", "no-store, max-age=600")], 60);
        check(&[("cache-control", "public")], None);
    }

    #[test]
    fn expires_counts_from_date_and_yields_to_cache_control() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        check(&[date, ("expires", "Sun, 06 Nov 1994 09:49:37 GMT")], 3600);
        check(&[date, ("expires", "Sun, 06 Nov 1994 08:59:37 GMT")], 600);
        check(&[date, ("expires", "0")], 60);
        check(&[("expires", "Sun, 06 Nov 1994 08:59:37 GMT")], 1200);
        check(
            &[
                date,
                ("expires", "Mon, 07 Nov 1994 08:49:37 GMT"),
                ("cache-control", "max-age=90"),
            ],
            90,
        );
    }

    #[test]
    fn dates_count_leap_days() {
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(
            http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777)
        );
        assert_eq!(
            http_date("Tue, 29 Feb 2000 23:59:59 GMT"),
            Some(951_868_799)
        );
        assert_eq!(
            http_date("Sun, 22 Nov 2026 00:00:00 GMT"),
            Some(1_795_305_600)
        );
        assert_eq!(http_date("Sun, 06 Nov 1994 24:00:00 GMT"), None);
        assert_eq!(http_date("Sunday, 06-Nov-94 08:49:37 GMT"), None);
    }
}
