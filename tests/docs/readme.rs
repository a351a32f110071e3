//! What the README must be.

use std::fs;

use crate::markdown::root;

#[test]
fn the_readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= 250, "{lines} lines: move something to docs/");
}

#[test]
fn every_suite_of_test_all_is_in_the_readme_with_its_time() {
    let makefile = read("Makefile");
    let mut rules = makefile.lines();
    let rule = rules.find_map(|line| line.strip_prefix("test-all:"));
    let rule = rule.expect("a rule test-all");
    let suites = rule.split('#').next().unwrap_or_default();
    let readme = read("README.md");
    let missing: Vec<&str> = suites
        .split_whitespace()
        .filter(|suite| !readme.contains(&format!("| `make {suite}` |")))
        .collect();
    assert!(missing.is_empty(), "not in README.md: {missing:?}");
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}
