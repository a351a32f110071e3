//! What an install needs, whatever proxy carries it out.

use std::net::IpAddr;

use anyhow::{Context as _, bail, ensure};
use portcullis_core::HttpUrl;
use portcullis_core::config::{Config, Setting, Settings, Site, Source, resolve};

/// An install of the filter.
pub(crate) struct Install {
    /// Where clients connect.
    pub(crate) listen: Address,
    /// TLS on the listener, if any.
    pub(crate) tls: Option<ListenerTls>,
    /// The protected resource.
    pub(crate) upstream: HttpUrl,
    /// Where the gateway itself makes calls, the protected resource left out.
    pub(crate) calls: Vec<HttpUrl>,
    /// The settings to write into the configuration.
    pub(crate) settings: Vec<(Setting, String)>,
    /// The settings that the proxy takes from its own environment.
    pub(crate) from_environment: Vec<Setting>,
    /// What people should know.
    pub(crate) warnings: Vec<String>,
}

/// A socket address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address {
    /// The IP address.
    pub(crate) ip: IpAddr,
    /// The port.
    pub(crate) port: u16,
}

/// Files for TLS on the listener.
pub(crate) struct ListenerTls {
    /// Certificate chain, PEM.
    pub(crate) certificate: String,
    /// Private key, PEM.
    pub(crate) key: String,
    /// Authorities for client certificates, PEM; every client needs one when they are given.
    pub(crate) client_authorities: Option<String>,
}

/// Settings of the native host, which the filter has no use for.
const NATIVE_ONLY: [Setting; 7] = [
    Setting::Host,
    Setting::Port,
    Setting::AllowHttp,
    Setting::TlsCertfile,
    Setting::TlsKeyfile,
    Setting::TlsCaCerts,
    Setting::StateDir,
];

impl Install {
    /// Understands `settings`.
    ///
    /// # Errors
    ///
    /// Refuses what the filter would refuse, a missing protected resource, and plain HTTP that
    /// others could read.
    pub(crate) fn new(mut settings: Settings) -> anyhow::Result<Self> {
        let mut warnings = Vec::new();
        if settings.non_blank(Setting::StateKeys).is_none() {
            settings.set(Setting::StateKeys, fresh_key()?, Source::Generated);
            let name = Setting::StateKeys.name();
            warnings.push(format!(
                "{name} was made up and is part of the output: keep it secret"
            ));
        }
        let resolution = resolve(&settings, Site::Filter)?;
        warnings.extend(resolution.warnings);
        let upstream = resolution.config.upstream().cloned();
        let upstream = upstream.with_context(|| {
            format!(
                "name the protected resource with --upstream or {}",
                Setting::Upstream.name()
            )
        })?;
        let (written, from_environment) = split(&settings);
        Ok(Self {
            listen: listen(&settings)?,
            tls: tls(&settings)?,
            calls: calls(&resolution.config, &upstream),
            upstream,
            settings: written,
            from_environment,
            warnings,
        })
    }
}

impl Address {
    /// Parses `host:port`; of names only `localhost` is known.
    ///
    /// # Errors
    ///
    /// Refuses other names, as a listener is bound to an address.
    pub(crate) fn parse(host: &str, port: &str) -> anyhow::Result<Self> {
        let host = if host == "localhost" {
            "127.0.0.1"
        } else {
            host
        };
        let bare = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let ip = bare.unwrap_or(host).parse();
        Ok(Self {
            ip: ip.with_context(|| format!("\"{host}\" is not an IP address"))?,
            port: port
                .parse()
                .with_context(|| format!("\"{port}\" is not a port"))?,
        })
    }
}

fn listen(settings: &Settings) -> anyhow::Result<Address> {
    let host = settings.non_blank(Setting::Host).unwrap_or("127.0.0.1");
    let port = settings.non_blank(Setting::Port).unwrap_or("8000");
    let address = Address::parse(host, port).context("the listen address")?;
    let plain = settings.non_blank(Setting::TlsCertfile).is_none();
    let allowed = settings.non_blank(Setting::AllowHttp).is_some_and(is_true);
    ensure!(
        !plain || allowed || address.ip.is_loopback(),
        "plain HTTP on {} can be read by others: set {} and {}, or {}=true",
        address.ip,
        Setting::TlsCertfile.name(),
        Setting::TlsKeyfile.name(),
        Setting::AllowHttp.name(),
    );
    Ok(address)
}

fn is_true(word: &str) -> bool {
    ["true", "1", "yes", "on"]
        .iter()
        .any(|t| word.eq_ignore_ascii_case(t))
}

fn tls(settings: &Settings) -> anyhow::Result<Option<ListenerTls>> {
    let file = |setting| settings.non_blank(setting).map(str::to_owned);
    let client_authorities = file(Setting::TlsCaCerts);
    match (file(Setting::TlsCertfile), file(Setting::TlsKeyfile)) {
        (Some(certificate), Some(key)) => Ok(Some(ListenerTls {
            certificate,
            key,
            client_authorities,
        })),
        (None, None) if client_authorities.is_none() => Ok(None),
        (None, _) => bail!("{} must be set for TLS", Setting::TlsCertfile.name()),
        (Some(_), None) => bail!("{} must be set for TLS", Setting::TlsKeyfile.name()),
    }
}

fn calls(config: &Config, upstream: &HttpUrl) -> Vec<HttpUrl> {
    let place = |url: &HttpUrl| (url.is_https(), url.host().to_owned(), url.port());
    let mut calls: Vec<HttpUrl> = Vec::new();
    for url in config.call_urls() {
        let known = calls
            .iter()
            .chain([upstream])
            .any(|other| place(other) == place(&url));
        if !known {
            calls.push(url);
        }
    }
    calls
}

/// Tells what to write down from what to leave in the environment: a secret that is there already
/// is not copied into a file, where more people can read it.
fn split(settings: &Settings) -> (Vec<(Setting, String)>, Vec<Setting>) {
    let mut written = Vec::new();
    let mut from_environment = Vec::new();
    for setting in Setting::ALL {
        let Some(value) = settings.get(setting) else {
            continue;
        };
        if NATIVE_ONLY.contains(&setting) {
            continue;
        }
        if setting.is_secret() && settings.source(setting) == Some(Source::Environment) {
            from_environment.push(setting);
        } else {
            written.push((setting, value.to_owned()));
        }
    }
    (written, from_environment)
}

/// Makes a key of 256 bits.
fn fresh_key() -> anyhow::Result<String> {
    use base64::Engine as _;
    let mut key = [0; 32];
    aws_lc_rs::rand::fill(&mut key).context("the system gave no random bytes")?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key))
}
