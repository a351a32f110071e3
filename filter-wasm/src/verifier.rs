//! Signature checks by Envoy's own library, which is ten times as quick as code in the VM.

use portcullis_core::jose::{Algorithm, Curve, EcKey, Hash, PublicKey, RsaKey, SignatureVerifier};

use crate::host;
use crate::vectors;

/// Checks signatures with Envoy where a known answer showed that Envoy can.
pub(crate) struct HostVerifier {
    host: Vec<Algorithm>,
}

impl HostVerifier {
    /// Tries each algorithm on a signature that is right and on the same over other bytes.
    pub(crate) fn probe() -> Self {
        let vectors = vectors::all().into_iter();
        let works = |vector: &vectors::Vector| {
            let check = |message: &[u8]| {
                host_verifies(vector.algorithm, &vector.key, message, &vector.signature)
            };
            check(vectors::MESSAGE) && !check(b"another message")
        };
        let host = vectors
            .filter(works)
            .map(|vector| vector.algorithm)
            .collect();
        Self { host }
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
        self.host.contains(&algorithm) && host_verifies(algorithm, key, message, signature)
    }

    fn name(&self) -> &'static str {
        "host"
    }
}

fn host_verifies(algorithm: Algorithm, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let Some((spki, signature)) = host_form(algorithm, key, signature) else {
        return false;
    };
    let hash: &[u8] = match algorithm.hash() {
        Hash::Sha256 => b"sha256",
        Hash::Sha384 => b"sha384",
        Hash::Sha512 => b"sha512",
    };
    let mut arguments = Vec::with_capacity(spki.len() + signature.len() + message.len() + 32);
    for (number, value) in [(1, hash), (2, spki), (3, &signature), (4, message)] {
        push_field(&mut arguments, number, value);
    }
    // The answer is a message whose field 1 is the verdict, left out when it is false.
    host::foreign("verify_signature", &arguments)
        .is_some_and(|answer| answer.starts_with(&[0x08, 0x01]))
}

/// Returns key and signature as the host wants them; `None` for what it does not check: it has no
/// way to ask for PSS, and hashes before it checks, which Ed25519 does not.
fn host_form<'k>(
    algorithm: Algorithm,
    key: &'k PublicKey,
    signature: &[u8],
) -> Option<(&'k [u8], Vec<u8>)> {
    match (algorithm, key) {
        (
            Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512,
            PublicKey::Rsa(RsaKey { spki, .. }),
        ) => Some((spki, signature.to_vec())),
        (
            Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512,
            PublicKey::Ec(EcKey { spki, curve, .. }),
        ) => Some((spki, der_signature(*curve, signature)?)),
        _ => None,
    }
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

/// Turns `r || s` (RFC 7518 §3.4) into the DER form (RFC 3279 §2.2.3).
fn der_signature(curve: Curve, raw: &[u8]) -> Option<Vec<u8>> {
    let size = curve.coordinate_bytes();
    let (r, s) = raw
        .split_at_checked(size)
        .filter(|(_, s)| s.len() == size)?;
    let mut content = Vec::with_capacity(raw.len() + 6);
    push_integer(&mut content, r)?;
    push_integer(&mut content, s)?;
    let mut der = vec![0x30];
    let length = u8::try_from(content.len()).ok()?;
    if length >= 0x80 {
        der.push(0x81);
    }
    der.push(length);
    der.extend_from_slice(&content);
    Some(der)
}

/// Appends a positive DER integer; zero is no part of a signature.
fn push_integer(der: &mut Vec<u8>, value: &[u8]) -> Option<()> {
    let zeros = value.iter().take_while(|byte| **byte == 0).count();
    let value = value.get(zeros..)?;
    let sign: &[u8] = if *value.first()? >= 0x80 { &[0] } else { &[] };
    der.extend_from_slice(&[0x02, u8::try_from(sign.len() + value.len()).ok()?]);
    der.extend_from_slice(sign);
    der.extend_from_slice(value);
    Some(())
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

    #[test]
    fn signature_integers_are_minimal_and_positive() {
        let mut raw = vec![0; 64];
        assert_eq!(
            der_signature(Curve::P256, &raw),
            None,
            "zero is no signature"
        );
        raw[31] = 0x80;
        raw[63] = 1;
        let expected = [0x30, 7, 2, 2, 0, 0x80, 2, 1, 1];
        assert_eq!(
            der_signature(Curve::P256, &raw).as_deref(),
            Some(&expected[..])
        );
        assert_eq!(der_signature(Curve::P256, &raw[..63]), None);
        assert_eq!(der_signature(Curve::P384, &raw), None);
        let long = der_signature(Curve::P521, &[0xff; 132]).expect("a signature");
        assert_eq!(long.get(..3), Some(&[0x30, 0x81, 0x8a][..]));
        assert_eq!(long.len(), 3 + 0x8a);
    }
}
