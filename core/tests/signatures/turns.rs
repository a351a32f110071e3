//! Many keys in turn: the portable verifier keeps only some of them prepared.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use portcullis_core::jose::{Algorithm, Curve, EcKey, PublicKey};

use crate::verdict;

struct Signer {
    algorithm: Algorithm,
    key: PublicKey,
    pair: Pair,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    fn on_p256() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let key = PublicKey::Ec(EcKey {
            curve: Curve::P256,
            point: pair.public_key().as_ref().to_vec(),
            spki: Vec::new(),
        });
        Self {
            algorithm: Algorithm::Es256,
            key,
            pair: Pair::P256(pair),
        }
    }

    fn of_ed25519() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let key = PublicKey::Ed25519(pair.public_key().as_ref().try_into().unwrap());
        Self {
            algorithm: Algorithm::EdDsa,
            key,
            pair: Pair::Ed25519(pair),
        }
    }

    /// Checks a signature of this key, and one that is none.
    fn check(&self, message: &[u8], other: &Self) {
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::P256(pair) => pair.sign(&random, message).unwrap(),
            Pair::Ed25519(pair) => pair.sign(message),
        };
        let signature = signature.as_ref();
        let accepts = |key| verdict(self.algorithm, key, message, signature, "a turn");
        assert!(accepts(&self.key), "a signature of this key");
        assert!(!accepts(&other.key), "a signature of another key");
    }
}

#[track_caller]
fn check(make: fn() -> Signer) {
    let signers: Vec<Signer> = (0..12).map(|_| make()).collect();
    for round in 0..4_u8 {
        for (index, signer) in signers.iter().enumerate() {
            signer.check(&[round], &signers[(index + 1) % signers.len()]);
        }
    }
    // The last few alone, until those that were kept rest and give way.
    let [.., first, second] = signers.as_slice() else {
        unreachable!()
    };
    for round in 0..40_u8 {
        first.check(&[round], second);
    }
    for (index, signer) in signers.iter().enumerate() {
        signer.check(b"again", &signers[(index + 1) % signers.len()]);
    }
}

#[test]
fn a_key_on_p256_gives_the_same_verdicts_kept_or_not() {
    check(Signer::on_p256);
}

#[test]
fn a_key_of_ed25519_gives_the_same_verdicts_kept_or_not() {
    check(Signer::of_ed25519);
}
