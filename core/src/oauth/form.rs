//! `application/x-www-form-urlencoded`, in which OAuth's parameters travel (RFC 6749 appendix B).

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The most octets that are read.
pub(crate) const MAX_OCTETS: usize = 64 * 1024;

/// The most fields that are read.
const MAX_FIELDS: usize = 64;

/// The parameters of a request, decoded.
pub(crate) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Parses the body of a request, or a query without its question mark.
    ///
    /// Where browsers would guess, this refuses: a `%` that begins no escape has no one meaning.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with a form that is too large, or is not the encoding of UTF-8 text
    /// without control characters.
    pub(crate) fn parse(octets: &[u8]) -> Result<Self, FormFault> {
        if octets.len() > MAX_OCTETS {
            return Err(FormFault::TooLarge);
        }
        let mut fields = Vec::new();
        for field in octets.split(|octet| *octet == b'&') {
            if field.is_empty() {
                continue;
            }
            if fields.len() == MAX_FIELDS {
                return Err(FormFault::TooManyFields);
            }
            let mut halves = field.splitn(2, |octet| *octet == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            fields.push((name, value));
        }
        Ok(Self { fields })
    }

    /// Parses the query of a request's path, which may have none.
    ///
    /// # Errors
    ///
    /// Those of [`Self::parse`].
    pub(crate) fn of_query(path: &[u8]) -> Result<Self, FormFault> {
        let mut halves = path.splitn(2, |octet| *octet == b'?');
        let _path = halves.next();
        Self::parse(halves.next().unwrap_or_default())
    }

    /// Parses of the query of a request's path the parameters of these names only: what a third
    /// party adds for people to read, in whatever form, is passed over.
    ///
    /// # Errors
    ///
    /// Those of [`Self::parse`].
    pub(crate) fn of_query_only(path: &[u8], names: &[&str]) -> Result<Self, FormFault> {
        let mut halves = path.splitn(2, |octet| *octet == b'?');
        let _path = halves.next();
        let query = halves.next().unwrap_or_default();
        let named = |field: &&[u8]| {
            let name = field
                .split(|octet| *octet == b'=')
                .next()
                .unwrap_or_default();
            names.iter().any(|known| known.as_bytes() == name)
        };
        let fields: Vec<&[u8]> = query.split(|octet| *octet == b'&').filter(named).collect();
        Self::parse(&fields.join(&b'&'))
    }

    /// Returns the parameter of this name. One without a value counts as absent (RFC 6749 §3.1).
    ///
    /// # Errors
    ///
    /// Fails when it occurs more than once, which the same section forbids.
    pub(crate) fn get(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self.fields.iter().filter(|(field, _)| field == name);
        let first = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            Some(_) => Err(Repeated),
            None => Ok(first.filter(|value| !value.is_empty())),
        }
    }

    /// Returns all parameters, in their order.
    pub(crate) fn into_fields(self) -> Vec<(String, String)> {
        self.fields
    }

    /// Returns every value of a parameter that may be repeated, as `resource` may (RFC 8707 §2).
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields
            .iter()
            .filter(move |(field, value)| field == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}

/// Codes, verifiers and tokens are among the values.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Form(…)")
    }
}

/// What is wrong with a form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FormFault {
    /// It has more than [`MAX_OCTETS`].
    TooLarge,
    /// It has more fields than are read.
    TooManyFields,
    /// A `%` is not followed by two hexadecimal digits.
    BadEscape,
    /// It is not UTF-8, or holds a control character.
    NotText,
}

/// A parameter that must occur once occurs more often.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Repeated;

/// Encodes parameters; all but the unreserved characters of RFC 3986 §2.3 are escaped, so that the
/// result means the same in a query, in a body and in `Set-Cookie`.
pub(crate) fn encode(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        escape(&mut out, name);
        out.push('=');
        escape(&mut out, value);
    }
    out
}

/// Appends parameters to the query of `uri`, which is kept (RFC 6749 §3.1.2 and §4.1.2); `uri` has
/// no fragment.
pub(crate) fn with_query(uri: &str, pairs: &[(&str, &str)]) -> String {
    let mut out = uri.to_owned();
    if pairs.is_empty() {
        return out;
    }
    if !uri.contains('?') {
        out.push('?');
    } else if !uri.ends_with(['?', '&']) {
        out.push('&');
    }
    out.push_str(&encode(pairs));
    out
}

fn escape(out: &mut String, text: &str) {
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(octet));
        } else {
            out.push('%');
            for digit in [octet >> 4, octet & 0xf] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or_default();
                out.push(digit.to_ascii_uppercase());
            }
        }
    }
}

fn decode(text: &[u8]) -> Result<String, FormFault> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (hex_digit(rest.next()), hex_digit(rest.next()));
                let (Some(high), Some(low)) = (high, low) else {
                    return Err(FormFault::BadEscape);
                };
                high << 4 | low
            }
            other => *other,
        });
    }
    let text = String::from_utf8(octets).map_err(|_| FormFault::NotText)?;
    if text.chars().any(char::is_control) {
        return Err(FormFault::NotText);
    }
    Ok(text)
}

fn hex_digit(octet: Option<&u8>) -> Option<u8> {
    let digit = char::from(*octet?).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString as _;
    use proptest::prelude::*;

    #[track_caller]
    fn check(octets: &[u8], expected: Result<&[(&str, &str)], FormFault>) {
        let read = Form::parse(octets).map(|form| form.fields);
        let expected = expected.map(|fields| {
            let own = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
            fields.iter().map(own).collect::<Vec<_>>()
        });
        assert_eq!(read, expected, "{}", octets.escape_ascii());
    }

    #[test]
    fn a_form_is_pairs_with_blanks_as_plus_and_the_rest_as_escapes() {
        check(b"", Ok(&[]));
        check(b"a=1&b=2", Ok(&[("a", "1"), ("b", "2")]));
        check(b"&&a=1&&", Ok(&[("a", "1")]));
        check(b"a", Ok(&[("a", "")]));
        check(b"=b", Ok(&[("", "b")]));
        check(b"a=b=c", Ok(&[("a", "b=c")]));
        check(
            b"scope=a+b%20c%2Bd&%6e=%C3%bc",
            Ok(&[("scope", "a b c+d"), ("n", "\u{fc}")]),
        );
    }

    #[test]
    fn what_has_no_one_meaning_is_refused() {
        for octets in [
            &b"a=%"[..],
            b"a=%4",
            b"a=%zz",
            b"%=1",
            b"a=100%&b",
            b"a=%+1",
        ] {
            check(octets, Err(FormFault::BadEscape));
        }
        for octets in [
            &b"a=\xff"[..],
            b"a=%ff",
            b"a=%C3",
            b"a=%00",
            b"a=%0d%0a",
            b"a=\n",
            b"%7f=1",
            b"a=%C2%85",
        ] {
            check(octets, Err(FormFault::NotText));
        }
    }

    #[test]
    fn size_and_number_of_fields_are_limited() {
        let fields = |count: usize| "a=1&".repeat(count);
        assert_eq!(
            Form::parse(fields(64).as_bytes()).unwrap().fields.len(),
            MAX_FIELDS
        );
        check(fields(65).as_bytes(), Err(FormFault::TooManyFields));
        let long = |length: usize| format!("a={}", "b".repeat(length.saturating_sub(2)));
        assert!(Form::parse(long(MAX_OCTETS).as_bytes()).is_ok());
        check(long(MAX_OCTETS + 1).as_bytes(), Err(FormFault::TooLarge));
    }

    #[test]
    fn a_parameter_occurs_once_and_without_a_value_is_absent() {
        let form = Form::parse(b"a=1&b=&c=1&c=1&d=&d=&resource=x&resource=y&e").unwrap();
        assert_eq!(form.get("a"), Ok(Some("1")));
        for absent in ["b", "e", "A", "nothing"] {
            assert_eq!(form.get(absent), Ok(None), "{absent}");
        }
        for repeated in ["c", "d", "resource"] {
            assert_eq!(form.get(repeated), Err(Repeated), "{repeated}");
        }
        assert_eq!(form.all("resource").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(form.all("b").count(), 0);
    }

    #[test]
    fn a_query_begins_at_the_first_question_mark() {
        let value = |path: &[u8]| {
            Form::of_query(path)
                .unwrap()
                .get("a")
                .unwrap()
                .map(str::to_owned)
        };
        assert_eq!(value(b"/authorize?a=1"), Some("1".to_owned()));
        assert_eq!(value(b"/authorize?a=1?2"), Some("1?2".to_owned()));
        assert_eq!(value(b"/authorize"), None);
        assert_eq!(value(b"/authorize?"), None);
    }

    #[test]
    fn parameters_are_appended_to_the_query_that_is_there() {
        let check = |uri: &str, expected: &str| {
            assert_eq!(with_query(uri, &[("a", "b c"), ("d", "&")]), expected);
        };
        check("https://h/cb", "https://h/cb?a=b%20c&d=%26");
        check("https://h/cb?", "https://h/cb?a=b%20c&d=%26");
        check("https://h/cb?x=1", "https://h/cb?x=1&a=b%20c&d=%26");
        check("https://h/cb?x=1&", "https://h/cb?x=1&a=b%20c&d=%26");
        check("app:/cb", "app:/cb?a=b%20c&d=%26");
        assert_eq!(with_query("https://h/cb", &[]), "https://h/cb");
    }

    #[test]
    fn a_form_does_not_show_its_values() {
        let form = Form::parse(b"code_verifier=secret").unwrap();
        assert!(!format!("{form:?}").contains("secret"));
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_read_back(
            pairs in prop::collection::vec(("[^\\pC]{1,8}", "[^\\pC]{0,20}"), 0..8)
        ) {
            let borrowed: Vec<_> = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            let encoded = encode(&borrowed);
            prop_assert!(encoded.bytes().all(|octet| octet.is_ascii_graphic()));
            prop_assert_eq!(Form::parse(encoded.as_bytes()).unwrap().fields, pairs);
        }

        #[test]
        fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(form) = Form::parse(&octets) {
                for (name, value) in &form.fields {
                    prop_assert!(!name.chars().chain(value.chars()).any(char::is_control));
                }
            }
        }
    }
}
