//! Mode `api-key`: shared keys, one or many.

mod record;
mod set;

use alloc::sync::Arc;
use alloc::vec::Vec;

pub use record::{ApiKeyRecord, ApiKeysError, read_api_keys};

use self::set::{ApiKey, ApiKeys};
use crate::ambient::UnixSeconds;
use crate::config::ModeName;
use crate::credentials::Authorization;
use crate::denial::Denial;
use crate::digest::Digest;
use crate::identity::Principal;
use crate::request::{RequestHead, Single};
use crate::rules::AccessRules;

/// The keys, known by their digests only. Copies share them.
#[derive(Clone, Debug)]
pub struct ApiKeyMode(Arc<ApiKeys>);

/// What is to be told of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ApiKeyStatus<'a> {
    /// The principal's name.
    pub name: &'a str,
    /// From when on it counts no more.
    pub expires: Option<UnixSeconds>,
    /// When it last let somebody in.
    pub last_used: Option<UnixSeconds>,
}

/// The keys and their uses at one moment. Taking it copies no name, so that an engine with many
/// keys can be asked while it is at work.
#[derive(Clone, Debug, Default)]
pub struct ApiKeyUses {
    keys: Arc<ApiKeys>,
    /// In the order of the keys.
    last: Vec<UnixSeconds>,
}

impl ApiKeyUses {
    /// Tells of every key, in their order.
    pub fn statuses(&self) -> impl Iterator<Item = ApiKeyStatus<'_>> {
        let keys = self.keys.iter().zip(&self.last);
        keys.map(|(key, last)| ApiKeyStatus {
            name: key.name,
            expires: key.expires,
            last_used: (*last > UnixSeconds::default()).then_some(*last),
        })
    }
}

impl ApiKeyMode {
    /// Parses a key: printable ASCII without commas, or `sha256:` and the 64 hexadecimal digits of
    /// the key's SHA-256 digest.
    ///
    /// # Errors
    ///
    /// Returns what is wrong, in words that follow the name of a setting; never the key.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut keys = ApiKeys::default();
        keys.add_unnamed(key_digest(text)?)?;
        Ok(Self(Arc::new(keys)))
    }

    /// Parses a list of keys, as [`read_api_keys`] reads it. It may be empty: then nobody may
    /// connect.
    ///
    /// # Errors
    ///
    /// Refuses what is no such list, and a list that holds a key twice.
    pub fn parse_list(json: &[u8]) -> Result<Self, ApiKeysError> {
        let mut keys = ApiKeys::default();
        keys.add_list(json)?;
        Ok(Self(Arc::new(keys)))
    }

    /// Adds a key to those of a list, as [`Self::parse`] parses it.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`], and refuses a key that is in the list, too.
    pub fn and(mut self, text: &str) -> Result<Self, &'static str> {
        let digest = key_digest(text)?;
        match Arc::get_mut(&mut self.0) {
            Some(keys) => keys.add_unnamed(digest)?,
            None => return Err("cannot be added to keys in use"),
        }
        Ok(self)
    }

    /// Checks the key of a request. A bad `Authorization` is never rescued by `X-Api-Key`.
    pub(crate) fn check(
        &self,
        head: &RequestHead<'_>,
        access: &AccessRules,
        now: UnixSeconds,
    ) -> Result<ApiKey<'_>, Denial> {
        let presented = Digest::plain(candidate(head)?);
        let key = self.0.find(&presented).ok_or(Denial::WrongApiKey)?;
        if key.expires.is_some_and(|expires| expires <= now) {
            return Err(Denial::ApiKeyExpired);
        }
        if let Some(sources) = key.sources {
            let client = access.client(head);
            if !client.is_some_and(|client| sources.contains(client)) {
                return Err(Denial::ApiKeySourceNotAllowed);
            }
        }
        Ok(key)
    }

    /// Returns how many keys there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Mode `api-key` with what it remembers of the use of each key.
#[derive(Debug)]
pub(crate) struct ApiKeyAuthenticator {
    mode: ApiKeyMode,
    /// In the order of the keys.
    uses: Vec<Use>,
}

/// Of keys that nobody uses there is no principal: there may be many of them.
#[derive(Clone, Debug, Default)]
struct Use {
    principal: Option<Arc<Principal>>,
    last: UnixSeconds,
}

impl ApiKeyAuthenticator {
    pub(crate) fn new(mode: &ApiKeyMode) -> Self {
        Self {
            mode: mode.clone(),
            uses: alloc::vec![Use::default(); mode.count()],
        }
    }

    /// Checks the key of a request, and notes its use.
    pub(crate) fn authenticate(
        &mut self,
        head: &RequestHead<'_>,
        access: &AccessRules,
        now: UnixSeconds,
    ) -> Result<Arc<Principal>, Denial> {
        let key = self.mode.check(head, access, now)?;
        let used = self.uses.get_mut(key.index).ok_or(Denial::WrongApiKey)?;
        used.last = now;
        if let Some(principal) = &used.principal {
            return Ok(Arc::clone(principal));
        }
        let principal = Arc::new(principal(&key).ok_or(Denial::WrongApiKey)?);
        used.principal = Some(Arc::clone(&principal));
        Ok(principal)
    }

    /// Takes over when the keys were last used.
    pub(crate) fn succeed(&mut self, earlier: &Self) {
        for (own, place) in self
            .uses
            .iter_mut()
            .zip(self.mode.0.places_in(&earlier.mode.0))
        {
            let known = place.and_then(|place| earlier.uses.get(place));
            own.last = known.map_or(own.last, |known| known.last);
        }
    }

    /// Returns the keys and when they were last used.
    pub(crate) fn uses(&self) -> ApiKeyUses {
        ApiKeyUses {
            keys: Arc::clone(&self.mode.0),
            last: self.uses.iter().map(|used| used.last).collect(),
        }
    }
}

/// Reads the key that a request presents.
fn candidate<'a>(head: &RequestHead<'a>) -> Result<&'a [u8], Denial> {
    let api_key = head.single("x-api-key");
    if api_key == Single::Repeated {
        return Err(Denial::RepeatedCredential);
    }
    match (Authorization::read(head)?, api_key) {
        (Authorization::Bearer(key), _) => Ok(key),
        (Authorization::Absent, Single::Value(key @ [_, ..])) => Ok(key),
        (Authorization::Absent, _) => Err(Denial::MissingCredentials),
        (Authorization::Basic(_) | Authorization::OtherScheme, _) => Err(Denial::UnsupportedScheme),
    }
}

/// Names the caller. Keys of one name are one caller, whose sessions outlive the change of a key.
fn principal(key: &ApiKey<'_>) -> Option<Principal> {
    let parts: &[&[u8]] = match key.unnamed() {
        Some(name) => &[name.as_bytes()],
        None => &[b"named", key.name.as_bytes()],
    };
    Principal::new(ModeName::ApiKey, key.name, parts)
}

fn key_digest(text: &str) -> Result<Digest, &'static str> {
    let text = text.trim();
    match text.strip_prefix("sha256:") {
        Some(hex) => Digest::from_hex(hex).ok_or("must have 64 hexadecimal digits after sha256:"),
        None if text.is_empty() => Err("must not be empty"),
        None if !text
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && byte != b',') =>
        {
            Err("must be printable ASCII without commas")
        }
        None => Ok(Digest::plain(text.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Peer;

    #[track_caller]
    fn check(key: &str, headers: &[(&str, &[u8])], expected: Result<(), Denial>) {
        let mut authenticator = ApiKeyAuthenticator::new(&ApiKeyMode::parse(key).unwrap());
        let head = RequestHead {
            method: b"POST",
            authority: b"",
            path: b"/",
            headers,
            peer: Peer::Unknown,
        };
        let now = UnixSeconds(1);
        let admitted = authenticator.authenticate(&head, &AccessRules::default(), now);
        assert_eq!(admitted.map(|_| ()), expected);
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
