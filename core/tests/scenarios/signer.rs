//! Issuers of tokens with fixed keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{BoxedUint, Pkcs1v15Sign, RsaPrivateKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::START;

/// The primes of an RSA key of 2048 bits that is good for tests only.
const PRIMES: [&str; 2] = [
    "f71d0952579b3ef14266e551bcb230e74046f5ad277da5754d18f0cbf1b25731\
    ad66c4c78ea93bc4b71e707565f99c9615cd1fcd09b3e9fc706407c7372c0d7d\
    31f1444bbe4b7a04ee31dceec41ce1e5dbbb11da10d6b5103e94319e1f54f0a5\
    51b319afa37a8d4687ab36d0cb39e5a736c42dfbcac68c71fcfbfd0ed70db647",
    "e569b1e7f852591f28c61b2fbb50cdcb2c29147a64178b548aec9e8099f3ef56\
    faf7b9900d926c0934830aaa45e2ebbd7b28925dba0e7aa916f5efad59c29801\
    0a7431d41ca3234ec7254dcc7a5d95c3cf81b64fe3b2ae72b4362d0043988aea\
    39c4a69485a3f655c87dddf1fa22a0a8850bc92d6aa00713dfcf132591197cd7",
];

/// A private key, with its name.
pub(crate) struct Signer {
    pub(crate) kid: &'static str,
    key: Key,
}

enum Key {
    EdDsa(ed25519_dalek::SigningKey),
    Es256(p256::ecdsa::SigningKey),
    Rs256(Box<RsaPrivateKey>),
}

impl Signer {
    pub(crate) fn ed_dsa(kid: &'static str, seed: u8) -> Self {
        let key = Key::EdDsa(ed25519_dalek::SigningKey::from_bytes(&[seed; 32]));
        Self { kid, key }
    }

    pub(crate) fn es256(kid: &'static str, seed: u8) -> Self {
        let key = Key::Es256(p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap());
        Self { kid, key }
    }

    pub(crate) fn rs256(kid: &'static str) -> Self {
        let [p, q] = PRIMES.map(|hex| BoxedUint::from_be_hex(hex, 1024).unwrap());
        let key = RsaPrivateKey::from_p_q(p, q, BoxedUint::from(65_537_u64)).unwrap();
        let key = Key::Rs256(Box::new(key));
        Self { kid, key }
    }

    pub(crate) const fn algorithm(&self) -> &'static str {
        match self.key {
            Key::EdDsa(_) => "EdDSA",
            Key::Es256(_) => "ES256",
            Key::Rs256(_) => "RS256",
        }
    }

    /// Returns the public key as the issuer's set has it.
    pub(crate) fn jwk(&self) -> Value {
        match &self.key {
            Key::EdDsa(key) => json!({
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": self.kid,
                "x": encode(key.verifying_key().as_bytes()),
            }),
            Key::Es256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                json!({
                    "kty": "EC", "crv": "P-256", "use": "sig", "kid": self.kid,
                    "x": encode(point.x().unwrap()), "y": encode(point.y().unwrap()),
                })
            }
            Key::Rs256(key) => json!({
                "kty": "RSA", "use": "sig", "kid": self.kid, "e": "AQAB",
                "n": encode(key.n().to_be_bytes_trimmed_vartime()),
            }),
        }
    }

    /// Makes a token that is good for an hour from the start.
    pub(crate) fn token(&self) -> String {
        self.sign(&claims())
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(&json!({ "alg": self.algorithm(), "kid": self.kid }), claims)
    }

    /// Signs under a header of one's own.
    pub(crate) fn sign_as(&self, header: &Value, claims: &Value) -> String {
        self.sign_raw(&header.to_string(), &claims.to_string())
    }

    pub(crate) fn sign_raw(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = self.signature(message.as_bytes());
        format!("{message}.{}", encode(signature))
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::EdDsa(key) => key.sign(message).to_bytes().to_vec(),
            Key::Es256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_vec()
            }
            Key::Rs256(key) => key
                .sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message))
                .unwrap(),
        }
    }
}

/// Claims that every scenario accepts.
pub(crate) fn claims() -> Value {
    json!({
        "iss": "https://idp.example.com", "aud": "mcp", "sub": "alice",
        "exp": START + 3600, "iat": START, "nbf": START,
    })
}

/// Claims with members put in place of others; `null` takes a member away.
pub(crate) fn claims_with(members: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in members.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
