//! A bounded map whose entries expire.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::CLOCK_SLACK;
use crate::ambient::UnixSeconds;
use crate::digest::{Digest, Fingerprint};

/// A map with at most `capacity` entries; a new one pushes the oldest out. An expired entry is
/// never returned, nor is one from the future: the clock was set back since.
///
/// Ten thousand entries are not many, so each is kept small: they lie in a ring in the order in
/// which they came, and an index over a part of their keys says where.
#[derive(Debug)]
pub(crate) struct ExpiringMap<K, V> {
    capacity: usize,
    /// Where an entry is, by the start of its key. Of two keys that start alike, the later counts.
    places: BTreeMap<u64, u32>,
    /// The ring, in pieces, so that it grows without being copied.
    pieces: Vec<Vec<Entry<K, V>>>,
    /// The place of the next entry.
    next: u32,
}

/// What entries are known by.
pub(crate) trait Key: Copy + Eq {
    /// Returns the start of it, which is as good as random.
    fn start(&self) -> u64;
}

impl Key for Digest {
    fn start(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = *self.as_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

impl Key for Fingerprint {
    fn start(&self) -> u64 {
        self.halves()[0]
    }
}

const PIECE: usize = 64;

#[derive(Debug)]
struct Entry<K, V> {
    key: K,
    /// `None` when the entry was removed before its turn.
    value: Option<V>,
    since: UnixSeconds,
    expires: UnixSeconds,
}

impl<K, V> Entry<K, V> {
    fn is_alive(&self, now: UnixSeconds) -> bool {
        now < self.expires && self.since <= now.plus(CLOCK_SLACK)
    }
}

impl<K: Key, V> ExpiringMap<K, V> {
    pub(crate) const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            places: BTreeMap::new(),
            pieces: Vec::new(),
            next: 0,
        }
    }

    /// Returns how many entries there are, those included whose life has ended unnoticed.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns an entry inside its life.
    pub(crate) fn get(&mut self, key: &K, now: UnixSeconds) -> Option<&V> {
        let place = *self.places.get(&key.start())?;
        let entry = self.entry(place)?;
        if entry.key != *key {
            return None;
        }
        if !entry.is_alive(now) {
            self.remove(key);
            return None;
        }
        self.entry(place)?.value.as_ref()
    }

    /// Adds an entry that lives from `now` until `expires`, or replaces one where it is.
    pub(crate) fn insert(&mut self, key: K, value: V, now: UnixSeconds, expires: UnixSeconds) {
        if self.capacity == 0 {
            return;
        }
        let entry = Entry {
            key,
            value: Some(value),
            since: now,
            expires,
        };
        let known = self.places.get(&key.start()).copied();
        let place = known.unwrap_or_else(|| self.take_place());
        if let Some(old) = self.entry(place) {
            let start = old.key.start();
            if old.value.is_some() {
                self.places.remove(&start);
            }
        }
        if self.put(place, entry) {
            self.places.insert(key.start(), place);
        }
    }

    /// Keeps the entries for which `keep` holds.
    pub(crate) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        for entry in self.pieces.iter_mut().flatten() {
            if entry.value.as_ref().is_some_and(|value| !keep(value)) {
                entry.value = None;
                self.places.remove(&entry.key.start());
            }
        }
    }

    /// Forgets an entry.
    pub(crate) fn remove(&mut self, key: &K) {
        let place = self.places.get(&key.start()).copied();
        if let Some(entry) = place.and_then(|place| self.entry(place))
            && entry.key == *key
        {
            entry.value = None;
            self.places.remove(&key.start());
        }
    }

    /// Returns the place of the next entry, and goes on to the one after it.
    fn take_place(&mut self) -> u32 {
        let place = self.next;
        let after = place.saturating_add(1);
        let full = usize::try_from(after).map_or(true, |after| after >= self.capacity);
        self.next = if full { 0 } else { after };
        place
    }

    fn entry(&mut self, place: u32) -> Option<&mut Entry<K, V>> {
        let (piece, offset) = split(place);
        self.pieces.get_mut(piece)?.get_mut(offset)
    }

    /// Puts an entry in the place of another, or at the end.
    fn put(&mut self, place: u32, entry: Entry<K, V>) -> bool {
        if let Some(old) = self.entry(place) {
            *old = entry;
            return true;
        }
        let (piece, offset) = split(place);
        if offset == 0 && piece == self.pieces.len() {
            self.pieces
                .push(Vec::with_capacity(PIECE.min(self.capacity)));
        }
        match self.pieces.get_mut(piece) {
            Some(piece) if piece.len() == offset => {
                piece.push(entry);
                true
            }
            Some(_) | None => false,
        }
    }
}

fn split(place: u32) -> (usize, usize) {
    let place = usize::try_from(place).unwrap_or(usize::MAX);
    (place / PIECE, place % PIECE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(100);

    fn key(name: u32) -> Digest {
        Digest::plain(&name.to_be_bytes())
    }

    /// Counts the entries that are there, in both structures.
    fn counts<V>(map: &ExpiringMap<Digest, V>) -> (usize, usize) {
        let entries = map.pieces.iter().flatten();
        let filled = entries.filter(|entry| entry.value.is_some()).count();
        (filled, map.places.len())
    }

    #[test]
    fn an_entry_ends_with_its_life() {
        let mut map = ExpiringMap::new(2);
        map.insert(key(1), 1, NOW, UnixSeconds(101));
        assert_eq!(map.get(&key(1), NOW), Some(&1));
        assert_eq!(map.get(&key(1), UnixSeconds(101)), None);
        assert_eq!(
            map.get(&key(1), NOW),
            None,
            "it does not come back when the clock is set back"
        );
    }

    #[test]
    fn an_entry_from_the_future_is_gone_for_good() {
        let mut map = ExpiringMap::new(2);
        map.insert(key(1), 1, NOW, NOW.plus(10));
        let slack = UnixSeconds(NOW.0 - CLOCK_SLACK);
        assert_eq!(map.get(&key(1), slack), Some(&1));
        assert_eq!(map.get(&key(1), UnixSeconds(slack.0 - 1)), None);
        assert_eq!(map.get(&key(1), NOW), None);
    }

    #[test]
    fn the_oldest_entry_makes_room() {
        let mut map = ExpiringMap::new(3);
        for name in [1, 2, 3, 2, 4] {
            map.insert(key(name), name, NOW, NOW.plus(1));
        }
        let present: Vec<bool> = (1..5)
            .map(|name| map.get(&key(name), NOW).is_some())
            .collect();
        assert_eq!(present, [false, true, true, true]);
        assert_eq!(counts(&map), (3, 3));
    }

    #[test]
    fn a_ring_of_any_size_holds_the_latest_entries() {
        for capacity in [1, 2, 63, 64, 65, 128, 200] {
            let mut map = ExpiringMap::new(capacity);
            for name in 0..500_u32 {
                map.insert(key(name), name, NOW, NOW.plus(1));
                let oldest = name.saturating_sub(u32::try_from(capacity).unwrap() - 1);
                assert_eq!(map.get(&key(name), NOW), Some(&name));
                assert_eq!(map.get(&key(oldest), NOW), Some(&oldest));
                let before = oldest.checked_sub(1);
                assert!(before.is_none_or(|name| map.get(&key(name), NOW).is_none()));
            }
            assert_eq!(counts(&map), (capacity, capacity));
        }
    }

    #[test]
    fn keys_that_start_alike_are_not_taken_for_each_other() {
        let like = |last: u8| {
            let mut octets = [7; 32];
            octets[31] = last;
            Digest::from_bytes(octets)
        };
        let mut map = ExpiringMap::new(9);
        map.insert(like(1), 1, NOW, NOW.plus(1));
        assert_eq!(map.get(&like(2), NOW), None);
        map.remove(&like(2));
        assert_eq!(map.get(&like(1), NOW), Some(&1));
        map.insert(like(2), 2, NOW, NOW.plus(1));
        assert_eq!(map.get(&like(1), NOW), None);
        assert_eq!(map.get(&like(2), NOW), Some(&2));
        assert_eq!(counts(&map), (1, 1));
    }

    #[test]
    fn a_map_of_no_capacity_keeps_nothing() {
        let mut map = ExpiringMap::new(0);
        map.insert(key(1), 1, NOW, NOW.plus(1));
        assert_eq!(map.get(&key(1), NOW), None);
    }

    #[test]
    fn what_is_removed_leaves_the_rest_in_order() {
        let mut map = ExpiringMap::new(6);
        for name in 0..6 {
            map.insert(key(name), name, NOW, NOW.plus(1));
        }
        map.retain(|value| value % 2 == 0);
        map.remove(&key(4));
        assert_eq!(counts(&map), (2, 2));
        for name in 6..11 {
            map.insert(key(name), name, NOW, NOW.plus(1));
        }
        assert_eq!(map.get(&key(2), NOW), None, "its turn has come");
        assert_eq!(counts(&map), (5, 5));
    }
}
