//! Which mode the same environment resolves to, or that the start is refused.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::programs::{folder, tool};

const ENABLED: &str = "ZSCALER_MCP_AUTH_ENABLED";
const MODE: &str = "ZSCALER_MCP_AUTH_MODE";
const KEY: &str = "ZSCALER_MCP_AUTH_API_KEY";
const JWKS: &str = "ZSCALER_MCP_AUTH_JWKS_URI";
const ISSUER: &str = "ZSCALER_MCP_AUTH_ISSUER";
const AUDIENCE: &str = "ZSCALER_MCP_AUTH_AUDIENCE";
const ALGORITHMS: &str = "ZSCALER_MCP_AUTH_ALGORITHMS";
const VANITY: &str = "ZSCALER_VANITY_DOMAIN";
const CLOUD: &str = "ZSCALER_CLOUD";
const REFUSED: &str = "refused";

/// An environment, what `zscaler-mcp` makes of it, and what we make of it.
type Row = (
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

/// A row with two different results, by the id of the difference.
type Difference = (&'static str, Row);

const URI: &str = "https://issuer.example.com/jwks";

const SAME: [Row; 17] = [
    (&[(ENABLED, "false")], "none", "none"),
    (&[(ENABLED, "No"), (MODE, "nonsense")], "none", "none"),
    (&[(ENABLED, "0"), (KEY, "k")], "none", "none"),
    (&[(ENABLED, "true"), (KEY, "k")], "api-key", "api-key"),
    (&[(ENABLED, "1"), (KEY, "k")], "api-key", "api-key"),
    (&[(MODE, "none")], "none", "none"),
    (&[(MODE, " NONE ")], "none", "none"),
    (&[(MODE, " Api-Key "), (KEY, "k")], "api-key", "api-key"),
    (&[(MODE, "apikey"), (KEY, "k")], REFUSED, REFUSED),
    (&[(MODE, "bearer"), (KEY, "k")], REFUSED, REFUSED),
    (
        &[(MODE, "zscaler"), (KEY, "k"), (VANITY, "v")],
        "zscaler",
        "zscaler",
    ),
    (&[(MODE, "zscaler")], REFUSED, REFUSED),
    (&[(MODE, "jwt")], REFUSED, REFUSED),
    (
        &[(JWKS, URI), (ISSUER, "i"), (KEY, "k"), (VANITY, "v")],
        "jwt",
        "jwt",
    ),
    (&[(KEY, "k"), (VANITY, "v")], "api-key", "api-key"),
    (&[(JWKS, "  "), (VANITY, "v")], "zscaler", "zscaler"),
    (&[(VANITY, "v"), (CLOUD, "beta")], "zscaler", "zscaler"),
];

const DIFFERENT: [Difference; 14] = [
    ("M1", (&[(ENABLED, "off"), (KEY, "k")], "api-key", REFUSED)),
    ("M1", (&[(ENABLED, ""), (KEY, "k")], "api-key", REFUSED)),
    ("M2", (&[(ENABLED, " false ")], REFUSED, "none")),
    ("M3", (&[], REFUSED, "none")),
    ("M4", (&[(MODE, "api-key")], REFUSED, "api-key")),
    ("M5", (&[(KEY, "é")], "api-key", REFUSED)),
    ("M5", (&[(KEY, "a,b")], "api-key", REFUSED)),
    ("M6", (&[(JWKS, URI)], REFUSED, "jwt")),
    (
        "M7",
        (
            &[(JWKS, URI), (ISSUER, "i"), (AUDIENCE, "")],
            "jwt",
            REFUSED,
        ),
    ),
    (
        "M8",
        (
            &[(JWKS, URI), (ISSUER, "i"), (ALGORITHMS, "RS256,XX")],
            "jwt",
            REFUSED,
        ),
    ),
    (
        "M8",
        (
            &[(JWKS, URI), (ISSUER, "i"), (ALGORITHMS, "HS256")],
            "jwt",
            REFUSED,
        ),
    ),
    (
        "M8",
        (
            &[(JWKS, URI), (ISSUER, "i"), (ALGORITHMS, "")],
            "jwt",
            REFUSED,
        ),
    ),
    ("M9", (&[(VANITY, "evil.example.com/")], "zscaler", REFUSED)),
    (
        "M9",
        (
            &[(VANITY, "v"), (CLOUD, "x.evil.example/")],
            "zscaler",
            REFUSED,
        ),
    ),
];

#[test]
fn the_same_environment_means_the_same_mode() {
    let table = std::fs::read_to_string(folder("docs").join("differences.md")).unwrap();
    for (id, (environment, theirs, ours)) in DIFFERENT {
        assert!(theirs != ours, "{environment:?}: no difference");
        assert!(table.contains(&format!("| {id} |")), "{id} is not written");
    }
    let rows: Vec<Row> = SAME
        .into_iter()
        .chain(DIFFERENT.map(|(_, row)| row))
        .collect();
    let wrong: Vec<String> = rows
        .iter()
        .zip(their_modes(&rows))
        .filter_map(|(&(environment, theirs, ours), seen)| {
            let seen = (seen, our_mode(environment));
            let fits = (seen.0.as_str(), seen.1.as_str()) == (theirs, ours);
            (!fits).then(|| format!("{environment:?}: wanted {theirs} and {ours}, seen {seen:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "(theirs, ours)\n{}", wrong.join("\n"));
}

fn their_modes(rows: &[Row]) -> Vec<String> {
    let environments: Vec<BTreeMap<_, _>> = rows
        .iter()
        .map(|(environment, ..)| environment.iter().copied().collect())
        .collect();
    let mut child = Command::new(tool(&["python"]))
        .arg(folder("tests/e2e").join("zscaler_modes.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = serde_json::to_string(&environments).unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Asks `portcullis explain`, whose first line is `mode: NAME`.
fn our_mode(environment: &[(&str, &str)]) -> String {
    let output = Command::new(crate::programs::portcullis())
        .arg("explain")
        .env_clear()
        .env(
            "PORTCULLIS_STATE_DIR",
            std::env::temp_dir().join("portcullis-tests-explain"),
        )
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    if !output.status.success() {
        return REFUSED.to_owned();
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("mode: "));
    line.unwrap().to_owned()
}
