//! The space that the workers of one process share, as the lease and the budget see it.

use portcullis_core::Digest;

/// A space of records under names, each replaced as a whole, and the queues of those who wait.
pub(crate) trait Store {
    /// Returns a record and what tells it from those that come after it; `None` when there is none.
    fn read(&self, name: &str) -> Option<(Vec<u8>, Stamp)>;

    /// Replaces the record that was read with `over`, or makes the first one; `false` when another
    /// was quicker.
    fn write(&self, name: &str, record: &[u8], over: Option<Stamp>) -> bool;

    /// Tells the owner of `queue` to look again.
    fn notify(&self, queue: u32);
}

/// The version of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stamp(pub(crate) u32);

/// How often to try to write what others write at the same time.
pub(crate) const MAX_TRIES: usize = 16;

/// The part of a store that belongs to filters with the same settings. Names in it are made with a
/// key that only the process knows, so that no record tells of which credential it is.
pub(crate) struct Space<S> {
    pub(crate) store: S,
    prefix: String,
    key: [u8; 32],
}

impl<S: Store> Space<S> {
    /// Opens the space of filters whose settings have the digest `settings`; the first to do so
    /// makes `fresh` its key. `None` when the store does not work.
    pub(crate) fn open(store: S, settings: &Digest, fresh: [u8; 32]) -> Option<Self> {
        let [a, b, c, d, ..] = settings.as_bytes();
        let prefix = format!("portcullis.{a:02x}{b:02x}{c:02x}{d:02x}");
        let name = format!("{prefix}.key");
        store.write(&name, &fresh, None);
        let (key, _) = store.read(&name)?;
        let key = key.try_into().ok()?;
        Some(Self { store, prefix, key })
    }

    /// Returns the digest of `name` under the key of the space.
    pub(crate) fn conceal(&self, name: &[u8]) -> Digest {
        Digest::of(&[&self.key, name])
    }

    /// Returns the name of one of `count` records of a kind. Envoy never gives the memory of a
    /// name back, so there is a fixed number of them.
    pub(crate) fn slot(&self, kind: &str, concealed: &Digest, count: u16) -> String {
        let [a, b, ..] = *concealed.as_bytes();
        let number = u16::from_be_bytes([a, b]) % count.max(1);
        format!("{}.{kind}.{number}", self.prefix)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::rc::Rc;

    /// A record and its version.
    pub(crate) struct Versioned(pub(crate) Vec<u8>, pub(crate) u32);

    /// Envoy's shared data and queues, in memory.
    #[derive(Clone, Default)]
    pub(crate) struct Memory {
        pub(crate) records: Rc<RefCell<BTreeMap<String, Versioned>>>,
        pub(crate) notified: Rc<RefCell<Vec<u32>>>,
    }

    impl Store for Memory {
        fn read(&self, name: &str) -> Option<(Vec<u8>, Stamp)> {
            let records = self.records.borrow();
            let Versioned(record, stamp) = records.get(name)?;
            Some((record.clone(), Stamp(*stamp)))
        }

        fn write(&self, name: &str, record: &[u8], over: Option<Stamp>) -> bool {
            let mut records = self.records.borrow_mut();
            let present = records.get(name).map(|Versioned(_, stamp)| Stamp(*stamp));
            let next = present.map_or(1, |Stamp(stamp)| stamp + 1);
            let right = present == over;
            if right {
                records.insert(name.to_owned(), Versioned(record.to_vec(), next));
            }
            right
        }

        fn notify(&self, queue: u32) {
            self.notified.borrow_mut().push(queue);
        }
    }

    pub(crate) fn space(memory: &Memory) -> Space<Memory> {
        let settings = Digest::plain(b"settings");
        Space::open(memory.clone(), &settings, [7; 32]).expect("a space")
    }

    #[test]
    fn the_first_to_open_a_space_makes_its_key() {
        let memory = Memory::default();
        let settings = Digest::plain(b"settings");
        let open = |fresh| Space::open(memory.clone(), &settings, fresh).expect("a space");
        let (first, second) = (open([1; 32]), open([2; 32]));
        assert!(first.conceal(b"x").matches(&second.conceal(b"x")));
        let others = Digest::plain(b"other settings");
        let other = Space::open(memory, &others, [1; 32]).expect("a space");
        assert_ne!(other.slot("k", &others, 9), first.slot("k", &others, 9));
    }

    #[test]
    fn a_key_that_is_none_closes_the_space() {
        let memory = Memory::default();
        let settings = Digest::plain(b"settings");
        drop(Space::open(memory.clone(), &settings, [1; 32]));
        for Versioned(record, _) in memory.records.borrow_mut().values_mut() {
            record.truncate(31);
        }
        assert!(Space::open(memory, &settings, [1; 32]).is_none());
    }
}
