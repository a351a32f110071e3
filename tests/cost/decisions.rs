//! What a decision takes in the core alone, in instructions of x86-64 as callgrind counts them.
//!
//! Callgrind's processor has no instructions for SHA-256 and is the same everywhere, so digests are
//! made by portable code here: that is most of what a token takes.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The most instructions of one decision by case: some ten per cent above what was counted, as
/// another compiler makes other ones. `core/benches/decision/cases.rs` has the cases.
const MOST: [(&str, u64); 8] = [
    ("none", 1_550),
    ("api-key", 6_700),
    ("api-key-of-many", 6_700),
    ("jwt", 7_200),
    ("zscaler", 14_400),
    ("jwt-new", 52_500),
    ("jwt-missing", 4_700),
    ("api-key-wrong", 8_800),
];

/// Decisions in two runs; what the runs differ in is what the difference takes.
const FEW: u64 = 20;
const MANY: u64 = 120;

#[test]
fn decisions_take_few_instructions() {
    let mut dear = Vec::new();
    for (case, most) in MOST {
        let each = (instructions(case, MANY) - instructions(case, FEW)) / (MANY - FEW);
        println!("{case}: {each} instructions, at most {most}");
        if each > most {
            dear.push((case, each, most));
        }
    }
    assert!(dear.is_empty(), "case, instructions, at most: {dear:?}");
}

/// Counts what a process takes that makes `count` decisions.
fn instructions(case: &str, count: u64) -> u64 {
    let output = callgrind()
        .arg(program())
        .args([case, &count.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    let mut lines = text.lines();
    let counted = lines.find_map(|line| line.split_once("Collected : "));
    match counted {
        Some((_, number)) if output.status.success() => number.trim().parse().unwrap(),
        _ => panic!("{case}: {text}"),
    }
}

fn callgrind() -> Command {
    let program = std::env::var_os("VALGRIND_BIN").map_or_else(|| "valgrind".into(), PathBuf::from);
    let mut command = Command::new(&program);
    // One that was only unpacked does not find its own parts.
    let parts = program
        .parent()
        .map(|folder| folder.join("../libexec/valgrind"));
    if let Some(parts) = parts.filter(|parts| parts.is_dir()) {
        command.env("VALGRIND_LIB", parts);
    }
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command
}

/// Finds the program; its absence is a failure.
fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("PORTCULLIS_CORE_COST") {
        return path.into();
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(own, PathBuf::from);
    target.join("release/portcullis-core-cost")
}
