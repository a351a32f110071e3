//! A fake OpenID provider: it signs everybody in as the same person, checks of a client what every
//! provider checks, and has the quirks and faults that no real one shows on demand. Where a real
//! provider matters, the end-to-end tests use one.

mod grants;
mod quirks;

use std::sync::{Arc, Mutex, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use self::grants::Grants;
pub use self::quirks::{AccessToken, Fault, Quirks, Rotation};
use crate::gateway::Settings;
use crate::oauth_flow::{form, random};
use crate::server::{Answer, Behaviour, Incoming, Server};
use crate::signing::{Alg, SigningKey, now};

/// Who is signed in.
pub const SUBJECT: &str = "alice";
/// Path of the token endpoint.
pub const TOKEN_PATH: &str = "/token";
/// Path of the revocation endpoint.
pub const REVOCATION_PATH: &str = "/revoke";

const CLIENT_ID: &str = "the-gateway";
/// With characters that a form encodes, and so `client_secret_basic` (RFC 6749 §2.3.1).
const CLIENT_SECRET: &str = "s3cret: 100 %+&=?";

/// The running fake.
pub struct OpenIdProvider {
    server: Server,
    state: Arc<Mutex<State>>,
}

struct State {
    quirks: Quirks,
    issuer: String,
    /// One of RSA, and after it those for ES256.
    keys: Vec<Arc<SigningKey>>,
    grants: Grants,
    faults: Vec<(String, Fault)>,
    given: Vec<String>,
    seen: Vec<Incoming>,
}

impl OpenIdProvider {
    /// Starts it.
    #[must_use]
    pub fn start(quirks: Quirks) -> Self {
        let elliptic = SigningKey::generate("provider-2", Alg::Es256);
        let state = Arc::new(Mutex::new(State {
            quirks,
            issuer: String::new(),
            keys: vec![rsa_key(), Arc::new(elliptic)],
            grants: Grants::default(),
            faults: Vec::new(),
            given: Vec::new(),
            seen: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let server = Server::start(move |incoming| shared.lock().unwrap().answer(incoming));
        state.lock().unwrap().issuer = format!("http://{}", server.address());
        Self { server, state }
    }

    /// Returns the settings of a gateway whose public origin is `origin`.
    #[must_use]
    pub fn settings(&self, origin: &str) -> Settings {
        let document = format!(
            "http://{}/.well-known/openid-configuration",
            self.server.address()
        );
        Settings::new()
            .with("ZSCALER_MCP_AUTH_MODE", "oidcproxy")
            .with("OIDCPROXY_CONFIG_URL", document)
            .with("OIDCPROXY_BASE_URL", format!("{origin}/mcp"))
            .with("OIDCPROXY_REQUIRED_SCOPES", "mcp:tools")
            .with("OIDCPROXY_CLIENT_ID", CLIENT_ID)
            .with("OIDCPROXY_CLIENT_SECRET", CLIENT_SECRET)
    }

    /// Takes other quirks. What its document says reaches a gateway that knows the document only
    /// an hour later.
    pub fn adopt(&self, quirks: Quirks) {
        self.state.lock().unwrap().quirks = quirks;
    }

    /// Makes the endpoint at `path` fail, or work again.
    pub fn fail(&self, path: &str, fault: Option<Fault>) {
        let mut state = self.state.lock().unwrap();
        state.faults.retain(|(other, _)| other != path);
        state
            .faults
            .extend(fault.map(|fault| (path.to_owned(), fault)));
    }

    /// Returns every request to `path` so far.
    #[must_use]
    pub fn requests(&self, path: &str) -> Vec<Incoming> {
        let state = self.state.lock().unwrap();
        let at_path = |incoming: &&Incoming| form::path(&incoming.target) == path;
        state.seen.iter().filter(at_path).cloned().collect()
    }

    /// Counts the requests to `path` so far.
    #[must_use]
    pub fn count(&self, path: &str) -> usize {
        self.requests(path).len()
    }

    /// Returns every request so far.
    #[must_use]
    pub fn all_requests(&self) -> Vec<Incoming> {
        self.state.lock().unwrap().seen.clone()
    }

    /// Returns every code and token that was given here.
    #[must_use]
    pub fn given(&self) -> Vec<String> {
        self.state.lock().unwrap().given.clone()
    }
}

impl State {
    fn answer(&mut self, incoming: Incoming) -> Behaviour {
        let path = form::path(&incoming.target).to_owned();
        let fault = self.faults.iter().find(|(failing, _)| *failing == path);
        let fault = fault.map(|(_, fault)| *fault);
        self.seen.push(incoming.clone());
        match fault {
            Some(fault) => fault.spoil(|| self.handle(&path, &incoming)),
            None => self.handle(&path, &incoming),
        }
    }

    fn handle(&mut self, path: &str, incoming: &Incoming) -> Behaviour {
        let body = String::from_utf8_lossy(&incoming.body).into_owned();
        let query = incoming
            .target
            .split_once('?')
            .map_or("", |(_, query)| query);
        let answered = match (incoming.method.as_str(), path) {
            ("GET", "/.well-known/openid-configuration") => Ok(self.document()),
            ("GET", "/jwks") => Ok(self.jwks()),
            ("GET", "/authorize") => return self.authorize(query),
            ("POST", TOKEN_PATH) => self.token(incoming, &body),
            ("POST", REVOCATION_PATH) => self.revoke(incoming, &body),
            _ => return Behaviour::status(404),
        };
        match answered {
            Ok(body) => Behaviour::json(200, &self.with_more(body)),
            Err((status, error)) => {
                Behaviour::json(status, &self.with_more(json!({ "error": error })))
            }
        }
    }

    fn document(&self) -> Value {
        let quirks = &self.quirks;
        let query = if quirks.has_queries {
            "?policy=sign-in"
        } else {
            ""
        };
        let endpoint = |path: &str| format!("{}{path}{query}", self.issuer);
        let mut document = json!({
            "issuer": self.issuer_identifier(),
            "authorization_endpoint": endpoint("/authorize"),
            "token_endpoint": endpoint(TOKEN_PATH),
            "jwks_uri": endpoint("/jwks"),
            "id_token_signing_alg_values_supported": [quirks.algorithm.name()],
        });
        if quirks.revokes {
            document["revocation_endpoint"] = endpoint(REVOCATION_PATH).into();
        }
        if quirks.names_itself {
            document["authorization_response_iss_parameter_supported"] = true.into();
        }
        if let Some(methods) = quirks.authentication {
            document["token_endpoint_auth_methods_supported"] = methods.into();
        }
        document
    }

    fn jwks(&self) -> Value {
        let keys: Vec<Value> = self.keys.iter().map(|key| key.jwk()).collect();
        json!({ "keys": keys })
    }

    /// Signs the person in without a page. What a provider shows instead of sending somebody back
    /// is a 400 here.
    fn authorize(&mut self, query: &str) -> Behaviour {
        let value = |name| form::value(query, name);
        let (state, challenge) = (value("state"), value("code_challenge"));
        let good = value("client_id") == CLIENT_ID
            && value("response_type") == "code"
            && value("code_challenge_method") == "S256"
            && value("scope").split(' ').any(|scope| scope == "openid")
            && !state.is_empty()
            && !value("nonce").is_empty()
            && !(self.quirks.refuses_resource && is_named(query, "resource"))
            && is_named(query, "policy") == self.quirks.has_queries;
        if !good {
            return Behaviour::status(400);
        }
        if self.quirks.new_key_each_time {
            let key = SigningKey::generate(&random(), Alg::Es256);
            self.keys.push(Arc::new(key));
        }
        let redirect_uri = value("redirect_uri");
        let code = self.make();
        self.grants
            .begin(&code, &challenge, &redirect_uri, &value("nonce"));
        let issuer = self.issuer_identifier();
        let mut back = vec![("code", code.as_str()), ("state", &state)];
        if self.quirks.names_itself {
            back.push(("iss", &issuer));
        }
        if self.quirks.says_more {
            back.extend([
                ("session_state", "1-2"),
                ("scope", "openid"),
                ("authuser", "0"),
            ]);
        }
        let location = format!("{redirect_uri}?{}", form::encode(&back));
        Behaviour::Answer(Answer::new(302).field("location", location))
    }

    fn token(&mut self, incoming: &Incoming, body: &str) -> Result<Value, (u16, &'static str)> {
        self.authenticate(incoming, body)?;
        if self.quirks.refuses_resource && is_named(body, "resource") {
            return Err((400, "invalid_target"));
        }
        let value = |name| form::value(body, name);
        let refused = (self.quirks.refusal_status, "invalid_grant");
        match value("grant_type").as_str() {
            "authorization_code" => {
                let (code, verifier) = (value("code"), value("code_verifier"));
                let spent = self.grants.spend(&code, &verifier, &value("redirect_uri"));
                let (session, nonce) = spent.ok_or(refused)?;
                Ok(self.tokens(session, SUBJECT, Some(&nonce), self.quirks.refresh_tokens))
            }
            "refresh_token" => {
                let rotation = self.quirks.rotation;
                let session = self.grants.refresh(&value("refresh_token"), rotation);
                let subject = self.quirks.renewed_subject;
                let rotates = rotation != Rotation::None;
                Ok(self.tokens(session.ok_or(refused)?, subject, None, rotates))
            }
            _ => Err((400, "unsupported_grant_type")),
        }
    }

    fn revoke(&mut self, incoming: &Incoming, body: &str) -> Result<Value, (u16, &'static str)> {
        self.authenticate(incoming, body)?;
        self.grants.revoke(&form::value(body, "token"));
        Ok(json!({}))
    }

    /// Takes exactly one method of those that are offered (RFC 6749 §2.3).
    fn authenticate(&self, incoming: &Incoming, body: &str) -> Result<(), (u16, &'static str)> {
        let basic = incoming.value("authorization");
        let offered = self
            .quirks
            .authentication
            .unwrap_or(&["client_secret_basic"]);
        let in_body = is_named(body, "client_secret");
        let good = if offered.contains(&"client_secret_basic") && !in_body {
            let pair = form::encode(&[(CLIENT_ID, CLIENT_SECRET)]).replacen('=', ":", 1);
            basic == Some(format!("Basic {}", STANDARD.encode(pair)))
        } else {
            offered.contains(&"client_secret_post")
                && basic.is_none()
                && form::value(body, "client_id") == CLIENT_ID
                && form::value(body, "client_secret") == CLIENT_SECRET
        };
        if good {
            Ok(())
        } else {
            Err((401, "invalid_client"))
        }
    }

    fn tokens(
        &mut self,
        session: usize,
        subject: &str,
        nonce: Option<&str>,
        with_refresh_token: bool,
    ) -> Value {
        let id_token = self.sign(CLIENT_ID, subject, nonce);
        let access_token = match self.quirks.access_token {
            AccessToken::Opaque => self.make(),
            AccessToken::ForItsApi => self.sign("https://api.example", subject, None),
            AccessToken::ForTheClient => self.sign(CLIENT_ID, subject, None),
        };
        self.given.push(access_token.clone());
        let mut answer = json!({
            "access_token": access_token, "token_type": "Bearer", "expires_in": 3600,
        });
        if nonce.is_some() || self.quirks.id_token_on_refresh {
            self.given.push(id_token.clone());
            answer["id_token"] = id_token.into();
        }
        if with_refresh_token {
            let token = self.make();
            self.grants.add(&token, session);
            answer["refresh_token"] = token.into();
        }
        if let Some(scope) = self.quirks.scope {
            answer["scope"] = scope.into();
        }
        answer
    }

    fn sign(&self, audience: &str, subject: &str, nonce: Option<&str>) -> String {
        let (issuer, now) = (self.issuer_identifier(), now());
        let mut claims = json!({
            "iss": issuer, "aud": audience, "sub": subject, "iat": now, "exp": now + 300,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        if self.quirks.says_more {
            claims["groups"] = json!(["a", {"b": [null, 1.5]}]);
        }
        let of_ec = self.quirks.algorithm == Alg::Es256;
        let place = if of_ec { self.keys.len() - 1 } else { 0 };
        self.keys[place].token(self.quirks.algorithm, &claims)
    }

    /// Makes a code or a token, of the length that is the quirk.
    fn make(&mut self) -> String {
        let mut made = random();
        while made.len() < self.quirks.length {
            made += &random();
        }
        self.given.push(made.clone());
        made
    }

    fn issuer_identifier(&self) -> String {
        let slash = if self.quirks.issuer_has_slash {
            "/"
        } else {
            ""
        };
        format!("{}{slash}", self.issuer)
    }

    fn with_more(&self, mut body: Value) -> Value {
        if self.quirks.says_more {
            body["not_before"] = json!(0);
            body["session_state"] = json!({"of": ["nobody", null, true, 1e99]});
            body["error_uri"] = json!("https://errors.example/");
            body["é\u{0}"] = json!("\u{1f600}");
        }
        body
    }
}

fn is_named(form: &str, name: &str) -> bool {
    form.split('&')
        .any(|pair| pair.split('=').next() == Some(name))
}

/// Returns the RSA key of the process: one takes long to make.
fn rsa_key() -> Arc<SigningKey> {
    static KEY: OnceLock<Arc<SigningKey>> = OnceLock::new();
    let make = || Arc::new(SigningKey::generate("provider-1", Alg::Rs256));
    Arc::clone(KEY.get_or_init(make))
}
