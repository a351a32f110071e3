//! Seals state that the gateway gives away and takes back: nothing of a sign-in is stored.
//!
//! A blob is `version || key id || nonce || ciphertext || tag` in base64url, XChaCha20-Poly1305
//! under a subkey of its purpose. Its nonce of 192 random bits may be drawn for ever (RFC 8439 has
//! only 96). The associated data name purpose and deployment, so that what was sealed as one thing,
//! or by another gateway with the same keys, opens as nothing.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::config::StateKeys;
use crate::digest::Digest;
use crate::entropy::Entropy;

/// The first octet of every blob, changed with its form.
const VERSION: u8 = 1;

const KEY_ID_OCTETS: usize = 4;
const NONCE_OCTETS: usize = 24;

/// The longest blob that is opened, in characters: no field that carries one is longer.
const MAX_CHARACTERS: usize = 16 * 1024;

/// What a blob is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// A `client_id`.
    Client,
    /// What a consent page asks about.
    Consent,
    /// What a browser keeps while it is at the authorization server.
    Flow,
    /// An authorization code.
    Code,
    AccessToken,
    RefreshToken,
    /// The answer to a refresh, for other workers.
    Answer,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Client => b"portcullis client 1",
            Self::Consent => b"portcullis consent 1",
            Self::Flow => b"portcullis flow 1",
            Self::Code => b"portcullis code 1",
            Self::AccessToken => b"portcullis access token 1",
            Self::RefreshToken => b"portcullis refresh token 1",
            Self::Answer => b"portcullis answer 1",
        }
    }
}

/// Seals and opens for one deployment.
#[derive(Debug)]
pub(crate) struct Sealer {
    keys: StateKeys,
    deployment: Digest,
    provider: Digest,
}

impl Sealer {
    /// Seals under the first of `keys` and opens under all, for the deployment with this issuer
    /// and protected resource.
    pub(crate) fn new(keys: StateKeys, issuer: &str, resource: &str) -> Self {
        let deployment = Digest::of(&[issuer.as_bytes(), resource.as_bytes()]);
        Self {
            keys,
            deployment,
            provider: Digest::of(&[]),
        }
    }

    /// Has all but the identifiers of clients count for this provider and our client there only:
    /// another one's subjects and tokens are others.
    pub(crate) fn for_provider(mut self, document: &str, client_id: &str) -> Self {
        self.provider = Digest::of(&[document.as_bytes(), client_id.as_bytes()]);
        self
    }

    /// Seals `content`; `None` when it is too long to be opened again.
    pub(crate) fn seal(
        &self,
        purpose: Purpose,
        content: &[u8],
        entropy: &mut Entropy,
    ) -> Option<String> {
        let key = self.keys.first();
        let drawn = entropy.draw();
        let nonce: [u8; NONCE_OCTETS] = *drawn.first_chunk()?;
        let head = [&[VERSION][..], &key_id(key)].concat();
        let data = self.associated(purpose, &head);
        let payload = Payload {
            msg: content,
            aad: &data,
        };
        let sealed = cipher(key, purpose)?
            .encrypt(&XNonce::from(nonce), payload)
            .ok()?;
        let blob = URL_SAFE_NO_PAD.encode([&head[..], &nonce, &sealed].concat());
        (blob.len() <= MAX_CHARACTERS).then_some(blob)
    }

    /// Opens what [`Self::seal`] sealed for `purpose`; `None` when it is anything else.
    pub(crate) fn open(&self, purpose: Purpose, blob: &str) -> Option<Vec<u8>> {
        if blob.len() > MAX_CHARACTERS {
            return None;
        }
        let octets = URL_SAFE_NO_PAD.decode(blob).ok()?;
        let (head, rest) = octets.split_at_checked(KEY_ID_OCTETS.checked_add(1)?)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_OCTETS>()?;
        let (version, id) = head.split_first()?;
        if *version != VERSION {
            return None;
        }
        let data = self.associated(purpose, head);
        let known = self.keys.all().filter(|key| key_id(key) == *id);
        let opened = |key: &[u8; 32]| {
            let payload = Payload {
                msg: sealed,
                aad: &data,
            };
            cipher(key, purpose)?
                .decrypt(&XNonce::from(*nonce), payload)
                .ok()
        };
        known.into_iter().find_map(opened)
    }

    fn associated(&self, purpose: Purpose, head: &[u8]) -> Vec<u8> {
        let provider: &[u8] = match purpose {
            Purpose::Client => &[],
            Purpose::Consent
            | Purpose::Flow
            | Purpose::Code
            | Purpose::AccessToken
            | Purpose::RefreshToken
            | Purpose::Answer => self.provider.as_bytes(),
        };
        [head, self.deployment.as_bytes(), provider, purpose.label()].concat()
    }
}

/// Names a key without telling of it.
fn key_id(key: &[u8; 32]) -> [u8; KEY_ID_OCTETS] {
    let digest = Digest::of(&[b"portcullis key id 1", key]);
    let [a, b, c, d, ..] = *digest.as_bytes();
    [a, b, c, d]
}

/// A subkey for each purpose: one step of HKDF's expansion (RFC 5869 §2.3), as the keys are
/// uniformly random already.
fn cipher(key: &[u8; 32], purpose: Purpose) -> Option<XChaCha20Poly1305> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(purpose.label());
    mac.update(&[1]);
    let subkey: [u8; 32] = mac.finalize().into_bytes().into();
    Some(XChaCha20Poly1305::new(&subkey.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const NEW: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    const ALL: [Purpose; 7] = [
        Purpose::Client,
        Purpose::Consent,
        Purpose::Flow,
        Purpose::Code,
        Purpose::AccessToken,
        Purpose::RefreshToken,
        Purpose::Answer,
    ];

    fn sealer(keys: &str) -> Sealer {
        let keys = StateKeys::parse(keys).unwrap();
        Sealer::new(keys, "https://gw.example", "https://gw.example/mcp")
    }

    fn seal(keys: &str, purpose: Purpose) -> String {
        let mut entropy = Entropy::new([7; 32]);
        sealer(keys)
            .seal(purpose, b"content", &mut entropy)
            .unwrap()
    }

    #[test]
    fn a_blob_opens_for_its_purpose_only() {
        for purpose in ALL {
            let blob = seal(OLD, purpose);
            for other in ALL {
                let opened = sealer(OLD).open(other, &blob);
                let expected = (other == purpose).then(|| b"content".to_vec());
                assert_eq!(opened, expected, "{purpose:?} as {other:?}");
            }
        }
    }

    #[test]
    fn a_blob_opens_in_its_deployment_only() {
        let blob = seal(OLD, Purpose::Code);
        for (issuer, resource) in [
            ("https://gw.example", "https://gw.example/other"),
            ("https://gw2.example", "https://gw.example/mcp"),
            ("https://gw.examplehttps:", "//gw.example/mcp"),
        ] {
            let other = Sealer::new(StateKeys::parse(OLD).unwrap(), issuer, resource);
            assert_eq!(
                other.open(Purpose::Code, &blob),
                None,
                "{issuer} {resource}"
            );
        }
    }

    #[test]
    fn every_key_opens_and_the_first_seals() {
        let both = [NEW, OLD].join(",");
        let old = seal(OLD, Purpose::Client);
        assert!(sealer(&both).open(Purpose::Client, &old).is_some());
        assert!(sealer(NEW).open(Purpose::Client, &old).is_none());
        let sealed = seal(&both, Purpose::Client);
        assert!(sealer(NEW).open(Purpose::Client, &sealed).is_some());
        assert!(sealer(OLD).open(Purpose::Client, &sealed).is_none());
    }

    #[test]
    fn no_blob_opens_that_was_changed_or_cut_anywhere() {
        let sealer = sealer(OLD);
        let octets = URL_SAFE_NO_PAD.decode(seal(OLD, Purpose::Code)).unwrap();
        for (index, bit) in (0..octets.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut changed = octets.clone();
            changed[index] ^= 1 << bit;
            let blob = URL_SAFE_NO_PAD.encode(&changed);
            assert_eq!(sealer.open(Purpose::Code, &blob), None, "{index} {bit}");
        }
        for length in 0..octets.len() {
            let blob = URL_SAFE_NO_PAD.encode(&octets[..length]);
            assert_eq!(sealer.open(Purpose::Code, &blob), None, "{length}");
        }
        for odd in ["", "=", "é", &"A".repeat(MAX_CHARACTERS + 1)] {
            assert_eq!(sealer.open(Purpose::Code, odd), None);
        }
    }

    #[test]
    fn no_two_seals_are_alike() {
        let (sealer, mut entropy) = (sealer(OLD), Entropy::new([7; 32]));
        let mut seal = || sealer.seal(Purpose::Code, b"", &mut entropy).unwrap();
        assert_ne!(seal(), seal());
    }
}
