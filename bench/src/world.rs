//! What stands around the contenders: keys, credentials, the protected resource, services.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis_tests::Alg;
use serde_json::{Value, json};

use crate::credentials::{API_KEY, AUDIENCE, ISSUER, Keys, basic, bearer, post};
use crate::filters::Settings;
use crate::load::Requests;
use crate::spawn::{Helper, scratch};

/// More than any cache here holds, so that a token that comes round again is not remembered.
const DIFFERENT: usize = 12_000;

/// 32 octets that seal session ids.
const STATE_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";

/// Everything that contenders share.
pub(crate) struct World {
    folder: PathBuf,
    /// The keys of the authorization server.
    pub(crate) keys: Keys,
    /// The protected resource, which is the authorization server as well.
    pub(crate) resource: Helper,
    /// A service that says yes to everything.
    pub(crate) service: Helper,
    /// Tokens, each different: RS256.
    pub(crate) rs256: Vec<String>,
    /// ES256.
    pub(crate) es256: Vec<String>,
    /// PS256, which Envoy cannot check for us.
    pub(crate) ps256: Vec<String>,
    /// `EdDSA`, likewise.
    pub(crate) eddsa: Vec<String>,
}

impl World {
    /// Makes it.
    pub(crate) fn new() -> Self {
        Self::with_tokens(DIFFERENT)
    }

    /// Makes it with `count` tokens of each algorithm.
    pub(crate) fn with_tokens(count: usize) -> Self {
        let folder = scratch("run");
        let keys = Keys::generate();
        let published = folder.join("resource");
        fs::create_dir_all(&published).unwrap();
        fs::write(published.join("jwks.json"), keys.jwks().to_string()).unwrap();
        let nothing = folder.join("service");
        fs::create_dir_all(&nothing).unwrap();
        Self {
            resource: Helper::start(&published),
            service: Helper::start(&nothing),
            rs256: keys.tokens(Alg::Rs256, count),
            es256: keys.tokens(Alg::Es256, count),
            ps256: keys.tokens(Alg::Ps256, count),
            eddsa: keys.tokens(Alg::EdDsa, count),
            keys,
            folder,
        }
    }

    /// Returns a folder for one contender.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns our settings for a mode.
    pub(crate) fn settings(&self, mode: &str) -> Settings {
        let url = |path: &str| format!("http://{}{path}", self.resource.address());
        let mut settings = json!({
            "ZSCALER_MCP_AUTH_MODE": mode,
            "PORTCULLIS_STATE_KEYS": STATE_KEY,
        });
        let more = match mode {
            "api-key" => json!({"ZSCALER_MCP_AUTH_API_KEY": API_KEY}),
            "jwt" => json!({
                "ZSCALER_MCP_AUTH_JWKS_URI": url("/jwks"),
                "ZSCALER_MCP_AUTH_ISSUER": ISSUER,
                "ZSCALER_MCP_AUTH_AUDIENCE": AUDIENCE,
            }),
            "zscaler" => json!({"PORTCULLIS_TOKEN_URL": url("/oauth2/v1/token")}),
            _ => json!({"ZSCALER_MCP_ALLOWED_HOSTS": "mcp.example.com"}),
        };
        let (Value::Object(settings), Value::Object(more)) = (&mut settings, more) else {
            return Settings::new();
        };
        settings.extend(more);
        std::mem::take(settings)
    }
}

/// Makes requests of a mode that all carry the same credential.
pub(crate) fn same(world: &World, mode: &str) -> Requests {
    same_on(world, mode, "/mcp", "")
}

/// As [`same`], to another path and with more fields.
pub(crate) fn same_on(world: &World, mode: &str, path: &str, fields: &str) -> Requests {
    let credential = match mode {
        "api-key" => bearer(API_KEY),
        "jwt" => bearer(&world.rs256[0]),
        "zscaler" => basic("client-1", "a-secret-of-usual-length-0123456789"),
        _ => String::new(),
    };
    Requests::new(vec![post(path, &format!("{credential}{fields}"))])
}

/// Makes requests that each carry another token.
pub(crate) fn different(tokens: &[String]) -> Requests {
    let requests = tokens.iter().map(|token| post("/mcp", &bearer(token)));
    Requests::new(requests.collect())
}

/// Makes requests that each carry other client credentials.
pub(crate) fn different_clients() -> Requests {
    let secret = "a-secret-of-usual-length-0123456789";
    let requests =
        (0..DIFFERENT).map(|number| post("/mcp", &basic(&format!("client-{number}"), secret)));
    Requests::new(requests.collect())
}

/// Returns the file `name` beside this crate's manifest.
pub(crate) fn own_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
