//! A row: a provider's quirk or fault, and what comes of the flows.

use std::thread;

use portcullis_tests::Kind;
use portcullis_tests::openid_provider::{Fault, Quirks};

use super::flows::{Expect, World};

/// One provider.
pub(super) struct Row {
    rule: String,
    pub(super) quirks: Quirks,
    /// What is wrong with one of its endpoints.
    pub(super) fault: Option<(&'static str, Fault)>,
    pub(super) expect: Expect,
}

/// Makes the row of a provider that is usual but for `change`.
pub(super) fn row(rule: &str, change: impl FnOnce(&mut Quirks), expect: Expect) -> Row {
    let mut quirks = Quirks::default();
    change(&mut quirks);
    Row {
        rule: rule.to_owned(),
        quirks,
        fault: None,
        expect,
    }
}

/// Makes the row of a usual provider whose endpoint at `path` fails.
pub(super) fn failing(path: &'static str, fault: Fault, expect: Expect) -> Row {
    Row {
        fault: Some((path, fault)),
        ..row(&format!("{path} with {fault:?}"), |_| {}, expect)
    }
}

/// Goes through the flows of every row at both gateways. All rows share a provider, which has the
/// document of the first.
pub(super) fn run(rows: &[Row]) {
    let run = |kind| {
        let world = World::start(kind, &rows[0].quirks);
        rows.iter()
            .filter(|row| thread::scope(|scope| scope.spawn(|| world.run(row)).join().is_err()))
            .map(|row| format!("{kind:?}: {}", row.rule))
            .collect::<Vec<_>>()
    };
    let failed: Vec<String> = thread::scope(|scope| {
        let running = Kind::BOTH.map(|kind| scope.spawn(move || run(kind)));
        let failed = running.map(|running| running.join().unwrap());
        failed.into_iter().flatten().collect()
    });
    assert!(failed.is_empty(), "failed:\n{}", failed.join("\n"));
}
