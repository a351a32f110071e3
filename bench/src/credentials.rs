//! What clients send: keys, tokens, and whole requests.

use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_tests::signing::base64url;
use portcullis_tests::{Alg, SigningKey};
use serde_json::{Value, json};

/// The issuer of every token.
pub(crate) const ISSUER: &str = "https://login.example.com/oauth2/default";
/// The audience of every token.
pub(crate) const AUDIENCE: &str = "https://mcp.example.com/mcp";
/// The key of mode `api-key`.
pub(crate) const API_KEY: &str = "k7Jc2uY0cTn4u4b9wq8v1Xz3Lr6Sd5Ff0Gh2Jk4Qm8A";

/// The algorithms that are measured, each with a key of its own.
const ALGORITHMS: [Alg; 4] = [Alg::Rs256, Alg::Es256, Alg::Ps256, Alg::EdDsa];

/// The keys of the authorization server.
pub(crate) struct Keys(Vec<(Alg, SigningKey)>);

impl Keys {
    /// Makes fresh ones.
    pub(crate) fn generate() -> Self {
        let key = |alg: Alg| (alg, SigningKey::generate(&alg.name().to_lowercase(), alg));
        Self(ALGORITHMS.into_iter().map(key).collect())
    }

    /// Returns the key that signs with `alg`.
    pub(crate) fn of(&self, alg: Alg) -> &SigningKey {
        let found = self.0.iter().find(|(own, _)| *own == alg);
        &found.unwrap().1
    }

    /// Returns the public keys.
    pub(crate) fn jwks(&self) -> Value {
        let keys: Vec<Value> = self.0.iter().map(|(_, key)| key.jwk()).collect();
        json!({"keys": keys})
    }

    /// Makes `count` tokens, each different; signing RSA takes half a millisecond.
    pub(crate) fn tokens(&self, alg: Alg, count: usize) -> Vec<String> {
        let key = self.of(alg);
        let half = count / 2;
        thread::scope(|scope| {
            let sign = |range: std::ops::Range<usize>| {
                range
                    .map(|number| key.token(alg, &claims(number)))
                    .collect::<Vec<_>>()
            };
            let other = scope.spawn(move || sign(half..count));
            let mut tokens = sign(0..half);
            tokens.extend(other.join().unwrap());
            tokens
        })
    }

    /// Makes tokens that name keys which nobody has; their signatures are never looked at.
    pub(crate) fn of_unknown_keys(count: usize) -> Vec<String> {
        let token = |number: usize| {
            let header = json!({"alg": "RS256", "kid": format!("unknown-{number}"), "typ": "JWT"});
            let claims = claims(number);
            format!(
                "{}.{}.{}",
                base64url(header.to_string()),
                base64url(claims.to_string()),
                base64url([7; 256])
            )
        };
        (0..count).map(token).collect()
    }
}

/// Claims as an access token of a usual provider has them: some 800 bytes with an RS256
/// signature.
fn claims(number: usize) -> Value {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = since.as_secs();
    json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "00u1a2b3c4d5e6f7g8h9",
        "cid": "0oa9z8y7x6w5v4u3t2s1",
        "scp": ["mcp:read", "mcp:write"],
        "scope": "mcp:read mcp:write",
        "iat": now,
        "exp": now + 7200,
        "jti": format!("AT.{number:032x}"),
    })
}

/// Makes a request as MCP clients send it, with this field line or none.
pub(crate) fn post(path: &str, fields: &str) -> Vec<u8> {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"message":"hello"}}}"#;
    format!(
        "POST {path} HTTP/1.1\r\nhost: mcp.example.com\r\nuser-agent: mcp-remote/0.1\r\n\
         accept: application/json, text/event-stream\r\ncontent-type: application/json\r\n\
         mcp-protocol-version: 2025-11-25\r\n{fields}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Returns the field line of a bearer token or key.
pub(crate) fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

/// Returns the field line of client credentials.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    let pair = STANDARD.encode(format!("{id}:{secret}"));
    format!("authorization: Basic {pair}\r\n")
}
