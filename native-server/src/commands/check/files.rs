//! Files: who can read them, and whether certificates count.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use portcullis_core::config::{Setting, Settings, Source};
use portcullis_core::{HttpUrl, UnixSeconds};
use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;

use super::keys;
use super::report::{Finding, Report, Section};
use crate::certificate::Validity;
use crate::commands::preview::Preview;
use crate::listen::TlsFiles;
use crate::moment::{DAY, civil, now, relative};
use crate::state::StoredKey;

/// A certificate that ends sooner is to be renewed.
const NEAR: u64 = 14 * DAY;

pub(super) fn check(preview: &Preview, config: Option<&Path>, report: &mut Report) {
    let mut add = |finding| report.add(Section::Files, finding);
    if let Some(finding) = config.and_then(|path| config_file(path, &preview.settings)) {
        add(finding);
    }
    if let Some(finding) = stored_key(&preview.stored_key) {
        add(finding);
    }
    for finding in keys::check(&preview.settings, now()) {
        add(finding);
    }
    let Some(tls) = &preview.listen.tls else {
        return;
    };
    if let Some(finding) = private_key(&tls.key) {
        add(finding);
    }
    for finding in certificates(tls, &preview.settings, now()) {
        add(finding);
    }
}

/// Files with secrets are for their owner, and perhaps its group.
fn config_file(path: &Path, settings: &Settings) -> Option<Finding> {
    let in_file = |setting: &Setting| settings.source(*setting) == Some(Source::Configuration);
    let secret = |setting: &Setting| {
        let digest = |value: &str| value.trim().starts_with("sha256:");
        setting.is_secret() && !settings.get(*setting).is_some_and(digest)
    };
    let holds = Setting::ALL.into_iter().filter(in_file).find(secret)?;
    let shown = path.display();
    let bits = others_can_read(path)?;
    let message = format!(
        "holds {} and everybody can read it (mode {bits:o})",
        holds.name()
    );
    Some(Finding::warning(shown.to_string(), message).advise(format!("chmod 600 {shown}")))
}

fn private_key(path: &Path) -> Option<Finding> {
    let shown = path.display();
    let bits = others_can_read(path)?;
    let message = format!("everybody can read this private key (mode {bits:o})");
    Some(Finding::warning(shown.to_string(), message).advise(format!("chmod 600 {shown}")))
}

fn others_can_read(path: &Path) -> Option<u32> {
    let bits = std::fs::metadata(path).ok()?.mode();
    (bits & 0o004 != 0).then_some(bits & 0o777)
}

fn stored_key(stored: &StoredKey) -> Option<Finding> {
    match stored {
        StoredKey::NotNeeded | StoredKey::Made { .. } => None,
        StoredKey::Kept { path, loose_mode } => {
            let shown = path.display().to_string();
            Some(match loose_mode {
                None => Finding::good(shown, "holds the API key"),
                Some(bits) => {
                    let message = format!("others can read the API key (mode {bits:o})");
                    Finding::warning(&shown, message).advise(format!("chmod 600 {shown}"))
                }
            })
        }
        StoredKey::Missing { path } => {
            let shown = path.display().to_string();
            let folder = path.ancestors().skip(1).find(|folder| folder.exists())?;
            let writable = if folder.is_dir() {
                access(folder, Access::WRITE_OK | Access::EXEC_OK)
            } else {
                Err(Errno::NOTDIR)
            };
            Some(match writable {
                Ok(()) => Finding::good(shown, "the first run of serve makes an API key there"),
                Err(error) => {
                    let message = format!("serve could not make it: {}: {error}", folder.display());
                    let name = Setting::StateDir.name();
                    Finding::problem(shown, message)
                        .advise(format!("set {name} to a folder that this user may write"))
                }
            })
        }
    }
}

fn certificates(files: &TlsFiles, settings: &Settings, now: UnixSeconds) -> Vec<Finding> {
    let mut findings = Vec::new();
    let chain = read(&files.certificates);
    for (index, certificate) in chain.iter().enumerate() {
        let which = match index {
            0 => "the certificate",
            _ => "an authority in the chain",
        };
        findings.extend(validity(&files.certificates, which, certificate, now));
    }
    if let Some(certificate) = chain.first() {
        findings.extend(name(&files.certificates, certificate, settings));
    }
    if let Some(path) = &files.client_authorities {
        for certificate in &read(path) {
            findings.extend(validity(path, "an authority of clients", certificate, now));
        }
    }
    findings
}

/// Whether the files can be read and fit each other has been checked before.
fn read(path: &Path) -> Vec<CertificateDer<'static>> {
    let certificates = CertificateDer::pem_file_iter(path);
    certificates.map_or_else(|_| Vec::new(), |found| found.flatten().collect())
}

fn validity(
    path: &Path,
    which: &str,
    certificate: &CertificateDer<'_>,
    now: UnixSeconds,
) -> Option<Finding> {
    let shown = path.display().to_string();
    let Validity {
        not_before,
        not_after,
    } = Validity::of(certificate)?;
    let ends = format!("{} ({})", relative(not_after, now), civil(not_after));
    // Certificates that live for a day are renewed within the day.
    let near = NEAR.min(not_after.since(not_before) / 6);
    Some(if not_after < now {
        Finding::problem(shown, format!("{which} expired {ends}"))
            .advise("renew it; clients refuse to connect")
    } else if now < not_before {
        let begins = format!("{} ({})", relative(not_before, now), civil(not_before));
        Finding::problem(shown, format!("{which} counts only {begins}"))
            .advise("wait, or set the clock of this machine right")
    } else if not_after.since(now) < near {
        Finding::warning(shown, format!("{which} expires {ends}")).advise("renew it")
    } else {
        Finding::good(shown, format!("{which} expires {ends}"))
    })
}

/// Clients come by the public URL, unless something else ends TLS before us.
fn name(path: &Path, certificate: &CertificateDer<'_>, settings: &Settings) -> Option<Finding> {
    let url = HttpUrl::parse(settings.non_blank(Setting::OidcBaseUrl)?).ok()?;
    let host = url.host().trim_matches(['[', ']']);
    let server = ServerName::try_from(host).ok()?;
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    if !url.is_https() || rustls::client::verify_server_name(&parsed, &server).is_ok() {
        return None;
    }
    let base = Setting::OidcBaseUrl.name();
    let message = format!("the certificate is not for {host}, which {base} names");
    Some(
        Finding::warning(path.display().to_string(), message)
            .advise("get one for that name, unless something in front has it"),
    )
}
