//! A bounded map whose entries expire.

use alloc::collections::BTreeMap;

use super::CLOCK_SLACK;
use crate::ambient::UnixSeconds;

/// A map with at most `capacity` entries; a new one pushes the oldest out. An expired entry is
/// never returned, nor is one from the future: the clock was set back since.
#[derive(Debug)]
pub(crate) struct ExpiringMap<K, V> {
    capacity: usize,
    entries: BTreeMap<K, Entry<V>>,
    /// Keys by age: entries are numbered in the order in which they came.
    ages: BTreeMap<u64, K>,
    next_age: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    since: UnixSeconds,
    expires: UnixSeconds,
    age: u64,
}

impl<V> Entry<V> {
    fn is_alive(&self, now: UnixSeconds) -> bool {
        now < self.expires && self.since <= now.plus(CLOCK_SLACK)
    }
}

impl<K: Clone + Ord, V> ExpiringMap<K, V> {
    pub(crate) const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            entries: BTreeMap::new(),
            ages: BTreeMap::new(),
            next_age: 0,
        }
    }

    /// Returns an entry inside its life.
    pub(crate) fn get(&mut self, key: &K, now: UnixSeconds) -> Option<&V> {
        if self
            .entries
            .get(key)
            .is_some_and(|entry| !entry.is_alive(now))
        {
            self.remove(key);
        }
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// Adds or replaces an entry that lives from `now` until `expires`.
    pub(crate) fn insert(&mut self, key: K, value: V, now: UnixSeconds, expires: UnixSeconds) {
        self.remove(&key);
        while self.entries.len() >= self.capacity {
            let Some((_, oldest)) = self.ages.pop_first() else {
                return;
            };
            self.entries.remove(&oldest);
        }
        let age = self.next_age;
        self.next_age = self.next_age.wrapping_add(1);
        self.ages.insert(age, key.clone());
        self.entries.insert(
            key,
            Entry {
                value,
                since: now,
                expires,
                age,
            },
        );
    }

    /// Keeps the entries for which `keep` holds.
    pub(crate) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        let ages = &mut self.ages;
        self.entries.retain(|_, entry| {
            let kept = keep(&entry.value);
            if !kept {
                ages.remove(&entry.age);
            }
            kept
        });
    }

    /// Forgets an entry.
    pub(crate) fn remove(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.ages.remove(&entry.age);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(100);

    #[test]
    fn an_entry_ends_with_its_life() {
        let mut map = ExpiringMap::new(2);
        map.insert("a", 1, NOW, UnixSeconds(101));
        assert_eq!(map.get(&"a", NOW), Some(&1));
        assert_eq!(map.get(&"a", UnixSeconds(101)), None);
        assert_eq!(
            map.get(&"a", NOW),
            None,
            "it does not come back when the clock is set back"
        );
    }

    #[test]
    fn an_entry_from_the_future_is_gone_for_good() {
        let mut map = ExpiringMap::new(2);
        map.insert("a", 1, NOW, NOW.plus(10));
        let slack = UnixSeconds(NOW.0 - CLOCK_SLACK);
        assert_eq!(map.get(&"a", slack), Some(&1));
        assert_eq!(map.get(&"a", UnixSeconds(slack.0 - 1)), None);
        assert_eq!(map.get(&"a", NOW), None);
    }

    #[test]
    fn the_oldest_entry_makes_room() {
        let mut map = ExpiringMap::new(2);
        for key in ["a", "b", "a", "c"] {
            map.insert(key, 0, NOW, NOW.plus(1));
        }
        let present: alloc::vec::Vec<bool> = ["a", "b", "c"]
            .iter()
            .map(|key| map.get(key, NOW).is_some())
            .collect();
        assert_eq!(present, [true, false, true]);
        assert_eq!((map.entries.len(), map.ages.len()), (2, 2));
    }

    #[test]
    fn a_map_of_no_capacity_keeps_nothing() {
        let mut map = ExpiringMap::new(0);
        map.insert("a", 1, NOW, NOW.plus(1));
        assert_eq!(map.get(&"a", NOW), None);
    }

    #[test]
    fn retained_entries_and_their_ages_agree() {
        let mut map = ExpiringMap::new(9);
        for key in 0..6 {
            map.insert(key, key, NOW, NOW.plus(1));
        }
        map.retain(|value| value % 2 == 0);
        assert_eq!((map.entries.len(), map.ages.len()), (3, 3));
        assert_eq!(map.get(&1, NOW), None);
        assert_eq!(map.get(&2, NOW), Some(&2));
    }
}
