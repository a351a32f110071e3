//! Compact tokens and their header (RFC 7515 §3.1, §4.1).

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::Algorithm;
use crate::denial::Denial;
use crate::json;

/// The largest token, in octets. Envoy and the native host refuse larger heads anyway.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A token whose signature nobody has checked: it has a header, and claims that cannot be read
/// yet.
#[derive(Debug)]
pub(crate) struct UnverifiedToken<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<String>,
    /// What the signature is over: header, dot and payload as sent.
    pub(crate) signing_input: &'a [u8],
    pub(crate) signature: Vec<u8>,
    pub(super) payload: &'a [u8],
}

impl<'a> UnverifiedToken<'a> {
    /// Splits a token and reads its header.
    pub(crate) fn parse(token: &'a [u8], accepted: &[Algorithm]) -> Result<Self, Denial> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Denial::TokenTooLarge);
        }
        // Segments are ASCII; a text is searched for dots word by word.
        let text = core::str::from_utf8(token).map_err(|_| Denial::MalformedToken)?;
        let mut segments = text.split('.').map(str::as_bytes);
        let (Some(header), Some(payload), Some(signature), None) = (
            segments.next(),
            segments.next(),
            segments.next(),
            segments.next(),
        ) else {
            return Err(Denial::MalformedToken);
        };
        let signed = header.len().saturating_add(1).saturating_add(payload.len());
        let signing_input = token.get(..signed).ok_or(Denial::MalformedToken)?;
        let header = decode(header)?;
        let header: RawHeader = json::parse(&header).ok_or(Denial::MalformedToken)?;
        let algorithm = header.algorithm()?;
        if !accepted.contains(&algorithm) {
            return Err(Denial::UnacceptableAlgorithm);
        }
        Ok(Self {
            algorithm,
            kid: header.kid,
            signing_input,
            signature: decode(signature)?,
            payload,
        })
    }
}

/// What a token says, for people: whoever made it wrote it, and nothing of it was checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenText {
    /// The header as it was written, usually a JSON object.
    pub header: String,
    /// The claims as they were written, usually a JSON object.
    pub claims: String,
}

impl TokenText {
    /// Decodes the first two segments of a token, where it has them.
    pub(crate) fn of(token: &[u8]) -> Option<Self> {
        let mut segments = token.split(|byte| *byte == b'.');
        let mut text = || {
            let octets = decode(segments.next()?).ok()?;
            Some(String::from_utf8_lossy(&octets).into_owned())
        };
        let (header, claims) = (text()?, text()?);
        Some(Self { header, claims })
    }
}

/// Decodes a segment: base64url without padding and without stray bits (RFC 7515 §2).
pub(super) fn decode(segment: &[u8]) -> Result<Vec<u8>, Denial> {
    URL_SAFE_NO_PAD
        .decode(segment)
        .map_err(|_| Denial::MalformedToken)
}

/// The header members that matter; a repeated one is refused, others are ignored.
#[derive(Deserialize)]
struct RawHeader {
    alg: String,
    kid: Option<String>,
    #[serde(default)]
    crit: Presence,
    #[serde(default)]
    jwk: Presence,
    #[serde(default)]
    jku: Presence,
    #[serde(default)]
    x5u: Presence,
    #[serde(default)]
    x5c: Presence,
}

/// Whether a member is there, whatever its value, `null` included.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
enum Presence {
    #[default]
    Absent,
    Present,
}

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self::Present)
    }
}

impl RawHeader {
    /// Returns the algorithm. Keys come from the configured JWKS only, and we understand no
    /// extension that could be critical, not even `b64` (RFC 7515 §4.1.11).
    fn algorithm(&self) -> Result<Algorithm, Denial> {
        let refused = [self.crit, self.jwk, self.jku, self.x5u, self.x5c];
        if refused.contains(&Presence::Present) {
            return Err(Denial::UnacceptableHeader);
        }
        Algorithm::from_name(&self.alg).ok_or(Denial::UnacceptableAlgorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn token(header: &str) -> String {
        format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header))
    }

    #[track_caller]
    fn check(token: &str, expected: Result<(), Denial>) {
        let parsed = UnverifiedToken::parse(token.as_bytes(), &Algorithm::ALL);
        assert_eq!(parsed.map(|_| ()), expected, "{token}");
    }

    #[test]
    fn a_header_may_not_choose_key_extension_or_weak_algorithm() {
        check(
            &token(r#"{"alg":"RS256","kid":"a","typ":"at+jwt"}"#),
            Ok(()),
        );
        for alg in ["none", "HS256", "rs256", "ES256K", "RSA-OAEP", ""] {
            let header = format!(r#"{{"alg":"{alg}"}}"#);
            check(&token(&header), Err(Denial::UnacceptableAlgorithm));
        }
        for member in [
            r#""jwk":{}"#,
            r#""jku":"https://a""#,
            r#""x5u":"https://a""#,
            r#""x5c":["x"]"#,
            r#""crit":["exp"]"#,
            r#""crit":["b64"],"b64":true"#,
            r#""crit":[]"#,
            r#""crit":null"#,
        ] {
            let header = format!(r#"{{"alg":"RS256",{member}}}"#);
            check(&token(&header), Err(Denial::UnacceptableHeader));
        }
        check(
            &token(r#"{"alg":"RS256","alg":"ES256"}"#),
            Err(Denial::MalformedToken),
        );
        check(&token(r#"{"alg":7}"#), Err(Denial::MalformedToken));
        check(
            &token(r#"{"alg":"RS256","kid":7}"#),
            Err(Denial::MalformedToken),
        );
        check(&token("[]"), Err(Denial::MalformedToken));
    }

    #[test]
    fn a_token_that_is_no_text_is_refused_before_a_key_is_looked_for() {
        let good = token(r#"{"alg":"RS256"}"#);
        let (header, _) = good.split_once('.').unwrap();
        let token = [header.as_bytes(), b".\xff.AA"].concat();
        let parsed = UnverifiedToken::parse(&token, &Algorithm::ALL);
        assert_eq!(parsed.map(|_| ()), Err(Denial::MalformedToken));
    }

    #[test]
    fn a_token_is_three_canonical_segments() {
        let good = token(r#"{"alg":"RS256"}"#);
        for bad in [
            "",
            ".",
            "..",
            "a.b",
            "....",
            &format!("{good}."),
            &format!("{good}="),
        ] {
            check(bad, Err(Denial::MalformedToken));
        }
        check(
            &format!("{}B", &good[..good.len() - 1]),
            Err(Denial::MalformedToken),
        );
        check(&"a".repeat(MAX_TOKEN_BYTES + 1), Err(Denial::TokenTooLarge));
        let nested = format!(
            r#"{{"alg":"RS256","x":{}1{}}}"#,
            "[".repeat(200),
            "]".repeat(200)
        );
        check(&token(&nested), Err(Denial::MalformedToken));
    }

    #[test]
    fn an_algorithm_off_the_list_is_refused() {
        let token = token(r#"{"alg":"RS256"}"#);
        let parsed = UnverifiedToken::parse(token.as_bytes(), &[Algorithm::Es256]);
        assert_eq!(parsed.err(), Some(Denial::UnacceptableAlgorithm));
    }
}
