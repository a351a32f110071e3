//! Access tokens of mode `oidcproxy`: the core by itself signs somebody in, with the provider's
//! answers written here.

use portcullis_core::config::{Settings, Site, resolve};
use portcullis_core::jose::PortableVerifier;
use portcullis_core::{
    Ambient, CallOutcome, Decision, Engine, LocalResponse, Peer, RequestBody, RequestHead, Seed,
    Step, UnixSeconds, UpstreamCall, UpstreamResponse,
};
use portcullis_tests::{Alg, SigningKey};
use serde_json::{Value, json};

use crate::host::NOW;

const REDIRECT: &str = "http://127.0.0.1:3335/callback";
const ISSUER: &str = "https://login.example.com/oauth2/default";
/// The verifier of RFC 7636 appendix B, and its challenge.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The settings of the mode, but for its keys.
pub(crate) const SETTINGS: [(&str, &str); 4] = [
    (
        "OIDCPROXY_CONFIG_URL",
        "https://login.example.com/oauth2/default/.well-known/openid-configuration",
    ),
    ("OIDCPROXY_BASE_URL", "https://mcp.example.com/mcp"),
    ("OIDCPROXY_CLIENT_ID", "0oa9z8y7x6w5v4u3t2s1"),
    ("OIDCPROXY_REQUIRED_SCOPES", "mcp:read,mcp:write"),
];

/// Returns the access token of the sign-in `number` at a gateway with `settings`.
pub(crate) fn access_token(settings: &Value, key: &SigningKey, number: usize) -> String {
    let mut all = Settings::default();
    all.read_json(settings.to_string().as_bytes()).unwrap();
    let config = resolve(&all, Site::Filter).unwrap().config;
    let seed = Seed::new([u8::try_from(number).unwrap(); 32]);
    let engine = Engine::new(config, Box::new(PortableVerifier::new()), seed);
    Person {
        engine,
        key,
        nonce: String::new(),
    }
    .sign_in()
}

struct Person<'a> {
    engine: Engine,
    key: &'a SigningKey,
    nonce: String,
}

impl Person<'_> {
    fn sign_in(mut self) -> String {
        let body = json!({ "redirect_uris": [REDIRECT] }).to_string();
        let registered = self.send("POST", "/register", "", &body);
        let client = text(&registered, "client_id");
        let path = format!(
            "/authorize?response_type=code&client_id={client}&redirect_uri={REDIRECT}\
             &code_challenge_method=S256&code_challenge={CHALLENGE}"
        );
        let page = self.send("GET", &path, "", "");
        let html = String::from_utf8(page.body.clone()).unwrap();
        let request = between(&html, "name=\"request\" value=\"", '"');
        let form = format!("request={request}&decision=approve");
        let consented = self.send("POST", "/consent", &cookies(&page), &form);
        let location = header(&consented, "location");
        self.nonce = between(&location, "nonce=", '&');
        let path = format!(
            "/auth/callback?code=c&state={}",
            between(&location, "state=", '&')
        );
        let back = self.send("GET", &path, &cookies(&consented), "");
        let code = between(&header(&back, "location"), "code=", '&');
        let form = format!(
            "grant_type=authorization_code&client_id={client}&code={code}&code_verifier={VERIFIER}"
        );
        text(&self.send("POST", "/token", "", &form), "access_token")
    }

    fn send(&mut self, method: &str, path: &str, cookies: &str, body: &str) -> LocalResponse {
        let ambient = Ambient {
            now: UnixSeconds(NOW / 1_000_000_000),
        };
        let headers: [(&str, &[u8]); 1] = [("cookie", cookies.as_bytes())];
        let head = RequestHead {
            method: method.as_bytes(),
            authority: b"mcp.example.com",
            path: path.as_bytes(),
            headers: &headers,
            peer: Peer::Unknown,
        };
        let mut step = self.engine.handle_request(&head, ambient);
        loop {
            step = match step {
                Step::Decide(Decision::Respond(response)) => return response,
                Step::Decide(Decision::Forward(_)) => panic!("forwarded"),
                Step::ReadBody { pending, .. } => {
                    let body = RequestBody::Whole(body.as_bytes());
                    self.engine.handle_body(pending, body, ambient)
                }
                Step::Wait { ticket, pending } => {
                    let answer = loop {
                        let (call, underway) = self.engine.poll_call().unwrap();
                        let outcome = self.answer(&call);
                        let wake = self.engine.handle_upstream(underway, outcome, ambient);
                        if wake.tickets.contains(&ticket) {
                            break wake.answer;
                        }
                    };
                    self.engine.handle_wake(pending, &answer, ambient)
                }
            };
        }
    }

    fn answer(&self, call: &UpstreamCall) -> CallOutcome {
        let now = NOW / 1_000_000_000;
        let body = if call.method == "POST" {
            let claims = json!({
                "iss": ISSUER, "aud": "0oa9z8y7x6w5v4u3t2s1", "sub": "00u1a2b3c4d5e6f7g8h9",
                "nonce": self.nonce, "iat": now, "exp": now + 300,
            });
            json!({ "id_token": self.key.token(Alg::Rs256, &claims) })
        } else if call.url.path().ends_with("/openid-configuration") {
            json!({
                "issuer": ISSUER,
                "jwks_uri": "https://login.example.com/jwks",
                "authorization_endpoint": "https://login.example.com/authorize",
                "token_endpoint": "https://login.example.com/token",
            })
        } else {
            json!({ "keys": [self.key.jwk()] })
        };
        Ok(UpstreamResponse {
            status: 200,
            headers: Vec::new(),
            body: body.to_string().into(),
        })
    }
}

fn text(response: &LocalResponse, name: &str) -> String {
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    let text = body.get(name).and_then(Value::as_str);
    text.unwrap_or_else(|| panic!("{body}")).to_owned()
}

fn header(response: &LocalResponse, name: &str) -> String {
    let mut found = response.headers.iter().filter(|(field, _)| *field == name);
    let (_, value) = found
        .next()
        .unwrap_or_else(|| panic!("{}", response.reason));
    value.clone()
}

fn cookies(response: &LocalResponse) -> String {
    let set = response
        .headers
        .iter()
        .filter(|(name, _)| *name == "set-cookie");
    let pairs: Vec<&str> = set
        .filter_map(|(_, value)| value.split(';').next())
        .collect();
    pairs.join("; ")
}

fn between(text: &str, start: &str, end: char) -> String {
    let (_, rest) = text.split_once(start).unwrap();
    rest.split(end).next().unwrap().to_owned()
}
