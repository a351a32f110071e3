//! A row is a request and what must come of it; a group is the rows that share settings.

mod expect;
mod mask;
mod observed;
mod world;

pub(crate) use expect::{
    Expect, answered, codec_refused, forwarded, forwarded_as, probed, refused, unavailable,
};
pub(crate) use observed::Observed;
pub(crate) use world::{AUDIENCE, ISSUER, World, claims, claims_with, keys};

pub(crate) use portcullis_tests::signing::now;
use portcullis_tests::{Request, Settings};

/// One request, and what must come of it.
pub(crate) struct Row {
    pub(crate) rule: String,
    pub(crate) request: Request,
    pub(crate) wanted: Wanted,
}

/// What must come of a request at the two gateways.
pub(crate) enum Wanted {
    /// The same at both, compared byte for byte.
    Alike(Expect),
    /// What their HTTP libraries make of bytes on which they differ, before there is a request.
    Apart { envoy: Expect, native: Expect },
}

/// Makes a row; `rule` says what it shows.
pub(crate) fn row(rule: impl Into<String>, request: Request, expect: Expect) -> Row {
    Row {
        rule: rule.into(),
        request,
        wanted: Wanted::Alike(expect),
    }
}

/// Makes a row on which the HTTP libraries below the gateways differ; `rule` says why that does
/// no harm.
pub(crate) fn row_apart(
    rule: impl Into<String>,
    request: Request,
    envoy: Expect,
    native: Expect,
) -> Row {
    Row {
        rule: rule.into(),
        request,
        wanted: Wanted::Apart { envoy, native },
    }
}

/// The rows that one pair of gateways answers, in order.
pub(crate) struct Group {
    pub(crate) settings: Settings,
    pub(crate) rows: Vec<Row>,
}
