//! Which trace a request is a part of (W3C Trace Context, level 1). Spans are Envoy's business.

use portcullis_core::{RequestHead, TraceState};

/// What a call carries on of the trace of its cause.
pub(crate) type TraceFields = Vec<(&'static str, Vec<u8>)>;

/// Returns the id of the trace.
pub(crate) fn id(head: &RequestHead<'_>) -> Option<String> {
    parent(head).map(|parent| parent.chars().skip(3).take(32).collect())
}

/// Returns the fields that a call for the request carries on; none where it is a part of no trace,
/// or what it says of one is malformed.
pub(crate) fn fields(head: &RequestHead<'_>) -> TraceFields {
    let Some(parent) = parent(head) else {
        return Vec::new();
    };
    let mut fields = vec![("traceparent", parent.as_bytes().to_vec())];
    if let Some(state) = TraceState::of(head.values("tracestate")) {
        fields.push(("tracestate", state.as_str().as_bytes().to_vec()));
    }
    fields
}

/// Returns `traceparent` if it is there once and well-formed (§3.2.2).
fn parent<'a>(head: &RequestHead<'a>) -> Option<&'a str> {
    let mut values = head.values("traceparent");
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let text = std::str::from_utf8(value).ok()?;
    let mut parts = text.split('-');
    let [version, trace, span, flags] = [(); 4].map(|()| parts.next().unwrap_or_default());
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let sized = |part: &str, length| part.len() == length && part.bytes().all(hex);
    let named = |part: &str| part.bytes().any(|byte| byte != b'0');
    // Later versions may have more parts (§3.2.3).
    let versioned =
        sized(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    let whole = sized(trace, 32) && sized(span, 16) && sized(flags, 2);
    (versioned && whole && named(trace) && named(span)).then_some(text)
}

#[cfg(test)]
mod tests {
    use portcullis_core::Peer;

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn check(lines: &[(&str, &str)], expected: &[(&str, &str)]) {
        let headers: Vec<(&str, &[u8])> = lines
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        let head = RequestHead {
            method: b"",
            authority: b"",
            path: b"",
            headers: &headers,
            peer: Peer::Unknown,
        };
        let found = fields(&head);
        let found: Vec<(&str, &[u8])> = found
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        let expected: Vec<(&str, &[u8])> = expected
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        assert_eq!(found, expected, "{lines:?}");
        assert_eq!(id(&head).is_some(), !expected.is_empty());
    }

    #[test]
    fn a_whole_context_is_passed_on_and_no_other() {
        let parent = ("traceparent", PARENT);
        check(&[parent], &[parent]);
        check(
            &[parent, ("tracestate", "a=1"), ("tracestate", "b=2")],
            &[parent, ("tracestate", "a=1,b=2")],
        );
        let later = PARENT.replacen("00-", "01-", 1) + "-more";
        check(&[("traceparent", &later)], &[("traceparent", &later)]);
        let long = "k=".to_owned() + &"v".repeat(512);
        check(&[parent, ("tracestate", &long)], &[parent]);
        check(&[("tracestate", "a=1")], &[]);
        check(&[parent, parent], &[]);
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473\r-00f067aa0ba902b7-01",
        ] {
            check(&[("traceparent", bad)], &[]);
        }
    }
}
