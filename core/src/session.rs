//! Binds `Mcp-Session-Id` to the principal without a store.
//!
//! The id that the client sees is the protected resource's with a tag behind it: `ID.TAG`, where
//! the tag is an HMAC over id and principal under a state key. An id without the right tag is not
//! that client's session.

use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::config::StateKeys;
use crate::decision::HeaderEdits;
use crate::digest::Digest;

/// The field that holds the id.
pub(crate) const FIELD: &str = "mcp-session-id";
const PURPOSE: &[u8] = b"portcullis session 1";

/// 128 bits of the HMAC (RFC 2104 §5), in base64url.
const TAG_BYTES: usize = 16;

/// Binds the session ids of one principal.
#[derive(Debug)]
pub(crate) struct SessionBinding {
    keys: StateKeys,
    principal: Digest,
}

impl SessionBinding {
    pub(crate) const fn new(keys: StateKeys, principal: Digest) -> Self {
        Self { keys, principal }
    }

    /// Returns the protected resource's id out of the one that the client presented, `None` when
    /// it is not a session of this principal.
    pub(crate) fn open<'a>(&self, presented: &'a [u8]) -> Option<&'a [u8]> {
        let dot = presented.iter().rposition(|byte| *byte == b'.')?;
        let (id, tag) = presented.split_at(dot);
        let tag = URL_SAFE_NO_PAD.decode(tag.get(1..)?).ok()?;
        let bound = tag.len() == TAG_BYTES
            && self.keys.all().any(|key| {
                self.mac(key, id)
                    .is_some_and(|mac| mac.verify_truncated_left(&tag).is_ok())
            });
        bound.then_some(id)
    }

    /// Edits a response so that the client is given the tagged id.
    pub(crate) fn bind_response(&self, headers: &[(&str, &[u8])], edits: &mut HeaderEdits) {
        let Some((_, id)) = headers.iter().find(|(name, _)| *name == FIELD) else {
            return;
        };
        match self.seal(id.trim_ascii()) {
            Some(sealed) => edits.set(FIELD, sealed),
            None => edits.remove(FIELD),
        }
    }

    fn seal(&self, id: &[u8]) -> Option<Vec<u8>> {
        let tag = self.mac(self.keys.first(), id)?.finalize().into_bytes();
        let mut sealed = id.to_vec();
        sealed.push(b'.');
        sealed.extend_from_slice(URL_SAFE_NO_PAD.encode(tag.get(..TAG_BYTES)?).as_bytes());
        Some(sealed)
    }

    fn mac(&self, key: &[u8; 32], id: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        mac.update(PURPOSE);
        mac.update(self.principal.as_bytes());
        mac.update(id);
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const NEW: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

    fn binding(keys: &str, principal: &str) -> SessionBinding {
        let keys = StateKeys::parse(keys).unwrap();
        SessionBinding::new(keys, Digest::of(&[principal.as_bytes()]))
    }

    #[test]
    fn a_session_opens_for_its_principal_only() {
        let sealed = binding(OLD, "alice").seal(b"id.with.dots").unwrap();
        assert_eq!(
            binding(OLD, "alice").open(&sealed),
            Some(&b"id.with.dots"[..])
        );
        assert_eq!(binding(OLD, "bob").open(&sealed), None);
        assert_eq!(binding(NEW, "alice").open(&sealed), None);
    }

    #[test]
    fn every_key_opens_and_the_first_seals() {
        let sealed = binding(OLD, "alice").seal(b"id").unwrap();
        let both = binding(&[NEW, OLD].join(","), "alice");
        assert_eq!(both.open(&sealed), Some(&b"id"[..]));
        assert_eq!(
            binding(NEW, "alice").open(&both.seal(b"id").unwrap()),
            Some(&b"id"[..])
        );
    }

    #[test]
    fn no_changed_or_cut_id_opens() {
        let binding = binding(OLD, "alice");
        let sealed = binding.seal(b"0123").unwrap();
        for end in 0..sealed.len() {
            assert_eq!(binding.open(&sealed[..end]), None);
            let mut changed = sealed.clone();
            changed[end] ^= 1;
            assert_eq!(binding.open(&changed), None, "octet {end}");
        }
    }
}
