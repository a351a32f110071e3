//! What stands around a pair of gateways.

use std::sync::OnceLock;

use portcullis_tests::signing::now;
use portcullis_tests::{Alg, AuthorizationServer, EchoResource, SigningKey};
use serde_json::{Value, json};

/// The issuer of honest tokens.
pub(crate) const ISSUER: &str = "https://issuer.example/tenant";
/// The audience of honest tokens.
pub(crate) const AUDIENCE: &str = "mcp-server";

/// One authorization server and one protected resource, shared by both gateways.
pub(crate) struct World {
    pub(crate) authorization_server: AuthorizationServer,
    pub(crate) resource: EchoResource,
}

impl World {
    pub(crate) fn start() -> Self {
        Self {
            authorization_server: AuthorizationServer::start(),
            resource: EchoResource::start(),
        }
    }
}

/// The signing keys of the tests, one for each kind.
pub(crate) struct Keys {
    pub(crate) rsa: SigningKey,
    pub(crate) p256: SigningKey,
    pub(crate) p384: SigningKey,
    pub(crate) p521: SigningKey,
    pub(crate) ed25519: SigningKey,
    /// Never published.
    pub(crate) stranger: SigningKey,
}

impl Keys {
    /// Returns the key that signs with `alg`.
    pub(crate) const fn of(&self, alg: Alg) -> &SigningKey {
        match alg {
            Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 | Alg::Ps384 | Alg::Ps512 => {
                &self.rsa
            }
            Alg::Es256 => &self.p256,
            Alg::Es384 => &self.p384,
            Alg::Es512 => &self.p521,
            Alg::EdDsa => &self.ed25519,
        }
    }

    /// Returns the JWKs to publish.
    pub(crate) fn jwks(&self) -> Vec<Value> {
        [&self.rsa, &self.p256, &self.p384, &self.p521, &self.ed25519]
            .into_iter()
            .map(SigningKey::jwk)
            .collect()
    }
}

/// Returns the keys, made once per process.
pub(crate) fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| Keys {
        rsa: SigningKey::generate("rsa-1", Alg::Rs256),
        p256: SigningKey::generate("p256-1", Alg::Es256),
        p384: SigningKey::generate("p384-1", Alg::Es384),
        p521: SigningKey::generate("p521-1", Alg::Es512),
        ed25519: SigningKey::generate("ed-1", Alg::EdDsa),
        stranger: SigningKey::generate("stranger", Alg::Es256),
    })
}

/// Returns the claims of an honest token, good for ten minutes.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "alice",
        "exp": now() + 600,
        "iat": now(),
    })
}

/// Returns honest claims with `name` set; null removes it.
pub(crate) fn claims_with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    claims
}
