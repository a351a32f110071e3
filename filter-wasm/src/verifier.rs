//! Signature checks by Envoy's own library, which is ten times as quick as code in the VM.

use portcullis_core::jose::{Algorithm, Hash, PortableVerifier, PublicKey, SignatureVerifier};

use crate::host;

/// A known answer of a library: a key (DER `SubjectPublicKeyInfo`) and its signature over
/// [`MESSAGE`], in the form that the host takes. `vectors/README.md` says how they were made.
struct Vector(Algorithm, &'static [u8], &'static [u8]);

const MESSAGE: &[u8] = b"portcullis";

const RSA: &[u8] = include_bytes!("../vectors/rsa.spki");
const P256: &[u8] = include_bytes!("../vectors/p256.spki");
const P384: &[u8] = include_bytes!("../vectors/p384.spki");
const P521: &[u8] = include_bytes!("../vectors/p521.spki");

/// One for each algorithm that a host may be able to check: there is no way to ask it for PSS, and
/// it hashes before it checks, which Ed25519 does not.
const VECTORS: [Vector; 6] = [
    Vector(
        Algorithm::Rs256,
        RSA,
        include_bytes!("../vectors/rs256.sig"),
    ),
    Vector(
        Algorithm::Rs384,
        RSA,
        include_bytes!("../vectors/rs384.sig"),
    ),
    Vector(
        Algorithm::Rs512,
        RSA,
        include_bytes!("../vectors/rs512.sig"),
    ),
    Vector(
        Algorithm::Es256,
        P256,
        include_bytes!("../vectors/es256.sig"),
    ),
    Vector(
        Algorithm::Es384,
        P384,
        include_bytes!("../vectors/es384.sig"),
    ),
    Vector(
        Algorithm::Es512,
        P521,
        include_bytes!("../vectors/es512.sig"),
    ),
];

/// Checks signatures with Envoy where a known answer showed that Envoy can, else with portable code.
pub(crate) struct HostVerifier {
    host: Vec<Algorithm>,
    portable: PortableVerifier,
}

impl HostVerifier {
    /// Tries each algorithm on a signature that is right and on the same over other bytes.
    pub(crate) fn probe() -> Self {
        let works = |Vector(algorithm, key, signature): &Vector| {
            let check = |message| host_verifies(*algorithm, key, message, signature);
            check(MESSAGE) && !check(b"another message")
        };
        let host = VECTORS.iter().filter(|vector| works(vector));
        Self {
            host: host.map(|vector| vector.0).collect(),
            portable: PortableVerifier::new(),
        }
    }

    /// Says which algorithms run where, for people.
    pub(crate) fn describe(&self) -> String {
        let names = |here: bool| {
            let all = Algorithm::ALL.into_iter();
            let names = all.filter(|algorithm| self.host.contains(algorithm) == here);
            names.map(Algorithm::name).collect::<Vec<_>>().join(" ")
        };
        format!(
            "signatures checked by the host: {}; by the filter: {}",
            names(true),
            names(false)
        )
    }

    /// Returns how many algorithms the host checks.
    pub(crate) const fn host_algorithms(&self) -> usize {
        self.host.len()
    }
}

impl SignatureVerifier for HostVerifier {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        if !self.host.contains(&algorithm) {
            return self.portable.verify(algorithm, key, message, signature);
        }
        match key {
            PublicKey::Rsa(key) => host_verifies(algorithm, &key.spki, message, signature),
            PublicKey::Ec(key) => key
                .der_signature(signature)
                .is_some_and(|der| host_verifies(algorithm, &key.spki, message, &der)),
            PublicKey::Ed25519(_) => false,
        }
    }

    fn name(&self) -> &'static str {
        "host"
    }
}

fn host_verifies(algorithm: Algorithm, spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let hash: &[u8] = match algorithm.hash() {
        Hash::Sha256 => b"sha256",
        Hash::Sha384 => b"sha384",
        Hash::Sha512 => b"sha512",
    };
    let mut arguments = Vec::with_capacity(spki.len() + signature.len() + message.len() + 32);
    for (number, value) in [(1, hash), (2, spki), (3, signature), (4, message)] {
        push_field(&mut arguments, number, value);
    }
    // The answer is a message whose field 1 is the verdict, left out when it is false.
    host::foreign("verify_signature", &arguments)
        .is_some_and(|answer| answer.starts_with(&[0x08, 0x01]))
}

/// Appends field `number` of a protobuf message, with a value of bytes.
fn push_field(message: &mut Vec<u8>, number: u8, value: &[u8]) {
    message.push(number << 3 | 2);
    let mut length = value.len();
    while let (low, rest @ 1..) = (length & 0x7f, length >> 7) {
        message.push(0x80 | u8::try_from(low).unwrap_or_default());
        length = rest;
    }
    message.push(u8::try_from(length).unwrap_or_default());
    message.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_carry_their_length_as_a_varint() {
        let field = |length: usize| {
            let mut message = Vec::new();
            push_field(&mut message, 2, &vec![7; length]);
            message
        };
        assert_eq!(field(0), [0x12, 0]);
        assert_eq!(field(127).get(..2), Some(&[0x12, 127][..]));
        assert_eq!(field(128).get(..3), Some(&[0x12, 0x80, 1][..]));
        assert_eq!(field(16_384).get(..4), Some(&[0x12, 0x80, 0x80, 1][..]));
    }
}
