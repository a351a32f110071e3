//! What the program is going to do.

use std::sync::Arc;

use portcullis_core::config::{ConfigError, Resolution, Setting, Settings, Site, is_on, resolve};
use portcullis_core::{Digest, HttpUrl};
use tokio_rustls::TlsAcceptor;

use crate::listen::Listen;
use crate::proxy::Connector;
use crate::state::{
    StoredKey, preview_api_key, supply_api_key, supply_for_questions, supply_state_key,
};
use crate::tls::{self, Admission};

/// Everything that follows from the settings, made and checked before anything is opened or
/// written.
pub(crate) struct Plan {
    /// Complete but for an API key that is made once everything else is in order, so that it is
    /// shown by the run that makes it.
    pub(crate) settings: Settings,
    site: Site,
    /// Where to listen.
    pub(crate) listen: Listen,
    /// The protected resource; without it, other proxies pass requests on and ask here.
    pub(crate) upstream: Option<HttpUrl>,
    /// Makes TLS of the connections of clients.
    pub(crate) tls: Option<TlsAcceptor>,
    /// What their clients have to show.
    pub(crate) admission: Admission,
    /// Connects to hosts that the settings name.
    pub(crate) connector: Connector,
    /// Connects to hosts that strangers name.
    pub(crate) public: Connector,
}

impl Plan {
    /// Makes a plan of `settings`; `process_key` is the state key for want of another.
    ///
    /// # Errors
    ///
    /// Refuses settings that cannot be carried out.
    pub(crate) fn new(mut settings: Settings, process_key: &str) -> Result<Self, ConfigError> {
        let listen = Listen::from_settings(&settings)?;
        supply_state_key(&mut settings, process_key.to_owned());
        supply_for_questions(&mut settings)?;
        let site = Site::Native {
            loopback: listen.is_loopback(),
        };
        let mut complete = settings.clone();
        preview_api_key(&mut complete)?;
        let config = resolve(&complete, site)?.config;
        let upstream = config.upstream().cloned();
        let (tls, admission) = match &listen.tls {
            Some(files) => {
                let (config, admission) = tls::server_config(files)?;
                (Some(TlsAcceptor::from(Arc::new(config))), admission)
            }
            None => (None, Admission::Plain),
        };
        let calls_https =
            config.calls_strangers() || config.call_urls().iter().any(HttpUrl::is_https);
        let client_tls = tls::client_config(calls_https)?;
        Ok(Self {
            settings,
            site,
            listen,
            upstream,
            tls,
            admission,
            public: Connector::to_public_hosts(client_tls.clone()),
            connector: Connector::new(client_tls),
        })
    }

    /// Returns what tells the settings from others.
    pub(crate) fn digest(&self) -> Digest {
        let parts = Setting::ALL.map(|setting| self.settings.get(setting).unwrap_or_default());
        Digest::of(&parts.map(str::as_bytes))
    }

    /// Completes the settings, with an API key that is made and kept if there has to be one.
    ///
    /// # Errors
    ///
    /// Fails when the key cannot be kept.
    pub(crate) fn complete(&mut self) -> Result<(Resolution, StoredKey), ConfigError> {
        let stored_key = supply_api_key(&mut self.settings)?;
        Ok((resolve(&self.settings, self.site)?, stored_key))
    }

    /// Completes the settings as [`Self::complete`] does, for a gate that is `closed` so far: it
    /// makes no key, and does not open the gate for want of settings.
    ///
    /// # Errors
    ///
    /// Fails when a key would have to be made, or the gate opened.
    pub(crate) fn complete_again(
        &mut self,
        closed: bool,
    ) -> Result<(Resolution, StoredKey), ConfigError> {
        let stored_key = preview_api_key(&mut self.settings)?;
        if let StoredKey::Missing { path } = &stored_key {
            return Err(ConfigError::at(
                Setting::ApiKey,
                format!(
                    "must be set: only the start makes a key, and {} is not there",
                    path.display()
                ),
            ));
        }
        let resolution = resolve(&self.settings, self.site)?;
        if closed && resolution.config.mode_name() == "none" && !self.says_none()? {
            return Err(ConfigError::at(
                Setting::AuthMode,
                "must be none where that is meant: settings that are gone are nothing that opens \
                 a gate while it runs",
            ));
        }
        Ok((resolution, stored_key))
    }

    /// Tells whether mode `none` was asked for. That authentication is on asks for some mode.
    fn says_none(&self) -> Result<bool, ConfigError> {
        let named = self.settings.non_blank(Setting::AuthMode).is_some();
        let switched = self.settings.get(Setting::AuthEnabled).is_some();
        Ok(named || (switched && !is_on(&self.settings, Setting::AuthEnabled)?))
    }
}
