//! Tables of multiples of a point, which leave little to double when it is multiplied.

use alloc::vec::Vec;
use core::array;
use core::ops::{AddAssign, SubAssign};

/// The bits of a scalar that one table serves.
pub(super) const WINDOW_BITS: u32 = 5;

/// Windows of a scalar of 256 bits, with room for the carry out of the last but one.
const WINDOWS: usize = 52;

/// Multiples in a table: the digits of a window are -15 to 16, and a point is negated for nothing.
pub(super) const MULTIPLES: usize = 16;

/// For some windows `w` of a scalar, at equal distances from the first on: the first multiples of
/// 2^(5w) times a point.
#[derive(Debug)]
pub(super) struct Multiples<P>(Vec<[P; MULTIPLES]>);

impl<P> Multiples<P> {
    /// Makes the tables of `point` for every window that is a multiple of `distance`; `settle`
    /// brings sums into the form in which they are kept.
    pub(super) fn of<S>(
        point: S,
        distance: usize,
        settle: impl Fn(&[S; MULTIPLES]) -> [P; MULTIPLES],
    ) -> Self
    where
        S: Copy + Default + for<'a> AddAssign<&'a S>,
    {
        let mut base = point;
        let table = |_| {
            let mut multiple = S::default();
            let multiples: [S; MULTIPLES] = array::from_fn(|_| {
                multiple += &base;
                multiple
            });
            base = multiple;
            double(&mut base);
            for _ in 1..distance {
                shift(&mut base);
            }
            settle(&multiples)
        };
        Self((0..WINDOWS).step_by(distance).map(table).collect())
    }

    /// Adds the multiple that `digits` say, those of the windows that have tables.
    pub(super) fn add_multiple<S>(&self, sum: &mut S, digits: impl Iterator<Item = Digit>)
    where
        S: for<'a> AddAssign<&'a P> + for<'a> SubAssign<&'a P>,
    {
        for (table, digit) in self.0.iter().zip(digits) {
            let index = digit.magnitude.checked_sub(1);
            match index.and_then(|index| table.get(index)) {
                Some(point) if digit.negative => *sum -= point,
                Some(point) => *sum += point,
                None => {}
            }
        }
    }
}

/// Moves a sum up by a window: takes it 2^5 times.
pub(super) fn shift<S: Copy + for<'a> AddAssign<&'a S>>(sum: &mut S) {
    for _ in 0..WINDOW_BITS {
        double(sum);
    }
}

fn double<S: Copy + for<'a> AddAssign<&'a S>>(sum: &mut S) {
    let same = *sum;
    *sum += &same;
}

/// What a window of a scalar holds.
#[derive(Clone, Copy)]
pub(super) struct Digit {
    magnitude: usize,
    negative: bool,
}

/// Writes a number in digits to the base of 2^5, the lowest first, as its octets come.
pub(super) fn digits<'a>(octets: impl Iterator<Item = &'a u8>) -> impl Iterator<Item = Digit> {
    const BASE: usize = 1 << WINDOW_BITS;
    let mut octets = octets;
    let (mut pending, mut bits, mut carry) = (0_usize, 0, 0);
    (0..WINDOWS).map(move |_| {
        if bits < WINDOW_BITS {
            pending |= octets.next().map_or(0, |octet| usize::from(*octet)) << bits;
            bits += 8;
        }
        let digit = pending % BASE + carry;
        pending /= BASE;
        bits -= WINDOW_BITS;
        let negative = digit > MULTIPLES;
        carry = usize::from(negative);
        let magnitude = if negative { BASE - digit } else { digit };
        Digit {
            magnitude,
            negative,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::Config;

    proptest! {
        #![proptest_config(Config { cases: 20, failure_persistence: None, ..Config::default() })]

        #[test]
        fn digits_add_up_to_the_number(octets: [u8; 16]) {
            let number = i128::from_le_bytes(octets) >> 1 & i128::MAX;
            let octets = number.to_le_bytes();
            let digits: Vec<Digit> = digits(octets.iter()).collect();
            let value = digits.iter().rev().fold(0_i128, |value, digit| {
                let magnitude = i128::try_from(digit.magnitude).unwrap();
                (value << WINDOW_BITS) + if digit.negative { -magnitude } else { magnitude }
            });
            prop_assert_eq!(value, number);
        }
    }
}
