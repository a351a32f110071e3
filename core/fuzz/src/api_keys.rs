//! The list of named keys.

use portcullis_core::jose::PortableVerifier;
use portcullis_core::modes::{ApiKeyMode, ApiKeyRecord, Mode, read_api_keys};
use portcullis_core::{Config, Decision, Timestamp};

use super::gate::{Gate, post};

/// Reads a list of keys: what is taken has the form that was promised, the engine takes the same
/// lists, and nobody gets in who has no key.
pub fn api_keys(data: &[u8]) {
    let mut digests = Vec::new();
    let read = read_api_keys(data, &mut |record| {
        assert_eq!(ApiKeyRecord::check_name(record.name), Ok(()));
        for time in [record.created, record.expires].into_iter().flatten() {
            let written = Timestamp(time).to_string();
            assert_eq!(
                Timestamp::parse(&written),
                Some(Timestamp(time)),
                "{written}"
            );
        }
        digests.push(record.sha256);
        Ok(())
    });
    let mode = ApiKeyMode::parse_list(data);
    if let Err(error) = read {
        assert_eq!(mode.unwrap_err(), error);
        assert!(error.to_string().len() < 200, "{error}");
        return;
    }
    let all = digests.len();
    digests.sort();
    digests.dedup();
    match mode {
        Err(error) => assert!(digests.len() < all, "{error}"),
        Ok(mode) => {
            assert_eq!(mode.count(), all);
            let mut gate = Gate::new(
                Config::new(Mode::ApiKey(mode)),
                Box::new(PortableVerifier::new()),
            );
            for key in [b"Bearer ".as_slice(), b"Bearer x", data] {
                let decision = gate.decide(&post(&[("authorization", key)]));
                assert!(
                    matches!(decision, Decision::Respond(_)),
                    "admitted without a key"
                );
            }
        }
    }
}
