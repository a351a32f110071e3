//! Which decisions have a record.

use core::str::FromStr;

use crate::decision::Outcome;

/// How many of the requests that were let through or answered have a record; refusals always have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AuditShare {
    /// Of 2^32.
    share: u64,
}

const WHOLE: u64 = 1 << 32;

/// The most digits of a share.
const MAX_DIGITS: usize = 9;

impl AuditShare {
    /// Tells whether a decision has a record. `number` counts the decisions, from anywhere on.
    #[must_use]
    pub const fn wants(self, outcome: Outcome, number: u64) -> bool {
        match outcome {
            Outcome::Refused | Outcome::Failed => true,
            Outcome::Forwarded | Outcome::Answered => spread(number) >> 32 < self.share,
        }
    }
}

impl FromStr for AuditShare {
    type Err = &'static str;

    /// Reads `all`, `none`, or a number from 0 to 1 such as `0.01`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let share = match text {
            "all" => WHOLE,
            "none" => 0,
            number => {
                parts(number).ok_or("must be all, none, or a number from 0 to 1, such as 0.01")?
            }
        };
        Ok(Self { share })
    }
}

/// Reads a number from 0 to 1 as parts of 2^32. It is read by hand, as the parser of floating-point
/// numbers is large.
fn parts(number: &str) -> Option<u64> {
    let (whole, digits) = number.split_once('.').unwrap_or((number, "0"));
    let sized = (1..=MAX_DIGITS).contains(&digits.len());
    if !sized || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let scale = 10_u64.checked_pow(u32::try_from(digits.len()).ok()?)?;
    let fraction: u64 = digits.parse().ok()?;
    match (whole, fraction) {
        ("0", _) => fraction.checked_mul(WHOLE)?.checked_div(scale),
        ("1", 0) => Some(WHOLE),
        _ => None,
    }
}

/// Spreads successive numbers over all of 64 bits (SplitMix64).
const fn spread(number: u64) -> u64 {
    let number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_all_none_or_a_number_up_to_one() {
        let share = |text: &str| text.parse::<AuditShare>().map(|share| share.share);
        assert_eq!(share("all"), Ok(WHOLE));
        assert_eq!(share("1"), Ok(WHOLE));
        assert_eq!(share("1.0"), Ok(WHOLE));
        assert_eq!(share("none"), Ok(0));
        assert_eq!(share("0"), Ok(0));
        assert_eq!(share("0.25"), Ok(WHOLE / 4));
        assert_eq!(share("0.999999999"), Ok(4_294_967_291));
        for bad in [
            "",
            "1.1",
            "-0.1",
            "NaN",
            "some",
            "0.",
            "0.0000000001",
            "0.+1",
            "2",
        ] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_share_of_many_is_about_that_share_and_refusals_are_always_there() {
        let share: AuditShare = "0.01".parse().unwrap();
        let taken = (7..10_007_u64).filter(|number| share.wants(Outcome::Forwarded, *number));
        let taken = taken.count();
        assert!(
            (60..160).contains(&taken),
            "{taken} of 10000 for one in a hundred"
        );
        let none: AuditShare = "none".parse().unwrap();
        assert!((0..99).all(|number| none.wants(Outcome::Refused, number)));
        assert!((0..99).all(|number| !none.wants(Outcome::Answered, number)));
    }
}
