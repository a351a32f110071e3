//! Who was authenticated, as the protected resource is told.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::cache::{Common, Pool};
use crate::config::ModeName;
use crate::decision::HeaderEdits;
use crate::digest::Digest;
use crate::request::RequestHead;

/// Every identity field starts with this.
const PREFIX: &str = "x-mcp-auth-";

/// The names of the identity fields.
pub const IDENTITY_FIELDS: [&str; 7] = [
    "x-mcp-auth-mode",
    "x-mcp-auth-principal",
    "x-mcp-auth-subject",
    "x-mcp-auth-client",
    "x-mcp-auth-entitlements",
    "x-mcp-auth-issuer",
    "x-mcp-auth-scope",
];

/// The longest value of an identity field, in octets.
const MAX_VALUE_BYTES: usize = 2048;

/// An authenticated caller: the fields for the protected resource, ready to send, and the digest
/// that sessions are bound to.
///
/// Caches keep thousands of them, so a caller's own values lie in one piece, and those that many
/// have in common are shared.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Principal {
    mode: ModeName,
    binding: Digest,
    values: Box<str>,
    /// Where the value of each own field begins and ends in `values`, or [`ABSENT`].
    spans: [(u16, u16); 4],
    common: Option<Arc<Common>>,
}

/// No range of a text.
const ABSENT: (u16, u16) = (1, 0);

/// A field whose value belongs to one caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OwnField {
    Principal,
    Subject,
    Client,
    Entitlements,
}

impl Principal {
    /// Makes a principal of `mode` called `name`; `parts` are what tells it from all others of
    /// the mode. `None` when the name is too long to be sent.
    pub(crate) fn new(mode: ModeName, name: &str, parts: &[&[u8]]) -> Option<Self> {
        let all = [&[mode.name().as_bytes()], parts].concat();
        Self::bound(mode, Digest::of(&all)).with(OwnField::Principal, Some(name))
    }

    /// Makes the principal of mode `none`.
    pub(crate) fn nobody() -> Self {
        let nobody = Self::bound(ModeName::None, Digest::of(&[]));
        Self {
            values: "anonymous".into(),
            spans: [(0, 9), ABSENT, ABSENT, ABSENT],
            ..nobody
        }
    }

    fn bound(mode: ModeName, binding: Digest) -> Self {
        Self {
            mode,
            binding,
            values: Box::default(),
            spans: [ABSENT; 4],
            common: None,
        }
    }

    /// Adds a field where there is a value. `None` when it is too long to be sent: an identity
    /// that was cut could be that of another.
    pub(crate) fn with(mut self, field: OwnField, value: Option<&str>) -> Option<Self> {
        let Some(value) = value else {
            return Some(self);
        };
        let value = sendable(encode(value))?;
        let [name, ..] = self.spans;
        let span = if self.value(name) == Some(&value) {
            // Most callers are called by their subject.
            name
        } else {
            let start = u16::try_from(self.values.len()).ok()?;
            let mut values = core::mem::take(&mut self.values).into_string();
            values.push_str(&value);
            let end = u16::try_from(values.len()).ok()?;
            self.values = values.into_boxed_str();
            (start, end)
        };
        let [name, subject, client, entitlements] = &mut self.spans;
        match field {
            OwnField::Principal => *name = span,
            OwnField::Subject => *subject = span,
            OwnField::Client => *client = span,
            OwnField::Entitlements => *entitlements = span,
        }
        Some(self)
    }

    /// Adds the issuer and the scope, words that blanks part, where there are any. `None` when one
    /// is too long to be sent.
    pub(crate) fn with_common(
        mut self,
        issuer: Option<&str>,
        scope: Option<&str>,
        pool: &mut Pool,
    ) -> Option<Self> {
        let words = |scope: &str| {
            let words = scope.split(' ').filter(|word| !word.is_empty());
            let words: Vec<String> = words.map(encode).collect();
            words.join(" ")
        };
        let common = Common {
            issuer: all_sendable(issuer.map(encode))?,
            scope: all_sendable(scope.map(words))?,
        };
        self.common = Some(pool.share(common));
        Some(self)
    }

    /// Returns the digest that sessions are bound to.
    pub(crate) const fn binding(&self) -> &Digest {
        &self.binding
    }

    /// Returns the fields for the protected resource.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mode = [Some(self.mode.name())];
        let own = self.spans.iter().map(|span| self.value(*span));
        let common = self.common.iter();
        let common = common.flat_map(|common| [common.issuer.as_deref(), common.scope.as_deref()]);
        let values = mode.into_iter().chain(own).chain(common);
        let all = IDENTITY_FIELDS.iter().zip(values);
        all.filter_map(|(name, value)| Some((*name, value?.as_bytes())))
    }

    fn value(&self, (start, end): (u16, u16)) -> Option<&str> {
        self.values.get(usize::from(start)..usize::from(end))
    }
}

/// Returns a value that is short enough to be sent.
fn sendable(value: String) -> Option<String> {
    (value.len() <= MAX_VALUE_BYTES).then_some(value)
}

/// As [`sendable`], where there may be none.
fn all_sendable(value: Option<String>) -> Option<Option<String>> {
    value.map_or(Some(None), |value| sendable(value).map(Some))
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
