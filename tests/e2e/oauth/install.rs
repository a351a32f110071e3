//! A gateway, the provider it relies on and the MCP server behind it.

use portcullis_tests::{Gateway, Kind, Settings, free_address};

use crate::programs::{Demo, IdentityProvider};

/// Who the provider signs in, without a page of its own.
pub(crate) const PERSON: &str = "alice";

/// The modes in which people sign in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    /// Clients register and sign in at the provider.
    Oidc,
    /// Clients register at the gateway, which is the provider's only client.
    OidcProxy,
}

/// All of it, running.
pub(crate) struct Install {
    pub(crate) gateway: Gateway,
    pub(crate) provider: IdentityProvider,
    pub(crate) mode: Mode,
    _demo: Demo,
}

impl Install {
    pub(crate) fn start(kind: Kind, mode: Mode) -> Self {
        Self::start_with(kind, mode, |settings| settings)
    }

    /// Starts with settings that `change` may add to.
    pub(crate) fn start_with(
        kind: Kind,
        mode: Mode,
        change: impl FnOnce(Settings) -> Settings,
    ) -> Self {
        let address = free_address();
        let origin = format!("http://{address}");
        let (provider, settings) = match mode {
            Mode::Oidc => oidc(&origin),
            Mode::OidcProxy => oidc_proxy(&origin),
        };
        let demo = Demo::start();
        let settings = change(settings).listening_on(address);
        let gateway = Gateway::start(kind, &settings, demo.origin());
        Self {
            gateway,
            provider,
            mode,
            _demo: demo,
        }
    }

    /// Returns the URL that a person gives to a client.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.gateway.address())
    }
}

impl Mode {
    /// Returns the name by which the mode is chosen.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::OidcProxy => "oidcproxy",
        }
    }
}

/// Starts a provider at which clients register themselves.
fn oidc(origin: &str) -> (IdentityProvider, Settings) {
    let provider = IdentityProvider::start_with(&["--registration", "on", "--auto-login", PERSON]);
    let settings = settings(Mode::Oidc, origin, &provider);
    (provider, settings)
}

/// Starts a provider that knows the gateway at `origin` and nobody else, and makes the settings of
/// that gateway.
pub(crate) fn oidc_proxy(origin: &str) -> (IdentityProvider, Settings) {
    let callback = format!("{origin}/auth/callback");
    let provider = IdentityProvider::start_with(&["--redirect", &callback, "--auto-login", PERSON]);
    let settings = settings(Mode::OidcProxy, origin, &provider)
        .with("OIDCPROXY_CLIENT_ID", provider.fact("gateway_client_id"))
        .with(
            "OIDCPROXY_CLIENT_SECRET",
            provider.fact("gateway_client_secret"),
        );
    (provider, settings)
}

/// Makes the settings that both modes share.
pub(crate) fn settings(mode: Mode, origin: &str, provider: &IdentityProvider) -> Settings {
    Settings::new()
        .with("ZSCALER_MCP_AUTH_MODE", mode.name())
        .with("OIDCPROXY_CONFIG_URL", provider.fact("config_url"))
        .with("OIDCPROXY_BASE_URL", format!("{origin}/mcp"))
        .with("OIDCPROXY_REQUIRED_SCOPES", "mcp:tools")
}
