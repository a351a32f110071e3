//! A provider that says whatever a test wants: it stands in for faults, lapsed tokens and people
//! that a real one does not have.

use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_tests::authorization_server::{JWKS_PATH, TOKEN_PATH};
use portcullis_tests::{
    Alg, AuthorizationServer, Behaviour, EchoResource, Gateway, Kind, Settings, SigningKey,
};
use serde_json::{Value, json};

use crate::install::Mode;
use crate::world::{Others, RESOURCE, SCOPE};

const DOCUMENT: &str = "/.well-known/openid-configuration";
/// How it knows the gateway.
pub(crate) const CLIENT: &str = "gateway";

/// The provider, with a resource for the gateways that rely on it.
pub(crate) struct StandIn {
    server: AuthorizationServer,
    key: SigningKey,
    resource: EchoResource,
    _others: Others,
}

impl StandIn {
    pub(crate) fn start() -> Self {
        let server = AuthorizationServer::start();
        let key = SigningKey::generate("stand-in", Alg::Es256);
        server.publish([key.jwk()]);
        let document = json!({
            "issuer": server.url(""),
            "jwks_uri": server.url(JWKS_PATH),
            "authorization_endpoint": server.url("/authorize"),
            "token_endpoint": server.url(TOKEN_PATH),
            "authorization_response_iss_parameter_supported": true,
        });
        server.on_path(DOCUMENT, Behaviour::json(200, &document));
        let resource = EchoResource::start();
        Self {
            server,
            key,
            resource,
            _others: Others::now(),
        }
    }

    /// Starts a gateway that relies on it.
    pub(crate) fn gateway(&self, kind: Kind, mode: Mode) -> Gateway {
        let settings = Settings::new()
            .with("ZSCALER_MCP_AUTH_MODE", mode.name())
            .with("OIDCPROXY_CONFIG_URL", self.server.url(DOCUMENT))
            .with("OIDCPROXY_BASE_URL", RESOURCE)
            .with("OIDCPROXY_REQUIRED_SCOPES", SCOPE)
            .with("OIDCPROXY_CLIENT_ID", CLIENT)
            .with("OIDCPROXY_CLIENT_SECRET", "secret");
        let settings = match mode {
            Mode::Oidc => settings.with("OIDCPROXY_AUDIENCE", RESOURCE),
            Mode::OidcProxy => settings,
        };
        Gateway::start(kind, &settings, &self.resource.url())
    }

    pub(crate) fn issuer(&self) -> String {
        self.server.url("")
    }

    /// Returns an access token for the resource that lapses after so many seconds.
    pub(crate) fn access_token(&self, subject: &str, seconds: i64) -> String {
        let claims = json!({
            "iss": self.issuer(),
            "aud": RESOURCE,
            "sub": subject,
            "scope": SCOPE,
            "exp": now() + seconds,
        });
        self.key.token(Alg::Es256, &claims)
    }

    /// Grants tokens for any code from here on, with an ID token that `spoil` has changed.
    pub(crate) fn grant(&self, nonce: &str, spoil: impl FnOnce(&mut Value)) {
        let mut claims = json!({
            "iss": self.issuer(),
            "aud": CLIENT,
            "sub": "alice",
            "nonce": nonce,
            "iat": now(),
            "exp": now() + 600,
        });
        spoil(&mut claims);
        self.grant_with(&self.key.token(Alg::Es256, &claims));
    }

    /// Grants tokens for any code from here on, with this ID token.
    pub(crate) fn grant_with(&self, id_token: &str) {
        let tokens = json!({
            "access_token": "opaque",
            "token_type": "Bearer",
            "id_token": id_token,
        });
        self.server
            .on_path(TOKEN_PATH, Behaviour::json(200, &tokens));
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
