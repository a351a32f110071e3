//! The protected resource of the tests: it echoes what it sees, and does what the request asks.
//!
//! A request tells it how to answer by fields of its own: `x-test-status: 418`,
//! `x-test-session: ID` (sets `Mcp-Session-Id`), `x-test-answer: cookies | cors | sse | quiet-sse |
//! open`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::server::{Answer, Behaviour, Event, Gate, Incoming, Server};

/// Fields of the connection and the framing, which neither the echo nor a comparison of the
/// gateways looks at.
pub const PLUMBING: [&str; 3] = ["connection", "content-length", "transfer-encoding"];

/// The running protected resource.
pub struct EchoResource {
    server: Server,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<Incoming>>,
    /// Holds the second event of a stream back.
    second_event: Gate,
    /// Opens when the client of an open stream has left.
    left: Gate,
}

impl EchoResource {
    /// Starts it.
    #[must_use]
    pub fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let inner = Arc::clone(&shared);
        let server = Server::start(move |incoming| {
            let behaviour = answer(&incoming, &inner);
            inner.seen.lock().unwrap().push(incoming);
            behaviour
        });
        Self { server, shared }
    }

    /// Returns where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Returns its URL, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Returns what it saw since it was last asked.
    #[must_use]
    pub fn take(&self) -> Vec<Incoming> {
        std::mem::take(&mut self.shared.seen.lock().unwrap())
    }

    /// Counts what it saw since it was last asked by [`Self::take`].
    #[must_use]
    pub fn count(&self) -> usize {
        self.shared.seen.lock().unwrap().len()
    }

    /// Waits until the client of an open stream has left; false when that takes too long.
    #[must_use]
    pub fn is_left(&self) -> bool {
        self.shared.left.take()
    }

    /// Lets the second event of every stream go.
    pub fn send_second_event(&self) {
        self.shared.second_event.open();
    }
}

/// Returns the fields that a comparison looks at, sorted. Blanks after the commas of
/// `X-Forwarded-For` do not count: Envoy adds its hop without one.
#[must_use]
pub fn visible_fields(incoming: &Incoming) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = incoming
        .fields
        .iter()
        .filter(|(name, _)| !PLUMBING.contains(&name.as_str()))
        .map(|(name, value)| {
            let value = value.escape_ascii().to_string();
            match name.as_str() {
                "x-forwarded-for" => (name.clone(), value.replace(", ", ",")),
                _ => (name.clone(), value),
            }
        })
        .collect();
    fields.sort();
    fields
}

fn answer(incoming: &Incoming, shared: &Shared) -> Behaviour {
    let ask = |name: &str| incoming.value(name);
    let first = Event::Data("first".to_owned());
    let wait = Event::Wait(shared.second_event.clone());
    let second = Event::Data("second".to_owned());
    match ask("x-test-answer").as_deref() {
        Some("sse") => return Behaviour::Events(vec![first, wait, second]),
        Some("quiet-sse") => return Behaviour::Events(vec![wait, second]),
        Some("open") => return Behaviour::Open(shared.left.clone()),
        _ => {}
    }
    let status = ask("x-test-status").and_then(|status| status.parse().ok());
    let mut answer = Answer::json(status.unwrap_or(200), &echo(incoming));
    if let Some(id) = ask("x-test-session") {
        answer = answer.field("mcp-session-id", id);
    }
    match ask("x-test-answer").as_deref() {
        Some("cookies") => {
            answer = answer.field("set-cookie", "a=1").field("set-cookie", "b=2");
        }
        Some("cors") => {
            answer = answer
                .field("access-control-allow-origin", "*")
                .field("access-control-expose-headers", "x-from-resource");
        }
        _ => {}
    }
    Behaviour::Answer(answer)
}

fn echo(incoming: &Incoming) -> Value {
    json!({
        "method": incoming.method,
        "path": incoming.target,
        "headers": visible_fields(incoming),
        "body": String::from_utf8_lossy(&incoming.body),
    })
}
