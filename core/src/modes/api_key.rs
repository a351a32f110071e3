//! Mode `api-key`: one shared key.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use crate::config::ModeName;
use crate::credentials::Authorization;
use crate::denial::Denial;
use crate::digest::Digest;
use crate::identity::Principal;
use crate::request::{RequestHead, Single};

/// One shared key, known by its digest only.
#[derive(Clone, Debug)]
pub struct ApiKeyMode {
    key: Digest,
    principal: Arc<Principal>,
}

impl ApiKeyMode {
    /// Parses a key: printable ASCII without commas, or `sha256:` and the 64 hexadecimal digits of
    /// the key's SHA-256 digest.
    ///
    /// # Errors
    ///
    /// Returns what is wrong, in words that follow the name of a setting; never the key.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let key = match text.strip_prefix("sha256:") {
            Some(hex) => digest(hex).ok_or("must have 64 hexadecimal digits after sha256:")?,
            None if text.is_empty() => return Err("must not be empty"),
            None if !text
                .bytes()
                .all(|byte| matches!(byte, b' '..=b'~') && byte != b',') =>
            {
                return Err("must be printable ASCII without commas");
            }
            None => Digest::plain(text.as_bytes()),
        };
        // The name tells keys apart in the logs of the protected resource and reveals nothing.
        let name: String = Digest::of(&[b"api key principal", key.as_bytes()])
            .as_bytes()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let principal = Principal::new(
            ModeName::ApiKey,
            &format!("api-key:{name}"),
            &[name.as_bytes()],
        );
        principal
            .map(|principal| Self {
                key,
                principal: Arc::new(principal),
            })
            .ok_or("cannot be named")
    }

    /// Checks the key of a request. A bad `Authorization` is never rescued by `X-Api-Key`.
    pub(crate) fn authenticate(&self, head: &RequestHead<'_>) -> Result<Arc<Principal>, Denial> {
        let api_key = head.single("x-api-key");
        if api_key == Single::Repeated {
            return Err(Denial::RepeatedCredential);
        }
        let candidate = match (Authorization::read(head)?, api_key) {
            (Authorization::Bearer(key), _) => key,
            (Authorization::Absent, Single::Value(key @ [_, ..])) => key,
            (Authorization::Absent, _) => return Err(Denial::MissingCredentials),
            (Authorization::Basic(_) | Authorization::OtherScheme, _) => {
                return Err(Denial::UnsupportedScheme);
            }
        };
        if Digest::plain(candidate).matches(&self.key) {
            Ok(Arc::clone(&self.principal))
        } else {
            Err(Denial::WrongApiKey)
        }
    }
}

fn digest(hex: &str) -> Option<Digest> {
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(Digest::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Peer;

    #[track_caller]
    fn check(key: &str, headers: &[(&str, &[u8])], expected: Result<(), Denial>) {
        let mode = ApiKeyMode::parse(key).unwrap();
        let head = RequestHead {
            method: b"POST",
            authority: b"",
            path: b"/",
            headers,
            peer: Peer::Unknown,
        };
        assert_eq!(mode.authenticate(&head).map(|_| ()), expected);
    }

    #[test]
    fn the_key_is_taken_from_either_field_and_a_bad_authorization_is_not_rescued() {
        let key: (&str, &[u8]) = ("x-api-key", b" s3cret key ");
        check(
            "s3cret key",
            &[("authorization", b"bearer s3cret key")],
            Ok(()),
        );
        check("s3cret key", &[key], Ok(()));
        check("s3cret key", &[("authorization", b""), key], Ok(()));
        check(
            "s3cret key",
            &[("authorization", b"Bearer x"), key],
            Err(Denial::WrongApiKey),
        );
        check(
            "s3cret key",
            &[("authorization", b"Basic x"), key],
            Err(Denial::UnsupportedScheme),
        );
        check("s3cret key", &[key, key], Err(Denial::RepeatedCredential));
        check(
            "s3cret key",
            &[("x-api-key", b"")],
            Err(Denial::MissingCredentials),
        );
        check(
            "s3cret key",
            &[("authorization", b"Bearer \xff")],
            Err(Denial::WrongApiKey),
        );
        check("s3cret key", &[], Err(Denial::MissingCredentials));
    }

    #[test]
    fn a_key_may_be_given_by_its_digest() {
        let hex = "sha256:2BB80D537B1DA3E38BD30361AA855686BDE0EACD7162FEF6A25FE97BF527A25B";
        check(hex, &[("x-api-key", b"secret")], Ok(()));
        check(
            hex,
            &[("x-api-key", hex.as_bytes())],
            Err(Denial::WrongApiKey),
        );
    }

    #[test]
    fn keys_that_cannot_be_sent_are_refused() {
        for bad in ["", "  ", "a,b", "é", "a\tb", "sha256:", "sha256:zz"] {
            assert!(ApiKeyMode::parse(bad).is_err(), "{bad}");
        }
    }
}
