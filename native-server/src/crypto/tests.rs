use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING,
    ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaEncoding,
};
use portcullis_core::jose::{EcKey, RsaKey};

use super::*;

const MESSAGE: &[u8] = b"header.payload";

/// RFC 7515, appendix A.2.1.
const RFC_7515_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp\
    -Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGz\
    jb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD\
    Zlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9g\
    b54h4FRWyuXpoQ";
const RFC_7515_PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
    cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> PublicKey {
    PublicKey::Rsa(RsaKey {
        modulus: modulus.to_vec(),
        exponent: exponent.to_vec(),
        spki: Vec::new(),
    })
}

fn ec(curve: Curve, point: &[u8]) -> PublicKey {
    PublicKey::Ec(EcKey {
        curve,
        point: point.to_vec(),
        spki: Vec::new(),
    })
}

fn ec_from_jwk(curve: Curve, x: &str, y: &str) -> PublicKey {
    ec(curve, &[vec![4], decode(x), decode(y)].concat())
}

/// Checks that `signature` holds, and nothing that differs from it by a bit or in length.
#[track_caller]
fn check(algorithm: Algorithm, key: &PublicKey, message: &[u8], signature: &[u8]) {
    let verifier = NativeVerifier::default();
    let accepts =
        |message: &[u8], signature: &[u8]| verifier.verify(algorithm, key, message, signature);
    let name = algorithm.name();
    assert!(accepts(message, signature), "{name} refused");
    let mut changed = signature.to_vec();
    for position in 0..changed.len() {
        changed[position] ^= 1 << (position % 8);
        assert!(!accepts(message, &changed), "{name}, byte {position}");
        changed[position] = signature[position];
    }
    for length in 0..signature.len() {
        assert!(!accepts(message, &signature[..length]), "{name}, {length}");
    }
    assert!(!accepts(message, &[signature, &[0]].concat()), "{name}");
    assert!(!accepts(message, &[&[0], signature].concat()), "{name}");
    assert!(!accepts(message, &vec![0; signature.len()]), "{name}");
    assert!(!accepts(&message[1..], signature), "{name}");
    assert!(!accepts(&[], signature), "{name}");
}

/// Checks a token from an RFC.
#[track_caller]
fn check_published(algorithm: Algorithm, key: &PublicKey, message: &str, signature: &str) {
    check(algorithm, key, message.as_bytes(), &decode(signature));
}

#[test]
fn tokens_of_the_rfcs_hold() {
    // RFC 7515, appendix A.2.
    check_published(
        Algorithm::Rs256,
        &rsa(&decode(RFC_7515_N), &decode("AQAB")),
        &format!("eyJhbGciOiJSUzI1NiJ9.{RFC_7515_PAYLOAD}"),
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8\
         W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPv\
         kSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1ph\
         CnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    );
    // Appendix A.3.
    check_published(
        Algorithm::Es256,
        &ec_from_jwk(
            Curve::P256,
            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        ),
        &format!("eyJhbGciOiJFUzI1NiJ9.{RFC_7515_PAYLOAD}"),
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
    // Appendix A.4.
    check_published(
        Algorithm::Es512,
        &ec_from_jwk(
            Curve::P521,
            "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWc\
             eqwQGk",
            "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3\
             kyMj2",
        ),
        "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
        "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7Xd\
         tAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_\
         Jn",
    );
    // RFC 8037, appendix A.4.
    let key = decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    check_published(
        Algorithm::EdDsa,
        &PublicKey::Ed25519(key.try_into().expect("32 octets")),
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    );
}

struct Signed {
    algorithm: Algorithm,
    key: PublicKey,
    signature: Vec<u8>,
}

fn sign_rsa(pair: &RsaKeyPair, algorithm: Algorithm, encoding: &'static dyn RsaEncoding) -> Signed {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), MESSAGE, &mut signature)
        .expect("signs");
    let public = pair.public_key();
    Signed {
        algorithm,
        key: rsa(
            public.modulus().big_endian_without_leading_zero(),
            public.exponent().big_endian_without_leading_zero(),
        ),
        signature,
    }
}

fn sign_ec(algorithm: Algorithm, curve: Curve, with: &'static EcdsaSigningAlgorithm) -> Signed {
    let pair = EcdsaKeyPair::generate(with).expect("key");
    let signature = pair.sign(&SystemRandom::new(), MESSAGE).expect("signs");
    Signed {
        algorithm,
        key: ec(curve, pair.public_key().as_ref()),
        signature: signature.as_ref().to_vec(),
    }
}

fn sign_ed25519() -> Signed {
    let pair = Ed25519KeyPair::generate().expect("key");
    let key = pair.public_key().as_ref().try_into().expect("32 octets");
    Signed {
        algorithm: Algorithm::EdDsa,
        key: PublicKey::Ed25519(key),
        signature: pair.sign(MESSAGE).as_ref().to_vec(),
    }
}

fn one_of_each() -> Vec<Signed> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("key");
    vec![
        sign_rsa(&pair, Algorithm::Rs256, &signature::RSA_PKCS1_SHA256),
        sign_rsa(&pair, Algorithm::Rs384, &signature::RSA_PKCS1_SHA384),
        sign_rsa(&pair, Algorithm::Rs512, &signature::RSA_PKCS1_SHA512),
        sign_rsa(&pair, Algorithm::Ps256, &signature::RSA_PSS_SHA256),
        sign_rsa(&pair, Algorithm::Ps384, &signature::RSA_PSS_SHA384),
        sign_rsa(&pair, Algorithm::Ps512, &signature::RSA_PSS_SHA512),
        sign_ec(
            Algorithm::Es256,
            Curve::P256,
            &ECDSA_P256_SHA256_FIXED_SIGNING,
        ),
        sign_ec(
            Algorithm::Es384,
            Curve::P384,
            &ECDSA_P384_SHA384_FIXED_SIGNING,
        ),
        sign_ec(
            Algorithm::Es512,
            Curve::P521,
            &ECDSA_P521_SHA512_FIXED_SIGNING,
        ),
        sign_ed25519(),
    ]
}

#[test]
fn every_algorithm_accepts_its_own_signatures_only() {
    let all = one_of_each();
    let verifier = NativeVerifier::default();
    assert_eq!(all.len(), Algorithm::ALL.len());
    for signed in &all {
        check(signed.algorithm, &signed.key, MESSAGE, &signed.signature);
        for other in &all {
            let accepts =
                |algorithm, key, signature| verifier.verify(algorithm, key, MESSAGE, signature);
            if other.algorithm != signed.algorithm {
                let pair = format!("{:?} and {:?}", signed.algorithm, other.algorithm);
                let wrong_algorithm = accepts(other.algorithm, &signed.key, &signed.signature);
                assert!(!wrong_algorithm, "{pair}");
                let wrong_signature = accepts(signed.algorithm, &signed.key, &other.signature);
                assert!(!wrong_signature, "{pair}");
            }
        }
    }
}

#[test]
fn another_key_of_the_same_kind_is_refused() {
    let verifier = NativeVerifier::default();
    for (mine, other) in one_of_each().iter().zip(one_of_each()) {
        for (key, expected) in [(&mine.key, true), (&other.key, false), (&mine.key, true)] {
            let accepted = verifier.verify(mine.algorithm, key, MESSAGE, &mine.signature);
            assert_eq!(accepted, expected, "{:?}", mine.algorithm);
        }
    }
}

#[test]
fn der_form_of_an_ecdsa_signature_is_refused() {
    let signed = sign_ec(
        Algorithm::Es256,
        Curve::P256,
        &ECDSA_P256_SHA256_ASN1_SIGNING,
    );
    assert!(!NativeVerifier::default().verify(
        signed.algorithm,
        &signed.key,
        MESSAGE,
        &signed.signature
    ));
}

#[test]
fn what_is_no_key_is_refused() {
    let signed = sign_ec(
        Algorithm::Es256,
        Curve::P256,
        &ECDSA_P256_SHA256_FIXED_SIGNING,
    );
    let PublicKey::Ec(key) = &signed.key else {
        panic!("an EC key")
    };
    let mut off_curve = key.point.clone();
    off_curve[64] ^= 1;
    for point in [off_curve, vec![0], Vec::new()] {
        let key = ec(Curve::P256, &point);
        assert!(!NativeVerifier::default().verify(
            signed.algorithm,
            &key,
            MESSAGE,
            &signed.signature
        ));
    }
    let modulus = vec![0xff; 256];
    for (modulus, exponent) in [(&modulus[..127], &[3][..]), (&[], &[3]), (&modulus, &[])] {
        let key = rsa(modulus, exponent);
        let signature = vec![1; modulus.len()];
        assert!(!NativeVerifier::default().verify(Algorithm::Rs256, &key, MESSAGE, &signature));
    }
}

#[test]
fn larger_rsa_keys_work_too() {
    for size in [KeySize::Rsa3072, KeySize::Rsa4096] {
        let pair = RsaKeyPair::generate(size).expect("key");
        let signed = sign_rsa(&pair, Algorithm::Ps256, &signature::RSA_PSS_SHA256);
        let accepted = NativeVerifier::default().verify(
            signed.algorithm,
            &signed.key,
            MESSAGE,
            &signed.signature,
        );
        assert!(accepted);
    }
}

#[test]
fn more_keys_than_are_kept_ready_work_too() {
    let verifier = NativeVerifier::default();
    let many: Vec<_> = (0..=MAX_PREPARED).map(|_| sign_ed25519()).collect();
    for signed in many.iter().chain(&many) {
        let Signed { key, signature, .. } = signed;
        assert!(verifier.verify(Algorithm::EdDsa, key, MESSAGE, signature));
        assert!(verifier.lock().len() <= MAX_PREPARED);
    }
}
