//! The list of named keys, as it is written.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use crate::ambient::UnixSeconds;
use crate::calendar::Timestamp;
use crate::digest::Digest;
use crate::rules::AddressList;

/// The longest name of a key, in octets: it is sent with every request.
const MAX_NAME_BYTES: usize = 64;
/// The longest note, in octets.
const MAX_NOTE_BYTES: usize = 1024;

/// One key of a list, valid by its type.
#[derive(Clone, Debug)]
pub struct ApiKeyRecord {
    /// The name, which is the principal's. Keys may share one: the caller has then several.
    pub name: String,
    /// The SHA-256 digest of the key.
    pub sha256: Digest,
    /// When it was made, where that is known.
    pub created: Option<UnixSeconds>,
    /// From when on it counts no more.
    pub expires: Option<UnixSeconds>,
    /// Where it may come from, as written; from anywhere if there is none.
    pub sources: Vec<String>,
    /// What people should know of it.
    pub note: Option<String>,
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
pub fn read_api_keys(
    json: &[u8],
    mut take: impl FnMut(ApiKeyRecord) -> Result<(), &'static str>,
) -> Result<(), ApiKeysError> {
    let mut refused = None;
    let mut reader = Reader {
        take: &mut take,
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

impl ApiKeyRecord {
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

    /// Returns where the key may come from, if it may not come from anywhere.
    ///
    /// # Errors
    ///
    /// Says what sources are made of.
    pub fn addresses(&self) -> Result<Option<AddressList>, &'static str> {
        if self.sources.is_empty() {
            return Ok(None);
        }
        let problem = "sources must be addresses and networks such as 10.0.0.0/8";
        let list = AddressList::parse(&self.sources.join(","));
        list.map(Some).map_err(|_| problem)
    }
}

/// The members of an entry, not yet understood.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    sha256: String,
    created: Option<String>,
    expires: Option<String>,
    sources: Option<Vec<String>>,
    note: Option<String>,
}

impl TryFrom<Raw> for ApiKeyRecord {
    type Error = &'static str;

    fn try_from(raw: Raw) -> Result<Self, Self::Error> {
        const TIME: &str = "created and expires must be times such as 2027-01-31T08:30:00Z";
        let time = |text: Option<String>| match text {
            None => Ok(None),
            Some(text) => Timestamp::parse(&text).map(|time| Some(time.0)).ok_or(TIME),
        };
        Self::check_name(&raw.name)?;
        Self::check_note(raw.note.as_deref().unwrap_or_default())?;
        // An empty list is not the absence of a rule.
        if raw.sources.as_ref().is_some_and(Vec::is_empty) {
            return Err("sources must hold an address, or be left out");
        }
        let sha256 = Digest::from_hex(&raw.sha256);
        Ok(Self {
            name: raw.name,
            sha256: sha256.ok_or("sha256 must have 64 hexadecimal digits")?,
            created: time(raw.created)?,
            expires: time(raw.expires)?,
            sources: raw.sources.unwrap_or_default(),
            note: raw.note,
        })
    }
}

/// Reads entries one at a time, as all of them may be many.
struct Reader<'a, F> {
    take: &'a mut F,
    refused: &'a mut Option<ApiKeysError>,
}

impl<'de, F> Visitor<'de> for &mut Reader<'_, F>
where
    F: FnMut(ApiKeyRecord) -> Result<(), &'static str>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of keys")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(raw) = entries.next_element::<Raw>()? {
            number += 1;
            let taken = ApiKeyRecord::try_from(raw).and_then(|record| (self.take)(record));
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

    const DIGEST: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    fn read(json: &str) -> Result<Vec<ApiKeyRecord>, ApiKeysError> {
        let mut records = Vec::new();
        read_api_keys(json.as_bytes(), |record| {
            record.addresses()?;
            records.push(record);
            Ok(())
        })?;
        Ok(records)
    }

    #[track_caller]
    fn refused(members: &str, number: usize, said: &str) {
        let json =
            format!(r#"[{{"name":"a","sha256":"{DIGEST}"}}, {{"sha256":"{DIGEST}", {members}}}]"#);
        match read(&json) {
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
            r#" [ {{"name": "ci/runner-1", "sha256": "{DIGEST}", "note": "für CI",
                "created": "2026-11-25T10:00:00Z", "expires": "2027-01-31T08:30:00Z",
                "sources": ["10.0.0.0/8", "2001:db8::1"]}} ] "#
        );
        let records = read(&json).unwrap();
        let [record] = &records[..] else {
            panic!("{records:?}");
        };
        assert_eq!(record.name, "ci/runner-1");
        assert_eq!(record.sha256, Digest::plain(b"secret"));
        assert_eq!(record.created, Some(UnixSeconds(1_795_600_800)));
        assert_eq!(record.expires, Some(UnixSeconds(1_801_384_200)));
        assert_eq!(record.sources, ["10.0.0.0/8", "2001:db8::1"]);
        assert_eq!(record.note.as_deref(), Some("für CI"));
        assert!(read("[]").unwrap().is_empty());
    }

    #[test]
    fn a_wrong_entry_is_named_with_what_is_wrong() {
        for name in ["", "a b", "a:b", "ä", "a\\nb", &"n".repeat(65)] {
            refused(&format!(r#""name":"{name}""#), 2, "name must be");
        }
        for (members, said) in [
            (r#""expires":"tomorrow""#, "2027-01-31T08:30:00Z"),
            (r#""created":"2027-01-31""#, "2027-01-31T08:30:00Z"),
            (r#""sources":[]"#, "sources must hold"),
            (r#""sources":["10.0.0.0/8","here"]"#, "sources must be"),
            (r#""sources":[""]"#, "sources must be"),
            (r#""note":"a\u0007b""#, "note must be"),
        ] {
            refused(&format!(r#""name":"b",{members}"#), 2, said);
        }
        let error = read(r#"[{"name":"a","sha256":"2bb8"}]"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "entry 1: sha256 must have 64 hexadecimal digits"
        );
    }

    #[test]
    fn what_is_no_list_of_keys_is_named_by_its_place() {
        let entry = format!(r#"{{"name":"a","sha256":"{DIGEST}"}}"#);
        for bad in [
            "",
            "{}",
            "null",
            "[1]",
            "[{}]",
            &entry,
            &format!("[{entry}"),
            &format!("[{entry},]"),
            &format!("[{entry}] []"),
            &format!(r#"[{{"name":"a","name":"a","sha256":"{DIGEST}"}}]"#),
            &format!(r#"[{{"name":"a","key":"s3cret","sha256":"{DIGEST}"}}]"#),
            r#"[{"name":"a","sha256":1}]"#,
        ] {
            let error = read(bad).unwrap_err();
            assert!(
                matches!(error, ApiKeysError::NotAList { .. }),
                "{bad}: {error}"
            );
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
