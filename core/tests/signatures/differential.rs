//! Random keys, messages and changes: every verdict must be that of the native host's library.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaEncoding,
};
use portcullis_core::jose::{Algorithm, Curve, EcKey, PublicKey, RsaKey};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::Config;

use crate::verdict;

/// What is done to a signature or the message before the check.
#[derive(Clone, Debug)]
enum Change {
    None,
    SignatureBit(Index, u8),
    SignatureOctets(Vec<(Index, u8)>),
    Message(Index),
    Length(i8),
    /// `r` and `s` change places.
    Halves,
    /// `n - s`, which is as good as `s`.
    HighS,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::None),
        (any::<Index>(), 0_u8..8).prop_map(|(index, bit)| Change::SignatureBit(index, bit)),
        prop::collection::vec(
            (
                any::<Index>(),
                prop_oneof![Just(0), Just(0xff), any::<u8>()]
            ),
            1..80
        )
        .prop_map(Change::SignatureOctets),
        any::<Index>().prop_map(Change::Message),
        (-3_i8..=3).prop_map(Change::Length),
        Just(Change::Halves),
        Just(Change::HighS),
    ]
}

impl Change {
    fn apply(&self, message: &mut [u8], signature: &mut Vec<u8>) {
        match self {
            Self::None => {}
            Self::SignatureBit(index, bit) => *index.get_mut(signature) ^= 1 << bit,
            Self::SignatureOctets(octets) => {
                for (index, octet) in octets {
                    *index.get_mut(signature) = *octet;
                }
            }
            Self::Message(index) => *index.get_mut(message) ^= 1,
            Self::Length(by) => {
                let length = signature.len().saturating_add_signed(isize::from(*by));
                signature.resize(length, 0);
            }
            Self::Halves => {
                let half = signature.len() / 2;
                signature.rotate_left(half);
            }
            Self::HighS => negate(signature),
        }
    }
}

/// Replaces the second half of a signature on P-256 by its negative.
fn negate(signature: &mut [u8]) {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let mut borrow = false;
    for (octet, order) in signature.iter_mut().rev().zip(ORDER.iter().rev()) {
        let (difference, first) = order.overflowing_sub(*octet);
        let (difference, second) = difference.overflowing_sub(u8::from(borrow));
        *octet = difference;
        borrow = first | second;
    }
}

static RSA_KEYS: LazyLock<Vec<(RsaKeyPair, PublicKey)>> = LazyLock::new(|| {
    let sizes = [KeySize::Rsa2048; 2];
    sizes.map(rsa_pair).into()
});

fn rsa_pair(size: KeySize) -> (RsaKeyPair, PublicKey) {
    let pair = RsaKeyPair::generate(size).unwrap();
    let public = pair.public_key();
    let key = PublicKey::Rsa(RsaKey {
        modulus: public.modulus().big_endian_without_leading_zero().to_vec(),
        exponent: public.exponent().big_endian_without_leading_zero().to_vec(),
        spki: public.as_ref().to_vec(),
    });
    (pair, key)
}

const RSA: [(Algorithm, &dyn RsaEncoding); 6] = [
    (Algorithm::Rs256, &signature::RSA_PKCS1_SHA256),
    (Algorithm::Rs384, &signature::RSA_PKCS1_SHA384),
    (Algorithm::Rs512, &signature::RSA_PKCS1_SHA512),
    (Algorithm::Ps256, &signature::RSA_PSS_SHA256),
    (Algorithm::Ps384, &signature::RSA_PSS_SHA384),
    (Algorithm::Ps512, &signature::RSA_PSS_SHA512),
];

proptest! {
    #![proptest_config(Config { cases: 120, failure_persistence: None, ..Config::default() })]

    #[test]
    fn es256(message in prop::collection::vec(any::<u8>(), 1..200), change in change()) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let key = PublicKey::Ec(EcKey {
            curve: Curve::P256,
            point: pair.public_key().as_ref().to_vec(),
            spki: Vec::new(),
        });
        let signature = pair.sign(&SystemRandom::new(), &message).unwrap();
        let (mut message, mut signature) = (message, signature.as_ref().to_vec());
        change.apply(&mut message, &mut signature);
        let accepted = verdict(Algorithm::Es256, &key, &message, &signature, "ES256");
        if matches!(change, Change::None | Change::HighS) {
            prop_assert!(accepted);
        }
    }

    #[test]
    fn eddsa(message in prop::collection::vec(any::<u8>(), 1..200), change in change()) {
        let pair = Ed25519KeyPair::generate().unwrap();
        let key = PublicKey::Ed25519(pair.public_key().as_ref().try_into().unwrap());
        let (mut signature, mut message) = (pair.sign(&message).as_ref().to_vec(), message);
        change.apply(&mut message, &mut signature);
        let accepted = verdict(Algorithm::EdDsa, &key, &message, &signature, "EdDSA");
        if matches!(change, Change::None) {
            prop_assert!(accepted);
        }
    }

    #[test]
    fn rsa(
        message in prop::collection::vec(any::<u8>(), 1..200),
        change in change(),
        (signed, checked) in (0..RSA.len(), 0..RSA.len()),
        (signer, owner) in (0..2_usize, 0..2_usize),
    ) {
        // Half of the time with the right key and algorithm.
        let honest = message[0] & 1 == 0;
        let (checked, owner) = if honest { (signed, signer) } else { (checked, owner) };
        let (pair, _) = &RSA_KEYS[signer];
        let (_, key) = &RSA_KEYS[owner];
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(RSA[signed].1, &SystemRandom::new(), &message, &mut signature).unwrap();
        let mut message = message;
        change.apply(&mut message, &mut signature);
        let accepted = verdict(RSA[checked].0, key, &message, &signature, "RSA");
        if honest && matches!(change, Change::None) {
            prop_assert!(accepted);
        }
    }
}
