//! Decides requests over and over, for their instructions to be counted: what two runs differ in
//! is what so many decisions take, as all else is the same in both.
//!
//! usage: portcullis-core-cost CASE COUNT

#![expect(clippy::expect_used, reason = "the cases are those of the benchmark")]

#[path = "../../benches/decision/cases.rs"]
mod cases;

use crate::cases::{Case, MOST, NAMES};

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, count] = &arguments[..] else {
        return Err("usage: portcullis-core-cost CASE COUNT".into());
    };
    if !NAMES.contains(&name.as_str()) {
        return Err(format!("cases are {NAMES:?}"));
    }
    let count = count.parse().ok().filter(|count| *count < MOST);
    let count = count.ok_or_else(|| format!("COUNT is a number below {MOST}"))?;
    let mut case = Case::new(name);
    for _ in 0..count {
        case.decide();
    }
    Ok(())
}
