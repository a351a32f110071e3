//! `portcullis completions`.

use clap::Command;
use clap_complete::{Shell, generate};

use crate::terminal::print;

/// Arguments of `portcullis completions`.
#[derive(clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints a script with which a shell completes our command lines.
///
/// # Errors
///
/// Fails when nobody takes it.
pub(crate) fn run(args: &CompletionsArgs, mut command: Command) -> anyhow::Result<()> {
    let mut script = Vec::new();
    generate(args.shell, &mut command, "portcullis", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(())
}
