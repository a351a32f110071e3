//! `portcullis render`.

use crate::settings::SettingsArgs;

/// Arguments of `portcullis render`.
#[derive(clap::Args)]
pub(crate) struct RenderArgs {
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Prints the configuration.
pub(crate) fn run(args: &RenderArgs) -> anyhow::Result<()> {
    let _ = args.settings.load()?;
    anyhow::bail!("this build renders nothing")
}
