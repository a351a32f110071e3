//! A program that runs the component, and what a gateway does around it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use portcullis_tests::wire::{self, Fields, Head};
use portcullis_tests::{Request, Response, Settings};
use serde_json::{Value, json};

/// The engine refuses its settings.
pub(crate) struct Refused(pub(crate) String);

/// The component at work; it ends with this.
pub(crate) struct ComponentHost {
    child: Child,
    requests: ChildStdin,
    decisions: BufReader<ChildStdout>,
    resource: String,
}

impl ComponentHost {
    /// Gives the component its settings.
    pub(crate) fn start(settings: &Settings, resource: &str) -> Result<Self, Refused> {
        let mut child = program()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut host = Self {
            requests: child.stdin.take().unwrap(),
            decisions: BufReader::new(child.stdout.take().unwrap()),
            child,
            resource: resource.to_owned(),
        };
        let mut settings: Value = serde_json::from_str(&settings.to_json()).unwrap();
        settings["PORTCULLIS_UPSTREAM"] = resource.into();
        let started = host.ask(&settings);
        match started["refused"].as_str() {
            Some(problem) => Err(Refused(problem.to_owned())),
            None => Ok(host),
        }
    }

    /// Has a request decided, and carries the decision out.
    pub(crate) fn send(&mut self, request: &Request) -> Response {
        let (head, body) = parse(request);
        let mut words = head.start.splitn(3, ' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let (hosts, fields): (Fields, Fields) = head
            .fields
            .into_iter()
            .partition(|(name, _)| name == "host");
        let decision = self.ask(&json!({
            "method": method,
            "authority": text(&hosts[0].1),
            "path": path,
            "headers": shown(&fields),
            "peer": "127.0.0.1",
            "body": text(&body),
        }));
        if let Some(edits) = decision.get("forward") {
            let forwarded = edited(fields, edits);
            let mut response = self.pass_on([method, path, &text(&hosts[0].1)], &forwarded, body);
            let edits = self.ask(&json!({"headers": shown(&response.fields)}));
            response.fields = edited(response.fields, &edits);
            return response;
        }
        let answer = &decision["respond"];
        let body = octets(&answer["body"]);
        Response {
            status: answer["status"].as_u64().unwrap().try_into().unwrap(),
            fields: pairs(&answer["headers"]),
            // RFC 9110 §9.3.2.
            body: if request.is_head() { Vec::new() } else { body },
        }
    }

    /// Sends a request to the protected resource, without what ends with a connection.
    fn pass_on(&self, to: [&str; 3], fields: &Fields, body: Vec<u8>) -> Response {
        let [method, path, asked] = to;
        let authority = self.resource.trim_start_matches("http://");
        let mut request = Request::bare(method, path)
            .field("host", authority)
            .field("x-forwarded-host", asked);
        for (name, value) in fields {
            if !FRAMING.contains(&name.as_str()) {
                request = request.field(name, value);
            }
        }
        if !body.is_empty() {
            request = request.body(body);
        }
        request.send(authority.parse().unwrap()).unwrap()
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.requests, "{question}").unwrap();
        let mut answer = String::new();
        self.decisions.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer)
            .unwrap_or_else(|error| panic!("{error}: {answer:?} to {question}"))
    }
}

impl Drop for ComponentHost {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Fields of a connection and of framing (RFC 9110 §7.6.1).
const FRAMING: [&str; 6] = [
    "connection",
    "content-length",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Makes a command of the program that runs the component; its absence is a failure.
fn program() -> Command {
    if let Some(host) = std::env::var_os("PORTCULLIS_COMPONENT_HOST") {
        let mut command = Command::new(host);
        let other = std::env::var_os("PORTCULLIS_COMPONENT").map(PathBuf::from);
        command.arg(other.unwrap_or_else(|| component().join("portcullis.wasm")));
        return command;
    }
    in_node("decide.mjs")
}

/// Makes a command of a script that loads the component in Node.js.
pub(crate) fn in_node(script: &str) -> Command {
    let mut command = Command::new(node());
    command
        .arg(root().join("bindings/component/node").join(script))
        .arg(component().join("node/portcullis.js"));
    command
}

/// Returns the folder of the component; its absence is a failure.
fn component() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| root().join("target"), PathBuf::from);
    let component = target.join("component");
    assert!(
        component.join("portcullis.wasm").exists(),
        "the component is missing: run `make component`"
    );
    component
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Finds Node.js.
fn node() -> PathBuf {
    let mut command = Command::new("python3");
    command.arg(root().join("scripts/tools.py")).arg("node");
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim_end().into()
}

/// Tells whether a request names one `Host`; a gateway lets no other get as far as the engine.
pub(crate) fn has_one_host(request: &Request) -> bool {
    let (head, _) = parse(request);
    let hosts = head.fields.iter().filter(|(name, _)| name == "host");
    hosts.count() == 1
}

fn parse(request: &Request) -> (Head, Vec<u8>) {
    let bytes = request.to_bytes();
    let mut reader = bytes.as_slice();
    let head = wire::read_head(&mut reader).unwrap().unwrap();
    let body = wire::read_body(&mut reader, &head.fields, false).unwrap();
    (head, body)
}

/// Carries edits out: first removals, then additions, then what is set.
fn edited(mut fields: Fields, edits: &Value) -> Fields {
    let removed = edits["remove"].as_array().unwrap();
    let (added, set) = (pairs(&edits["add"]), pairs(&edits["set"]));
    fields.retain(|(name, _)| {
        let is_set = set.iter().any(|(other, _)| name == other);
        !is_set && !removed.iter().any(|other| other == name)
    });
    fields.into_iter().chain(added).chain(set).collect()
}

fn pairs(value: &Value) -> Fields {
    let pairs = value.as_array().unwrap().iter();
    pairs
        .map(|pair| (pair[0].as_str().unwrap().to_owned(), octets(&pair[1])))
        .collect()
}

fn shown(fields: &Fields) -> Value {
    let fields = fields.iter();
    fields
        .map(|(name, value)| json!([name, text(value)]))
        .collect()
}

/// Octets travel as the characters U+0000 to U+00FF.
fn text(octets: &[u8]) -> String {
    octets.iter().copied().map(char::from).collect()
}

fn octets(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap().chars();
    text.map(|octet| u8::try_from(octet).unwrap()).collect()
}
