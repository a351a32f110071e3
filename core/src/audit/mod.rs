//! One record for each decision: who asked what, what became of it, and why.

mod record;
mod share;

pub use record::{AuditRecord, Basis, plain_path};
pub use share::AuditShare;
