//! Requests whose decision is measured: `main.rs` takes their time, `core/cost` has their
//! instructions counted.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portcullis_core::config::{Settings, Site, resolve};
use portcullis_core::jose::{Algorithm, PublicKey, SignatureVerifier};
use portcullis_core::{
    Ambient, Decision, Engine, Peer, RequestHead, Seed, Step, UnixSeconds, UpstreamResponse,
};

/// Every case: a mode with the same credential again, one key of a hundred thousand, a token that was never seen (parsing, claims,
/// the cache, but not the signature), no credential, a wrong one.
pub(crate) const NAMES: [&str; 8] = [
    "none",
    "api-key",
    "api-key-of-many",
    "jwt",
    "zscaler",
    "jwt-new",
    "jwt-missing",
    "api-key-wrong",
];

/// How often a case can be asked before tokens that were never seen run out.
pub(crate) const MOST: usize = 2_000;

const NOW: Ambient = Ambient {
    now: UnixSeconds(1_800_000_000),
};
const KEY: &str = "k7Jc2uY0cTn4u4b9wq8v1Xz3Lr6Sd5Ff0Gh2Jk4Qm8A";
const STATE_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";

/// An engine and what it is asked.
pub(crate) struct Case {
    engine: Engine,
    credentials: Vec<Vec<u8>>,
    next: usize,
    admitted: bool,
}

impl Case {
    /// Makes a case in which every cache is filled.
    pub(crate) fn new(name: &str) -> Self {
        let (mode, credentials, admitted) = match name {
            "jwt-new" => ("jwt", (1..MOST).map(token).collect(), true),
            "jwt-missing" => ("jwt", vec![Vec::new()], false),
            "api-key-of-many" => ("api-key", vec![credential("api-key")], true),
            "api-key-wrong" => ("api-key", vec![b"Bearer wrong".to_vec()], false),
            mode => (mode, vec![credential(mode)], true),
        };
        let mut engine = engine(mode, name == "api-key-of-many");
        assert!(decide(&mut engine, &credential(mode)), "it is refused");
        Self {
            engine,
            credentials,
            next: 0,
            admitted,
        }
    }

    /// Decides one request.
    pub(crate) fn decide(&mut self) {
        let credential = self.credentials.get(self.next);
        let credential = credential.expect("as many credentials as requests");
        let admitted = decide(&mut self.engine, credential);
        assert_eq!(admitted, self.admitted, "it is decided otherwise");
        self.next = (self.next + 1) % self.credentials.len();
    }
}

fn engine(mode: &str, many: bool) -> Engine {
    let mut settings = Settings::default();
    if many {
        settings.read_environment([("PORTCULLIS_API_KEYS", key_list())]);
    }
    let json = format!(
        r#"{{"ZSCALER_MCP_AUTH_MODE":"{mode}","PORTCULLIS_STATE_KEYS":"{STATE_KEY}",
            "ZSCALER_MCP_AUTH_API_KEY":"{KEY}",
            "ZSCALER_MCP_AUTH_JWKS_URI":"https://login.example.com/jwks",
            "PORTCULLIS_TOKEN_URL":"https://login.example.com/token"}}"#
    );
    settings.read_json(json.as_bytes()).expect("settings");
    let resolution = resolve(&settings, Site::Filter).expect("settings");
    Engine::new(resolution.config, Box::new(Yes), Seed::new([0; 32]))
}

/// Makes a list of keys that nobody has.
fn key_list() -> String {
    let entries = (0..100_000_u64).map(|number| {
        // Well spread, as digests are.
        let digits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!(r#"{{"name":"key-{number}","sha256":"{digits:016x}{number:048x}"}}"#)
    });
    format!("[{}]", entries.collect::<Vec<_>>().join(","))
}

/// Decides a request with this credential, or none, and answers the calls that it takes; tells
/// whether it may pass.
fn decide(engine: &mut Engine, credential: &[u8]) -> bool {
    let headers: [(&str, &[u8]); 13] = [
        ("user-agent", b"mcp-remote/0.1"),
        ("accept", b"application/json, text/event-stream"),
        ("accept-language", b"*"),
        ("accept-encoding", b"gzip, deflate"),
        ("content-type", b"application/json"),
        ("content-length", b"104"),
        ("mcp-protocol-version", b"2025-11-25"),
        ("sec-fetch-mode", b"cors"),
        ("connection", b"keep-alive"),
        ("x-forwarded-for", b"192.0.2.1"),
        ("x-forwarded-proto", b"https"),
        ("x-request-id", b"5b3c7a0e-6c0a-4d54-9a3c-0b0f4f0a7a11"),
        ("authorization", credential),
    ];
    let sent = if credential.is_empty() {
        &headers[..12]
    } else {
        &headers
    };
    let head = RequestHead {
        method: b"POST",
        authority: b"mcp.example.com",
        path: b"/mcp",
        headers: sent,
        peer: Peer::Unknown,
    };
    let mut step = engine.handle_request(&head, NOW);
    if let Step::Wait { pending, .. } = step {
        let (call, under_way) = engine.poll_call().expect("a call");
        let body = if call.method == "GET" {
            jwks()
        } else {
            r#"{"access_token":"opaque","expires_in":3600}"#.to_owned()
        };
        let response = UpstreamResponse {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
        };
        let wake = engine.handle_upstream(under_way, Ok(response), NOW);
        step = engine.handle_wake(pending, &wake.answer, NOW);
    }
    match std::hint::black_box(step) {
        Step::Decide(Decision::Forward(_)) => true,
        Step::Decide(Decision::Respond(_)) | Step::Wait { .. } | Step::ReadBody { .. } => false,
    }
}

/// Makes what a client of `mode` sends.
fn credential(mode: &str) -> Vec<u8> {
    match mode {
        "none" => Vec::new(),
        "jwt" => token(0),
        "zscaler" => {
            let pair = STANDARD.encode("client-1:a-secret-of-32-characters");
            format!("Basic {pair}").into()
        }
        _ => format!("Bearer {KEY}").into(),
    }
}

/// Makes a bearer token of some 800 bytes.
fn token(number: usize) -> Vec<u8> {
    let header = r#"{"alg":"RS256","kid":"key","typ":"JWT"}"#;
    let claims = format!(
        r#"{{"iss":"https://login.example.com/oauth2/default","aud":"https://mcp.example.com/mcp",
            "sub":"00u1a2b3c4d5e6f7g8h9","cid":"0oa9z8y7x6w5v4u3t2s1","scope":"mcp:read mcp:write",
            "iat":1799999000,"exp":1800003600,"jti":"AT.{number:032x}"}}"#
    );
    let token = [header.as_bytes(), claims.as_bytes(), &[7; 256]]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".");
    format!("Bearer {token}").into()
}

fn jwks() -> String {
    let modulus = URL_SAFE_NO_PAD.encode([0xb7; 256]);
    format!(r#"{{"keys":[{{"kty":"RSA","kid":"key","n":"{modulus}","e":"AQAB"}}]}}"#)
}

struct Yes;

impl SignatureVerifier for Yes {
    fn verify(&self, _: Algorithm, _: &PublicKey, _: &[u8], _: &[u8]) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "yes"
    }
}
