//! Renders installs, and reads what came.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::tools;

/// The protected resource of every install, as clusters name it.
pub(crate) const UPSTREAM: &str = "http://mcp.tools.svc.cluster.local:8000";

pub(crate) const STATE_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
pub(crate) const API_KEY: &str = "0123456789abcdef0123456789abcdef";

/// The settings of each mode.
pub(crate) const MODES: [(&str, &[(&str, &str)]); 6] = [
    ("none", &[("ZSCALER_MCP_AUTH_MODE", "none")]),
    ("api-key", &[("ZSCALER_MCP_AUTH_MODE", "api-key")]),
    (
        "jwt",
        &[
            ("ZSCALER_MCP_AUTH_JWKS_URI", "https://idp.example.com/jwks"),
            ("ZSCALER_MCP_AUTH_ISSUER", "https://idp.example.com/"),
            ("ZSCALER_MCP_AUTH_AUDIENCE", "mcp"),
        ],
    ),
    (
        "oidc",
        &[
            (
                "OIDCPROXY_CONFIG_URL",
                "https://idp.example.com/.well-known/openid-configuration",
            ),
            ("OIDCPROXY_BASE_URL", "https://mcp.example.com/mcp"),
        ],
    ),
    (
        "oidcproxy",
        &[
            ("ZSCALER_MCP_AUTH_MODE", "oidcproxy"),
            (
                "OIDCPROXY_CONFIG_URL",
                "https://idp.example.com/.well-known/openid-configuration",
            ),
            ("OIDCPROXY_BASE_URL", "https://mcp.example.com/mcp"),
            ("OIDCPROXY_CLIENT_ID", "portcullis"),
            ("OIDCPROXY_CLIENT_SECRET", "the client's own secret"),
        ],
    ),
    ("zscaler", &[("ZSCALER_VANITY_DOMAIN", "acme")]),
];

/// Returns the settings of a mode.
pub(crate) fn mode(name: &str) -> &'static [(&'static str, &'static str)] {
    let found = MODES.iter().find(|(mode, _)| *mode == name);
    found.unwrap().1
}

/// A folder of this test's own, removed with it.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("portcullis-install-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Returns the names of the files in it, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Runs `portcullis render` with these arguments and variables.
pub(crate) fn render(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = tools::portcullis();
    command.arg("render").args(arguments);
    command.envs(variables.iter().copied()).output().unwrap()
}

/// Renders what must be rendered, in front of [`UPSTREAM`].
pub(crate) fn rendered(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let arguments = [arguments, &["--upstream", UPSTREAM]].concat();
    let output = render(&arguments, variables);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Reads the documents of a YAML file with a parser that is not ours.
pub(crate) fn documents(yaml: &str) -> Vec<Value> {
    const SCRIPT: &str =
        "import json, sys, yaml; json.dump(list(yaml.safe_load_all(sys.stdin)), sys.stdout)";
    let mut child = Command::new(python())
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(yaml.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{yaml}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Returns the Python that has the packages of `requirements.txt`.
pub(crate) fn python() -> PathBuf {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| tool(&["manifests"])).clone()
}

/// Returns what `scripts/tools.py` finds or installs.
pub(crate) fn tool(arguments: &[&str]) -> PathBuf {
    let mut command = Command::new(tools::root().join("scripts/tools.py"));
    let output = command.args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// Checks every manifest in `folder` as an API server would, rules in CEL included.
pub(crate) fn validate(folder: &Path) {
    let output = Command::new(python())
        .arg(validator())
        .args(["--require-cel", "-q"])
        .arg(folder)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{text}");
    assert!(text.contains(" passed, 0 failed"), "{text}");
}

/// Finds the validator, which lies beside the repository; its absence is a failure.
fn validator() -> PathBuf {
    const VARIABLE: &str = "VALIDATE_MANIFESTS";
    let beside = || tools::root().join("../shared/tools/validate-manifests");
    let path = std::env::var_os(VARIABLE).map_or_else(beside, PathBuf::from);
    assert!(
        path.is_file(),
        "{} is missing: it checks manifests against the schemas of their kinds; \
         put the folder `shared` beside the repository, or name the file in {VARIABLE}",
        path.display()
    );
    path
}
