//! The four modes: settings, credentials that must work and credentials that must not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_tests::Settings;

use crate::programs::IdentityProvider;

/// Header fields as `name: value`.
pub(crate) type Headers = Vec<String>;

/// One mode, ready to be tried.
pub(crate) struct Mode {
    pub(crate) name: &'static str,
    pub(crate) settings: Settings,
    pub(crate) good: Vec<Headers>,
    pub(crate) bad: Vec<Headers>,
    /// Runs as long as the mode is tried.
    _idp: Option<IdentityProvider>,
}

/// Mode `api-key`.
pub(crate) fn api_key() -> Mode {
    let key = "correct-horse-battery-staple";
    Mode {
        name: "api-key",
        settings: forced("api-key").with("ZSCALER_MCP_AUTH_API_KEY", key),
        good: vec![
            vec![format!("Authorization: Bearer {key}")],
            vec![format!("X-Api-Key: {key}")],
        ],
        bad: vec![
            vec![],
            vec!["Authorization: Bearer wrong".to_owned()],
            vec![
                "Authorization: Bearer wrong".to_owned(),
                format!("X-Api-Key: {key}"),
            ],
        ],
        _idp: None,
    }
}

/// Mode `jwt`, with the keys and tokens of a real authorization server.
pub(crate) fn jwt() -> Mode {
    let idp = IdentityProvider::start();
    let bearer = |resource: &str| vec![format!("Authorization: Bearer {}", idp.token(resource))];
    let settings = forced("jwt")
        .with("ZSCALER_MCP_AUTH_JWKS_URI", idp.fact("jwks_uri"))
        .with("ZSCALER_MCP_AUTH_ISSUER", idp.fact("issuer"))
        .with("ZSCALER_MCP_AUTH_AUDIENCE", idp.fact("audience"));
    let garbage = vec!["Authorization: Bearer e30.e30.e30".to_owned()];
    Mode {
        name: "jwt",
        settings,
        good: vec![bearer(idp.fact("audience"))],
        bad: vec![vec![], bearer("https://other.example.com/mcp"), garbage],
        _idp: Some(idp),
    }
}

/// Mode `oidc`, with a real provider's discovery document.
pub(crate) fn oidc() -> Mode {
    let idp = IdentityProvider::start();
    let bearer = |resource: &str| vec![format!("Authorization: Bearer {}", idp.token(resource))];
    let document = format!("{}/.well-known/openid-configuration", idp.fact("issuer"));
    let settings = forced("oidc")
        .with("OIDCPROXY_CONFIG_URL", document)
        .with("OIDCPROXY_BASE_URL", idp.fact("audience"));
    Mode {
        name: "oidc",
        settings,
        good: vec![bearer(idp.fact("audience"))],
        bad: vec![vec![], bearer("https://other.example.com/mcp")],
        _idp: Some(idp),
    }
}

/// Mode `zscaler`, with the token endpoint of a real authorization server.
pub(crate) fn zscaler() -> Mode {
    let idp = IdentityProvider::start();
    let (id, secret) = (idp.fact("client_id"), idp.fact("client_secret"));
    let pair = |secret: &str| {
        vec![
            format!("X-Zscaler-Client-ID: {id}"),
            format!("X-Zscaler-Client-Secret: {secret}"),
        ]
    };
    let basic = |secret: &str| {
        let encoded = STANDARD.encode(format!("{id}:{secret}"));
        vec![format!("Authorization: Basic {encoded}")]
    };
    Mode {
        name: "zscaler",
        settings: forced("zscaler")
            .with("PORTCULLIS_TOKEN_URL", idp.fact("token_url"))
            .with("PORTCULLIS_ENTITLEMENTS", "forward"),
        good: vec![pair(secret), basic(secret)],
        bad: vec![vec![], pair("wrong"), basic("wrong")],
        _idp: Some(idp),
    }
}

/// Mode `none`: nothing is refused.
pub(crate) fn none() -> Mode {
    Mode {
        name: "none",
        settings: forced("none"),
        good: vec![vec![]],
        bad: vec![],
        _idp: None,
    }
}

fn forced(mode: &str) -> Settings {
    Settings::new().with("ZSCALER_MCP_AUTH_MODE", mode)
}
