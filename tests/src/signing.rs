//! Signs tokens (RFC 7515) with every algorithm, also tokens that nobody honest would sign.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A signature algorithm that honest tokens use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Alg {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256.
    Es256,
    /// ECDSA on P-384.
    Es384,
    /// ECDSA on P-521.
    Es512,
    /// Ed25519.
    EdDsa,
}

impl Alg {
    /// Every algorithm.
    pub const ALL: [Self; 10] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
    ];

    /// Returns the registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// A private key with the `kid` under which its public half is published.
pub struct SigningKey {
    kid: String,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair, &'static str),
    Ed(Ed25519KeyPair),
}

impl SigningKey {
    /// Makes a new key that can sign with `alg`; an RSA key has 2048 bits and signs with all six
    /// RSA algorithms.
    #[must_use]
    pub fn generate(kid: &str, alg: Alg) -> Self {
        let pair = match alg {
            Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 | Alg::Ps384 | Alg::Ps512 => {
                Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
            }
            Alg::Es256 => ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            Alg::Es384 => ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            Alg::Es512 => ec(&signature::ECDSA_P521_SHA512_FIXED_SIGNING, "P-521"),
            Alg::EdDsa => Pair::Ed(Ed25519KeyPair::generate().unwrap()),
        };
        Self {
            kid: kid.to_owned(),
            pair,
        }
    }

    /// Returns the `kid`.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns the public half as a JWK with `use` but without `alg`.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let public: &rsa::PublicKey = pair.public_key();
                json!({
                    "kty": "RSA",
                    "n": base64url(public.modulus().big_endian_without_leading_zero()),
                    "e": base64url(public.exponent().big_endian_without_leading_zero()),
                })
            }
            Pair::Ec(pair, curve) => {
                let (x, y) =
                    pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
                json!({"kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y)})
            }
            Pair::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key().as_ref())})
            }
        };
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk
    }

    /// Makes a token with `alg`, `kid` and `typ` in its header.
    #[must_use]
    pub fn token(&self, alg: Alg, claims: &Value) -> String {
        let header = json!({"alg": alg.name(), "kid": self.kid, "typ": "JWT"});
        self.token_with(alg, &header, claims)
    }

    /// Makes a token with this header, which need not fit what signs it.
    #[must_use]
    pub fn token_with(&self, alg: Alg, header: &Value, claims: &Value) -> String {
        self.token_of(alg, header.to_string(), claims.to_string())
    }

    /// Makes a token of any bytes in place of header and claims.
    #[must_use]
    pub fn token_of(&self, alg: Alg, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        let message = format!("{}.{}", base64url(header), base64url(claims));
        let signature = self.sign(alg, message.as_bytes());
        format!("{message}.{}", base64url(signature))
    }

    /// Signs `message`.
    ///
    /// # Panics
    ///
    /// Panics when the key cannot sign with `alg`.
    #[must_use]
    pub fn sign(&self, alg: Alg, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoding: &dyn signature::RsaEncoding = match alg {
                    Alg::Rs256 => &signature::RSA_PKCS1_SHA256,
                    Alg::Rs384 => &signature::RSA_PKCS1_SHA384,
                    Alg::Rs512 => &signature::RSA_PKCS1_SHA512,
                    Alg::Ps256 => &signature::RSA_PSS_SHA256,
                    Alg::Ps384 => &signature::RSA_PSS_SHA384,
                    Alg::Ps512 => &signature::RSA_PSS_SHA512,
                    Alg::Es256 | Alg::Es384 | Alg::Es512 | Alg::EdDsa => {
                        panic!("an RSA key cannot sign {}", alg.name())
                    }
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Pair::Ec(pair, _) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

/// Makes an HS256 token, keyed by bytes that are public: key confusion (RFC 8725 §2.1).
#[must_use]
pub fn hs256_token(key: &[u8], header: &Value, claims: &Value) -> String {
    let message = format!(
        "{}.{}",
        base64url(header.to_string()),
        base64url(claims.to_string())
    );
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
    format!("{message}.{}", base64url(tag))
}

/// Encodes as base64url without padding (RFC 7515 §2).
#[must_use]
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the time, in seconds since 1970.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

fn ec(algorithm: &'static EcdsaSigningAlgorithm, curve: &'static str) -> Pair {
    Pair::Ec(EcdsaKeyPair::generate(algorithm).unwrap(), curve)
}
