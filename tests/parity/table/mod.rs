//! A row is a request and what must come of it; a group is the rows that share settings.

mod expect;
mod pair;
mod world;

pub(crate) use expect::{
    Expect, answered, codec_refused, forwarded, forwarded_as, refused, unavailable,
};
pub(crate) use pair::Pair;
pub(crate) use world::{AUDIENCE, ISSUER, World, claims, claims_with, keys, now};

use portcullis_tests::{Request, Settings};

/// One request through both gateways.
pub(crate) struct Row {
    rule: String,
    request: Request,
    expect: Expect,
}

/// Makes a row; `rule` says what it shows.
pub(crate) fn row(rule: impl Into<String>, request: Request, expect: Expect) -> Row {
    Row {
        rule: rule.into(),
        request,
        expect,
    }
}

/// The rows that one pair of gateways answers, in order.
pub(crate) struct Group {
    pub(crate) settings: Settings,
    pub(crate) rows: Vec<Row>,
}

/// Runs every row of a group through both gateways and reports all that failed.
pub(crate) fn run(group: fn(&World) -> Group) {
    let world = World::start();
    let Group { settings, rows } = group(&world);
    let pair = Pair::start(&world, &settings);
    let failures: Vec<String> = rows
        .iter()
        .flat_map(|row| {
            let problems = pair.exchange(&row.request, &row.expect).err();
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
