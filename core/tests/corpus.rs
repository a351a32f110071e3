//! Runs the fuzz targets over their seeds, and over what the seeds turn into when they are cut.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "a test fails by panicking, and the targets are a crate of their own, too"
)]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

#[path = "../fuzz/src/lib.rs"]
mod targets;

use targets::{TARGETS, Target};

fn seeds(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let seeds: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    assert!(!seeds.is_empty(), "{name} has no seeds");
    seeds
}

#[track_caller]
fn try_out(target: Target, seed: &Path, data: &[u8]) {
    let outcome = catch_unwind(AssertUnwindSafe(|| target(data)));
    assert!(
        outcome.is_ok(),
        "{} as {}",
        seed.display(),
        data.escape_ascii()
    );
}

#[test]
fn every_seed_keeps_the_laws() {
    for (name, target) in TARGETS {
        for seed in seeds(name) {
            try_out(target, &seed, &fs::read(&seed).unwrap());
        }
    }
}

#[test]
fn every_seed_keeps_the_laws_wherever_it_is_cut() {
    for (name, target) in TARGETS {
        for seed in seeds(name) {
            let data = fs::read(&seed).unwrap();
            // Long ones at a few places only: each cut is a whole conversation.
            let step = 1 + data.len() / 64;
            for end in (0..data.len()).step_by(step) {
                try_out(target, &seed, &data[..end]);
            }
        }
    }
}

#[test]
fn every_folder_of_seeds_has_a_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(TARGETS.iter().any(|(target, _)| *target == name), "{name}");
    }
}
