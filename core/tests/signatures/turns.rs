//! Many keys in turn: the portable verifier keeps only some of them prepared.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use portcullis_core::jose::{Algorithm, Curve, EcKey, PublicKey};

use crate::verdict;

struct Signer {
    pair: EcdsaKeyPair,
    key: PublicKey,
}

impl Signer {
    fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let key = PublicKey::Ec(EcKey {
            curve: Curve::P256,
            point: pair.public_key().as_ref().to_vec(),
            spki: Vec::new(),
        });
        Self { pair, key }
    }

    /// Checks a signature of this key, and one that is none.
    fn check(&self, message: &[u8], other: &Self) {
        let signature = self.pair.sign(&SystemRandom::new(), message).unwrap();
        let accepts = |key| verdict(Algorithm::Es256, key, message, signature.as_ref(), "a turn");
        assert!(accepts(&self.key), "a signature of this key");
        assert!(!accepts(&other.key), "a signature of another key");
    }
}

#[test]
fn a_key_gives_the_same_verdicts_kept_or_not() {
    let signers: Vec<Signer> = (0..12).map(|_| Signer::new()).collect();
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
