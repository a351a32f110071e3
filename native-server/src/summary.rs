//! What the settings in force are, for the people who look at the admin page.

use portcullis_core::config::{Resolution, Setting};

use crate::plan::Plan;

/// What stands for a secret and for a list of keys; the inspector knows it.
const HIDDEN: &str = "(hidden)";

/// The settings without their secrets, and what they come to.
pub(crate) struct Summary {
    /// The name of the mode.
    pub(crate) mode: &'static str,
    /// Why it is that one.
    pub(crate) why: String,
    /// What is allowed but unwise.
    pub(crate) warnings: Vec<String>,
    /// Where clients connect.
    pub(crate) listen: String,
    /// Whether only processes of this host can.
    pub(crate) is_loopback: bool,
    /// The protected resource, unless other proxies ask for decisions only.
    pub(crate) upstream: Option<String>,
    /// Every setting that is set.
    pub(crate) settings: Vec<Shown>,
}

/// A setting, as it may be shown.
pub(crate) struct Shown {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) source: &'static str,
}

impl Summary {
    /// Sums settings up.
    pub(crate) fn new(plan: &Plan, resolution: &Resolution) -> Self {
        let set = |setting: Setting| {
            let value = plan.settings.get(setting)?;
            // Digests of keys are no secrets, but a list of them may be very long.
            let hidden = setting.is_secret() || setting == Setting::ApiKeys;
            let value = if hidden { HIDDEN } else { value };
            Some(Shown {
                name: setting.name(),
                value: value.to_owned(),
                source: plan.settings.source(setting)?.name(),
            })
        };
        Self {
            mode: resolution.config.mode_name(),
            why: resolution.why.clone(),
            warnings: resolution.warnings.clone(),
            listen: plan.listen.to_string(),
            is_loopback: plan.listen.is_loopback(),
            upstream: plan.upstream.as_ref().map(ToString::to_string),
            settings: Setting::ALL.into_iter().filter_map(set).collect(),
        }
    }
}
