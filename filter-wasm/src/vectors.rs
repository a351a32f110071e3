//! Known answers, to find out what the host can check. `vectors/README.md` says how they were made.

use portcullis_core::jose::{Algorithm, Curve, EcKey, PublicKey, RsaKey};

/// What was signed.
pub(crate) const MESSAGE: &[u8] = b"portcullis";

/// Octets of the modulus and the exponent at the end of an RSA key's DER form, with a header of
/// two octets between them.
const RSA_TAIL: (usize, usize) = (256, 3);

/// A signature over [`MESSAGE`], in JWS form.
pub(crate) struct Vector {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: PublicKey,
    pub(crate) signature: Vec<u8>,
}

/// Returns one vector for each algorithm that the host may be able to check.
pub(crate) fn all() -> Vec<Vector> {
    let rsa = || rsa(include_bytes!("../vectors/rsa.spki"));
    let p256 = ec(Curve::P256, include_bytes!("../vectors/p256.spki"));
    let p384 = ec(Curve::P384, include_bytes!("../vectors/p384.spki"));
    let p521 = ec(Curve::P521, include_bytes!("../vectors/p521.spki"));
    let vectors: [(Algorithm, Option<PublicKey>, &[u8]); 6] = [
        (
            Algorithm::Rs256,
            rsa(),
            include_bytes!("../vectors/rs256.sig"),
        ),
        (
            Algorithm::Rs384,
            rsa(),
            include_bytes!("../vectors/rs384.sig"),
        ),
        (
            Algorithm::Rs512,
            rsa(),
            include_bytes!("../vectors/rs512.sig"),
        ),
        (
            Algorithm::Es256,
            p256,
            include_bytes!("../vectors/es256.sig"),
        ),
        (
            Algorithm::Es384,
            p384,
            include_bytes!("../vectors/es384.sig"),
        ),
        (
            Algorithm::Es512,
            p521,
            include_bytes!("../vectors/es512.sig"),
        ),
    ];
    let vectors = vectors.into_iter();
    let vectors = vectors.filter_map(|(algorithm, key, signature)| {
        Some(Vector {
            algorithm,
            key: key?,
            signature: signature.to_vec(),
        })
    });
    vectors.collect()
}

fn rsa(spki: &[u8]) -> Option<PublicKey> {
    let (modulus, exponent) = RSA_TAIL;
    let (rest, exponent) = spki.split_at_checked(spki.len().checked_sub(exponent)?)?;
    let modulus = rest.get(rest.len().checked_sub(modulus + 2)?..rest.len() - 2)?;
    Some(PublicKey::Rsa(RsaKey {
        modulus: modulus.to_vec(),
        exponent: exponent.to_vec(),
        spki: spki.to_vec(),
    }))
}

fn ec(curve: Curve, spki: &[u8]) -> Option<PublicKey> {
    let start = spki.len().checked_sub(1 + 2 * curve.coordinate_bytes())?;
    let point = spki.get(start..)?.to_vec();
    Some(PublicKey::Ec(EcKey {
        curve,
        point,
        spki: spki.to_vec(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_has_a_key_and_a_signature_of_its_size() {
        let sizes: Vec<usize> = all().iter().map(|vector| vector.signature.len()).collect();
        assert_eq!(sizes, [256, 256, 256, 64, 96, 132]);
        for vector in all() {
            match vector.key {
                PublicKey::Rsa(key) => {
                    assert_eq!((key.modulus[0] >> 7, key.exponent), (1, vec![1, 0, 1]))
                }
                PublicKey::Ec(key) => assert_eq!(key.point[0], 4),
                PublicKey::Ed25519(_) => panic!("the host cannot check Ed25519"),
            }
        }
    }
}
