//! What the engine alone takes for a decision: `make bench-core`.
//!
//! Signatures are not part of it: the verifier says yes to all of them.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

mod cases;

use divan::{Bencher, black_box};

use crate::cases::{Case, NAMES};

fn main() {
    divan::main();
}

/// Asks less often than tokens come round again.
#[divan::bench(args = NAMES, sample_count = 100, sample_size = 10)]
fn decide(bencher: Bencher<'_, '_>, name: &str) {
    let mut case = Case::new(name);
    bencher.bench_local(|| black_box(&mut case).decide());
}
