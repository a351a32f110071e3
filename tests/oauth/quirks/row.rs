//! A row: a provider's quirk or fault, and what comes of the flows.

use portcullis_tests::openid_provider::{Fault, Quirks};

use super::flows::{Expect, World};
use crate::trial::{at_both, fails};

/// One provider.
pub(super) struct Row {
    pub(super) rule: String,
    pub(super) quirks: Quirks,
    /// What is wrong with one of its endpoints.
    pub(super) fault: Option<(&'static str, Fault)>,
    pub(super) expect: Expect,
    /// What the gateway is told besides; of several rows, the first counts.
    pub(super) settings: &'static [(&'static str, &'static str)],
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
        settings: &[],
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
    at_both(|kind| {
        let world = World::start(kind, &rows[0]);
        let failed = |row: &&Row| fails(&format!("{kind:?}: {}", row.rule), || world.run(row));
        rows.iter()
            .filter(failed)
            .map(|row| row.rule.clone())
            .collect()
    });
}
