//! Tokens made by jwt-simple, the reference, and one algorithm that it lacks.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::prelude::{
    Claims, Duration, ECDSAP256KeyPairLike, ECDSAP384KeyPairLike, ES256KeyPair, ES384KeyPair,
    Ed25519KeyPair, EdDSAKeyPairLike, JWTClaims, NoCustomClaims, PS256KeyPair, PS384KeyPair,
    PS512KeyPair, RS256KeyPair, RS384KeyPair, RS512KeyPair, RSAKeyPairLike,
};
use portcullis_core::jose::{Algorithm, Curve, EcKey, PublicKey, RsaKey};

use crate::verdict;

/// Checks that the signature is accepted, and refused once anything about it changes.
#[track_caller]
fn check(algorithm: Algorithm, key: &PublicKey, message: &[u8], signature: &[u8]) {
    let accepts = |key: &PublicKey, message: &[u8], signature: &[u8]| {
        verdict(algorithm, key, message, signature, algorithm.name())
    };
    assert!(accepts(key, message, signature), "{}", algorithm.name());
    for index in 0..signature.len() {
        let mut changed = signature.to_vec();
        changed[index] ^= 1 << (index % 8);
        assert!(!accepts(key, message, &changed), "octet {index}");
    }
    for length in [0, 1, signature.len() / 2, signature.len() - 1] {
        assert!(!accepts(key, message, &signature[..length]), "{length}");
    }
    let longer = [signature, &[0]].concat();
    assert!(!accepts(key, message, &longer), "an octet more");
    let longer = [&[0], signature].concat();
    assert!(!accepts(key, message, &longer), "a zero before");
    let mut changed = message.to_vec();
    changed[0] ^= 1;
    assert!(!accepts(key, &changed, signature), "another message");
    for other in Algorithm::ALL {
        let taken = verdict(other, key, message, signature, other.name());
        assert_eq!(taken, other == algorithm, "as {}", other.name());
    }
}

#[track_caller]
fn check_token(algorithm: Algorithm, key: &PublicKey, token: &str) {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    check(algorithm, key, message.as_bytes(), &signature);
}

fn claims() -> JWTClaims<NoCustomClaims> {
    Claims::create(Duration::from_hours(1)).with_subject("client")
}

fn ec_key(curve: Curve, point: &[u8]) -> PublicKey {
    PublicKey::Ec(EcKey {
        curve,
        point: point.to_vec(),
        spki: Vec::new(),
    })
}

/// Checks tokens of all RSA algorithms under a new key.
fn check_rsa(size: KeySize) {
    let pair = RsaKeyPair::generate(size).unwrap();
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let key = PublicKey::Rsa(RsaKey {
        modulus: pair
            .public_key()
            .modulus()
            .big_endian_without_leading_zero()
            .to_vec(),
        exponent: pair
            .public_key()
            .exponent()
            .big_endian_without_leading_zero()
            .to_vec(),
        spki: spki.as_ref().to_vec(),
    });
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let der = der.as_ref();
    let signer = RS256KeyPair::from_der(der).unwrap();
    check_token(Algorithm::Rs256, &key, &signer.sign(claims()).unwrap());
    let signer = RS384KeyPair::from_der(der).unwrap();
    check_token(Algorithm::Rs384, &key, &signer.sign(claims()).unwrap());
    let signer = RS512KeyPair::from_der(der).unwrap();
    check_token(Algorithm::Rs512, &key, &signer.sign(claims()).unwrap());
    let signer = PS256KeyPair::from_der(der).unwrap();
    check_token(Algorithm::Ps256, &key, &signer.sign(claims()).unwrap());
    let signer = PS384KeyPair::from_der(der).unwrap();
    check_token(Algorithm::Ps384, &key, &signer.sign(claims()).unwrap());
    let signer = PS512KeyPair::from_der(der).unwrap();
    check_token(Algorithm::Ps512, &key, &signer.sign(claims()).unwrap());
}

#[test]
fn rsa_with_2048_bits() {
    check_rsa(KeySize::Rsa2048);
}

#[test]
fn rsa_with_3072_bits() {
    check_rsa(KeySize::Rsa3072);
}

#[test]
fn ecdsa_on_p256() {
    let signer = ES256KeyPair::generate();
    let point = signer.key_pair().public_key().to_bytes_uncompressed();
    let key = ec_key(Curve::P256, &point);
    check_token(Algorithm::Es256, &key, &signer.sign(claims()).unwrap());
}

#[test]
fn ecdsa_on_p384() {
    let signer = ES384KeyPair::generate();
    let point = signer.key_pair().public_key().to_bytes_uncompressed();
    let key = ec_key(Curve::P384, &point);
    check_token(Algorithm::Es384, &key, &signer.sign(claims()).unwrap());
}

/// jwt-simple has no ES512.
#[test]
fn ecdsa_on_p521() {
    let signer = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap();
    let key = ec_key(Curve::P521, signer.public_key().as_ref());
    let message = b"header.claims";
    let signature = signer.sign(&SystemRandom::new(), message).unwrap();
    check(Algorithm::Es512, &key, message, signature.as_ref());
}

#[test]
fn ed25519() {
    let signer = Ed25519KeyPair::generate();
    let key = signer.public_key().to_bytes();
    let key = PublicKey::Ed25519(key.try_into().unwrap());
    check_token(Algorithm::EdDsa, &key, &signer.sign(claims()).unwrap());
}
