//! JSON from outside, with a limit on nesting.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// The deepest nesting of arrays and objects that is read.
const MAX_DEPTH: usize = 16;

/// Parses `document`; `None` when it is not such a value or nested too deeply.
pub(crate) fn parse<T: DeserializeOwned>(document: &[u8]) -> Option<T> {
    // Most documents cannot be deep, and counting is quicker than following strings and brackets.
    let opens = document.iter().filter(|byte| matches!(byte, b'[' | b'{'));
    if opens.count() > MAX_DEPTH && !is_shallow(document) {
        return None;
    }
    // All of it is UTF-8 (RFC 8259 §8.1), the members that nobody reads included.
    let document = core::str::from_utf8(document).ok()?;
    serde_json::from_str(document).ok()
}

fn is_shallow(document: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in document {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => depth = depth.saturating_add(1),
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            (true | false, _) => {}
        }
        if depth > MAX_DEPTH {
            return false;
        }
    }
    true
}

/// Collects the members of an object in order, repeated ones too, which a map would hide.
pub(crate) struct Pairs;

impl<'de> DeserializeSeed<'de> for Pairs {
    type Value = Vec<(String, Value)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

/// Cuts the fraction off, where the rest is exact.
pub(crate) fn whole(seconds: f64) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "in range, and core has no other conversion"
    )]
    (0.0..EXACT).contains(&seconds).then_some(seconds as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn nesting_is_limited_and_brackets_in_strings_do_not_nest() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse::<Value>(nested(16).as_bytes()).is_some());
        assert!(parse::<Value>(nested(17).as_bytes()).is_none());
        assert!(
            parse::<Value>(format!("\"{}\\\"{}\"", "[".repeat(99), "{".repeat(99)).as_bytes())
                .is_some()
        );
        assert!(parse::<Value>(format!("[{}1]", "[],".repeat(99)).as_bytes()).is_some());
        assert!(parse::<Value>(b"[1] x").is_none());
    }

    #[test]
    fn members_that_nobody_reads_are_text_too() {
        #[derive(serde::Deserialize)]
        struct Nothing {}
        assert!(parse::<Nothing>(b"{\"a\":\"b\"}").is_some());
        assert!(parse::<Nothing>(b"{\"a\":\"\xff\"}").is_none());
    }
}
