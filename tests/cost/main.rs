//! What one request costs, where that is the same on every machine.
//!
//! In the built filter: which host calls it makes, how often the host has to ask it for memory, how
//! many instructions run. A test host stands in for Envoy, for counting and for faults that no Envoy
//! makes: what the filter does is tested behind a real Envoy. `table.rs` holds the figures.
//!
//! In the core alone: how many instructions of the processor a decision takes; see `decisions.rs`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and shows what it counted"
)]

mod arguments;
#[cfg(target_arch = "x86_64")]
mod decisions;
mod failure;
mod filter;
mod host;
mod hostcalls;
mod scenario;
mod sign_in;
mod signature;
mod table;

use crate::filter::Counts;
use crate::scenario::run;
use crate::table::{Row, TABLE};

#[test]
fn requests_cost_what_the_table_says() {
    let mut failed = false;
    for row in &TABLE {
        let counts = run(row.mode, row.scenario);
        let found = as_written(row, &counts);
        println!("{found}\n{}", by_callback(&counts));
        let calls = counts.hostcalls.iter();
        let same = calls
            .map(|(name, count)| (name.as_str(), *count))
            .eq(row.hostcalls.iter().copied())
            && counts.status == row.status
            && counts.allocations == row.allocations;
        failed |= !same || counts.instructions() > row.instructions;
    }
    assert!(
        !failed,
        "table.rs says something else than what was counted above"
    );
}

/// Writes what was counted as a row of the table.
fn as_written(row: &Row, counts: &Counts) -> String {
    let hostcalls: String = counts
        .hostcalls
        .iter()
        .map(|(name, count)| format!("            ({name:?}, {count}),\n"))
        .collect();
    let most = (counts.instructions() * 11 / 10).div_ceil(1000) * 1000;
    format!(
        "    Row {{\n        mode: {:?},\n        scenario: Scenario::{:?},\n        status: {},\n        \
         hostcalls: &[\n{hostcalls}        ],\n        allocations: {},\n        \
         instructions: {most},\n    }},",
        row.mode, row.scenario, counts.status, counts.allocations
    )
}

fn by_callback(counts: &Counts) -> String {
    let each = counts.callbacks.iter();
    let each: Vec<String> = each
        .map(|(name, taken)| format!("{name} {taken}"))
        .collect();
    format!(
        "    // {} instructions: {}",
        counts.instructions(),
        each.join(", ")
    )
}
