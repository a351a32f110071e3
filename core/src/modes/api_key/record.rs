//! The list of named keys, as it is written.

use alloc::string::String;
use core::fmt;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::Value;

use crate::ambient::UnixSeconds;
use crate::calendar::Timestamp;
use crate::digest::Digest;
use crate::json::Pairs;
use crate::rules::AddressList;

/// The longest name of a key, in octets: it is sent with every request.
const MAX_NAME_BYTES: usize = 64;
/// The longest note, in octets.
const MAX_NOTE_BYTES: usize = 1024;

/// One key of a list, valid by its type.
#[derive(Clone, Debug)]
pub struct ApiKeyRecord<'a> {
    /// The name, which is the principal's. Keys may share one: the caller has then several.
    pub name: &'a str,
    /// The SHA-256 digest of the key.
    pub sha256: Digest,
    /// When it was made, where that is known.
    pub created: Option<UnixSeconds>,
    /// From when on it counts no more.
    pub expires: Option<UnixSeconds>,
    /// Where it may come from, if not from anywhere.
    pub sources: Option<AddressList>,
    /// What people should know of it.
    pub note: Option<&'a str>,
}

/// Why a list of keys was refused. Its text goes on after the name of what holds the list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ApiKeysError {
    /// It is no list of such objects; the place of the fault, counting from 1.
    NotAList {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// One entry is wrong.
    Entry {
        /// Which, counting from 1.
        number: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl fmt::Display for ApiKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAList { line, column } => write!(
                f,
                "is not a JSON list of keys, each with name and sha256, and perhaps created, \
                 expires, sources and note (line {line}, column {column})"
            ),
            Self::Entry { number, problem } => write!(f, "entry {number}: {problem}"),
        }
    }
}

impl core::error::Error for ApiKeysError {}

/// Reads a list of keys, one after the other: `take` says what is wrong with one.
///
/// # Errors
///
/// Refuses what is no list of keys, and the first key that is wrong.
pub fn read_api_keys(json: &[u8], take: &mut Take<'_>) -> Result<(), ApiKeysError> {
    let mut refused = None;
    let mut reader = Reader {
        take,
        refused: &mut refused,
    };
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let read = deserializer.deserialize_seq(&mut reader);
    let read = read.and_then(|()| deserializer.end());
    match (refused, read) {
        (Some(error), _) => Err(error),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => Err(ApiKeysError::NotAList {
            line: error.line(),
            column: error.column(),
        }),
    }
}

/// Takes one key of a list.
type Take<'a> = dyn FnMut(ApiKeyRecord<'_>) -> Result<(), &'static str> + 'a;

impl ApiKeyRecord<'_> {
    /// Tells whether `name` can be that of a key.
    ///
    /// # Errors
    ///
    /// Says what names are made of.
    pub fn check_name(name: &str) -> Result<(), &'static str> {
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@/+".contains(&byte);
        if (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(named) {
            return Ok(());
        }
        Err("name must be 1 to 64 letters, digits and . _ - @ / +")
    }

    /// Tells whether `note` can be that of a key.
    ///
    /// # Errors
    ///
    /// Says what notes are made of.
    pub fn check_note(note: &str) -> Result<(), &'static str> {
        if note.len() <= MAX_NOTE_BYTES && !note.chars().any(char::is_control) {
            return Ok(());
        }
        Err("note must be at most 1024 octets without control characters")
    }
}

impl<'a> ApiKeyRecord<'a> {
    fn read(members: &'a [(String, Value)]) -> Result<Self, &'static str> {
        let mut record = Self {
            name: "",
            sha256: Digest::from_bytes([0; 32]),
            created: None,
            expires: None,
            sources: None,
            note: None,
        };
        let mut taken = 0_u8;
        for (member, value) in members {
            let bit = record.take(member, value)?;
            if taken & bit != 0 {
                return Err("a member is there twice");
            }
            taken |= bit;
        }
        if taken & (NAME | DIGEST) != NAME | DIGEST {
            return Err("name and sha256 must be there");
        }
        Ok(record)
    }

    /// Takes one member, and returns its bit.
    fn take(&mut self, member: &str, value: &'a Value) -> Result<u8, &'static str> {
        Ok(match (member, value) {
            ("name", Value::String(name)) => {
                Self::check_name(name)?;
                self.name = name;
                NAME
            }
            ("sha256", Value::String(hex)) => {
                let digest = Digest::from_hex(hex);
                self.sha256 = digest.ok_or("sha256 must have 64 hexadecimal digits")?;
                DIGEST
            }
            ("created", Value::String(text)) => {
                self.created = Some(time(text)?);
                4
            }
            ("expires", Value::String(text)) => {
                self.expires = Some(time(text)?);
                8
            }
            // An empty list is not the absence of a rule, and refused.
            ("sources", Value::Array(items)) => {
                let list = AddressList::from_items(items.iter().map(Value::as_str));
                self.sources = Some(list.ok_or(SOURCES)?);
                16
            }
            ("note", Value::String(note)) => {
                Self::check_note(note)?;
                self.note = Some(note);
                32
            }
            _ => return Err(MEMBER),
        })
    }
}

fn time(text: &str) -> Result<UnixSeconds, &'static str> {
    let time = Timestamp::parse(text).map(|time| time.0);
    time.ok_or("created and expires must be times such as 2027-01-31T08:30:00Z")
}

const NAME: u8 = 1;
const DIGEST: u8 = 2;

const SOURCES: &str =
    "sources must be addresses and networks such as 10.0.0.0/8, at least one, or be left out";
const MEMBER: &str = "name, sha256, created, expires and note are strings and sources a list; \
    nothing else may be there";

/// Reads entries one at a time, as all of them may be many.
struct Reader<'a, 'b> {
    take: &'a mut Take<'b>,
    refused: &'a mut Option<ApiKeysError>,
}

impl<'de> Visitor<'de> for &mut Reader<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of keys")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(members) = entries.next_element_seed(Pairs)? {
            number += 1;
            let taken = ApiKeyRecord::read(&members).and_then(&mut *self.take);
            if let Err(problem) = taken {
                *self.refused = Some(ApiKeysError::Entry { number, problem });
                return Err(serde::de::Error::custom(""));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString as _;

    const HEX: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    /// Hands every key to `take`, and returns how many there were.
    fn read(json: &str, mut take: impl FnMut(ApiKeyRecord<'_>)) -> Result<usize, ApiKeysError> {
        let mut count = 0;
        read_api_keys(json.as_bytes(), &mut |record| {
            count += 1;
            take(record);
            Ok(())
        })?;
        Ok(count)
    }

    #[track_caller]
    fn refused(members: &str, number: usize, said: &str) {
        let json = format!(r#"[{{"name":"a","sha256":"{HEX}"}}, {{"sha256":"{HEX}", {members}}}]"#);
        match read(&json, |_| {}) {
            Err(error @ ApiKeysError::Entry { number: at, .. }) => {
                assert_eq!(at, number, "{error}");
                assert!(error.to_string().contains(said), "{error}");
            }
            other => panic!("{members}: {other:?}"),
        }
    }

    #[test]
    fn an_entry_is_read_whole() {
        let json = format!(
            r#" [ {{"name": "ci/runner-1", "sha256": "{HEX}", "note": "für CI",
                "created": "2026-11-25T10:00:00Z", "expires": "2027-01-31T08:30:00Z",
                "sources": ["10.0.0.0/8", "2001:db8::1"]}} ] "#
        );
        let count = read(&json, |record| {
            assert_eq!(record.name, "ci/runner-1");
            assert_eq!(record.sha256, Digest::plain(b"secret"));
            assert_eq!(record.created, Some(UnixSeconds(1_795_600_800)));
            assert_eq!(record.expires, Some(UnixSeconds(1_801_384_200)));
            let sources = AddressList::parse("10.0.0.0/8, 2001:db8::1").unwrap();
            assert_eq!(record.sources, Some(sources));
            assert_eq!(record.note, Some("für CI"));
        });
        assert_eq!(count, Ok(1));
        assert_eq!(read("[]", |_| {}), Ok(0));
    }

    #[test]
    fn a_wrong_entry_is_named_with_what_is_wrong() {
        for name in ["", "a b", "a:b", "ä", "a\\nb", &"n".repeat(65)] {
            refused(&format!(r#""name":"{name}""#), 2, "name must be");
        }
        for (members, said) in [
            (r#""expires":"tomorrow""#, "2027-01-31T08:30:00Z"),
            (r#""created":"2027-01-31""#, "2027-01-31T08:30:00Z"),
            (r#""sources":[]"#, "or be left out"),
            (r#""sources":["10.0.0.0/8","here"]"#, "sources must be"),
            (r#""sources":[""]"#, "sources must be"),
            (r#""sources":[1]"#, "sources must be"),
            (r#""note":"a\u0007b""#, "note must be"),
            (r#""note":1"#, "note are strings"),
            (r#""note":null"#, "note are strings"),
            (r#""note":"a","note":"a""#, "twice"),
            (r#""key":"s3cret""#, "nothing else may be there"),
        ] {
            refused(&format!(r#""name":"b",{members}"#), 2, said);
        }
        for (bad, said) in [
            (
                r#"[{"name":"a","sha256":"2bb8"}]"#,
                "sha256 must have 64 hexadecimal digits",
            ),
            (r#"[{"name":"a"}]"#, "name and sha256 must be there"),
            (r#"[{}]"#, "name and sha256 must be there"),
        ] {
            let error = read(bad, |_| {}).unwrap_err().to_string();
            assert_eq!(error, format!("entry 1: {said}"));
        }
    }

    #[test]
    fn what_is_no_list_of_keys_is_named_by_its_place() {
        let entry = format!(r#"{{"name":"a","sha256":"{HEX}"}}"#);
        for bad in [
            "",
            "{}",
            "null",
            "[1]",
            &entry,
            &format!("[{entry}"),
            &format!("[{entry},]"),
            &format!("[{entry}] []"),
        ] {
            let error = read(bad, |_| {}).unwrap_err();
            assert!(
                matches!(error, ApiKeysError::NotAList { .. }),
                "{bad}: {error}"
            );
        }
    }
}
