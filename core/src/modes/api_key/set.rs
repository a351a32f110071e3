//! The keys that count, found by their digests.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::record::{ApiKeysError, read_api_keys};
use crate::ambient::UnixSeconds;
use crate::digest::Digest;
use crate::rules::AddressList;

/// Some 100 MB.
const MAX_KEYS: usize = 1_000_000;

/// What the name of the one key of a setting begins with, as no name of a list does.
const UNNAMED: &str = "api-key:";

/// Any number of keys, known by their digests only.
///
/// A key is found by the leading bits of its digest, in a table that is at most half full: with a
/// hundred thousand keys that takes what it takes with one. How long it takes tells of those bits
/// only, which nobody can choose without a guess at the key, and not of the key; the whole digests
/// are compared in constant time.
#[derive(Default)]
pub(super) struct ApiKeys {
    entries: Vec<Entry>,
    /// The names, one after the other.
    names: String,
    /// The lists of addresses.
    sources: Vec<AddressList>,
    /// Where in `entries` a digest is, counting from 1; 0 where there is none. Its length is a
    /// power of two.
    table: Vec<u32>,
}

struct Entry {
    digest: Digest,
    expires: Option<UnixSeconds>,
    name: (u32, u32),
    sources: Option<u32>,
}

/// One of the keys.
#[derive(Clone, Copy)]
pub(crate) struct ApiKey<'a> {
    /// Its place among the keys.
    pub(super) index: usize,
    pub(super) name: &'a str,
    pub(super) expires: Option<UnixSeconds>,
    pub(super) sources: Option<&'a AddressList>,
}

impl ApiKey<'_> {
    /// Returns the name that is no name, where the key has none.
    pub(super) fn unnamed(&self) -> Option<&str> {
        self.name.strip_prefix(UNNAMED)
    }
}

impl ApiKeys {
    /// Adds a key that has no name.
    pub(super) fn add_unnamed(&mut self, digest: Digest) -> Result<(), &'static str> {
        // The name tells keys apart in the logs of the protected resource and reveals nothing.
        let of_name = Digest::of(&[b"api key principal", digest.as_bytes()]);
        let start = of_name.as_bytes().iter().take(8);
        let name: String = start.map(|byte| format!("{byte:02x}")).collect();
        self.add(&digest, &format!("{UNNAMED}{name}"), None, None)
    }

    /// Adds a list of keys.
    pub(super) fn add_list(&mut self, json: &[u8]) -> Result<(), ApiKeysError> {
        read_api_keys(json, &mut |record| {
            let sources = record.sources.map(|list| self.sources(list));
            self.add(&record.sha256, record.name, record.expires, sources)
        })?;
        self.entries.shrink_to_fit();
        self.names.shrink_to_fit();
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Finds the key with this digest.
    pub(super) fn find(&self, digest: &Digest) -> Option<ApiKey<'_>> {
        let mut slot = self.slot(digest);
        loop {
            // One slot at least is free.
            let index = self.taken(slot)?;
            let entry = self.entries.get(index)?;
            if entry.digest.matches(digest) {
                return Some(self.key(index, entry));
            }
            slot = self.next(slot);
        }
    }

    /// Returns the place of each key among those of `other`, in their order here.
    pub(super) fn places_in(&self, other: &Self) -> impl Iterator<Item = Option<usize>> {
        let entries = self.entries.iter();
        entries.map(|entry| Some(other.find(&entry.digest)?.index))
    }

    /// Returns all keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = ApiKey<'_>> {
        let entries = self.entries.iter().enumerate();
        entries.map(|(index, entry)| self.key(index, entry))
    }

    fn key(&self, index: usize, entry: &Entry) -> ApiKey<'_> {
        let at = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
        let (start, end) = entry.name;
        let sources = entry.sources.map(at);
        ApiKey {
            index,
            name: self.names.get(at(start)..at(end)).unwrap_or_default(),
            expires: entry.expires,
            sources: sources.and_then(|sources| self.sources.get(sources)),
        }
    }

    /// Keeps a list of addresses, which is often that of the key before, and returns its place.
    fn sources(&mut self, list: AddressList) -> u32 {
        if self.sources.last() != Some(&list) {
            self.sources.push(list);
        }
        // There are no more than there are keys.
        u32::try_from(self.sources.len() - 1).unwrap_or(u32::MAX)
    }

    fn add(
        &mut self,
        digest: &Digest,
        name: &str,
        expires: Option<UnixSeconds>,
        sources: Option<u32>,
    ) -> Result<(), &'static str> {
        if self.entries.len() >= MAX_KEYS {
            return Err(TOO_MANY);
        }
        if 2 * (self.entries.len() + 1) > self.table.len() {
            self.grow();
        }
        if self.find(digest).is_some() {
            return Err("the same key is there twice");
        }
        let start = u32::try_from(self.names.len()).map_err(|_| TOO_MANY)?;
        self.names.push_str(name);
        let end = u32::try_from(self.names.len()).map_err(|_| TOO_MANY)?;
        self.entries.push(Entry {
            digest: *digest,
            expires,
            name: (start, end),
            sources,
        });
        self.enter(self.entries.len(), digest);
        Ok(())
    }

    fn grow(&mut self) {
        self.table = vec![0; (2 * self.table.len()).max(4)];
        for index in 0..self.entries.len() {
            if let Some(digest) = self.entries.get(index).map(|entry| entry.digest) {
                self.enter(index + 1, &digest);
            }
        }
    }

    /// Enters the `number`th key.
    fn enter(&mut self, number: usize, digest: &Digest) {
        let mut slot = self.slot(digest);
        while self.taken(slot).is_some() {
            slot = self.next(slot);
        }
        if let Some(free) = self.table.get_mut(slot) {
            *free = u32::try_from(number).unwrap_or(0);
        }
    }

    fn slot(&self, digest: &Digest) -> usize {
        let bits = usize::try_from(digest.leading_bits()).unwrap_or(0);
        bits & self.table.len().wrapping_sub(1)
    }

    fn next(&self, slot: usize) -> usize {
        (slot + 1) & self.table.len().wrapping_sub(1)
    }

    fn taken(&self, slot: usize) -> Option<usize> {
        let number = *self.table.get(slot)?;
        usize::try_from(number).ok()?.checked_sub(1)
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeys({})", self.entries.len())
    }
}

const TOO_MANY: &str = "there are more than 1000000 keys";

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u32) -> Digest {
        Digest::plain(&number.to_be_bytes())
    }

    #[test]
    fn every_key_is_found_and_no_other() {
        let mut keys = ApiKeys::default();
        assert!(keys.find(&digest(0)).is_none());
        for number in 0..1000 {
            let name = format!("key-{number}");
            keys.add(&digest(number), &name, None, None).unwrap();
        }
        for number in 0..1000 {
            let key = keys.find(&digest(number)).unwrap();
            assert_eq!(key.name, format!("key-{number}"));
        }
        for number in 1000..2000 {
            assert!(keys.find(&digest(number)).is_none(), "{number}");
        }
        let names: Vec<_> = keys.iter().map(|key| key.name).collect();
        assert_eq!(
            (names.len(), names[0], names[999]),
            (1000, "key-0", "key-999")
        );
    }

    /// The worst case for a table: everything is in one place.
    #[test]
    fn digests_that_begin_alike_are_told_apart() {
        let alike = |last: u8| {
            let mut octets = [0xff; 32];
            octets[31] = last;
            Digest::from_bytes(octets)
        };
        let mut keys = ApiKeys::default();
        for last in 0..200 {
            keys.add(&alike(last), &format!("{last}"), None, None)
                .unwrap();
        }
        for last in 0..200 {
            assert_eq!(keys.find(&alike(last)).unwrap().name, format!("{last}"));
        }
        assert!(keys.find(&alike(200)).is_none());
        assert!(keys.add(&alike(7), "again", None, None).is_err());
    }

    #[test]
    fn the_same_addresses_in_a_row_are_kept_once() {
        let mut keys = ApiKeys::default();
        let entry = |name: u32, rest: &str| {
            let hex: String = digest(name)
                .as_bytes()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            format!(r#"{{"name":"{name}","sha256":"{hex}"{rest}}}"#)
        };
        let list = [
            entry(1, r#","sources":["10.0.0.0/8"]"#),
            entry(2, r#","sources":["10.0.0.0/8"]"#),
            entry(3, r#","sources":["192.0.2.0/24"]"#),
            entry(4, ""),
        ];
        keys.add_list(format!("[{}]", list.join(",")).as_bytes())
            .unwrap();
        assert_eq!(keys.sources.len(), 2);
        let allows = |number, address: [u8; 4]| {
            let sources = keys.find(&digest(number)).unwrap().sources;
            sources.map(|sources| sources.contains(address.into()))
        };
        assert_eq!(allows(2, [10, 1, 1, 1]), Some(true));
        assert_eq!(allows(3, [10, 1, 1, 1]), Some(false));
        assert_eq!(allows(4, [10, 1, 1, 1]), None);
    }
}
