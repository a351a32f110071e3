//! A fake authorization server: it checks next to nothing, counts everything, and fails on demand.
//!
//! It serves a JWKS and a token endpoint. What it does per path and per client can be changed at
//! any time. Where a real authorization server matters, the end-to-end tests use one.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{Answer, Behaviour, Incoming, Server};
use crate::signing::base64url;

/// Path of the JWKS.
pub const JWKS_PATH: &str = "/jwks";
/// Path of the token endpoint.
pub const TOKEN_PATH: &str = "/oauth2/v1/token";
/// The client that the token endpoint knows from the start.
pub const CLIENT_ID: &str = "client-1";
/// Its secret.
pub const CLIENT_SECRET: &str = "s3cret:with:colons";
/// The secret that the token endpoint refuses; it takes every other one.
pub const WRONG_SECRET: &str = "wrong";

/// How long a test waits for a request to arrive.
const PATIENCE: Duration = Duration::from_secs(20);

/// The running fake.
pub struct AuthorizationServer {
    server: Server,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    keys: Vec<Value>,
    jwks_fields: Vec<(String, String)>,
    etag: Option<String>,
    paths: HashMap<String, Behaviour>,
    clients: HashMap<String, Behaviour>,
    seen: Vec<Incoming>,
}

impl AuthorizationServer {
    /// Starts it with an empty JWKS and the one client [`CLIENT_ID`].
    #[must_use]
    pub fn start() -> Self {
        let state = Arc::new((Mutex::new(State::default()), Condvar::new()));
        let shared = Arc::clone(&state);
        let server = Server::start(move |incoming| {
            let mut state = shared.0.lock().unwrap();
            let behaviour = state.behaviour(&incoming);
            state.seen.push(incoming);
            shared.1.notify_all();
            behaviour
        });
        let this = Self { server, state };
        this.on_client(CLIENT_ID, grant(3600));
        this
    }

    /// Returns a URL of this server.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// Publishes exactly these keys.
    pub fn publish(&self, keys: impl IntoIterator<Item = Value>) {
        self.state.0.lock().unwrap().keys = keys.into_iter().collect();
    }

    /// Sends these fields with the JWKS, such as `cache-control`.
    pub fn jwks_fields(&self, fields: &[(&str, &str)]) {
        self.state.0.lock().unwrap().jwks_fields = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
    }

    /// Sends this entity tag with the JWKS, and answers 304 to a request that names it.
    pub fn jwks_etag(&self, etag: &str) {
        self.state.0.lock().unwrap().etag = Some(etag.to_owned());
    }

    /// Behaves so on `path`, whatever the request.
    pub fn on_path(&self, path: &str, behaviour: Behaviour) {
        let mut state = self.state.0.lock().unwrap();
        state.paths.insert(path.to_owned(), behaviour);
    }

    /// Behaves well on `path` again.
    pub fn restore(&self, path: &str) {
        self.state.0.lock().unwrap().paths.remove(path);
    }

    /// Behaves so at the token endpoint towards this client.
    pub fn on_client(&self, client_id: &str, behaviour: Behaviour) {
        let mut state = self.state.0.lock().unwrap();
        state.clients.insert(client_id.to_owned(), behaviour);
    }

    /// Returns every request to `path` so far.
    #[must_use]
    pub fn requests(&self, path: &str) -> Vec<Incoming> {
        let state = self.state.0.lock().unwrap();
        state.at(path).cloned().collect()
    }

    /// Counts the requests to `path` so far.
    #[must_use]
    pub fn count(&self, path: &str) -> usize {
        self.state.0.lock().unwrap().at(path).count()
    }

    /// Returns the calls to the token endpoint that named this client.
    #[must_use]
    pub fn token_calls(&self, client_id: &str) -> Vec<Incoming> {
        let state = self.state.0.lock().unwrap();
        state
            .at(TOKEN_PATH)
            .filter(|incoming| {
                form_value(&incoming.body, "client_id").as_deref() == Some(client_id)
            })
            .cloned()
            .collect()
    }

    /// Waits until `path` was asked for `count` times.
    ///
    /// # Panics
    ///
    /// Panics when that takes too long.
    pub fn wait_for(&self, path: &str, count: usize) {
        let state = self.state.0.lock().unwrap();
        let (state, timeout) = self
            .state
            .1
            .wait_timeout_while(state, PATIENCE, |state| state.at(path).count() < count)
            .unwrap();
        let seen = state.at(path).count();
        drop(state);
        assert!(!timeout.timed_out(), "{path}: {seen} requests, not {count}");
    }
}

impl State {
    fn at<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Incoming> {
        self.seen
            .iter()
            .filter(move |incoming| incoming.target == path)
    }

    fn behaviour(&self, incoming: &Incoming) -> Behaviour {
        if let Some(behaviour) = self.paths.get(&incoming.target) {
            return behaviour.clone();
        }
        match (incoming.method.as_str(), incoming.target.as_str()) {
            ("GET", JWKS_PATH) => self.jwks(incoming),
            ("POST", TOKEN_PATH) => self.token(incoming),
            _ => Behaviour::status(404),
        }
    }

    fn token(&self, incoming: &Incoming) -> Behaviour {
        let value = |name| form_value(&incoming.body, name);
        if value("client_secret").as_deref() == Some(WRONG_SECRET) {
            return refusal(401, "invalid_client");
        }
        value("client_id")
            .and_then(|client| self.clients.get(&client).cloned())
            .unwrap_or_else(|| refusal(401, "invalid_client"))
    }

    fn jwks(&self, incoming: &Incoming) -> Behaviour {
        let known = incoming.value("if-none-match");
        let answer = match &self.etag {
            Some(etag) if known.as_ref() == Some(etag) => Answer::new(304),
            _ => Answer::json(200, &json!({"keys": self.keys})),
        };
        let answer = match &self.etag {
            Some(etag) => answer.field("etag", etag),
            None => answer,
        };
        Behaviour::Answer(
            self.jwks_fields
                .iter()
                .fold(answer, |answer, (name, value)| answer.field(name, value)),
        )
    }
}

/// A successful token response (RFC 6749 §5.1).
#[must_use]
pub fn grant(expires_in: u64) -> Behaviour {
    grant_of("opaque-access-token", expires_in)
}

/// A successful token response whose access token lists product entitlements.
#[must_use]
pub fn grant_with_entitlements(products: &[&str]) -> Behaviour {
    let services: Vec<Value> = products.iter().map(|prd| json!({"prd": prd})).collect();
    let claims = json!({"sub": CLIENT_ID, "service-info": services}).to_string();
    let token = format!(
        "{}.{}.{}",
        base64url(r#"{"alg":"RS256"}"#),
        base64url(claims),
        base64url("never checked")
    );
    grant_of(&token, 3600)
}

/// An OAuth error response (RFC 6749 §5.2).
#[must_use]
pub fn refusal(status: u16, error: &str) -> Behaviour {
    Behaviour::json(
        status,
        &json!({"error": error, "error_description": "upstream words that stay inside"}),
    )
}

fn grant_of(access_token: &str, expires_in: u64) -> Behaviour {
    Behaviour::json(
        200,
        &json!({"access_token": access_token, "token_type": "Bearer", "expires_in": expires_in}),
    )
}

/// Returns one value of a form (`application/x-www-form-urlencoded`), decoded.
#[must_use]
pub fn form_value(body: &[u8], name: &str) -> Option<String> {
    let body = std::str::from_utf8(body).ok()?;
    body.split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| form_decode(value))
}

fn form_decode(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' if tail.len() >= 2 => {
                let digits = std::str::from_utf8(&tail[..2]).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &tail[2..];
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
