//! Which trace a request is a part of (W3C Trace Context, level 1).

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use portcullis_core::TraceState;

use super::cause::Cause;

/// The field that names trace and caller.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// A trace and a span of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TraceContext {
    pub(crate) trace: u128,
    pub(crate) span: u64,
    /// Whether the caller keeps its own span.
    pub(crate) sampled: bool,
}

/// What a request says of its trace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Incoming {
    /// Nothing.
    Absent,
    /// Something that is not to be passed on.
    Malformed,
    Valid(TraceContext),
}

impl Incoming {
    /// Reads the context of a request.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let Some(first) = headers.get(TRACEPARENT) else {
            // Without the other it means nothing.
            return if headers.contains_key(TRACESTATE) {
                Self::Malformed
            } else {
                Self::Absent
            };
        };
        let alone = headers.get_all(TRACEPARENT).iter().nth(1).is_none();
        let context = TraceContext::parse(first.as_bytes()).filter(|_| alone);
        context.map_or(Self::Malformed, Self::Valid)
    }

    /// Returns what can be passed on.
    pub(crate) const fn context(self) -> Option<TraceContext> {
        match self {
            Self::Valid(context) => Some(context),
            Self::Absent | Self::Malformed => None,
        }
    }

    /// Returns what calls are to know: `own`, where there is a span of ours, else what came, with
    /// the client's state where the trace is the client's.
    pub(crate) fn cause(self, own: Option<TraceContext>, headers: &HeaderMap) -> Option<Cause> {
        let came = self.context();
        let lines = headers.get_all(TRACESTATE).iter();
        Some(Cause {
            context: own.or(came)?,
            state: came.and_then(|_| TraceState::of(lines.map(HeaderValue::as_bytes))),
        })
    }

    /// Leaves in `headers` what the next server is to know: `own`, where there is a span of ours,
    /// else what came, unless it is malformed.
    pub(crate) fn pass_on(self, own: Option<&TraceContext>, headers: &mut HeaderMap) {
        if self == Self::Malformed {
            headers.remove(TRACEPARENT);
            headers.remove(TRACESTATE);
        }
        if let Some(own) = own.and_then(TraceContext::header) {
            headers.insert(TRACEPARENT, own);
        }
    }
}

impl TraceContext {
    /// Reads a context (§3.2.2).
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let mut parts = text.split('-');
        let [version, trace, span, flags] = [(); 4].map(|()| parts.next().unwrap_or_default());
        let version = hex(version, 2)?;
        // Later versions may have more parts (§3.2.3).
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let (trace, span) = (hex(trace, 32)?, u64::try_from(hex(span, 16)?).ok()?);
        let sampled = hex(flags, 2)? & 1 == 1;
        (trace != 0 && span != 0).then_some(Self {
            trace,
            span,
            sampled,
        })
    }

    fn header(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(self.to_string()).ok()
    }

    /// Returns the id of the trace as it is written.
    pub(crate) fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }
}

impl std::fmt::Display for TraceContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let flags = u8::from(self.sampled);
        write!(f, "00-{:032x}-{:016x}-{flags:02x}", self.trace, self.span)
    }
}

/// Reads exactly so many digits; capitals are malformed (§3.2.2).
fn hex(text: &str, digits: usize) -> Option<u128> {
    let proper = |octet: u8| matches!(octet, b'0'..=b'9' | b'a'..=b'f');
    let all = text.len() == digits && text.bytes().all(proper);
    all.then(|| u128::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_context_is_read_to_the_letter() {
        let context = TraceContext::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(context.to_string(), GOOD);
        let later = GOOD.replacen("00", "cc", 1) + "-more";
        assert_eq!(TraceContext::parse(later.as_bytes()), Some(context));
        for bad in [
            "",
            "00",
            &GOOD[..54],
            &format!("{GOOD}-more"),
            &GOOD.replacen("00", "ff", 1),
            &GOOD.to_uppercase(),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &GOOD.replace("4bf9", "+bf9"),
            &format!(" {GOOD}"),
        ] {
            assert_eq!(TraceContext::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn what_is_malformed_is_not_passed_on() {
        let passed = |fields: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, HeaderValue::from_static(value));
            }
            Incoming::of(&headers).pass_on(None, &mut headers);
            headers.len()
        };
        let good = ("traceparent", GOOD);
        assert_eq!(passed(&[good, ("tracestate", "a=b")]), 2);
        assert_eq!(passed(&[("traceparent", "x"), ("tracestate", "a=b")]), 0);
        assert_eq!(passed(&[good, good]), 0);
        assert_eq!(passed(&[("tracestate", "a=b")]), 0);
    }
}
