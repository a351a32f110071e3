//! Powers modulo an odd number, in the representation of Montgomery.
//!
//! What they are for, checking RSA signatures, works with public numbers only, so time may vary with
//! them: **nothing here is fit for secrets.**
//!
//! This is a crate, and not a module of the core, so that tests can have it optimised without
//! waiting for the rest of the core to be.

#![no_std]
#![warn(missing_docs)]

extern crate alloc;

use alloc::vec;
use alloc::vec::Vec;

/// An odd modulus with what powers modulo it need.
#[derive(Clone, Debug)]
pub struct Modulus {
    /// Limbs, the least significant first.
    limbs: Vec<u32>,
    /// -1 / modulus, modulo 2^32.
    inverse: u32,
    /// R^2 reduced, where R is 2 to the power of `32 * limbs.len()`.
    square_of_r: Vec<u32>,
    bits: usize,
}

impl Modulus {
    /// Takes a big-endian number without leading zeros; `None` when it is even or below 3.
    pub fn new(number: &[u8]) -> Option<Self> {
        let leading = number.first()?.leading_zeros();
        let bits = number.len() * 8 - usize::try_from(leading).ok()?;
        let limbs = limbs(number, number.len().div_ceil(4));
        let lowest = *limbs.first()?;
        if leading == 8 || lowest & 1 == 0 || bits < 2 {
            return None;
        }
        let mut modulus = Self {
            inverse: negative_inverse(lowest),
            square_of_r: Vec::new(),
            limbs,
            bits,
        };
        modulus.square_of_r = modulus.square_of_r();
        Some(modulus)
    }

    /// Returns the length in bits.
    pub const fn bits(&self) -> usize {
        self.bits
    }

    /// Returns the length in octets.
    pub const fn octets(&self) -> usize {
        self.bits.div_ceil(8)
    }

    /// Returns `base` to the power of `exponent`, big-endian and as long as the modulus; `None`
    /// when the base is not below the modulus, or the exponent is even or below 3.
    pub fn power(&self, base: &[u8], exponent: u64) -> Option<Vec<u8>> {
        let base = limbs(base, self.limbs.len());
        if base.len() > self.limbs.len() || !self.is_above(&base) {
            return None;
        }
        if exponent & 1 == 0 || exponent < 3 {
            return None;
        }
        let mut scratch = Vec::new();
        let factor = self.multiply(&base, &self.square_of_r, &mut scratch);
        let mut power = factor.clone();
        for bit in (1..exponent.ilog2()).rev() {
            power = self.multiply(&power, &power, &mut scratch);
            if exponent >> bit & 1 == 1 {
                power = self.multiply(&power, &factor, &mut scratch);
            }
        }
        power = self.multiply(&power, &power, &mut scratch);
        // The lowest bit is set; the base as it came takes the power out of Montgomery's form.
        power = self.multiply(&power, &base, &mut scratch);
        octets(&power, self.octets())
    }

    fn is_above(&self, number: &[u32]) -> bool {
        number.iter().rev().lt(self.limbs.iter().rev())
    }

    /// Returns R^2, reduced.
    fn square_of_r(&self) -> Vec<u32> {
        let bits = self.limbs.len() * 32;
        let highest = self.bits.saturating_sub(1);
        let mut number = vec![0; self.limbs.len()];
        if let Some(last) = number.last_mut() {
            *last = 1 << (highest % 32);
        }
        // From the greatest power of two below the modulus to R, which is 1 in Montgomery's form.
        for _ in highest..bits {
            self.double(&mut number);
        }
        // From there 2 to the power of `bits`, which is R, in that form.
        let mut scratch = Vec::new();
        for bit in (0..=bits.ilog2()).rev() {
            number = self.multiply(&number, &number, &mut scratch);
            if bits >> bit & 1 == 1 {
                self.double(&mut number);
            }
        }
        number
    }

    fn double(&self, number: &mut [u32]) {
        let mut carry = 0;
        for limb in &mut *number {
            let next = *limb >> 31;
            *limb = *limb << 1 | carry;
            carry = next;
        }
        self.reduce_once(number, carry);
    }

    /// Subtracts the modulus if `number`, with `carry` above it, is not below it.
    fn reduce_once(&self, number: &mut [u32], carry: u32) {
        if carry == 0 && self.is_above(number) {
            return;
        }
        let mut borrow = false;
        for (limb, modulus) in number.iter_mut().zip(&self.limbs) {
            let (difference, first) = limb.overflowing_sub(*modulus);
            let (difference, second) = difference.overflowing_sub(u32::from(borrow));
            *limb = difference;
            borrow = first | second;
        }
    }

    /// Returns `left * right / R`, reduced. Operands are reduced and as long as the modulus.
    fn multiply(&self, left: &[u32], right: &[u32], scratch: &mut Vec<u32>) -> Vec<u32> {
        let size = self.limbs.len();
        scratch.clear();
        scratch.resize(2 * size, 0);
        let mut overflow = 0;
        for (row, factor) in right.iter().enumerate() {
            // The row's window moves up one limb a time: its lowest becomes zero.
            let Some((window, [above, ..])) = scratch
                .get_mut(row..)
                .and_then(|rest| rest.split_at_mut_checked(size))
            else {
                break;
            };
            let carry = self.add_row(window, left, u64::from(*factor));
            let sum = u64::from(*above) + carry.0 + carry.1 + overflow;
            *above = low(sum);
            overflow = sum >> 32;
        }
        let mut product = scratch.split_off(size);
        self.reduce_once(&mut product, low(overflow));
        product
    }

    /// Adds `left * factor` to the window, and the multiple of the modulus that makes its lowest
    /// limb zero; returns what is left over of each.
    fn add_row(&self, window: &mut [u32], left: &[u32], factor: u64) -> (u64, u64) {
        let (Some(first), Some(lowest)) = (window.first(), left.first()) else {
            return (0, 0);
        };
        let sum = low(u64::from(*lowest) * factor).wrapping_add(*first);
        let quotient = u64::from(sum.wrapping_mul(self.inverse));
        let (mut carry, mut modulus_carry) = (0, 0);
        for ((limb, left), modulus) in window.iter_mut().zip(left).zip(&self.limbs) {
            // At most 2^64 - 1, as is the next sum.
            let sum = u64::from(*left) * factor + u64::from(*limb) + carry;
            carry = sum >> 32;
            let sum = u64::from(*modulus) * quotient + u64::from(low(sum)) + modulus_carry;
            modulus_carry = sum >> 32;
            *limb = low(sum);
        }
        (carry, modulus_carry)
    }
}

/// Returns -1 / `odd` modulo 2^32, by Newton's iteration: each step doubles the bits that are right,
/// of which an odd number as its own inverse has three.
fn negative_inverse(odd: u32) -> u32 {
    let mut inverse = odd;
    for _ in 0..4 {
        inverse = inverse.wrapping_mul(2_u32.wrapping_sub(odd.wrapping_mul(inverse)));
    }
    inverse.wrapping_neg()
}

fn low(number: u64) -> u32 {
    u32::try_from(number & 0xffff_ffff).unwrap_or(0)
}

/// Reads a big-endian number into at least `size` limbs.
fn limbs(number: &[u8], size: usize) -> Vec<u32> {
    let limb = |octets: &[u8]| {
        octets
            .iter()
            .fold(0, |limb, octet| limb << 8 | u32::from(*octet))
    };
    let mut limbs: Vec<u32> = number.rchunks(4).map(limb).collect();
    limbs.resize(limbs.len().max(size), 0);
    limbs
}

/// Returns the lowest `size` octets, big-endian.
fn octets(limbs: &[u32], size: usize) -> Option<Vec<u8>> {
    let limbs = limbs.iter().rev();
    let octets: Vec<u8> = limbs.flat_map(|limb| limb.to_be_bytes()).collect();
    let surplus = octets.len().checked_sub(size)?;
    octets.get(surplus..).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
    use crypto_bigint::{Odd, U64, U2048};
    use proptest::prelude::*;
    use proptest::test_runner::Config;

    /// Another maker's powers.
    fn power(modulus: &[u8], base: &[u8], exponent: u64) -> Vec<u8> {
        let wide = |number: &[u8]| {
            let mut octets = [0; 256];
            octets[256 - number.len()..].copy_from_slice(number);
            U2048::from_be_slice(&octets)
        };
        let modulus_odd = Odd::new(wide(modulus)).expect("odd");
        let parameters = FixedMontyParams::new_vartime(modulus_odd);
        let power = FixedMontyForm::new(&wide(base), &parameters).pow(&U64::from_u64(exponent));
        power.retrieve().to_be_bytes()[256 - modulus.len()..].to_vec()
    }

    #[track_caller]
    fn check(modulus: &[u8], base: &[u8], exponent: u64) {
        let powers = Modulus::new(modulus).map(|modulus| modulus.power(base, exponent));
        let expected = Some(Some(power(modulus, base, exponent)));
        assert_eq!(powers, expected, "{modulus:02x?} {base:02x?} {exponent}");
    }

    #[test]
    fn powers_are_right_at_the_edges_of_limbs() {
        for length in [1, 3, 4, 5, 7, 8, 9, 31, 32, 33, 255, 256] {
            let mut least = vec![0; length];
            least[length - 1] |= 1;
            least[0] |= 1 << 7;
            let mut halved = least.clone();
            halved[0] = if length == 1 { 3 } else { 1 };
            let greatest = vec![0xff; length];
            for modulus in [&least, &halved, &greatest] {
                let mut last = modulus.clone();
                last[length - 1] -= 1;
                for base in [&[][..], &[0], &[1], &[2], &last, &last[..length / 2]] {
                    for exponent in [3, 5, 17, 65_537, (1 << 33) - 1, u64::MAX] {
                        check(modulus, base, exponent);
                    }
                }
            }
        }
    }

    #[test]
    fn what_has_no_power_is_refused() {
        for bad in [&[][..], &[0], &[1], &[2], &[0, 3], &[0xff; 5][..4], &[5, 4]] {
            let even_or_short = Modulus::new(bad).is_none();
            assert_eq!(even_or_short, bad != [0xff; 4], "{bad:?}");
        }
        let modulus = Modulus::new(&[1, 0, 1]).expect("a modulus");
        assert_eq!(modulus.power(&[1, 0, 0], 3), Some(vec![1, 0, 0]));
        for base in [
            &[1, 0, 1][..],
            &[1, 0, 2],
            &[2, 0, 0],
            &[1, 0, 0, 0],
            &[1, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(modulus.power(base, 3), None, "{base:?}");
        }
        for exponent in [0, 1, 2, 4, 65_536] {
            assert_eq!(modulus.power(&[2], exponent), None, "{exponent}");
        }
        assert_eq!(modulus.octets(), 3);
        assert_eq!(modulus.bits(), 17);
    }

    proptest! {
        #![proptest_config(Config { cases: 100, failure_persistence: None, ..Config::default() })]

        #[test]
        fn powers_are_those_of_the_reference(
            mut modulus in prop::collection::vec(any::<u8>(), 1..=256),
            base in prop::collection::vec(any::<u8>(), 0..=256),
            exponent in (1_u64..).prop_map(|exponent| exponent | 1),
        ) {
            let length = modulus.len();
            modulus[0] |= 2;
            modulus[length - 1] |= 1;
            let base = &base[..base.len().min(length - 1)];
            check(&modulus, base, exponent.max(3));
        }
    }
}
