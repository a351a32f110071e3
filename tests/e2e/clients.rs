//! The official SDKs as clients, each a program that lists the tools and calls one.

use std::process::Command;

use serde_json::Value;

use crate::programs::{built, folder, tool};

/// The exit code by which a client says that it was refused.
const REFUSED: i32 = 3;

/// A client program.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Client {
    /// The Rust SDK over streamable HTTP.
    Rust,
    /// The Node SDK over streamable HTTP.
    Node,
    /// The Node SDK over server-sent events.
    NodeEvents,
    /// The Python SDK over streamable HTTP.
    Python,
}

/// What came of a call.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The tools were listed and the call worked.
    Answered(Seen),
    /// The gateway refused the credential.
    Refused,
    /// Anything else, which no test wants.
    Failed(#[expect(dead_code, reason = "shown when an assertion fails")] String),
}

/// What a client saw.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) tools: Vec<String>,
    pub(crate) text: String,
}

impl Outcome {
    #[track_caller]
    pub(crate) fn answer(self) -> Seen {
        match self {
            Self::Answered(seen) => seen,
            Self::Refused | Self::Failed(_) => panic!("the call did not work: {self:?}"),
        }
    }
}

impl Client {
    /// Lists the tools of the server at `url`, then calls `tool`.
    pub(crate) fn call(
        self,
        url: &str,
        tool: &str,
        arguments: &str,
        headers: &[String],
    ) -> Outcome {
        let mut command = self.command();
        command.args([url, tool, arguments]);
        for field in headers {
            command.args(["--header", field]);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let printed: Value = serde_json::from_str(&text).unwrap_or_default();
        match output.status.code() {
            Some(0) => Outcome::Answered(Seen {
                tools: strings(&printed["tools"]),
                text: printed["text"].as_str().unwrap().to_owned(),
            }),
            Some(REFUSED) => Outcome::Refused,
            _ => {
                let log = String::from_utf8_lossy(&output.stderr);
                Outcome::Failed(format!("{self:?}: {text}\n{log}"))
            }
        }
    }

    fn command(self) -> Command {
        match self {
            Self::Rust => Command::new(built("portcullis-demo-client")),
            Self::Node => node("http"),
            Self::NodeEvents => node("sse"),
            Self::Python => {
                let mut command = Command::new(tool(&["python"]));
                command.arg(folder("tests/e2e").join("client.py"));
                command
            }
        }
    }
}

fn node(transport: &str) -> Command {
    let packages = tool(&["npm", "tests/e2e/node"]);
    let mut command = Command::new(tool(&["node"]));
    command.arg(packages.join("client.mjs")).arg(transport);
    command
}

fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().unwrap().iter();
    items
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}
