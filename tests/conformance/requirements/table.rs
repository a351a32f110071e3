//! The table of the requirements says what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use crate::programs::folder;

/// How many requirements there are.
const ROWS: u32 = 31;

#[test]
fn the_table_names_every_test_by_its_requirement() {
    let table = fs::read_to_string(folder("tests/conformance").join("README.md")).unwrap();
    let rows: BTreeMap<u32, BTreeSet<String>> = table.lines().filter_map(row).collect();
    let numbers: Vec<u32> = rows.keys().copied().collect();
    assert_eq!(numbers, (1..=ROWS).collect::<Vec<_>>());
    for (number, named) in rows {
        let lead = format!("r{number:02}_");
        let there: BTreeSet<String> = tests()
            .into_iter()
            .filter(|name| name.starts_with(&lead))
            .collect();
        assert_eq!(named, there, "requirement {number}");
    }
    let out_of_range = tests()
        .into_iter()
        .find(|name| number(name).is_some_and(|n| n > ROWS));
    assert_eq!(out_of_range, None);
}

#[test]
fn a_requirement_without_a_test_is_said_to_be_not_done() {
    let table = fs::read_to_string(folder("tests/conformance").join("README.md")).unwrap();
    for line in table.lines() {
        if let Some((number, named)) = row(line) {
            let not_done = line.contains("| not done |");
            assert_eq!(named.is_empty(), not_done, "requirement {number}");
        }
    }
}

/// Reads a row of the table: its number and the tests that it names.
fn row(line: &str) -> Option<(u32, BTreeSet<String>)> {
    let cells = line.strip_prefix("| ")?;
    let number = cells.split(' ').next()?.parse().ok()?;
    let code = cells.split('`').skip(1).step_by(2);
    let named = code.filter(|code| self::number(code).is_some());
    Some((number, named.map(str::to_owned).collect()))
}

/// Returns the number of a test that is named by its requirement.
fn number(name: &str) -> Option<u32> {
    let rest = name.strip_prefix('r')?;
    let (digits, _) = rest.split_once('_')?;
    (digits.len() == 2).then(|| digits.parse().ok())?
}

/// Lists the tests of this program, without their modules.
fn tests() -> Vec<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command
        .args(["--list", "--format", "terse"])
        .output()
        .unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let names = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"));
    let bare = names.filter_map(|name| name.rsplit("::").next());
    bare.map(str::to_owned).collect()
}
