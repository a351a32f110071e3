//! Decides requests over and over, for their instructions to be counted: what two runs differ in
//! is what so many decisions take, as all else is the same in both.
//!
//! usage: portcullis-core-cost CASE COUNT

#![expect(clippy::expect_used, clippy::panic, reason = "it fails by panicking")]

#[path = "../../benches/decision/cases.rs"]
mod cases;

use crate::cases::{Case, MOST, NAMES};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, count] = &arguments[..] else {
        panic!("usage: portcullis-core-cost CASE COUNT");
    };
    assert!(NAMES.contains(&name.as_str()), "cases are {NAMES:?}");
    let count: usize = count.parse().expect("a number");
    assert!(count < MOST, "at most {MOST}");
    let mut case = Case::new(name);
    for _ in 0..count {
        case.decide();
    }
}
