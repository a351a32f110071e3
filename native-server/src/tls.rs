//! TLS on both sides, by rustls.

use std::path::Path;
use std::sync::Arc;

use portcullis_core::Digest;
use portcullis_core::config::{ConfigError, Setting};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore};

use crate::listen::TlsFiles;

/// What clients have to show before their first request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Admission {
    /// Nothing: there is no TLS.
    Plain,
    /// Nothing, by TLS.
    Tls,
    /// A certificate of one of these authorities, which this is the digest of.
    Certificate(Digest),
}

/// Builds the configuration of the listener: HTTP/1.1 and h2 by ALPN, client certificates where
/// authorities are given.
///
/// # Errors
///
/// Names the setting whose file is missing or wrong.
pub(crate) fn server_config(files: &TlsFiles) -> Result<(ServerConfig, Admission), ConfigError> {
    let chain = certificates(&files.certificates, Setting::TlsCertfile)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| bad_file(Setting::TlsKeyfile, &files.key, &error.to_string()))?;
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::general(error.to_string()))?;
    let (builder, admission) = match &files.client_authorities {
        Some(path) => {
            let certificates = certificates(path, Setting::TlsCaCerts)?;
            let parts: Vec<&[u8]> = certificates.iter().map(AsRef::as_ref).collect();
            let admission = Admission::Certificate(Digest::of(&parts));
            let verifier = WebPkiClientVerifier::builder_with_provider(
                Arc::new(authorities(path, certificates)?),
                provider(),
            )
            .build()
            .map_err(|error| bad_file(Setting::TlsCaCerts, path, &error.to_string()))?;
            (builder.with_client_cert_verifier(verifier), admission)
        }
        None => (builder.with_no_client_auth(), Admission::Tls),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| {
        bad_file(
            Setting::TlsCertfile,
            &files.certificates,
            &error.to_string(),
        )
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((config, admission))
}

/// Builds the configuration of outgoing connections, with the trust roots of the system.
///
/// # Errors
///
/// Fails when `needed` and the system has no trust roots.
pub(crate) fn client_config(needed: bool) -> Result<ClientConfig, ConfigError> {
    let mut roots = RootCertStore::empty();
    if needed {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(ConfigError::general(
                "no trusted certificate authorities found on this system: SSL_CERT_FILE can name \
                 a PEM file of them",
            ));
        }
    }
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::general(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn authorities(
    path: &Path,
    certificates: Vec<CertificateDer<'static>>,
) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots
            .add(certificate)
            .map_err(|error| bad_file(Setting::TlsCaCerts, path, &error.to_string()))?;
    }
    Ok(roots)
}

fn certificates(
    path: &Path,
    setting: Setting,
) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| bad_file(setting, path, &error.to_string()))?;
    if certificates.is_empty() {
        return Err(bad_file(setting, path, "holds no certificate"));
    }
    Ok(certificates)
}

fn bad_file(setting: Setting, path: &Path, problem: &str) -> ConfigError {
    ConfigError::at(setting, format!("({}): {problem}", path.display()))
}
