//! Certificates of an authority of the test's own, and an Envoy that shows one.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

use crate::envoy::{self, Envoy};

/// An authority that signs certificates into files.
pub(crate) struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let folder = envoy::folder();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // A certificate of the same name as its issuer passes for a self-signed one.
        params
            .distinguished_name
            .push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        fs::write(
            folder.join("ca.pem"),
            params.self_signed(&key).unwrap().pem(),
        )
        .unwrap();
        Self {
            folder,
            issuer: Issuer::new(params, key),
        }
    }

    /// Returns the file with its own certificate.
    pub(crate) fn file(&self) -> String {
        path(&self.folder.join("ca.pem"))
    }

    /// Signs a certificate for `name`, and returns its file and that of its key.
    pub(crate) fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = ["cert", "key"].map(|kind| self.folder.join(format!("{name}.{kind}.pem")));
        fs::write(&files[0], certificate.pem()).unwrap();
        fs::write(&files[1], key.serialize_pem()).unwrap();
        let [certificate, key] = files;
        (path(&certificate), path(&key))
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn path(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Makes Envoy's list of certificates of one.
pub(crate) fn certificate((certificate, key): (String, String)) -> Value {
    json!([{"certificate_chain": {"filename": certificate}, "private_key": {"filename": key}}])
}

/// Makes a socket with TLS.
pub(crate) fn socket(kind: &str, config: Value) -> Value {
    envoy::typed(
        "envoy.transport_sockets.tls",
        &format!("transport_sockets.tls.v3.{kind}"),
        config,
    )
}

/// Starts an Envoy that ends TLS in front of `url`.
pub(crate) fn terminator(url: &str, files: (String, String)) -> Envoy {
    let mut bootstrap = envoy::bootstrap(Vec::new(), vec![envoy::cluster(url)]);
    let context = json!({"common_tls_context": {"tls_certificates": certificate(files)}});
    bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["transport_socket"] =
        socket("DownstreamTlsContext", context);
    Envoy::start_bootstrap(envoy::folder(), &bootstrap)
}
