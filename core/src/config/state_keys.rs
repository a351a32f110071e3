//! The keys that seal what outlives a request.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Keys of 32 octets: the first seals, all open.
#[derive(Clone)]
pub struct StateKeys {
    first: [u8; 32],
    others: Arc<[[u8; 32]]>,
}

impl StateKeys {
    /// Parses a comma list of keys in base64url.
    ///
    /// # Errors
    ///
    /// Returns what is wrong, in words that follow the name of a setting; never a key.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let keys: Option<Vec<[u8; 32]>> = crate::rules::items(text).map(key).collect();
        let keys = keys.ok_or("must be a comma list of 32-byte keys in base64url")?;
        let (first, others) = keys.split_first().ok_or("is set but holds no key")?;
        Ok(Self {
            first: *first,
            others: others.into(),
        })
    }

    /// Returns the key that seals.
    pub(crate) const fn first(&self) -> &[u8; 32] {
        &self.first
    }

    /// Returns the keys that open, newest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &[u8; 32]> {
        core::iter::once(&self.first).chain(self.others.iter())
    }
}

impl fmt::Debug for StateKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateKeys(…)")
    }
}

fn key(text: &str) -> Option<[u8; 32]> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_exactly_32_octets() {
        let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(
            StateKeys::parse(&[key, key].join(", ")).map(|keys| keys.all().count()),
            Ok(2)
        );
        assert!(StateKeys::parse(&[key, "="].concat()).is_ok());
        for bad in [
            "",
            ",",
            "AAAA",
            "not base64!",
            &[key, "AA"].concat(),
            &[key, "x"].join(","),
        ] {
            assert!(StateKeys::parse(bad).is_err(), "{bad}");
        }
    }
}
