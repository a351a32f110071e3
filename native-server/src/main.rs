//! The native reverse proxy: carries out what `portcullis-core` decides.

mod admin;
mod certificate;
mod commands;
mod crypto;
mod file_watch;
mod listen;
mod logs;
mod moment;
mod open_files;
mod paste;
mod plan;
mod proxy;
mod reload;
mod render;
mod settings;
mod state;
mod telemetry;
mod terminal;
mod tls;

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory as _, Parser, Subcommand};

use terminal::{Palette, note, print};

/// Client authentication for MCP servers, at the gateway
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    /// Print a fresh API key (256 random bits) and exit
    #[arg(long)]
    generate_auth_token: bool,
    /// Colour the output
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Authenticate requests and pass them on to the MCP server, or decide for other proxies
    Serve(commands::serve::ServeArgs),
    /// Find what is wrong with the settings, the files, and the servers behind
    Check(commands::check::CheckArgs),
    /// Print what the settings resolve to, and why
    Explain(commands::explain::ExplainArgs),
    /// Print or write what MCP clients are to be told
    ClientConfig(commands::client_config::ClientConfigArgs),
    /// Look into access tokens
    Token(commands::token::TokenArgs),
    /// Print the configuration of another proxy for the same settings
    Render(commands::render::RenderArgs),
}

/// Exits with 0, with 1 when the settings or the system are at fault, or with 2 for wrong usage.
fn main() -> ExitCode {
    let cli = Cli::parse();
    let color = cli.color;
    let serves = matches!(cli.command, Some(Command::Serve(_)));
    match run(cli) {
        Ok(code) => code,
        // Whoever read the output has seen enough of it.
        Err(error) if !serves && is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let name = Palette::for_errors(color).bad("portcullis:");
            note(&format!("{name} {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    if cli.generate_auth_token {
        let token = crypto::random_token()?;
        print(&format!("{token}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    match cli.command {
        Some(Command::Serve(args)) => commands::serve::run(&args)?,
        Some(Command::Check(args)) => return commands::check::run(&args, cli.color),
        Some(Command::Explain(args)) => commands::explain::run(&args)?,
        Some(Command::ClientConfig(args)) => commands::client_config::run(&args)?,
        Some(Command::Token(args)) => return commands::token::run(&args, cli.color),
        Some(Command::Render(args)) => commands::render::run(&args)?,
        None => Cli::command()
            .error(
                clap::error::ErrorKind::MissingSubcommand,
                "a command is needed",
            )
            .exit(),
    }
    Ok(ExitCode::SUCCESS)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is_it = |error: &io::Error| error.kind() == ErrorKind::BrokenPipe;
    error.downcast_ref().is_some_and(is_it)
}
