//! Settings of mode `zscaler`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::resolve::{number, url, warn_plain_http};
use super::{ConfigError, Setting, Settings};
use crate::attempts::AttemptLimits;
use crate::modes::{Mode, ZscalerMode};
use crate::url::{HttpUrl, is_label};

/// More would be no protection, and each source that has used some takes memory.
const MAX_WRONG_SECRETS: u16 = 10_000;

/// Reads mode `zscaler`.
pub(super) fn mode(settings: &Settings, warnings: &mut Vec<String>) -> Result<Mode, ConfigError> {
    let token_url = match url(settings, Setting::TokenUrl)? {
        Some(url) => url,
        None => one_api_token_url(settings)?,
    };
    warn_plain_http(&token_url, Setting::TokenUrl, warnings);
    let forward_entitlements = match settings.non_blank(Setting::Entitlements) {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("forward") => true,
        Some(word) if word.eq_ignore_ascii_case("off") => false,
        Some(_) => {
            return Err(ConfigError::at(
                Setting::Entitlements,
                "must be forward or off",
            ));
        }
    };
    Ok(Mode::Zscaler(ZscalerMode {
        token_url,
        forward_entitlements,
        attempts: attempts(settings)?,
    }))
}

fn attempts(settings: &Settings) -> Result<AttemptLimits, ConfigError> {
    let limit = |setting, default| {
        let problem = "must be a whole number from 1 to 10000: wrong secrets a minute";
        let limits = 1..=MAX_WRONG_SECRETS;
        let limit = number(settings, setting, &limits, problem)?;
        Ok(limit.unwrap_or(default))
    };
    let default = AttemptLimits::default();
    Ok(AttemptLimits {
        per_source: limit(Setting::WrongSecretsPerAddress, default.per_source)?,
        in_all: limit(Setting::WrongSecretsInAll, default.in_all)?,
    })
}

/// Makes the token endpoint of a tenant: `{vanity}.zslogin{cloud}.net`.
fn one_api_token_url(settings: &Settings) -> Result<HttpUrl, ConfigError> {
    let vanity = settings.non_blank(Setting::VanityDomain).ok_or_else(|| {
        let problem = format!(
            "or {} must be set in mode zscaler",
            Setting::TokenUrl.name()
        );
        ConfigError::at(Setting::VanityDomain, problem)
    })?;
    if !is_label(vanity) {
        return Err(ConfigError::at(
            Setting::VanityDomain,
            "must be one DNS label",
        ));
    }
    let cloud = settings
        .non_blank(Setting::Cloud)
        .unwrap_or("production")
        .to_ascii_lowercase();
    let cloud = if cloud == "production" { "" } else { &cloud };
    let login = format!("zslogin{cloud}");
    if !is_label(&login) {
        return Err(ConfigError::at(
            Setting::Cloud,
            "must be the name of a cloud: letters and digits",
        ));
    }
    HttpUrl::parse(&format!("https://{vanity}.{login}.net/oauth2/v1/token"))
        .map_err(|problem| ConfigError::at(Setting::VanityDomain, problem))
}
