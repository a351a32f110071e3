//! Random octets, drawn from one seed.

use core::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A source of random octets: HMAC-SHA256 of a counter under a seed that the host drew.
///
/// A host that is asked for randomness with each request pays for it with each; one seed lasts for
/// as long as an engine. The same seed gives the same octets, so that tests can repeat a run.
pub(crate) struct Entropy {
    seed: [u8; 32],
    drawn: u64,
}

impl Entropy {
    /// Takes 32 random octets, drawn for one engine and used for nothing else.
    pub(crate) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    /// Draws 32 octets that nobody can guess from those drawn before.
    pub(crate) fn draw(&mut self) -> [u8; 32] {
        self.drawn = self.drawn.wrapping_add(1);
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.seed) else {
            // HMAC takes keys of every length.
            return self.seed;
        };
        mac.update(&self.drawn.to_be_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_draw_repeats_another_and_seeds_are_apart() {
        let (mut one, mut other) = (Entropy::new([1; 32]), Entropy::new([2; 32]));
        let mut drawn: [[u8; 32]; 6] =
            core::array::from_fn(|index| if index < 3 { one.draw() } else { other.draw() });
        drawn.sort_unstable();
        assert!(drawn.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(Entropy::new([1; 32]).draw(), Entropy::new([1; 32]).draw());
    }
}
