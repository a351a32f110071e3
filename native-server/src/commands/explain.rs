//! `portcullis explain`.

use portcullis_core::Digest;
use portcullis_core::config::{Setting, Settings};
use portcullis_core::modes::ApiKeyMode;

use super::preview::Preview;
use crate::settings::SettingsArgs;
use crate::state::StoredKey;
use crate::terminal::print;

const NO_UPSTREAM: &str = "not set: decides for other proxies";

/// Arguments of `portcullis explain`.
#[derive(clap::Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Prints what the settings resolve to.
pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let text = explain(&Preview::of(&args.settings)?);
    print(&text)?;
    Ok(())
}

fn explain(preview: &Preview) -> String {
    let Preview {
        settings,
        listen,
        stored_key,
        resolution,
    } = preview;
    let mut text = String::new();
    line(&mut text, "mode", resolution.config.mode_name());
    line(&mut text, "why", &resolution.why);
    line(&mut text, "listen", &listen.to_string());
    let upstream = resolution.config.upstream();
    let upstream = upstream.map_or_else(|| NO_UPSTREAM.to_owned(), ToString::to_string);
    line(&mut text, "upstream", &upstream);
    text.push_str("\nsettings:\n");
    for setting in Setting::ALL {
        let value = show(settings, setting, stored_key);
        line(&mut text, &format!("  {}", setting.name()), &value);
    }
    text.push_str("\nwarnings:\n");
    if resolution.warnings.is_empty() {
        text.push_str("  none\n");
    }
    for warning in &resolution.warnings {
        text.push_str(&format!("  {warning}\n"));
    }
    text
}

fn line(text: &mut String, name: &str, value: &str) {
    text.push_str(&format!("{name}: {value}\n"));
}

fn show(settings: &Settings, setting: Setting, stored_key: &StoredKey) -> String {
    let Some((value, source)) = settings.get(setting).zip(settings.source(setting)) else {
        return "not set".to_owned();
    };
    let source = source.name();
    match (setting, stored_key) {
        (Setting::ApiKey, StoredKey::Missing { path }) => {
            format!(
                "made by the first run of serve, to be kept in {}",
                path.display()
            )
        }
        (Setting::ApiKey, StoredKey::Kept { path, .. }) => {
            format!(
                "{} (generated, kept in {})",
                fingerprint(value),
                path.display()
            )
        }
        (Setting::ApiKeys, _) => {
            let count = ApiKeyMode::parse_list(value.as_bytes()).map_or(0, |mode| mode.count());
            format!("{count} keys ({source})")
        }
        (Setting::StateKeys, _) if source == "generated" => {
            "made by each process (generated)".to_owned()
        }
        _ if setting.is_secret() => format!("{} ({source})", fingerprint(value)),
        _ => format!("{} ({source})", value.escape_debug()),
    }
}

/// Returns the start of the SHA-256 digest: enough to tell secrets apart, too little to find one.
/// An API key that is given as its digest has the same fingerprint as the key itself.
fn fingerprint(secret: &str) -> String {
    let secret = secret.trim();
    let digest = secret.strip_prefix("sha256:").map_or_else(
        || {
            let digest = Digest::plain(secret.as_bytes());
            digest
                .as_bytes()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect()
        },
        str::to_ascii_lowercase,
    );
    format!("sha256:{}…", digest.chars().take(8).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_tells_secrets_apart_and_shows_none() {
        // The digest of "abc" (FIPS 180-2, appendix B.1).
        assert_eq!(fingerprint("abc"), "sha256:ba7816bf…");
        let given = "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
        assert_eq!(fingerprint(given), "sha256:ba7816bf…");
    }
}
