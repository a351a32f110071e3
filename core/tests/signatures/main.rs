//! The portable verifier against published vectors, another maker of tokens, and the library of
//! the native host.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, and takes what it needs of the vectors"
)]

mod differential;
mod edwards;
mod native;
mod odd_sizes;
mod reference;
mod turns;
mod wycheproof;

use portcullis_core::jose::{Algorithm, PortableVerifier, PublicKey, SignatureVerifier};

use crate::native::NativeVerifier;

thread_local! {
    /// One for all keys of a test, so that they are kept and replaced as in an engine.
    static PORTABLE: PortableVerifier = const { PortableVerifier::new() };
}

/// Returns the verdict, which both verifiers must share.
#[track_caller]
fn verdict(
    algorithm: Algorithm,
    key: &PublicKey,
    message: &[u8],
    signature: &[u8],
    case: &str,
) -> bool {
    let portable = PORTABLE.with(|verifier| verifier.verify(algorithm, key, message, signature));
    let native = NativeVerifier.verify(algorithm, key, message, signature);
    assert_eq!(portable, native, "portable and native differ on {case}");
    portable
}
