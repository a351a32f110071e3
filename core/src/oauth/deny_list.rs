//! Who has lost access before the tokens lapse. Nothing is stored, so the settings say it.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::grant::Authority;
use crate::ambient::UnixSeconds;
use crate::digest::Digest;

/// Clients, subjects and sign-ins that are turned away.
#[derive(Clone, Debug, Default)]
pub(crate) struct DenyList {
    clients: Vec<Digest>,
    subjects: Vec<String>,
    before: UnixSeconds,
}

impl DenyList {
    /// Denies clients: each by its `client_id`, or by the digest of it that the protected resource
    /// is told (`x-mcp-auth-client`).
    pub(crate) fn with_clients<'a>(mut self, clients: impl Iterator<Item = &'a str>) -> Self {
        self.clients = clients.map(client).collect();
        self
    }

    /// Denies subjects.
    pub(crate) fn with_subjects<'a>(mut self, subjects: impl Iterator<Item = &'a str>) -> Self {
        self.subjects = subjects.map(str::to_owned).collect();
        self
    }

    /// Denies all who signed in before `time`.
    pub(crate) const fn with_sign_ins_before(mut self, time: UnixSeconds) -> Self {
        self.before = time;
        self
    }

    /// Tells whether the client with this digest is turned away.
    pub(crate) fn has_client(&self, client: &Digest) -> bool {
        self.clients.contains(client)
    }

    /// Tells whether an authority counts no more.
    pub(crate) fn has(&self, authority: &Authority) -> bool {
        authority.since < self.before
            || self.has_client(&authority.client)
            || self.subjects.contains(&authority.subject)
    }
}

/// Returns what a client is known by.
pub(super) fn client_digest(client_id: &str) -> Digest {
    Digest::of(&[client_id.as_bytes()])
}

/// Writes the digest of a client, for the protected resource and for logs.
pub(crate) fn written(client: &Digest) -> String {
    URL_SAFE_NO_PAD.encode(client.as_bytes())
}

fn client(text: &str) -> Digest {
    let octets = URL_SAFE_NO_PAD.decode(text).ok();
    let digest = octets.and_then(|octets| octets.try_into().ok());
    digest.map_or_else(|| client_digest(text), Digest::from_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(client: &str, subject: &str, since: u64) -> Authority {
        Authority {
            subject: subject.into(),
            client: client_digest(client),
            scope: String::new(),
            since: UnixSeconds(since),
        }
    }

    #[test]
    fn clients_subjects_and_old_sign_ins_are_denied_and_no_others() {
        let hashed = written(&client_digest("hashed"));
        let list = DenyList::default()
            .with_clients(["plain", &hashed].into_iter())
            .with_subjects(["mallory"].into_iter())
            .with_sign_ins_before(UnixSeconds(100));
        for (client, subject, since, denied) in [
            ("other", "alice", 100, false),
            ("plain", "alice", 100, true),
            ("hashed", "alice", 100, true),
            ("other", "mallory", 100, true),
            ("other", "alice", 99, true),
        ] {
            assert_eq!(list.has(&authority(client, subject, since)), denied);
        }
        assert!(!DenyList::default().has(&authority("plain", "mallory", 0)));
    }
}
