//! Digests, which name everything in a layout.

use sha2::{Digest as _, Sha256};

/// Returns the SHA-256 digest of `octets`, in lower-case hexadecimal.
#[must_use]
pub fn sha256(octets: &[u8]) -> String {
    let digest = Sha256::digest(octets);
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn the_digest_is_that_of_fips_180() {
    assert_eq!(
        sha256(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}
