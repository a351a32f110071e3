//! The same settings and the same requests, given to the server that our users run today and to
//! us: who is let in must agree, but for the rows of `docs/differences.md`.

mod api_key;
mod jwt;
mod rules;
mod start;
mod zscaler;

use std::net::SocketAddr;

use portcullis_tests::{EchoResource, Gateway, Kind, Request, Settings};

use crate::programs::folder;
use crate::zscaler_server::ZscalerServer;

/// What an answer says about who may come in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    /// Passed on, or answered as wanted.
    In,
    /// Not let in: any status from 400 to 499.
    Out,
    /// Nobody can say: 503.
    Unavailable,
    /// The server fell over: 500.
    Crash,
}

use Verdict::{Crash, In, Out, Unavailable};

impl Verdict {
    fn of(request: &Request, address: SocketAddr) -> Self {
        let response = request.send(address).unwrap();
        match response.status {
            200..=299 => In,
            400..=499 => Out,
            500 => Crash,
            503 => Unavailable,
            other => panic!("status {other} for {request:?}"),
        }
    }
}

/// What a row expects.
enum Expected {
    /// Both say this.
    Both(Verdict),
    /// They differ: row of the table, what `zscaler-mcp` says, what we say.
    Differ(&'static str, Verdict, Verdict),
}

use Expected::{Both, Differ};

/// One request: what it is about, and how it is made.
struct Row(&'static str, Request, Expected);

/// Gives every request to both, and reports all that is not as expected.
fn compare(settings: &[(&str, &str)], rows: Vec<Row>) {
    let theirs = ZscalerServer::start(settings);
    let theirs = theirs.origin().trim_start_matches("http://").parse();
    let theirs: SocketAddr = theirs.unwrap();
    let resource = EchoResource::start();
    let ours = settings
        .iter()
        .filter(|(name, _)| *name != "PORTCULLIS_TEST_TOKEN_URL")
        .fold(Settings::new(), |all, (name, value)| all.with(name, *value));
    let ours = Gateway::start(Kind::Native, &ours, &resource.url());
    let table = std::fs::read_to_string(folder("docs").join("differences.md")).unwrap();
    let mut wrong = Vec::new();
    for Row(name, request, expected) in &rows {
        let seen = (
            Verdict::of(request, theirs),
            Verdict::of(request, ours.address()),
        );
        let wanted = match expected {
            Both(verdict) => (*verdict, *verdict),
            Differ(id, theirs, ours) => {
                assert!(theirs != ours, "{name}: no difference");
                assert!(table.contains(&format!("| {id} |")), "{id} is not written");
                (*theirs, *ours)
            }
        };
        if seen != wanted {
            wrong.push(format!("{name}: wanted {wanted:?}, seen {seen:?}"));
        }
    }
    assert!(wrong.is_empty(), "(theirs, ours)\n{}", wrong.join("\n"));
}

/// Makes the first request of an MCP client, with these fields.
fn initialize(fields: &[(&str, &str)]) -> Request {
    let bytes = fields
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect::<Vec<_>>();
    initialize_bytes(&bytes)
}

fn initialize_bytes(fields: &[(&str, &[u8])]) -> Request {
    with_body(
        fields
            .iter()
            .fold(local("POST", "/mcp"), |request, (name, value)| {
                request.field(name, value)
            }),
    )
}

/// Begins a request for the host name that both accept.
fn local(method: &str, target: &str) -> Request {
    Request::bare(method, target).field("Host", "127.0.0.1:8000")
}

fn with_body(request: Request) -> Request {
    request
        .field("Content-Type", "application/json")
        .field("Accept", "application/json, text/event-stream")
        .body(
            serde_json::json!({
                "jsonrpc": "2.0",
                "id": 1,
                "method": "initialize",
                "params": {
                    "protocolVersion": "2025-11-25",
                    "capabilities": {},
                    "clientInfo": {"name": "differential", "version": "0"},
                },
            })
            .to_string(),
        )
}
