//! What an install of the filter needs, whatever proxy it runs in.

use std::collections::BTreeMap;
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
    /// Whether it also calls hosts that its clients name.
    pub(crate) calls_strangers: bool,
    /// Where another gateway signs people in, and the paths that are its own.
    pub(crate) sign_in: Option<(HttpUrl, Vec<String>)>,
    /// Whether the filter has bodies of requests collected.
    pub(crate) reads_bodies: bool,
    /// The settings to write into the configuration.
    pub(crate) settings: Vec<(Setting, String)>,
    /// The settings that the proxy takes from its own environment.
    pub(crate) from_environment: Vec<Setting>,
    /// The mode.
    pub(crate) mode: &'static str,
    /// What people should know.
    pub(crate) warnings: Vec<String>,
}

/// What decides, and so which settings are its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// The filter.
    Filter,
    /// The native binary.
    Native,
}

/// A socket address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address {
    /// The IP address.
    pub(crate) ip: IpAddr,
    /// The port; 0 takes a free one.
    pub(crate) port: u16,
}

/// Settings that the place decides: where the native host listens and what it keeps, and the names
/// of clusters, which a rendered configuration gives the names that the filter expects.
const LEFT_OUT: [Setting; 9] = [
    Setting::ApiKeysFile,
    Setting::Clusters,
    Setting::Host,
    Setting::Port,
    Setting::AllowHttp,
    Setting::TlsCertfile,
    Setting::TlsKeyfile,
    Setting::TlsCaCerts,
    Setting::StateDir,
];

/// Settings that only the filter has.
const OF_THE_FILTER: [Setting; 3] = [
    Setting::Audit,
    Setting::OAuthEndpoints,
    Setting::WorkerLease,
];

impl Install {
    /// Understands `settings` for a filter on this machine: a secret that is not in the
    /// environment has no place but the configuration.
    ///
    /// # Errors
    ///
    /// Refuses what the filter would refuse, a missing protected resource, and plain HTTP that
    /// others could read.
    pub(crate) fn of_filter_here(mut settings: Settings) -> anyhow::Result<Self> {
        let listen = Listen::from_settings(&settings)?;
        let mut warnings = Vec::new();
        if settings.non_blank(Setting::StateKeys).is_none() {
            state::supply_state_keys(&mut settings)?;
            let name = Setting::StateKeys.name();
            warnings.push(format!(
                "{name} was made up and is part of the output: keep it secret"
            ));
        }
        let parts = split(&settings, &LEFT_OUT);
        Self::new(&settings, Role::Filter, &listen, parts, warnings)
    }

    /// Understands `settings` for a place that keeps secrets and gives them to the gateway in its
    /// environment. None is written down, so none needs to be known yet.
    ///
    /// # Errors
    ///
    /// Refuses what the gateway would refuse, and a missing protected resource.
    pub(crate) fn by_reference(settings: &Settings, role: Role) -> anyhow::Result<Self> {
        let foreign: &[Setting] = match role {
            Role::Filter => &[],
            Role::Native => &OF_THE_FILTER,
        };
        let mut settings = without(settings, foreign);
        state::supply_placeholders(&mut settings)?;
        let listen = Listen::from_settings(&settings)?;
        let (written, mut secrets) = split(&settings, &LEFT_OUT);
        let (inline, written): (Vec<_>, _) = written
            .into_iter()
            .partition(|(setting, _)| setting.is_secret());
        secrets.extend(inline.into_iter().map(|(setting, _)| setting));
        secrets.sort();
        let mut install = Self::new(&settings, role, &listen, (written, secrets), Vec::new())?;
        if install.sign_in.is_some() {
            // Only the gateway that signs people in has to do with the provider.
            let secrets = &mut install.from_environment;
            secrets.retain(|setting| *setting != Setting::OidcClientSecret);
        }
        Ok(install)
    }

    fn new(
        settings: &Settings,
        role: Role,
        listen: &Listen,
        (written, from_environment): (Vec<(Setting, String)>, Vec<Setting>),
        mut warnings: Vec<String>,
    ) -> anyhow::Result<Self> {
        let site = match role {
            Role::Filter => Site::Filter,
            Role::Native => Site::Native { loopback: false },
        };
        let resolution = resolve(settings, site)?;
        warnings.extend(resolution.warnings);
        let upstream = resolution.config.upstream().cloned();
        let upstream = upstream.with_context(|| {
            format!(
                "name the protected resource with --upstream or {}",
                Setting::Upstream.name()
            )
        })?;
        Ok(Self {
            listen: Address::new(&listen.host, listen.port)?,
            tls: listen.tls.clone(),
            calls: calls(&resolution.config, &upstream),
            calls_strangers: resolution.config.calls_strangers(),
            sign_in: sign_in(&resolution.config),
            reads_bodies: resolution.config.reads_bodies(),
            upstream,
            settings: written,
            from_environment,
            mode: resolution.config.mode_name(),
            warnings,
        })
    }

    /// Tells whether a secret is among the settings that are written down.
    pub(crate) fn writes_secret(&self) -> bool {
        self.settings.iter().any(|(setting, _)| setting.is_secret())
    }

    /// Returns the settings that are written down, for the JSON object that both hosts read.
    pub(crate) fn written(&self) -> Written {
        let settings = self.settings.iter();
        let settings = settings.map(|(setting, value)| (*setting, value.clone()));
        Written(settings.collect())
    }
}

/// Settings to write down as JSON.
pub(crate) struct Written(BTreeMap<Setting, String>);

impl Written {
    /// Adds what the place decides.
    pub(crate) fn with(mut self, setting: Setting, value: impl Into<String>) -> Self {
        self.0.insert(setting, value.into());
        self
    }

    /// Makes the object.
    pub(crate) fn json(self) -> serde_json::Value {
        let settings = self.0.into_iter();
        let settings: serde_json::Map<String, serde_json::Value> = settings
            .map(|(setting, value)| (setting.name().to_owned(), value.into()))
            .collect();
        settings.into()
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

/// Copies `settings` but for those in `left_out`.
fn without(settings: &Settings, left_out: &[Setting]) -> Settings {
    let mut copy = Settings::default();
    for setting in Setting::ALL {
        let given = settings.get(setting).zip(settings.source(setting));
        if let Some((value, source)) = given.filter(|_| !left_out.contains(&setting)) {
            copy.set(setting, value, source);
        }
    }
    copy
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
fn split(settings: &Settings, left_out: &[Setting]) -> (Vec<(Setting, String)>, Vec<Setting>) {
    let mut written = Vec::new();
    let mut from_environment = Vec::new();
    for setting in Setting::ALL {
        let Some(value) = settings.get(setting) else {
            continue;
        };
        let blank_secret = setting.is_secret() && value.trim().is_empty();
        if blank_secret || left_out.contains(&setting) {
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
