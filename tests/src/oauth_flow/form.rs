//! URLs, forms and the one field of a page that a flow needs.

/// Encodes fields as application/x-www-form-urlencoded.
#[must_use]
pub fn encode(fields: &[(&str, &str)]) -> String {
    let pairs = fields
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Returns the first value of `name` in a query or a form; empty when absent.
#[must_use]
pub fn value(query: &str, name: &str) -> String {
    let fields = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut found = fields.filter(|(field, _)| *field == name);
    found
        .next()
        .map(|(_, value)| unescape(value))
        .unwrap_or_default()
}

/// Splits an absolute URL into its origin and the rest.
///
/// # Panics
///
/// Panics when it has no scheme.
#[must_use]
pub fn split(url: &str) -> (&str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let end = rest.find('/').unwrap_or(rest.len());
    url.split_at(scheme.len() + 3 + end)
}

/// Returns the path of a request target.
#[must_use]
pub fn path(target: &str) -> &str {
    target.split('?').next().unwrap_or(target)
}

/// Returns the value of a hidden field of a page; no value of ours needs unescaping.
///
/// # Panics
///
/// Panics when the page has no such field.
#[must_use]
pub fn hidden(page: &str, name: &str) -> String {
    let place = page
        .find(&format!("name=\"{name}\""))
        .unwrap_or_else(|| panic!("no field {name} in {page}"));
    let start = page[..place].rfind('<').unwrap();
    let end = place + page[place..].find('>').unwrap();
    let (_, value) = page[start..end].split_once("value=\"").unwrap();
    value.split('"').next().unwrap().to_owned()
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            escaped.push(char::from(octet));
        } else {
            escaped.push_str(&format!("%{octet:02X}"));
        }
    }
    escaped
}

fn unescape(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).and_then(|hex| str::from_utf8(hex).ok());
        let escaped = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        (octets, rest) = match (first, escaped) {
            (b'%', Some(octet)) => (push(octets, octet), &after[2..]),
            (b'+', _) => (push(octets, b' '), after),
            (other, _) => (push(octets, *other), after),
        };
    }
    String::from_utf8(octets).unwrap()
}

fn push(mut octets: Vec<u8>, octet: u8) -> Vec<u8> {
    octets.push(octet);
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_read_back() {
        for text in ["", "plain", "a b+c", "ü&=?%/", "%41"] {
            assert_eq!(value(&encode(&[("x", "y"), ("name", text)]), "name"), text);
        }
        assert_eq!(value("a=1&a=2", "a"), "1");
        assert_eq!(value("b=1", "a"), "");
    }

    #[test]
    fn a_url_is_split_behind_its_authority() {
        assert_eq!(split("http://a:1/b?c"), ("http://a:1", "/b?c"));
        assert_eq!(split("https://a"), ("https://a", ""));
    }

    #[test]
    fn a_hidden_field_is_found_in_any_order_of_attributes() {
        let page = r#"<form><input name="x" value="1"><input value="2" type=hidden name="y">"#;
        assert_eq!(hidden(page, "x"), "1");
        assert_eq!(hidden(page, "y"), "2");
    }
}
