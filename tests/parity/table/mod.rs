//! A row is a request and what must come of it; a group is the rows that share settings.

mod expect;
mod mask;
mod pair;
mod world;

pub(crate) use expect::{
    Expect, answered, codec_refused, forwarded, forwarded_as, probed, refused, unavailable,
};
pub(crate) use pair::Pair;
pub(crate) use world::{AUDIENCE, ISSUER, World, claims, claims_with, keys};

pub(crate) use portcullis_tests::signing::now;
use portcullis_tests::{Protocol, Request, Settings};

/// One request through both gateways.
pub(crate) struct Row {
    rule: String,
    request: Request,
    wanted: Wanted,
}

/// What must come of a request at the two gateways.
enum Wanted {
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

/// Runs every row of a group through both gateways and reports all that failed.
pub(crate) fn run(group: fn(&World) -> Group, protocol: Protocol) {
    let world = World::start();
    let Group { settings, rows } = group(&world);
    let pair = Pair::start_for(&world, &settings, protocol);
    let failures: Vec<String> = rows
        .iter()
        .flat_map(|row| {
            let problems = match &row.wanted {
                Wanted::Alike(expect) => pair.exchange(&row.request, expect).err(),
                Wanted::Apart { envoy, native } => {
                    pair.exchange_apart(&row.request, [envoy, native]).err()
                }
            };
            problems.map(|problems| {
                format!(
                    "* {}\n  {:?}\n  {}",
                    row.rule,
                    row.request,
                    problems.join("\n  ")
                )
            })
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} rows failed:\n{}",
        failures.len(),
        rows.len(),
        failures.join("\n")
    );
}

/// Counts the rows of groups without running them.
pub(crate) fn count(groups: &[fn(&World) -> Group]) -> usize {
    let world = World::start();
    groups.iter().map(|group| group(&world).rows.len()).sum()
}
