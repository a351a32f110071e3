//! The requests whose cost is counted.

use std::sync::LazyLock;

use portcullis_tests::{Alg, SigningKey};
use serde_json::{Value, json};

use crate::filter::{Counts, Filter};
use crate::host::{Fields, NOW};
use crate::sign_in;

const API_KEY: &str = "k7Jc2uY0cTn4u4b9wq8v1Xz3Lr6Sd5Ff0Gh2Jk4Qm8A";
const STATE_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
const ORIGIN: &str = "https://app.example.com";
const ISSUER: &str = "https://login.example.com/oauth2/default";
const AUDIENCE: &str = "https://mcp.example.com/mcp";

/// One key for all tests, as making one takes longer than all else.
static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate("key", Alg::Rs256));

/// Of an algorithm that the host does not check.
static ED25519: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate("ed", Alg::EdDsa));

/// How a filter is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scenario {
    /// The same credential again.
    Warm,
    /// No credential.
    Missing,
    /// A wrong credential.
    Wrong,
    /// The same credential again, in a session.
    Session,
    /// The same credential again, by a script of a web page.
    Browser,
    /// The same credential again, with address and host rules.
    Rules,
    /// A token that was never seen, after others.
    FirstSight,
    /// As that, of an algorithm that the host does not check.
    FirstSightInTheVm,
}

/// Runs `scenario` in `mode` and returns what its last request took.
pub(crate) fn run(mode: &str, scenario: Scenario) -> Counts {
    let jwks = json!({"keys": [KEY.jwk(), ED25519.jwk()]});
    let mut filter = Filter::start(&settings(mode, scenario), jwks);
    let credential = |number| vec![("authorization", credential(mode, scenario, number))];
    let usual = credential(0);
    // The first request causes calls and opens a session.
    filter.request(&request(&usual), &response(true));
    let session = filter.response_field("mcp-session-id");
    let with = |name, value: String| [usual.clone(), vec![(name, value)]].concat();
    let asked = match scenario {
        Scenario::Warm | Scenario::Rules => usual,
        Scenario::Missing => Vec::new(),
        Scenario::Wrong => vec![("authorization", "Bearer wrong".to_owned())],
        Scenario::Session => with("mcp-session-id", session.unwrap()),
        Scenario::Browser => with("origin", ORIGIN.to_owned()),
        Scenario::FirstSight | Scenario::FirstSightInTheVm => credential(1),
    };
    let response = response(scenario == Scenario::Session);
    // Counters get their ids from the host when they are first needed.
    let before = match scenario {
        Scenario::FirstSight | Scenario::FirstSightInTheVm => credential(2),
        Scenario::Warm
        | Scenario::Missing
        | Scenario::Wrong
        | Scenario::Session
        | Scenario::Browser
        | Scenario::Rules => asked.clone(),
    };
    filter.request(&request(&before), &response);
    filter.request(&request(&asked), &response)
}

fn settings(mode: &str, scenario: Scenario) -> Value {
    let mut settings = json!({
        "ZSCALER_MCP_AUTH_MODE": mode,
        "PORTCULLIS_STATE_KEYS": STATE_KEY,
    });
    let more: &[(&str, &str)] = match mode {
        "api-key" => &[("ZSCALER_MCP_AUTH_API_KEY", API_KEY)],
        "jwt" => &[
            (
                "ZSCALER_MCP_AUTH_JWKS_URI",
                "https://login.example.com/jwks",
            ),
            ("ZSCALER_MCP_AUTH_ISSUER", ISSUER),
            ("ZSCALER_MCP_AUTH_AUDIENCE", AUDIENCE),
        ],
        "oidcproxy" => &sign_in::SETTINGS,
        "zscaler" => &[("PORTCULLIS_TOKEN_URL", "https://login.example.com/token")],
        _ => &[("ZSCALER_MCP_ALLOWED_HOSTS", "mcp.example.com")],
    };
    let rules: &[(&str, &str)] = match scenario {
        Scenario::Browser => &[("ZSCALER_MCP_ALLOWED_ORIGINS", ORIGIN)],
        Scenario::Rules => &[
            ("ZSCALER_MCP_ALLOWED_HOSTS", "*.example.com"),
            ("ZSCALER_MCP_ALLOWED_SOURCE_IPS", "192.0.2.0/24"),
        ],
        Scenario::Warm
        | Scenario::Missing
        | Scenario::Wrong
        | Scenario::Session
        | Scenario::FirstSight
        | Scenario::FirstSightInTheVm => &[],
    };
    for (name, value) in more.iter().chain(rules) {
        settings[*name] = json!(value);
    }
    settings
}

/// Makes what a client of `mode` sends; a token has some 800 bytes.
fn credential(mode: &str, scenario: Scenario, number: usize) -> String {
    match mode {
        "jwt" => format!("Bearer {}", token(scenario, number)),
        "oidcproxy" => {
            let settings = settings(mode, scenario);
            let token = sign_in::access_token(&settings, &KEY, number);
            format!("Bearer {token}")
        }
        // `client-1` and a secret of usual length.
        "zscaler" => "Basic Y2xpZW50LTE6YS1zZWNyZXQtb2YtMzItY2hhcmFjdGVycw==".to_owned(),
        _ => format!("Bearer {API_KEY}"),
    }
}

fn token(scenario: Scenario, number: usize) -> String {
    let now = NOW / 1_000_000_000;
    let claims = json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "00u1a2b3c4d5e6f7g8h9",
        "cid": "0oa9z8y7x6w5v4u3t2s1",
        "scp": ["mcp:read", "mcp:write"],
        "scope": "mcp:read mcp:write",
        "iat": now,
        "exp": now + 7200,
        "jti": format!("AT.{number:032x}"),
    });
    match scenario {
        Scenario::FirstSightInTheVm => ED25519.token(Alg::EdDsa, &claims),
        Scenario::Warm
        | Scenario::Missing
        | Scenario::Wrong
        | Scenario::Session
        | Scenario::Browser
        | Scenario::Rules
        | Scenario::FirstSight => KEY.token(Alg::Rs256, &claims),
    }
}

/// Makes a request as Envoy shows it to a filter.
fn request(more: &[(&str, String)]) -> Fields {
    let usual = [
        (":authority", "mcp.example.com"),
        (":path", "/mcp"),
        (":method", "POST"),
        (":scheme", "https"),
        ("user-agent", "mcp-remote/0.1"),
        ("accept", "application/json, text/event-stream"),
        ("accept-language", "*"),
        ("accept-encoding", "gzip, deflate"),
        ("content-type", "application/json"),
        ("content-length", "104"),
        ("mcp-protocol-version", "2025-11-25"),
        ("sec-fetch-mode", "cors"),
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "5b3c7a0e-6c0a-4d54-9a3c-0b0f4f0a7a11"),
    ];
    let more = more.iter().map(|(name, value)| (*name, value.as_str()));
    fields(usual.into_iter().chain(more))
}

fn response(with_session: bool) -> Fields {
    let session = ("mcp-session-id", "1868a90c-7d2c-4f0e-9d5b-2f0f4f0a7a11");
    let usual = [
        (":status", "200"),
        ("content-type", "application/json"),
        ("content-length", "76"),
        ("x-envoy-upstream-service-time", "1"),
        ("date", "Fri, 15 Jan 2027 08:00:00 GMT"),
        ("server", "envoy"),
    ];
    fields(usual.into_iter().chain(with_session.then_some(session)))
}

fn fields<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Fields {
    fields
        .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect()
}
