//! What an install of the filter needs, whatever proxy it runs in.

use std::net::IpAddr;

use anyhow::Context as _;
use portcullis_core::HttpUrl;
use portcullis_core::config::{Config, Setting, Settings, Site, Source, resolve};
use portcullis_core::modes::Mode;

use crate::listen::{Listen, TlsFiles};
use crate::state;

/// An install of the filter.
pub(crate) struct Install {
    /// Where clients connect.
    pub(crate) listen: Address,
    /// TLS on the listener, if any.
    pub(crate) tls: Option<TlsFiles>,
    /// The protected resource.
    pub(crate) upstream: HttpUrl,
    /// Where the gateway itself makes calls, the protected resource left out.
    pub(crate) calls: Vec<HttpUrl>,
    /// Where another gateway signs people in, and the paths that are its own.
    pub(crate) sign_in: Option<(HttpUrl, Vec<String>)>,
    /// Whether the filter has bodies of requests collected.
    pub(crate) reads_bodies: bool,
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
    /// The port; 0 takes a free one.
    pub(crate) port: u16,
}

/// Settings that are not the filter's: those of the native host, and the names of clusters, which
/// a rendered configuration gives the names that the filter expects.
const LEFT_OUT: [Setting; 8] = [
    Setting::Clusters,
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
        let listen = Listen::from_settings(&settings)?;
        let mut warnings = Vec::new();
        if settings.non_blank(Setting::StateKeys).is_none() {
            state::supply_state_keys(&mut settings)?;
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
            listen: Address::new(&listen.host, listen.port)?,
            tls: listen.tls,
            calls: calls(&resolution.config, &upstream),
            sign_in: sign_in(&resolution.config),
            reads_bodies: resolution.config.reads_bodies(),
            upstream,
            settings: written,
            from_environment,
            warnings,
        })
    }
}

impl Address {
    /// Makes an address of `host`, without brackets; of names only `localhost` is known.
    ///
    /// # Errors
    ///
    /// Refuses other names, as a listener is bound to an address.
    pub(crate) fn new(host: &str, port: u16) -> anyhow::Result<Self> {
        let host = if host.eq_ignore_ascii_case("localhost") {
            "127.0.0.1"
        } else {
            host
        };
        let ip = host
            .parse()
            .with_context(|| format!("\"{host}\" is not an IP address"))?;
        Ok(Self { ip, port })
    }
}

fn calls(config: &Config, upstream: &HttpUrl) -> Vec<HttpUrl> {
    let place = |url: &HttpUrl| (url.is_https(), url.host().to_owned(), url.port());
    let mut calls: Vec<HttpUrl> = Vec::new();
    let elsewhere = sign_in(config).map(|(url, _)| url);
    for url in elsewhere.into_iter().chain(config.call_urls()) {
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

fn sign_in(config: &Config) -> Option<(HttpUrl, Vec<String>)> {
    match &config.mode {
        Mode::OidcProxy(mode) => Some((mode.elsewhere()?.clone(), mode.paths())),
        Mode::None | Mode::ApiKey(_) | Mode::Jwt(_) | Mode::Oidc(_) | Mode::Zscaler(_) => None,
    }
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
        let blank_secret = setting.is_secret() && value.trim().is_empty();
        if blank_secret || LEFT_OUT.contains(&setting) {
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
