//! The trust roots that the native binary finds in its image.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// Returns Mozilla's trust roots as PEM (RFC 7468), in the order of the crate that holds them.
pub(crate) fn trust_roots() -> String {
    let certificates = TLS_SERVER_ROOT_CERTS.iter();
    certificates.map(|certificate| pem(certificate)).collect()
}

fn pem(certificate: &[u8]) -> String {
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    let encoded = STANDARD.encode(certificate);
    for (place, character) in encoded.chars().enumerate() {
        if place > 0 && place.is_multiple_of(LINE) {
            text.push('\n');
        }
        text.push(character);
    }
    text + "\n-----END CERTIFICATE-----\n"
}

/// RFC 7468 §2: lines of exactly 64 characters.
const LINE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_roots_in_lines_of_64() {
        let roots = trust_roots();
        assert!(roots.matches("BEGIN CERTIFICATE").count() > 50);
        assert!(roots.lines().all(|line| line.len() <= LINE));
        assert!(roots.ends_with("-----END CERTIFICATE-----\n"));
    }
}
