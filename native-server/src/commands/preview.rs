//! The settings as `serve` would understand them, without writing anything.

use portcullis_core::config::{ConfigError, Resolution, Settings, Site, resolve};

use crate::listen::Listen;
use crate::settings::SettingsArgs;
use crate::state::{StoredKey, preview_api_key, supply_for_questions, supply_state_keys};

/// What the settings come to.
pub(super) struct Preview {
    /// With a key that is thrown away where `serve` would make one.
    pub(super) settings: Settings,
    pub(super) listen: Listen,
    pub(super) stored_key: StoredKey,
    pub(super) resolution: Resolution,
}

impl Preview {
    /// Reads and resolves the settings.
    ///
    /// # Errors
    ///
    /// Refuses what `serve` would refuse.
    pub(super) fn of(args: &SettingsArgs) -> Result<Self, ConfigError> {
        let mut settings = args.load()?;
        let listen = Listen::from_settings(&settings)?;
        let stored_key = preview_api_key(&mut settings)?;
        supply_state_keys(&mut settings)?;
        supply_for_questions(&mut settings)?;
        let site = Site::Native {
            loopback: listen.is_loopback(),
        };
        let resolution = resolve(&settings, site)?;
        Ok(Self {
            settings,
            listen,
            stored_key,
            resolution,
        })
    }
}
