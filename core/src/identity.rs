//! Who was authenticated, as the protected resource is told.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use crate::config::ModeName;
use crate::decision::HeaderEdits;
use crate::digest::Digest;
use crate::request::RequestHead;

/// Every identity field starts with this.
const PREFIX: &str = "x-mcp-auth-";

/// The longest value of an identity field, in octets.
const MAX_VALUE_BYTES: usize = 2048;

/// An authenticated caller: the fields for the protected resource, ready to send, and the digest
/// that sessions are bound to.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Principal {
    fields: Vec<(&'static str, Vec<u8>)>,
    binding: Digest,
}

impl Principal {
    /// Makes a principal of `mode` called `name`; `parts` are what tells it from all others of
    /// the mode. `None` when the name is too long to be sent.
    pub(crate) fn new(mode: ModeName, name: &str, parts: &[&[u8]]) -> Option<Self> {
        let all = [&[mode.name().as_bytes()], parts].concat();
        let fields = [("x-mcp-auth-mode", mode.name().to_owned().into_bytes())].into();
        let principal = Self {
            fields,
            binding: Digest::of(&all),
        };
        principal.with("x-mcp-auth-principal", Some(name))
    }

    /// Adds a field where there is a value. `None` when it is too long to be sent: an identity
    /// that was cut could be that of another.
    pub(crate) fn with(self, field: &'static str, value: Option<&str>) -> Option<Self> {
        match value {
            Some(value) => self.with_encoded(field, encode(value)),
            None => Some(self),
        }
    }

    /// Adds a field of words, where there is a value: blanks part them.
    pub(crate) fn with_words(self, field: &'static str, words: Option<&str>) -> Option<Self> {
        let Some(words) = words else {
            return Some(self);
        };
        let words: Vec<String> = words
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(encode)
            .collect();
        self.with_encoded(field, words.join(" "))
    }

    /// Makes the principal of mode `none`.
    pub(crate) fn nobody() -> Self {
        let fields = [
            (
                "x-mcp-auth-mode",
                ModeName::None.name().to_owned().into_bytes(),
            ),
            ("x-mcp-auth-principal", b"anonymous".to_vec()),
        ];
        Self {
            fields: fields.into(),
            binding: Digest::of(&[]),
        }
    }

    fn with_encoded(mut self, field: &'static str, value: String) -> Option<Self> {
        if value.len() > MAX_VALUE_BYTES {
            return None;
        }
        self.fields.push((field, value.into_bytes()));
        Some(self)
    }

    /// Returns the digest that sessions are bound to.
    pub(crate) const fn binding(&self) -> &Digest {
        &self.binding
    }

    /// Returns the fields for the protected resource.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields
            .iter()
            .map(|(name, value)| (*name, value.as_slice()))
    }
}

/// Which of a mode's credential fields a request has; no mode has more than three.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Presence {
    fields: &'static [&'static str],
    present: [bool; 3],
}

impl Presence {
    /// Notes a field; false when there is no room to.
    fn note(&mut self, index: usize) -> bool {
        self.present
            .get_mut(index)
            .map(|present| *present = true)
            .is_some()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let fields = self.fields.iter().zip(self.present);
        fields
            .filter(|(_, present)| *present)
            .map(|(name, _)| *name)
    }
}

/// Removes what the protected resource must not see of a request: the credential fields of the
/// mode and identity fields from outside, however they are spelled. Servers that follow CGI take
/// `_` and `-` for the same, some also every other character that is no letter or digit.
pub(crate) fn strip(
    head: &RequestHead<'_>,
    credential_fields: &'static [&'static str],
    edits: &mut HeaderEdits,
) {
    let mut present = Presence {
        fields: credential_fields,
        present: [false; 3],
    };
    for (name, _) in head.headers {
        let exact = credential_fields.iter().position(|field| field == name);
        let noted = exact.is_some_and(|index| present.note(index));
        let spelled = |field: &&str| same_field(name, field);
        if !noted && (credential_fields.iter().any(spelled) || is_identity(name)) {
            edits.remove((*name).to_owned());
        }
    }
    edits.remove_credentials(present);
}

fn is_identity(name: &str) -> bool {
    name.get(..PREFIX.len())
        .is_some_and(|start| same_field(start, PREFIX))
}

/// Tells whether `name` is `field` (lower case) in some spelling.
pub(crate) fn same_field(name: &str, field: &str) -> bool {
    let fold = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            byte.to_ascii_lowercase()
        } else {
            b'-'
        }
    };
    name.len() == field.len() && name.bytes().map(fold).eq(field.bytes())
}

/// Percent-encodes (RFC 3986 §2.1) all but visible ASCII other than `%`, so that any claim can be
/// sent, none can forge another field, and no two encode alike.
fn encode(value: &str) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', digit(byte >> 4), digit(byte & 0x0f)]);
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Peer;

    #[test]
    fn identity_values_are_visible_ascii_and_unambiguous() {
        assert_eq!(encode("a@b.c|x"), "a@b.c|x");
        assert_eq!(encode("é\r\nx: y%"), "%C3%A9%0D%0Ax:%20y%25");
    }

    #[test]
    fn outside_identity_and_credentials_go_in_every_spelling() {
        let headers: [(&str, &[u8]); 8] = [
            ("x-api-key", b"x"),
            ("x-mcp-auth-mode", b"x"),
            ("x_mcp_auth_principal", b"x"),
            ("x-mcp_auth-future", b"x"),
            ("x.mcp.auth.scope", b"x"),
            ("x_api_key", b"x"),
            ("x-mcp-authority", b"x"),
            ("accept", b"x"),
        ];
        let head = RequestHead {
            method: b"",
            authority: b"",
            path: b"",
            headers: &headers,
            peer: Peer::Unknown,
        };
        let mut edits = HeaderEdits::default();
        strip(&head, &["x-api-key"], &mut edits);
        let removed: Vec<&str> = edits.removals().collect();
        assert_eq!(
            removed,
            [
                "x-api-key",
                "x-mcp-auth-mode",
                "x_mcp_auth_principal",
                "x-mcp_auth-future",
                "x.mcp.auth.scope",
                "x_api_key"
            ]
        );
    }

    #[test]
    fn too_long_a_name_is_no_principal() {
        assert!(Principal::new(ModeName::Jwt, &"x".repeat(2048), &[]).is_some());
        assert!(Principal::new(ModeName::Jwt, &"x".repeat(2049), &[]).is_none());
    }
}
