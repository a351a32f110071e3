//! The official conformance suite of MCP, as a program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs};

use serde_json::Value;

use crate::programs::tool;

/// What the suite found: for each scenario, its checks in order with their verdicts.
pub(crate) type Verdicts = BTreeMap<String, Vec<(String, String)>>;

/// The suite runs on nothing older.
const NODE_MAJOR: &str = "22";

/// One run of the suite, whose results go to a folder of their own.
pub(crate) struct Run {
    folder: PathBuf,
}

impl Run {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("portcullis-conformance-{}-{number}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    /// Makes a command of the suite, such as `server`.
    pub(crate) fn command(&self, name: &str) -> Command {
        let packages = tool(&["npm", "tests/conformance/node"]);
        let program = "node_modules/@modelcontextprotocol/conformance/dist/index.js";
        let mut command = Command::new(node());
        command
            .arg(packages.join(program))
            .args([name, "--output-dir"])
            .arg(&self.folder);
        command
    }

    /// Reads the verdicts of all that was run.
    pub(crate) fn verdicts(&self) -> Verdicts {
        let results = fs::read_dir(&self.folder).unwrap();
        results
            .map(|entry| {
                let folder = entry.unwrap().path();
                (scenario(&folder), checks(&folder.join("checks.json")))
            })
            .collect()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Returns a Node.js that the suite runs on.
pub(crate) fn node() -> PathBuf {
    tool(&["node", NODE_MAJOR])
}

/// Finds the scenario in the name of its folder: `server-SCENARIO-2026-07-28T12-00-00-000Z`.
fn scenario(folder: &Path) -> String {
    const TIME: &str = "-2026-07-28T12-00-00-000Z";
    let name = folder.file_name().unwrap().to_str().unwrap();
    name[..name.len() - TIME.len()].to_owned()
}

/// Reads the checks of a scenario; one that broke off has left none.
fn checks(path: &Path) -> Vec<(String, String)> {
    let Ok(file) = fs::read(path) else {
        return Vec::new();
    };
    let checks: Value = serde_json::from_slice(&file).unwrap();
    let text = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
    let checks = checks.as_array().unwrap().iter();
    checks
        .map(|check| (text(check, "id"), text(check, "status")))
        .collect()
}
