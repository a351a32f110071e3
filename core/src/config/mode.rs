//! Which mode the settings ask for.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{ConfigError, Setting, Settings, Site, Source};

/// The name of a mode.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ModeName {
    /// No authentication.
    None,
    /// One shared key.
    ApiKey,
    /// Access tokens.
    Jwt,
    /// Access tokens of an OpenID provider.
    Oidc,
    /// Access tokens of our own authorization server.
    OidcProxy,
    /// Zscaler OneAPI client credentials.
    Zscaler,
}

impl ModeName {
    /// All of them, in the order of [`Self::index`].
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::ApiKey,
        Self::Jwt,
        Self::Oidc,
        Self::OidcProxy,
        Self::Zscaler,
    ];

    /// Returns the place in [`Self::ALL`].
    #[must_use]
    #[expect(
        clippy::as_conversions,
        reason = "the number of a variant, which no conversion trait gives"
    )]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns the name as the value of a metric's label: letters and underscores only.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::None | Self::Jwt | Self::Oidc | Self::OidcProxy | Self::Zscaler => self.name(),
        }
    }

    /// Returns the mode of this name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "none" => Self::None,
            "api-key" => Self::ApiKey,
            "jwt" => Self::Jwt,
            "oidc" => Self::Oidc,
            "oidcproxy" | "oauth-proxy" => Self::OidcProxy,
            "zscaler" => Self::Zscaler,
            _ => return None,
        })
    }

    /// Tells whether clients are told where to sign in, as MCP's authorization has it.
    pub(crate) const fn is_oauth(self) -> bool {
        matches!(self, Self::Oidc | Self::OidcProxy)
    }

    /// Returns the name as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ApiKey => "api-key",
            Self::Jwt => "jwt",
            Self::Oidc => "oidc",
            Self::OidcProxy => "oidcproxy",
            Self::Zscaler => "zscaler",
        }
    }
}

/// A mode and why it was chosen.
pub(super) struct Choice {
    pub(super) mode: ModeName,
    pub(super) why: String,
    pub(super) warnings: Vec<String>,
}

/// Chooses the mode: switched off, forced, or detected.
pub(super) fn choose(settings: &Settings, site: Site) -> Result<Choice, ConfigError> {
    if !is_enabled(settings)? {
        return Ok(Choice {
            mode: ModeName::None,
            why: format!(
                "{} switches authentication off",
                Setting::AuthEnabled.name()
            ),
            warnings: [format!(
                "authentication is switched off by {}: everybody may connect",
                Setting::AuthEnabled.name()
            )]
            .into(),
        });
    }
    match settings.non_blank(Setting::AuthMode) {
        Some(mode) => forced(mode),
        None => detected(settings, site),
    }
}

/// Parses a switch: `true`, `1`, `yes`, `false`, `0`, `no`, case and blanks ignored.
pub(super) fn switch(
    settings: &Settings,
    setting: Setting,
    default: bool,
) -> Result<bool, ConfigError> {
    let Some(text) = settings.get(setting) else {
        return Ok(default);
    };
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(ConfigError::at(
            setting,
            "must be true, 1, yes, false, 0 or no",
        )),
    }
}

fn is_enabled(settings: &Settings) -> Result<bool, ConfigError> {
    switch(settings, Setting::AuthEnabled, true)
}

fn forced(mode: &str) -> Result<Choice, ConfigError> {
    let mode = ModeName::from_name(mode).ok_or_else(|| {
        let problem = "is not a mode; use api-key, jwt, oidc, oidcproxy, zscaler or none";
        ConfigError::at(Setting::AuthMode, problem)
    })?;
    let warnings = match mode {
        ModeName::None => ["mode none: everybody may connect".to_owned()].into(),
        ModeName::ApiKey
        | ModeName::Jwt
        | ModeName::Oidc
        | ModeName::OidcProxy
        | ModeName::Zscaler => Vec::new(),
    };
    Ok(Choice {
        mode,
        why: format!("{} says so", Setting::AuthMode.name()),
        warnings,
    })
}

fn detected(settings: &Settings, site: Site) -> Result<Choice, ConfigError> {
    const CANDIDATES: [(Setting, ModeName); 7] = [
        (Setting::OidcConfigUrl, ModeName::Oidc),
        (Setting::JwksUri, ModeName::Jwt),
        (Setting::ApiKey, ModeName::ApiKey),
        // Of the two, the one that people set: the list comes from the file.
        (Setting::ApiKeysFile, ModeName::ApiKey),
        (Setting::ApiKeys, ModeName::ApiKey),
        (Setting::VanityDomain, ModeName::Zscaler),
        (Setting::TokenUrl, ModeName::Zscaler),
    ];
    // A key that the program made itself is no wish of the user.
    let wished = |setting| {
        settings.non_blank(setting).is_some()
            && settings
                .source(setting)
                .is_some_and(|source| source > Source::Generated)
    };
    let mut given = CANDIDATES
        .into_iter()
        .filter(|(setting, _)| wished(*setting));
    let Some((setting, mode)) = given.next() else {
        return nothing_set(site);
    };
    let passed_over: Vec<&str> = given
        .filter(|(_, other)| *other != mode)
        .map(|(setting, _)| setting.name())
        .collect();
    let mut warnings = Vec::new();
    if !passed_over.is_empty() {
        warnings.push(format!(
            "{} chose mode {}, so these are not used: {}; set {} to be sure",
            setting.name(),
            mode.name(),
            passed_over.join(", "),
            Setting::AuthMode.name(),
        ));
    }
    Ok(Choice {
        mode,
        why: format!("{} is set", setting.name()),
        warnings,
    })
}

fn nothing_set(site: Site) -> Result<Choice, ConfigError> {
    match site {
        Site::Native { loopback: true } => Ok(Choice {
            mode: ModeName::None,
            why: "nothing is set and the listen address is a loopback address".to_owned(),
            warnings: ["mode none: every process of this host may connect".to_owned()].into(),
        }),
        Site::Native { loopback: false } | Site::Filter => Err(ConfigError::general(format!(
            "no authentication is configured; set {} (mode oidc), {} (mode jwt), {} (mode api-key), {} or {} \
             (mode zscaler), or say {}=none to let everybody connect",
            Setting::OidcConfigUrl.name(),
            Setting::JwksUri.name(),
            Setting::ApiKey.name(),
            Setting::VanityDomain.name(),
            Setting::TokenUrl.name(),
            Setting::AuthMode.name(),
        ))),
    }
}
