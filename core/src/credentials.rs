//! The grammar of credentials: RFC 9110 §11.4, RFC 6750 §2.1, RFC 7617 §2.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::denial::Denial;
use crate::digest::Digest;
use crate::request::{RequestHead, Single};

/// The largest client id or client secret, in octets.
const MAX_CLIENT_CREDENTIAL_BYTES: usize = 1024;

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

/// A client id with its secret (RFC 6749 §2.3.1), borrowed from the request.
#[derive(Clone, Copy)]
pub(crate) struct ClientCredentials<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) client_secret: &'a [u8],
}

/// Room for what `Authorization: Basic` holds, so that reading it allocates nothing.
pub(crate) struct Decoded([u8; 2 * MAX_CLIENT_CREDENTIAL_BYTES + 1]);

impl Default for Decoded {
    fn default() -> Self {
        Self([0; 2 * MAX_CLIENT_CREDENTIAL_BYTES + 1])
    }
}

impl<'a> ClientCredentials<'a> {
    /// Reads the pair of `X-Zscaler-*` fields, or else `Authorization: Basic`. Half a pair counts
    /// as absent.
    pub(crate) fn read(head: &RequestHead<'a>, decoded: &'a mut Decoded) -> Result<Self, Denial> {
        let client_id = head.single("x-zscaler-client-id");
        let client_secret = head.single("x-zscaler-client-secret");
        // A complete pair wins over whatever else is there, but not over two of it.
        let authorization = Authorization::read(head);
        if authorization == Err(Denial::RepeatedCredential) {
            return Err(Denial::RepeatedCredential);
        }
        match (client_id, client_secret) {
            (Single::Repeated, _) | (_, Single::Repeated) => Err(Denial::RepeatedCredential),
            (Single::Value(id @ [_, ..]), Single::Value(secret @ [_, ..])) => Self::new(id, secret),
            (Single::Absent | Single::Value(_), Single::Absent | Single::Value(_)) => {
                match authorization? {
                    Authorization::Basic(credential) => Self::from_basic(credential, decoded),
                    Authorization::Absent => Err(Denial::MissingCredentials),
                    Authorization::Bearer(_) | Authorization::OtherScheme => {
                        Err(Denial::UnsupportedScheme)
                    }
                }
            }
        }
    }

    fn from_basic(credential: &[u8], decoded: &'a mut Decoded) -> Result<Self, Denial> {
        let length = STANDARD.decode_slice(credential, &mut decoded.0);
        let length = length.map_err(|_| Denial::MalformedCredential)?;
        let decoded = decoded.0.get(..length).ok_or(Denial::MalformedCredential)?;
        let colon = decoded.iter().position(|byte| *byte == b':');
        let (id, rest) = colon
            .map(|colon| decoded.split_at(colon))
            .ok_or(Denial::MalformedCredential)?;
        Self::new(id, rest.get(1..).unwrap_or_default())
    }

    fn new(id: &'a [u8], secret: &'a [u8]) -> Result<Self, Denial> {
        match (text(id), text(secret)) {
            (Some(client_id), Some(_)) => Ok(Self {
                client_id,
                client_secret: secret,
            }),
            _ => Err(Denial::MalformedCredential),
        }
    }

    /// Returns the key under which a validation of this pair is cached.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&[
            b"client credentials",
            self.client_id.as_bytes(),
            self.client_secret,
        ])
    }
}

/// RFC 7617 §2: text without control characters; here also not empty and not huge.
fn text(value: &[u8]) -> Option<&str> {
    let sized = (1..=MAX_CLIENT_CREDENTIAL_BYTES).contains(&value.len());
    let text = core::str::from_utf8(value).ok().filter(|_| sized)?;
    (!text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Peer;

    fn head<'a>(headers: &'a [(&'a str, &'a [u8])]) -> RequestHead<'a> {
        RequestHead {
            method: b"POST",
            authority: b"a",
            path: b"/mcp",
            headers,
            peer: Peer::Unknown,
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
        let mut decoded = Decoded::default();
        let read = ClientCredentials::read(&head(headers), &mut decoded);
        assert_eq!(
            read.map(|read| (read.client_id, read.client_secret)),
            expected
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
