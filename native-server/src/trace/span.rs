//! One span, and how OTLP writes it in JSON.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::TraceContext;

/// Who a span is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A request that came in.
    Server,
    /// A call that went out.
    Client,
}

/// Something that took time.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) context: TraceContext,
    /// The span that it is a part of, in the same trace.
    pub(crate) parent: Option<u64>,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) start: SystemTime,
    pub(crate) end: SystemTime,
    pub(crate) attributes: Vec<(&'static str, Attribute)>,
    /// Whether something is out of order on this side.
    pub(crate) failed: bool,
}

/// The value of an attribute.
#[derive(Clone, Debug)]
pub(crate) enum Attribute {
    Text(String),
    Number(u64),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u16> for Attribute {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl Span {
    /// Writes the span as OTLP has it: ids in hexadecimal, numbers of 64 bits as text.
    pub(super) fn to_json(&self) -> Value {
        let attributes = self.attributes.iter().map(|(key, value)| {
            let value = match value {
                Attribute::Text(text) => json!({ "stringValue": text }),
                Attribute::Number(number) => json!({ "intValue": number.to_string() }),
            };
            json!({ "key": key, "value": value })
        });
        let kind = match self.kind {
            Kind::Server => 2,
            Kind::Client => 3,
        };
        json!({
            "traceId": self.context.trace_id(),
            "spanId": format!("{:016x}", self.context.span),
            "parentSpanId": self.parent.map_or_else(String::new, |span| format!("{span:016x}")),
            "name": self.name,
            "kind": kind,
            "startTimeUnixNano": nanoseconds(self.start),
            "endTimeUnixNano": nanoseconds(self.end),
            "attributes": attributes.collect::<Vec<_>>(),
            "status": { "code": if self.failed { 2 } else { 0 } },
        })
    }
}

fn nanoseconds(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_string()
}
