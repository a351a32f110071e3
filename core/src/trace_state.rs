//! What tracing systems say to each other of a trace (W3C Trace Context §3.3).

use alloc::string::String;
use alloc::vec::Vec;

/// The field `tracestate`, as it is passed on to calls: at most 512 octets of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TraceState(String);

/// So much is passed on at least, by everybody (§3.3.1.5); here it is the most, too.
const MAX_BYTES: usize = 512;
/// Longer entries go first.
const MAX_ENTRY_BYTES: usize = 128;
const MAX_ENTRIES: usize = 32;

impl TraceState {
    /// Joins the lines of the field. Where they are too long, entries that are long by themselves
    /// are left out, then those at the end. `None` where nothing is left, and where a part cannot
    /// be read: then all of it is to be dropped.
    #[must_use]
    pub fn of<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let mut entries = Vec::new();
        for line in lines {
            for entry in core::str::from_utf8(line).ok()?.split(',') {
                let entry = entry.trim_matches([' ', '\t']);
                if entry.is_empty() {
                    continue;
                }
                if !is_proper(entry) || entries.len() == MAX_ENTRIES {
                    return None;
                }
                entries.push(entry);
            }
        }
        if length(&entries) > MAX_BYTES {
            entries.retain(|entry| entry.len() <= MAX_ENTRY_BYTES);
        }
        while length(&entries) > MAX_BYTES {
            entries.pop();
        }
        (!entries.is_empty()).then(|| Self(entries.join(",")))
    }

    /// Returns the value of the field.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns how long the entries are with the commas between them.
fn length(entries: &[&str]) -> usize {
    let own: usize = entries.iter().map(|entry| entry.len()).sum();
    own + entries.len().saturating_sub(1)
}

/// Tells whether an entry is a key and a value in visible ASCII and blanks; which characters a key
/// may have is between those who write and read it.
fn is_proper(entry: &str) -> bool {
    let visible = entry.bytes().all(|octet| matches!(octet, b' '..=b'~'));
    visible
        && entry
            .split_once('=')
            .is_some_and(|(key, _)| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[track_caller]
    fn check(lines: &[&str], expected: Option<&str>) {
        let state = TraceState::of(lines.iter().map(|line| line.as_bytes()));
        let state = state.as_ref().map(TraceState::as_str);
        assert_eq!(state, expected, "{lines:?}");
    }

    #[test]
    fn lines_are_one_list() {
        check(&["a=1"], Some("a=1"));
        check(&["a=1, b=2 ", "", "c@d=3=4"], Some("a=1,b=2,c@d=3=4"));
        check(&[], None);
        check(&["", " ,"], None);
    }

    #[test]
    fn what_cannot_be_read_is_dropped_whole() {
        for bad in ["a", "=1", "a=1,b", "a=\u{fc}", "a=\t1", "a=1\r"] {
            check(&[bad], None);
        }
        let entry = |number| format!("k{number}=v");
        let list = |count| (0..count).map(entry).collect::<Vec<_>>().join(",");
        check(&[&list(32)], Some(&list(32)));
        check(&[&list(33)], None);
    }

    #[test]
    fn what_is_too_long_loses_long_entries_and_then_the_last() {
        let entry = |key: &str, length: usize| format!("{key}={}", "v".repeat(length - 2));
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|key| entry(key, 127));
        let all = [a.as_str(), &b, &c, &d].join(",");
        assert_eq!(all.len(), 511);
        check(&[&all], Some(&all));
        check(&[&all, "e=1"], Some(&all));
        check(&["e=1", &all], Some(&format!("e=1,{a},{b},{c}")));
        check(&[&entry("l", 129), &all], Some(&all));
        check(&[&entry("l", 512)], Some(&entry("l", 512)));
        check(&[&entry("l", 513)], None);
    }
}
