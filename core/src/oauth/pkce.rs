//! Proof Key for Code Exchange, method S256 only (RFC 7636).

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::digest::Digest;

/// The SHA-256 digest of a code verifier (RFC 7636 §4.2, method `S256`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct CodeChallenge(Digest);

impl CodeChallenge {
    /// Reads the 43 characters of base64url that a SHA-256 digest has; `None` when it is anything
    /// else, such as the challenge of the method `plain`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let octets = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self::from_octets(octets.try_into().ok()?))
    }

    /// Wraps a digest that was parsed before.
    pub(crate) const fn from_octets(octets: [u8; 32]) -> Self {
        Self(Digest::from_bytes(octets))
    }

    /// Returns the digest, to be sealed.
    pub(crate) const fn as_octets(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Tells whether this is the challenge of `verifier` (RFC 7636 §4.6), in constant time.
    pub(crate) fn matches(&self, verifier: &CodeVerifier) -> bool {
        self.0.matches(&verifier.challenge().0)
    }
}

/// The value of `code_challenge`.
impl fmt::Display for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0.as_bytes()))
    }
}

/// The secret that only who began a flow knows (RFC 7636 §4.1).
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct CodeVerifier(String);

impl CodeVerifier {
    /// Reads 43 to 128 unreserved characters; `None` when it is anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let unreserved =
            |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~');
        let right = (43..=128).contains(&text.len()) && text.bytes().all(unreserved);
        right.then(|| Self(text.to_owned()))
    }

    /// Makes a verifier of 32 random octets, as RFC 7636 §4.1 recommends.
    pub(crate) fn from_entropy(entropy: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(entropy))
    }

    /// Returns the value of `code_verifier`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns its challenge.
    pub(crate) fn challenge(&self) -> CodeChallenge {
        CodeChallenge(Digest::plain(self.0.as_bytes()))
    }
}

impl fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeVerifier(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString as _;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const OCTETS: [u8; 32] = [
        116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37,
        77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
    ];

    #[test]
    fn challenge_is_that_of_the_rfc() {
        let verifier = CodeVerifier::from_entropy(OCTETS);
        assert_eq!(verifier.as_str(), VERIFIER);
        assert_eq!(verifier.challenge().to_string(), CHALLENGE);
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
        assert!(challenge.matches(&verifier));
        assert!(CodeChallenge::from_octets(*challenge.as_octets()).matches(&verifier));
    }

    #[test]
    fn another_verifier_does_not_match() {
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
        for bit in 0..32 * 8 {
            let mut octets = OCTETS;
            octets[bit / 8] ^= 1 << (bit % 8);
            assert!(!challenge.matches(&CodeVerifier::from_entropy(octets)));
        }
        // The method `plain`, under which the challenge is the verifier.
        assert!(!challenge.matches(&CodeVerifier::parse(CHALLENGE).unwrap()));
    }

    #[test]
    fn challenge_is_43_characters_of_base64url_and_no_other_form() {
        assert!(CodeChallenge::parse(&"A".repeat(43)).is_some());
        for bad in [
            String::new(),
            "A".repeat(42),
            "A".repeat(44),
            "A".repeat(64),
            format!("{}=", "A".repeat(43)),
            format!("{}+", "A".repeat(42)),
            format!("{}/", "A".repeat(42)),
            format!("{} ", "A".repeat(42)),
            // Bits beyond the digest: two texts must not be one challenge.
            format!("{}B", "A".repeat(42)),
        ] {
            assert_eq!(CodeChallenge::parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn verifier_is_43_to_128_unreserved_characters() {
        assert!(CodeVerifier::parse(&"-._~09azAZ".repeat(5)).is_some());
        for (length, right) in [
            (0, false),
            (42, false),
            (43, true),
            (128, true),
            (129, false),
        ] {
            assert_eq!(CodeVerifier::parse(&"a".repeat(length)).is_some(), right);
        }
        for bad in ['+', '/', '=', ' ', '%', '\n', '\u{fc}'] {
            let text = format!("{}{bad}", "a".repeat(43));
            assert_eq!(CodeVerifier::parse(&text), None, "{text}");
        }
    }

    #[test]
    fn verifier_is_not_shown() {
        assert_eq!(
            format!("{:?}", CodeVerifier::from_entropy(OCTETS)),
            "CodeVerifier(…)"
        );
    }
}
