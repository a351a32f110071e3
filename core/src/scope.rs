//! Scopes: words that blanks part (RFC 6749 §3.3).

use alloc::string::String;

/// Tells whether `scope` has all of `required`.
pub(crate) fn has_all(scope: Option<&str>, required: &[String]) -> bool {
    let has = |wanted: &String| {
        let mut granted = scope.unwrap_or_default().split(' ');
        granted.any(|granted| granted == wanted)
    };
    required.iter().all(has)
}

/// Tells whether `text` is one word of a scope.
pub(crate) fn is_scope(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    !text.is_empty() && text.bytes().all(allowed)
}
