//! The native reverse proxy: carries out what `portcullis-core` decides.

mod commands;
mod crypto;
mod file_watch;
mod listen;
mod logs;
mod open_files;
mod paste;
mod plan;
mod proxy;
mod reload;
mod render;
mod settings;
mod state;
mod tls;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// Client authentication for MCP servers, at the gateway
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    /// Print a fresh API key (256 random bits) and exit
    #[arg(long)]
    generate_auth_token: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Authenticate requests and pass them on to the MCP server
    Serve(commands::serve::ServeArgs),
    /// Print what the settings resolve to, and why
    Explain(commands::explain::ExplainArgs),
    /// Print the configuration of another proxy for the same settings
    Render(commands::render::RenderArgs),
}

/// Exits with 0, with 1 when the settings or the system are at fault, or with 2 for wrong usage.
fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; there is nobody left to tell.
            drop(writeln!(std::io::stderr(), "portcullis: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    if cli.generate_auth_token {
        let token = crypto::random_token()?;
        writeln!(std::io::stdout(), "{token}")?;
        return Ok(());
    }
    match cli.command {
        Some(Command::Serve(args)) => commands::serve::run(&args),
        Some(Command::Explain(args)) => commands::explain::run(&args),
        Some(Command::Render(args)) => commands::render::run(&args),
        None => Cli::command()
            .error(
                clap::error::ErrorKind::MissingSubcommand,
                "a command is needed",
            )
            .exit(),
    }
}
