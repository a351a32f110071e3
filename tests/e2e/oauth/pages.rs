//! The gateway's pages in a real browser, and whole sign-ins by them.

use std::process::Command;

use portcullis_tests::Kind;
use serde_json::{Value, json};

use super::install::{Install, Mode};
use super::person::{Failure, Person, Program, Seen};
use crate::programs::{folder, tool};

/// How a person looks at a page and answers it.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// In CSS pixels.
    width: u16,
    scheme: &'static str,
    by: &'static str,
    scripts: &'static str,
}

/// The narrowest page on which nobody has to scroll in two directions (WCAG 2.2 §1.4.10), a phone,
/// and a desk.
const LOOKS: [Look; 3] = [
    Look {
        width: 320,
        scheme: "light",
        by: "keys",
        scripts: "on",
    },
    Look {
        width: 390,
        scheme: "dark",
        by: "keys",
        scripts: "on",
    },
    Look {
        width: 1280,
        scheme: "light",
        by: "mouse",
        scripts: "off",
    },
];

/// What screen readers have of the consent page.
const CONSENT: [&str; 7] = [
    "heading \"Allow Portcullis e2e (Node SDK) to connect?\" [level=1]",
    "term: Access is sent to",
    "strong: 127.0.0.1:",
    "term: Server",
    "term: Permissions",
    "code: mcp:tools",
    "strong: Any program on this computer could be asking.",
];

impl Look {
    /// Returns the words by which a browser is started that sees pages so.
    fn browser(self, decision: &str) -> Vec<String> {
        let browser = folder("tests/e2e/browser").join("chromium.mjs");
        let words = [
            "env".to_owned(),
            format!("CHROMIUM_BIN={}", tool(&["chromium"]).display()),
            tool(&["node", "22"]).display().to_string(),
            browser.display().to_string(),
            format!("--decision={decision}"),
            format!("--width={}", self.width),
            format!("--scheme={}", self.scheme),
            format!("--by={}", self.by),
            format!("--scripts={}", self.scripts),
        ];
        words.into()
    }

    /// Checks what a browser found, on any page.
    #[track_caller]
    fn check(self, found: &Value) {
        assert_eq!(found["error"], Value::Null, "{self:?}: {found}");
        assert_eq!(found["complaints"], json!([]), "{self:?}: {found}");
        assert_eq!(found["requests"], json!([]), "{self:?}: {found}");
        assert_eq!(found["overflow"], 0, "{self:?}: {found}");
        assert_eq!(found["language"], "en", "{self:?}: {found}");
        assert!(
            found["contrast"].as_f64().unwrap() >= 4.5,
            "{self:?}: {found}"
        );
        let ground = match self.scheme {
            "dark" => "rgb(14, 19, 25)",
            _ => "rgb(243, 245, 248)",
        };
        assert_eq!(found["ground"], ground, "{self:?}: {found}");
    }

    #[track_caller]
    fn check_consent(self, found: &Value) {
        self.check(found);
        assert_eq!(found["focus"], json!(["Deny", "Allow"]), "{found}");
        // For fingers: WCAG 2.2 §2.5.5.
        assert!(found["lowest_button"].as_f64().unwrap() >= 44.0, "{found}");
        let tree = found["tree"].as_str().unwrap();
        for part in CONSENT {
            assert!(tree.contains(part), "{part} in {tree}");
        }
    }
}

/// A person answers the consent page by `decision`, once with each look.
fn answer(install: &Install, decision: &str, check: impl Fn(Result<Seen, Failure>)) {
    for look in LOOKS {
        let browser = look.browser(decision).join(" ");
        let person = Person::with_browser(Program::Node, &install.url(), &browser);
        check(person.call());
        look.check_consent(&person.findings());
    }
}

fn allows(kind: Kind) {
    let install = Install::start(kind, Mode::OidcProxy);
    answer(&install, "approve", |outcome| {
        let seen = outcome.unwrap();
        assert!(seen.tools.contains(&"echo".into()), "{seen:?}");
    });
}

fn denies(kind: Kind) {
    let install = Install::start(kind, Mode::OidcProxy);
    answer(&install, "deny", |outcome| {
        let failure = outcome.unwrap_err();
        assert!(failure.client.contains("access_denied"), "{failure:?}");
    });
    assert_eq!(install.provider.counted("/sign_ins"), 0);
}

#[test]
fn a_person_allows_in_envoy() {
    allows(Kind::Envoy);
}

#[test]
fn a_person_allows_in_native() {
    allows(Kind::Native);
}

#[test]
fn a_person_denies_in_envoy() {
    denies(Kind::Envoy);
}

#[test]
fn a_person_denies_in_native() {
    denies(Kind::Native);
}

/// What cannot go back to a client is said on a page (the bytes are the same in both gateways).
#[test]
fn a_person_is_told_of_an_unknown_client() {
    let install = Install::start(Kind::Native, Mode::OidcProxy);
    let page = format!(
        "http://{}/authorize?client_id=unknown",
        install.gateway.address()
    );
    for look in LOOKS {
        let browser = look.browser("none");
        let output = Command::new(&browser[0])
            .args(&browser[1..])
            .arg(&page)
            .output()
            .unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        look.check(&found);
        assert!(
            found["tree"].as_str().unwrap().contains("[level=1]"),
            "{found}"
        );
    }
}
