//! A person with one MCP client and one browser: what the client remembers is in files, and the
//! browser answers every consent page alike.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use portcullis_tests::free_address;
use serde_json::Value;

use crate::programs::{folder, tool};

/// How long a browser may take to close.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that signs in as it was made to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Program {
    /// `mcp-remote`, which desktop hosts run.
    Remote,
    /// The official Node SDK.
    Node,
    /// The official Python SDK.
    Python,
}

/// The person.
pub(crate) struct Person {
    program: Program,
    url: String,
    folder: PathBuf,
    /// Where `mcp-remote` listens for the browser; by itself it makes a port of the URL, at which
    /// one that served an earlier gateway of the same address may still be.
    callback: SocketAddr,
}

/// What the client's call of `whoami` gave.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) tools: Vec<Value>,
    pub(crate) whoami: Value,
}

/// What was said where a call did not work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) client: String,
    #[expect(dead_code, reason = "shown when an assertion fails")]
    pub(crate) browser: String,
}

impl Person {
    /// Makes a person who answers consent pages by `decision`: `approve` or `deny`.
    pub(crate) fn new(program: Program, url: &str, decision: &str) -> Self {
        let browser = folder("scripts").join("browser.py");
        Self::with_browser(
            program,
            url,
            &format!("python3 {} {decision}", browser.display()),
        )
    }

    /// Makes a person with the browser that this command starts.
    pub(crate) fn with_browser(program: Program, url: &str, browser: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("portcullis-person-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let person = Self {
            program,
            url: url.to_owned(),
            folder,
            callback: free_address(),
        };
        person.install_browser(browser);
        person
    }

    /// Lists the tools and calls `whoami`.
    pub(crate) fn call(&self) -> Result<Seen, Failure> {
        let mut command = match self.program {
            Program::Remote => node("remote"),
            Program::Node => node("sdk"),
            Program::Python => {
                let mut command = Command::new(tool(&["python"]));
                command.arg(folder("tests/e2e").join("oauth_client.py"));
                command
            }
        };
        let output = command
            .arg(&self.url)
            .arg(self.folder.join("memory"))
            .env("CALLBACK_PORT", self.callback.port().to_string())
            .env("BROWSER", self.browser())
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        let answer: Value = serde_json::from_str(&printed).unwrap_or_default();
        if output.status.success() {
            return Ok(Seen {
                tools: answer["tools"].as_array().unwrap().clone(),
                whoami: serde_json::from_str(answer["text"].as_str().unwrap()).unwrap(),
            });
        }
        let log = String::from_utf8_lossy(&output.stderr);
        Err(Failure {
            client: format!("{printed}\n{log}"),
            browser: self.pages(),
        })
    }

    /// Returns how often the client opened the browser.
    pub(crate) fn opened(&self) -> usize {
        let log = fs::read_to_string(self.folder.join("opened")).unwrap_or_default();
        log.lines().count()
    }

    /// Returns the JSON that the browser printed in the end.
    pub(crate) fn findings(&self) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(findings) = serde_json::from_str(&self.pages()) {
                return findings;
            }
            assert!(
                Instant::now() < deadline,
                "the browser wrote {}",
                self.pages()
            );
            // It is a child of the client, which has ended: nobody else tells that it is done.
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Makes the access token one that the gateway does not take, as if it had lapsed.
    pub(crate) fn age_token(&self) {
        self.edit("tokens.json", |tokens| {
            tokens["access_token"] = "lapsed".into();
            tokens["expires_in"] = 0.into();
        });
    }

    /// Makes the registration one that nobody knows.
    pub(crate) fn spoil_registration(&self) {
        self.edit("client_info.json", |client| {
            client["client_id"] = "unknown".into();
        });
    }

    /// Forgets all tokens.
    pub(crate) fn lose_tokens(&self) {
        fs::remove_file(self.kept("tokens.json")).unwrap();
    }

    /// Returns what the client keeps of its registration.
    pub(crate) fn registration(&self) -> Value {
        let kept = fs::read(self.kept("client_info.json")).unwrap();
        serde_json::from_slice(&kept).unwrap()
    }

    fn edit(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let path = self.kept(name);
        let mut kept = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut kept);
        fs::write(&path, kept.to_string()).unwrap();
    }

    /// Finds a file that the client keeps; `mcp-remote` has folders and prefixes of its own.
    fn kept(&self, name: &str) -> PathBuf {
        let found = find(&self.folder.join("memory"), name);
        found.unwrap_or_else(|| panic!("{:?} keeps no {name}", self.program))
    }

    /// Makes the program that clients open URLs by; it notes each.
    fn install_browser(&self, browser: &str) {
        fs::create_dir_all(self.folder.join("memory")).unwrap();
        let notes = self.folder.display();
        let script = format!(
            "#!/bin/sh\necho \"$1\" >> {notes}/opened\n\
             exec {browser} \"$1\" >> {notes}/pages 2>&1\n"
        );
        fs::write(self.browser(), script).unwrap();
        fs::set_permissions(self.browser(), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Returns all that the browser wrote so far.
    fn pages(&self) -> String {
        fs::read_to_string(self.folder.join("pages")).unwrap_or_default()
    }

    fn browser(&self) -> PathBuf {
        self.folder.join("browser")
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn node(kind: &str) -> Command {
    let packages = tool(&["npm", "tests/e2e/node"]);
    let mut command = Command::new(tool(&["node"]));
    command.arg(packages.join("oauth-client.mjs")).arg(kind);
    command
}

fn find(place: &Path, name: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(place).unwrap();
    entries.map(|entry| entry.unwrap().path()).find_map(|path| {
        if path.is_dir() {
            find(&path, name)
        } else {
            path.to_string_lossy().ends_with(name).then_some(path)
        }
    })
}
