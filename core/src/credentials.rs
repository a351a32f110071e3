//! The grammar of credentials: RFC 9110 §11.4, RFC 6750 §2.1, RFC 7617 §2.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::denial::Denial;
use crate::request::{RequestHead, Single};
use crate::secret::{Digest, Secret};

/// The largest client id or client secret, in octets.
const MAX_CLIENT_CREDENTIAL_BYTES: usize = 4096;

/// The value of `Authorization`, split once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Authorization<'a> {
    Absent,
    Bearer(&'a [u8]),
    Basic(&'a [u8]),
    OtherScheme,
}

impl<'a> Authorization<'a> {
    /// Reads the field. An empty one counts as absent.
    ///
    /// A comma is a repetition: Envoy joins two fields of this name by one, and no accepted
    /// credential holds one.
    pub(crate) fn read(head: &RequestHead<'a>) -> Result<Self, Denial> {
        let value = match head.single("authorization") {
            Single::Absent | Single::Value([]) => return Ok(Self::Absent),
            Single::Value(value) if value.contains(&b',') => {
                return Err(Denial::RepeatedCredential);
            }
            Single::Value(value) => value,
            Single::Repeated => return Err(Denial::RepeatedCredential),
        };
        let Some(space) = value.iter().position(|byte| *byte == b' ') else {
            return Err(Denial::MalformedCredential);
        };
        let (scheme, rest) = value.split_at(space);
        let credential = rest.trim_ascii();
        if credential.is_empty() {
            return Err(Denial::MalformedCredential);
        }
        if scheme.eq_ignore_ascii_case(b"bearer") {
            Ok(Self::Bearer(credential))
        } else if scheme.eq_ignore_ascii_case(b"basic") {
            Ok(Self::Basic(credential))
        } else {
            Ok(Self::OtherScheme)
        }
    }
}

/// A client id with its secret (RFC 6749 §2.3.1).
#[derive(Debug)]
pub(crate) struct ClientCredentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
}

impl ClientCredentials {
    /// Reads the pair of `X-Zscaler-*` fields, or else `Authorization: Basic`. Half a pair counts
    /// as absent.
    pub(crate) fn read(head: &RequestHead<'_>) -> Result<Self, Denial> {
        let client_id = head.single("x-zscaler-client-id");
        let client_secret = head.single("x-zscaler-client-secret");
        match (client_id, client_secret) {
            (Single::Repeated, _) | (_, Single::Repeated) => Err(Denial::RepeatedCredential),
            (Single::Value(id @ [_, ..]), Single::Value(secret @ [_, ..])) => Self::new(id, secret),
            (Single::Absent | Single::Value(_), Single::Absent | Single::Value(_)) => {
                match Authorization::read(head)? {
                    Authorization::Basic(credential) => Self::from_basic(credential),
                    Authorization::Absent => Err(Denial::MissingCredentials),
                    Authorization::Bearer(_) | Authorization::OtherScheme => {
                        Err(Denial::UnsupportedScheme)
                    }
                }
            }
        }
    }

    fn from_basic(credential: &[u8]) -> Result<Self, Denial> {
        let decoded: Vec<u8> = STANDARD
            .decode(credential)
            .map_err(|_| Denial::MalformedCredential)?;
        let colon = decoded.iter().position(|byte| *byte == b':');
        let (id, rest) = colon
            .map(|colon| decoded.split_at(colon))
            .ok_or(Denial::MalformedCredential)?;
        Self::new(id, rest.get(1..).unwrap_or_default())
    }

    fn new(id: &[u8], secret: &[u8]) -> Result<Self, Denial> {
        if !is_text(id) || !is_text(secret) {
            return Err(Denial::MalformedCredential);
        }
        let client_id = String::from_utf8(id.to_vec()).map_err(|_| Denial::MalformedCredential)?;
        Ok(Self {
            client_id,
            client_secret: Secret::new(secret),
        })
    }

    /// Returns the key under which a validation of this pair is cached.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&[
            b"client credentials",
            self.client_id.as_bytes(),
            self.client_secret.expose(),
        ])
    }
}

/// RFC 7617 §2: text without control characters; here also not empty and not huge.
fn is_text(value: &[u8]) -> bool {
    !value.is_empty()
        && value.len() <= MAX_CLIENT_CREDENTIAL_BYTES
        && core::str::from_utf8(value).is_ok_and(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head<'a>(headers: &'a [(&'a str, &'a [u8])]) -> RequestHead<'a> {
        RequestHead {
            method: b"POST",
            authority: b"a",
            path: b"/mcp",
            headers,
            peer: None,
        }
    }

    #[track_caller]
    fn check(value: &[u8], expected: &Result<Authorization<'_>, Denial>) {
        let headers = [("authorization", value)];
        assert_eq!(
            &Authorization::read(&head(&headers)),
            expected,
            "{}",
            value.escape_ascii()
        );
    }

    #[test]
    fn scheme_is_case_insensitive_and_ends_at_a_space() {
        check(b"Bearer abc", &Ok(Authorization::Bearer(b"abc")));
        check(b"bEARER   abc ", &Ok(Authorization::Bearer(b"abc")));
        check(b"BASIC eA==", &Ok(Authorization::Basic(b"eA==")));
        check(b"Digest x", &Ok(Authorization::OtherScheme));
        check(b"  ", &Ok(Authorization::Absent));
        check(b"Bearer\tabc", &Err(Denial::MalformedCredential));
        check(b"Bearer", &Err(Denial::MalformedCredential));
        check(b"Bearer ", &Err(Denial::MalformedCredential));
    }

    #[test]
    fn a_repeated_field_and_a_joined_one_are_the_same_refusal() {
        check(b"Bearer a,Bearer b", &Err(Denial::RepeatedCredential));
        let headers: [(&str, &[u8]); 2] = [
            ("authorization", b"Bearer a"),
            ("authorization", b"Bearer a"),
        ];
        assert_eq!(
            Authorization::read(&head(&headers)),
            Err(Denial::RepeatedCredential)
        );
    }

    #[track_caller]
    fn pair(headers: &[(&str, &[u8])], expected: Result<(&str, &[u8]), Denial>) {
        let read = ClientCredentials::read(&head(headers));
        let read = read.map(|c| (c.client_id, c.client_secret.expose().to_vec()));
        assert_eq!(
            read,
            expected.map(|(id, secret)| (id.into(), secret.to_vec()))
        );
    }

    #[test]
    fn a_complete_pair_wins_and_half_a_pair_is_absent() {
        const ID: &str = "x-zscaler-client-id";
        const SECRET: &str = "x-zscaler-client-secret";
        let basic: (&str, &[u8]) = ("authorization", b"Basic YTpiOmM=");
        pair(&[(ID, b" i "), (SECRET, b"s"), basic], Ok(("i", b"s")));
        pair(&[(ID, b"i"), basic], Ok(("a", b"b:c")));
        pair(
            &[(ID, b"i"), (SECRET, b"  ")],
            Err(Denial::MissingCredentials),
        );
        pair(
            &[(ID, b"i"), (ID, b"i"), (SECRET, b"s")],
            Err(Denial::RepeatedCredential),
        );
        pair(
            &[(ID, b"\xff"), (SECRET, b"s")],
            Err(Denial::MalformedCredential),
        );
        pair(
            &[("authorization", b"Bearer x")],
            Err(Denial::UnsupportedScheme),
        );
    }

    #[test]
    fn basic_is_canonical_base64_of_text_with_a_colon() {
        let bad: [&[u8]; 8] = [
            b"Basic YTpi\x80",
            b"Basic YTpiOmM",
            b"Basic YWJj",
            b"Basic OmI=",
            b"Basic YTo=",
            b"Basic YTpiCg==",
            b"Basic YTr/",
            b"Basic YTpi YTpi",
        ];
        for value in bad {
            pair(
                &[("authorization", value)],
                Err(Denial::MalformedCredential),
            );
        }
    }

    #[test]
    fn pairs_that_join_alike_have_different_digests() {
        let digest =
            |id: &[u8], secret: &[u8]| ClientCredentials::new(id, secret).unwrap().digest();
        assert_ne!(digest(b"a:b", b"c"), digest(b"a", b"b:c"));
    }
}
