//! Where and how the native binary listens.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use portcullis_core::config::{ConfigError, Setting, Settings, is_on};

const DEFAULT_HOST: &str = "127.0.0.1";
const DEFAULT_PORT: u16 = 8000;

/// The listen address and its protection, already checked.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Listen {
    /// A name or an address, without brackets.
    pub(crate) host: String,
    /// The port; 0 takes a free one.
    pub(crate) port: u16,
    /// The files for TLS; `None` for plain HTTP.
    pub(crate) tls: Option<TlsFiles>,
}

/// PEM files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TlsFiles {
    /// The certificate chain, the server's first.
    pub(crate) certificates: PathBuf,
    /// The private key of the first certificate.
    pub(crate) key: PathBuf,
    /// The authorities of client certificates, which are then required.
    pub(crate) client_authorities: Option<PathBuf>,
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, tls } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}, ")?;
        } else {
            write!(f, "{host}:{port}, ")?;
        }
        f.write_str(match tls {
            None => "plain HTTP",
            Some(files) if files.client_authorities.is_some() => "TLS with client certificates",
            Some(_) => "TLS",
        })
    }
}

impl Listen {
    /// Reads the settings of the listener.
    ///
    /// # Errors
    ///
    /// Refuses a port that is not a number, half a pair of TLS files, and plain HTTP off loopback
    /// unless it is allowed.
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let host = settings.non_blank(Setting::Host).unwrap_or(DEFAULT_HOST);
        let port = match settings.non_blank(Setting::Port) {
            Some(port) => port
                .parse()
                .map_err(|_| ConfigError::at(Setting::Port, "must be a number up to 65535"))?,
            None => DEFAULT_PORT,
        };
        let listen = Self {
            host: bare(host).to_owned(),
            port,
            tls: tls_files(settings)?,
        };
        if listen.tls.is_none() && !listen.is_loopback() && !allows_http(settings)? {
            return Err(ConfigError::at(
                Setting::AllowHttp,
                format!(
                    "must be true to listen on {} without TLS; better set {} and {}",
                    listen.host,
                    Setting::TlsCertfile.name(),
                    Setting::TlsKeyfile.name()
                ),
            ));
        }
        Ok(listen)
    }

    /// Tells whether only this machine can connect. Names other than `localhost` are not looked
    /// up and count as reachable from outside.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Returns the host of URLs that lead here from this machine. Nobody can connect to "any
    /// address", so for that it is the loopback one.
    pub(crate) fn url_host(&self) -> String {
        match self.host.parse() {
            Ok(IpAddr::V4(ip)) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
            Ok(IpAddr::V6(ip)) if ip.is_unspecified() => format!("[{}]", Ipv6Addr::LOCALHOST),
            Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
            Ok(IpAddr::V4(_)) | Err(_) => self.host.clone(),
        }
    }
}

/// Tells whether `host`, a name or an address without brackets, is this machine alone.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|ip| ip.to_canonical().is_loopback())
}

fn bare(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host)
}

fn tls_files(settings: &Settings) -> Result<Option<TlsFiles>, ConfigError> {
    let file = |setting| settings.non_blank(setting).map(PathBuf::from);
    let missing = |setting, other: Setting| {
        ConfigError::at(setting, format!("must be set, as {} is set", other.name()))
    };
    let authorities = file(Setting::TlsCaCerts);
    match (file(Setting::TlsCertfile), file(Setting::TlsKeyfile)) {
        (Some(certificates), Some(key)) => Ok(Some(TlsFiles {
            certificates,
            key,
            client_authorities: authorities,
        })),
        (Some(_), None) => Err(missing(Setting::TlsKeyfile, Setting::TlsCertfile)),
        (None, Some(_)) => Err(missing(Setting::TlsCertfile, Setting::TlsKeyfile)),
        // Without TLS there are no client certificates, so the gate would be more open than the
        // settings say.
        (None, None) if authorities.is_some() => {
            Err(missing(Setting::TlsCertfile, Setting::TlsCaCerts))
        }
        (None, None) => Ok(None),
    }
}

/// A blank value counts as none.
fn allows_http(settings: &Settings) -> Result<bool, ConfigError> {
    let given = settings.non_blank(Setting::AllowHttp).is_some();
    Ok(given && is_on(settings, Setting::AllowHttp)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::config::Source;

    fn listen(pairs: &[(Setting, &str)]) -> Result<Listen, String> {
        let mut settings = Settings::default();
        for (setting, value) in pairs {
            settings.set(*setting, *value, Source::Environment);
        }
        Listen::from_settings(&settings).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn refuses(pairs: &[(Setting, &str)], named: Setting) {
        let message = listen(pairs).expect_err("must be refused");
        assert!(message.starts_with(named.name()), "{message}");
    }

    #[test]
    fn default_is_loopback_port_8000() {
        let listen = listen(&[]).expect("valid");
        assert_eq!((listen.host.as_str(), listen.port), ("127.0.0.1", 8000));
        assert!(listen.is_loopback());
    }

    #[test]
    fn plain_http_off_loopback_must_be_allowed() {
        for host in [
            "0.0.0.0",
            "::",
            "10.0.0.1",
            "gateway.example",
            "::ffff:10.0.0.1",
        ] {
            refuses(&[(Setting::Host, host)], Setting::AllowHttp);
            let allowed = [(Setting::Host, host), (Setting::AllowHttp, " YES ")];
            assert!(!listen(&allowed).expect("allowed").is_loopback(), "{host}");
        }
        for host in ["localhost", "127.8.8.8", "::1", "[::1]", "::ffff:127.0.0.1"] {
            assert!(
                listen(&[(Setting::Host, host)])
                    .expect("valid")
                    .is_loopback()
            );
        }
        refuses(
            &[(Setting::Host, "0.0.0.0"), (Setting::AllowHttp, "maybe")],
            Setting::AllowHttp,
        );
    }

    #[test]
    fn half_a_pair_of_tls_files_names_the_other_half() {
        refuses(&[(Setting::TlsCertfile, "a")], Setting::TlsKeyfile);
        refuses(&[(Setting::TlsKeyfile, "a")], Setting::TlsCertfile);
        refuses(&[(Setting::TlsCaCerts, "a")], Setting::TlsCertfile);
        let both = [(Setting::TlsCertfile, "a"), (Setting::TlsKeyfile, "b")];
        assert!(listen(&both).expect("valid").tls.is_some());
    }

    #[test]
    fn port_is_a_number() {
        for bad in ["http", "-1", "65536", "80 80"] {
            refuses(&[(Setting::Port, bad)], Setting::Port);
        }
    }
}
