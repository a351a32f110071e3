//! Traces: the context that requests bring along (W3C Trace Context), and spans of our own, which
//! leave by OTLP where `OTEL_EXPORTER_OTLP_ENDPOINT` says where to.

mod cause;
mod collector;
mod context;
mod export;
mod span;

pub(crate) use cause::Cause;
pub(crate) use collector::Collector;
pub(crate) use context::{Incoming, TraceContext};
pub(crate) use export::{Export, Tracer};
pub(crate) use span::{Kind, Span};
