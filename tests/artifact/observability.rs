//! What is said of metrics and reasons: pages, alerts and dashboard name what there is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use portcullis_core::Reason;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Returns the first cell of each row of the tables of a page, where that is one word of code.
fn first_cells(page: &str) -> Vec<&str> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| Some(row.split_once("` |")?.0))
        .collect()
}

/// Returns the text of all sources in a folder that `keep` says are wanted.
fn sources(folder: &Path, keep: &impl Fn(&str) -> Option<usize>) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all += &sources(&path, keep);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            if let Some(start) = keep(&text) {
                all += &text[start..];
            }
        }
    }
    all
}

#[test]
fn every_reason_has_its_line_on_the_page_and_no_other_has() {
    let page = read("docs/reason-codes.md");
    let lines: Vec<_> = first_cells(&page);
    let listed: BTreeSet<_> = lines.iter().copied().collect();
    assert_eq!(lines.len(), listed.len(), "a reason has two lines");
    let known: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(listed, known);
}

#[test]
fn every_reason_is_in_a_test() {
    let mut tests = String::new();
    for folder in ["core/tests", "native-server/tests", "tests"] {
        tests += &sources(&root().join(folder), &|text| {
            (!text.contains("fn every_reason_is_in_a_test")).then_some(0)
        });
    }
    for folder in ["core/src", "native-server/src"] {
        tests += &sources(&root().join(folder), &|text| text.find("#[cfg(test)]"));
    }
    let missing: Vec<_> = Reason::ALL
        .iter()
        .filter(|reason| {
            let (literal, variant) = (format!("\"{reason}\""), format!("Reason::{reason:?}"));
            !tests.contains(&literal) && !tests.contains(&variant)
        })
        .map(|reason| reason.name())
        .collect();
    assert!(missing.is_empty(), "no test names {missing:?}");
}

/// Returns the names of metrics in `text`.
fn metrics(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.split(|letter| !is_part(letter))
        .filter(|word| word.starts_with("portcullis_") || word.starts_with("process_"))
        .map(|word| {
            let parts = ["_bucket", "_sum", "_count"];
            let plain = parts.iter().find_map(|part| word.strip_suffix(part));
            plain.unwrap_or(word).to_owned()
        })
        .collect()
}

fn known_metrics() -> BTreeSet<String> {
    let native = read("native-server/src/telemetry/families.rs");
    let filter = read("filter-wasm/src/metrics.rs");
    let (filter, _) = filter.split_once("#[cfg(test)]").unwrap();
    let quoted = |text: &str| {
        let parts = text.split('"').skip(1).step_by(2);
        let names = parts.map(|part| part.split('.').next().unwrap_or_default());
        names.map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    let mut known = metrics(&quoted(&native));
    // Made of parts there.
    known.extend(metrics(&quoted(filter)));
    known
}

#[test]
fn the_page_alerts_and_dashboard_name_metrics_that_exist() {
    let known = known_metrics();
    let page = read("docs/observability.md");
    let listed: BTreeSet<_> = first_cells(&page)
        .into_iter()
        .filter(|cell| cell.starts_with("portcullis_") || cell.starts_with("process_"))
        .map(str::to_owned)
        .collect();
    assert_eq!(listed, known);
    for path in [
        "deploy/prometheus/alerts.yaml",
        "deploy/grafana/portcullis.json",
    ] {
        let unknown: Vec<_> = metrics(&read(path)).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{path}: {unknown:?}");
    }
}

#[test]
fn every_alert_has_a_runbook_in_the_docs() {
    let page = read("docs/observability.md");
    let alerts = read("deploy/prometheus/alerts.yaml");
    let names = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    let names: Vec<_> = names.collect();
    assert!(!names.is_empty());
    for name in names {
        assert!(page.contains(&format!("\n### {name}\n")), "{name}");
        let link = format!("docs/observability.md#{}", name.to_lowercase());
        assert!(alerts.contains(&link), "{link}");
    }
}

fn promtool(arguments: &[&str], input: Option<&str>) -> String {
    let tools = root().join("scripts/tools.py");
    let found = Command::new("python3")
        .arg(tools)
        .args(["debian", "prometheus", "promtool"])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(found.status.success(), "promtool cannot be had");
    let path = String::from_utf8(found.stdout).unwrap();
    let mut child = Command::new(path.trim())
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, input.unwrap_or("").as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
    said
}

#[test]
fn alerts_are_rules_that_fire_when_they_should() {
    promtool(&["check", "rules", "deploy/prometheus/alerts.yaml"], None);
    promtool(
        &["test", "rules", "deploy/prometheus/alerts_test.yaml"],
        None,
    );
}

#[test]
fn queries_of_the_dashboard_can_be_parsed() {
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana/portcullis.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let queries = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut rules = String::from("groups:\n- name: dashboard\n  rules:\n");
    for (number, query) in queries.enumerate() {
        let query = query["expr"].as_str().unwrap();
        let query = query
            .replace("$__rate_interval", "5m")
            .replace("$job", ".*");
        assert!(!query.contains('$'), "{query}");
        let query = Value::from(query);
        rules += &format!("  - record: query:{number}\n    expr: {query}\n");
    }
    let path = std::env::temp_dir().join(format!("portcullis-queries-{}.yaml", std::process::id()));
    fs::write(&path, rules).unwrap();
    promtool(&["check", "rules", path.to_str().unwrap()], None);
    fs::remove_file(path).unwrap();
}
