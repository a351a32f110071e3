//! Failed calls in plain words.

use std::error::Error;
use std::io::{self, ErrorKind};

use portcullis_core::{CallFailure, HttpUrl, UnixSeconds};
use rustls::CertificateError;
use rustls::pki_types::UnixTime;
use tokio::time::error::Elapsed;

use crate::moment::{civil, now, relative};
use crate::proxy::{FailedCall, Unresolved};

/// What went wrong, and what to do.
pub(super) struct Trouble {
    pub(super) message: String,
    pub(super) advice: &'static str,
}

impl Trouble {
    /// Explains a call to `url` that brought no response.
    pub(super) fn of(failed: &FailedCall, url: &HttpUrl, seconds: u32) -> Self {
        let host = url.host();
        let known = failed.cause.as_deref().and_then(|cause| {
            let cause: &(dyn Error + 'static) = cause;
            chain(cause).find_map(|error| explain(error, url))
        });
        known.unwrap_or_else(|| match failed.failure {
            CallFailure::TimedOut => Self::new(
                format!("{host} took the connection and did not answer within {seconds} s"),
                "find out what keeps that server; the gateway would wait no longer",
            ),
            CallFailure::TooLarge => Self::new(
                "the answer is larger than any such document",
                "check the URL: something else answers there",
            ),
            CallFailure::Cut => Self::new(
                "the connection ended before the answer did, or what answers does not speak HTTP",
                "check scheme and port of the URL",
            ),
            CallFailure::NotSent | CallFailure::Unreachable => Self::new(
                failed.cause.as_deref().map_or_else(
                    || "cannot be reached".to_owned(),
                    |cause| format!("cannot be reached: {}", deepest(cause)),
                ),
                "check the network of this machine",
            ),
        })
    }

    fn new(message: impl Into<String>, advice: &'static str) -> Self {
        let message = message.into();
        Self { message, advice }
    }
}

fn explain(error: &(dyn Error + 'static), url: &HttpUrl) -> Option<Trouble> {
    let (host, port) = (url.host(), url.port());
    if let Some(unresolved) = error.downcast_ref::<Unresolved>() {
        return Some(Trouble::new(
            format!("the name {host} cannot be resolved: {unresolved}"),
            "check the spelling of the name, and the DNS of this machine",
        ));
    }
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(tls(error, host));
    }
    if error.is::<Elapsed>() {
        return Some(Trouble::new(
            format!("no connection to {host} port {port} within 5 s"),
            "a firewall may drop the packets: let this machine connect there",
        ));
    }
    let kind = error.downcast_ref::<io::Error>()?.kind();
    if kind == ErrorKind::ConnectionRefused {
        return Some(Trouble::new(
            format!("{host} refuses connections to port {port}"),
            "start what should listen there, or correct the URL",
        ));
    }
    (kind == ErrorKind::UnexpectedEof).then(|| {
        Trouble::new(
            format!("{host} port {port} ended the connection at once"),
            "check scheme and port of the URL: it may not speak TLS",
        )
    })
}

fn tls(error: &rustls::Error, host: &str) -> Trouble {
    const RENEW: &str = "its owner must renew it";
    const CLOCK: &str = "check the clock of this machine";
    const NAME: &str = "correct the host in the URL, or get a certificate for that name";
    let rustls::Error::InvalidCertificate(problem) = error else {
        return if matches!(error, rustls::Error::InvalidMessage(_)) {
            Trouble::new(
                format!("{host} does not speak TLS on that port"),
                "check scheme and port of the URL",
            )
        } else {
            Trouble::new(
                format!("no TLS with {host}: {error}"),
                "check which versions and certificates that server wants",
            )
        };
    };
    let at = |time: &UnixTime| {
        let time = UnixSeconds(time.as_secs());
        format!("{} ({})", relative(time, now()), civil(time))
    };
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other kinds have words of their own, and more may come"
    )]
    match problem {
        CertificateError::Expired => Trouble::new("its certificate has expired", RENEW),
        CertificateError::ExpiredContext { not_after, .. } => {
            Trouble::new(format!("its certificate expired {}", at(not_after)), RENEW)
        }
        CertificateError::NotValidYet => Trouble::new("its certificate counts only later", CLOCK),
        CertificateError::NotValidYetContext { not_before, .. } => {
            let message = format!("its certificate counts only {}", at(not_before));
            Trouble::new(message, CLOCK)
        }
        // The other is of one that only has the name of one that is trusted.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Trouble::new(
            "its certificate is of an authority that this machine does not trust",
            "where the authority is your own, let SSL_CERT_FILE name a PEM file of it",
        ),
        CertificateError::NotValidForName => {
            Trouble::new(format!("its certificate is not for {host}"), NAME)
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            // As `DnsName("gw.example")`.
            let names: Vec<&str> = presented
                .iter()
                .map(|name| name.split('"').nth(1).unwrap_or(name))
                .collect();
            let names = names.join(", ");
            let names = if names.is_empty() { "no name" } else { &names };
            Trouble::new(
                format!("its certificate is for {names}, not for {host}"),
                NAME,
            )
        }
        problem => Trouble::new(format!("its certificate does not count: {problem}"), RENEW),
    }
}

/// Returns an error and those that caused it. An [`io::Error`] leaves out the one that it was made
/// of, which is the one that matters here.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        match inner {
            Some(inner) => {
                let inner: &(dyn Error + 'static) = inner;
                Some(inner)
            }
            None => error.source(),
        }
    })
}

fn deepest(error: &(dyn Error + Send + Sync + 'static)) -> String {
    let error: &(dyn Error + 'static) = error;
    chain(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}
