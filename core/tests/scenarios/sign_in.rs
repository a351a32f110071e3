//! A sign-in, step by step: the client, the browser with its cookies, and the provider.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::{Decision, LocalResponse};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::request::Request;
use crate::server::{form, response};
use crate::signer::Signer;
use crate::support::{STATE_KEY, Scenario};

pub(crate) const ISSUER: &str = "https://mcp.example.com";
pub(crate) const IDP: &str = "https://idp.example.com";
pub(crate) const RESOURCE: &str = "https://mcp.example.com/mcp";
pub(crate) const REDIRECT: &str = "http://127.0.0.1:3335/callback";
pub(crate) const VERIFIER: &str = "verifier-verifier-verifier-verifier-verifier";

pub(crate) const OIDC_PROXY_MODE: &[(&str, &str)] = &[
    ("ZSCALER_MCP_AUTH_MODE", "oidcproxy"),
    (
        "OIDCPROXY_CONFIG_URL",
        "https://idp.example.com/.well-known/openid-configuration",
    ),
    ("OIDCPROXY_BASE_URL", RESOURCE),
    ("OIDCPROXY_CLIENT_ID", "gateway"),
    ("OIDCPROXY_CLIENT_SECRET", "gateway-secret"),
    ("OIDCPROXY_REQUIRED_SCOPES", "mcp:tools"),
    ("PORTCULLIS_STATE_KEYS", STATE_KEY),
];

/// A gateway in mode `oidcproxy` and its provider.
pub(crate) fn gateway(more: &[(&str, &str)]) -> Scenario {
    let mut scenario = Scenario::with(OIDC_PROXY_MODE, more);
    scenario.server.keys = vec![provider_key().jwk()];
    scenario.server.document = document();
    scenario
}

pub(crate) fn document() -> Value {
    json!({
        "issuer": IDP,
        "jwks_uri": "https://idp.example.com/jwks",
        "authorization_endpoint": "https://idp.example.com/authorize",
        "token_endpoint": "https://idp.example.com/oidc/token",
        "revocation_endpoint": "https://idp.example.com/oidc/revoke",
        "authorization_response_iss_parameter_supported": true,
    })
}

pub(crate) fn provider_key() -> Signer {
    Signer::ed_dsa("a", 1)
}

/// Claims of an ID token for the gateway.
pub(crate) fn id_claims(scenario: &Scenario, nonce: &str) -> Value {
    json!({
        "iss": IDP, "aud": "gateway", "sub": "alice", "nonce": nonce,
        "iat": scenario.now, "exp": scenario.now + 300,
    })
}

/// A browser: cookies by name.
#[derive(Clone, Default)]
pub(crate) struct Browser(pub(crate) BTreeMap<String, String>);

impl Browser {
    /// Sends a request with the cookies, and keeps those that come back.
    #[track_caller]
    pub(crate) fn send(&mut self, scenario: &mut Scenario, request: Request) -> LocalResponse {
        let cookies: Vec<String> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = if cookies.is_empty() {
            request
        } else {
            request.with("cookie", cookies.join("; "))
        };
        let response = answered(scenario, &request);
        for (name, value) in &response.headers {
            if *name == "set-cookie" {
                let (cookie, attributes) = value.split_once(';').unwrap();
                let (cookie, value) = cookie.split_once('=').unwrap();
                if attributes.contains("Max-Age=0") {
                    self.0.remove(cookie);
                } else {
                    self.0.insert(cookie.into(), value.into());
                }
            }
        }
        response
    }
}

/// A client that registered itself.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
}

impl Client {
    #[track_caller]
    pub(crate) fn register(scenario: &mut Scenario, redirect_uris: &[&str]) -> Self {
        let body = json!({ "redirect_uris": redirect_uris, "client_name": "Test" }).to_string();
        let response = answered(scenario, &Request::new("POST", "/register").body(body));
        assert_eq!(
            (response.status, response.reason.name()),
            (201, "registered")
        );
        let id = json(&response)["client_id"].as_str().unwrap().into();
        Self { id }
    }

    /// Returns the path that the client sends a browser to; `more` replaces parameters.
    pub(crate) fn authorize_path(&self, more: &[(&str, Option<&str>)]) -> String {
        let challenge = challenge(VERIFIER);
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", self.id.as_str()),
            ("redirect_uri", REDIRECT),
            ("state", "client-state"),
            ("scope", "mcp:tools offline_access"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("resource", RESOURCE),
        ];
        for (name, value) in more {
            pairs.retain(|(known, _)| known != name);
            pairs.extend(value.map(|value| (*name, value)));
        }
        format!("/authorize?{}", encoded(&pairs))
    }

    /// Brings what the client has to the token endpoint; `more` replaces parameters.
    pub(crate) fn token_request(&self, code: &str, more: &[(&str, Option<&str>)]) -> Request {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("client_id", self.id.as_str()),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", REDIRECT),
            ("resource", RESOURCE),
        ];
        for (name, value) in more {
            pairs.retain(|(known, _)| known != name);
            pairs.extend(value.map(|value| (*name, value)));
        }
        Request::new("POST", "/token").body(encoded(&pairs))
    }

    pub(crate) fn refresh_request(&self, token: &str) -> Request {
        let pairs = [
            ("grant_type", "refresh_token"),
            ("client_id", self.id.as_str()),
            ("refresh_token", token),
        ];
        Request::new("POST", "/token").body(encoded(&pairs))
    }

    /// Opens the consent page, and returns the sealed request in its form.
    #[track_caller]
    pub(crate) fn ask(&self, scenario: &mut Scenario, browser: &mut Browser) -> String {
        let page = browser.send(scenario, Request::get(&self.authorize_path(&[])));
        assert_eq!(page.status, 200, "{}", page.reason);
        sealed_request(&page)
    }

    /// Goes on to the provider; returns its parameters.
    #[track_caller]
    pub(crate) fn consent(
        &self,
        scenario: &mut Scenario,
        browser: &mut Browser,
    ) -> BTreeMap<String, String> {
        let request = self.ask(scenario, browser);
        let response = browser.send(scenario, decide(&request, "approve"));
        assert_eq!(
            (response.status, response.reason.name()),
            (303, "consent_given")
        );
        let location = header(&response, "location").unwrap();
        assert!(location.starts_with("https://idp.example.com/authorize?"));
        query(location)
    }

    /// Comes back from the provider with a code of ours, and makes the provider answer it with an
    /// ID token and a refresh token.
    #[track_caller]
    pub(crate) fn code(&self, scenario: &mut Scenario, browser: &mut Browser) -> String {
        let asked = self.consent(scenario, browser);
        let response = browser.send(scenario, callback(&asked["state"], "idp-code"));
        assert_eq!(response.status, 303, "{}", response.reason.name());
        let back = query(header(&response, "location").unwrap());
        assert_eq!((&*back["state"], &*back["iss"]), ("client-state", ISSUER));
        let claims = id_claims(scenario, &asked["nonce"]);
        scenario.server.tokens = tokens(Some(&claims), Some("idp-refresh-1"));
        back["code"].clone()
    }

    /// Signs in.
    #[track_caller]
    pub(crate) fn sign_in(&self, scenario: &mut Scenario) -> Value {
        let code = self.code(scenario, &mut Browser::default());
        let response = answered(scenario, &self.token_request(&code, &[]));
        assert_eq!(response.status, 200, "{}", response.reason.name());
        json(&response)
    }
}

pub(crate) fn decide(request: &str, decision: &str) -> Request {
    let body = encoded(&[("request", request), ("decision", decision)]);
    Request::new("POST", "/consent")
        .with("origin", ISSUER)
        .with("sec-fetch-site", "same-origin")
        .body(body)
}

pub(crate) fn callback(state: &str, code: &str) -> Request {
    let pairs = [("code", code), ("state", state), ("iss", IDP)];
    Request::get(&format!("/auth/callback?{}", encoded(&pairs)))
}

/// The provider's answer with these claims in the ID token.
pub(crate) fn tokens(
    claims: Option<&Value>,
    refresh_token: Option<&str>,
) -> portcullis_core::CallOutcome {
    let mut answer = json!({ "access_token": "opaque", "token_type": "Bearer", "expires_in": 60 });
    if let Some(claims) = claims {
        answer["id_token"] = provider_key().sign(claims).into();
    }
    if let Some(token) = refresh_token {
        answer["refresh_token"] = token.into();
    }
    response(200, answer.to_string())
}

/// Returns what the gateway itself answers.
#[track_caller]
pub(crate) fn answered(scenario: &mut Scenario, request: &Request) -> LocalResponse {
    match scenario.send(request) {
        Decision::Respond(response) => response,
        Decision::Forward(_) => panic!("forwarded"),
    }
}

#[track_caller]
pub(crate) fn json(response: &LocalResponse) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

pub(crate) fn header<'a>(response: &'a LocalResponse, name: &str) -> Option<&'a str> {
    let mut found = response.headers.iter().filter(|(field, _)| *field == name);
    found.next().map(|(_, value)| value.as_str())
}

/// Returns the parameters of an address.
pub(crate) fn query(location: &str) -> BTreeMap<String, String> {
    let (_, query) = location.split_once('?').unwrap();
    form(query.as_bytes()).into_iter().collect()
}

/// Returns the sealed request of a consent page.
#[track_caller]
pub(crate) fn sealed_request(page: &LocalResponse) -> String {
    let html = std::str::from_utf8(&page.body).unwrap();
    let (_, after) = html.split_once("name=\"request\" value=\"").unwrap();
    after.split_once('"').unwrap().0.into()
}

pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                    char::from(byte).to_string()
                }
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
        .collect();
    pairs.join("&")
}
