//! The times between which a certificate counts, which rustls checks and does not tell.

use portcullis_core::{Timestamp, UnixSeconds};

/// From when until when a certificate counts (RFC 5280 §4.1.2.5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Validity {
    pub(crate) not_before: UnixSeconds,
    pub(crate) not_after: UnixSeconds,
}

impl Validity {
    /// Reads a certificate in DER; `None` when it is none, or begins before 1970.
    pub(crate) fn of(certificate: &[u8]) -> Option<Self> {
        let (content, _) = element(certificate, SEQUENCE)?;
        let (fields, _) = element(content, SEQUENCE)?;
        // The version is left out where it is the first.
        let fields = element(fields, VERSION).map_or(fields, |(_, rest)| rest);
        let (_, fields) = element(fields, INTEGER)?;
        let (_algorithm, fields) = element(fields, SEQUENCE)?;
        let (_issuer, fields) = element(fields, SEQUENCE)?;
        let (times, _) = element(fields, SEQUENCE)?;
        let (not_before, times) = time(times)?;
        let (not_after, _) = time(times)?;
        Some(Self {
            not_before,
            not_after,
        })
    }
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// Splits an element of this tag off: its content, and what follows.
fn element(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = input.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..0x80 => (usize::from(*length), rest),
        _ => {
            let (length, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            let join = |sum: usize, octet: &u8| sum.checked_mul(256)?.checked_add((*octet).into());
            (length.iter().try_fold(0, join)?, rest)
        }
    };
    (*first == tag).then(|| rest.split_at_checked(length))?
}

/// Splits a time off. Years of two digits are those from 1950 on (RFC 5280 §4.1.2.5.1).
fn time(input: &[u8]) -> Option<(UnixSeconds, &[u8])> {
    let (year, after_year, rest) = match element(input, UTC_TIME) {
        Some((text, rest)) => {
            let (year, after_year) = std::str::from_utf8(text).ok()?.split_at_checked(2)?;
            let century = if year < "50" { "20" } else { "19" };
            (format!("{century}{year}"), after_year, rest)
        }
        None => {
            let (text, rest) = element(input, GENERALIZED_TIME)?;
            let (year, after_year) = std::str::from_utf8(text).ok()?.split_at_checked(4)?;
            (year.to_owned(), after_year, rest)
        }
    };
    let digits = after_year.strip_suffix('Z')?;
    let pair = |at: usize| digits.get(at..at + 2);
    let (month, day) = (pair(0)?, pair(2)?);
    let (hour, minute, second) = (pair(4)?, pair(6)?, pair(8)?);
    let text = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    Some((Timestamp::parse(&text)?.0, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    fn certificate(from: i32, until: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["gw.example".to_owned()]).expect("a name");
        params.not_before = date_time_ymd(from, 2, 3);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        certificate.der().to_vec()
    }

    #[track_caller]
    fn check(from: i32, until: i32) {
        let validity = Validity::of(&certificate(from, until)).expect("a certificate");
        let time = |date: String| {
            let time = Timestamp::parse(&format!("{date}T00:00:00Z"));
            time.expect("a time").0
        };
        assert_eq!(validity.not_before, time(format!("{from}-02-03")));
        assert_eq!(validity.not_after, time(format!("{until}-12-31")));
    }

    #[test]
    fn times_before_and_after_2050_are_read() {
        check(2020, 2049);
        check(1999, 2050);
        check(2051, 4096);
    }

    #[test]
    fn no_cut_certificate_has_a_validity_of_its_own() {
        let whole = certificate(2020, 2030);
        let validity = Validity::of(&whole);
        for length in 0..whole.len() {
            let cut = Validity::of(&whole[..length]);
            assert!(cut.is_none() || cut == validity);
        }
        assert_eq!(
            Validity::of(b"\x30\x89\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            None
        );
    }
}
