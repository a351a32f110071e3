//! What clients are told, and the page that explains it.

use std::fs;

use crate::markdown::root;

/// Where the texts are.
const SOURCE: &str = "core/src/denial.rs";
const PAGE: &str = "docs/troubleshooting.md";
const BEGINNINGS: [&str; 6] = [
    "Unauthorized: ",
    "Forbidden: ",
    "Misdirected request: ",
    "Too many requests: ",
    "Service unavailable: ",
    "Session not found",
];

#[test]
fn every_text_that_clients_are_told_is_explained() {
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let source = fs::read_to_string(root().join(SOURCE)).unwrap();
    let texts = texts(&source);
    assert!(texts.len() > 25, "only {texts:?} were found");
    let missing: Vec<&String> = texts.iter().filter(|text| !page.contains(*text)).collect();
    assert!(missing.is_empty(), "not in {PAGE}: {missing:#?}");
}

/// Returns the first lines of the texts in a piece of source.
fn texts(source: &str) -> Vec<String> {
    let literals = BEGINNINGS.iter().flat_map(|beginning| {
        let opening = format!("\"{beginning}");
        let starts = source.match_indices(&opening);
        let starts: Vec<usize> = starts.map(|(at, _)| at + 1).collect();
        starts.into_iter().map(|at| &source[at..])
    });
    literals.map(text).collect()
}

/// Reads a string literal up to its end, or to the end of the line that it means.
fn text(literal: &str) -> String {
    let end = literal.find('"').unwrap_or(literal.len());
    let mut text = String::new();
    for line in literal[..end].split("\\\n") {
        text.push_str(line.trim_start());
    }
    let first = text.split("\\n").next().unwrap_or_default();
    first.trim_end().to_owned()
}

#[test]
fn texts_are_read_from_source() {
    let source = "x \"Unauthorized: a \\\n   b\" y \"Forbidden: c:\\n  d\" \"Other: e\"";
    assert_eq!(texts(source), ["Unauthorized: a b", "Forbidden: c:"]);
}
