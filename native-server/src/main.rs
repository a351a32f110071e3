//! The native reverse proxy: carries out what `portcullis-core` decides.

mod admin;
mod audit;
mod certificate;
mod commands;
mod crypto;
mod file_watch;
mod key_file;
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
mod summary;
mod telemetry;
mod terminal;
mod tls;
mod trace;

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use clap::{
    ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum as _,
};

use terminal::{Palette, note, print};

/// Client authentication for MCP servers, at the gateway
#[derive(Parser)]
#[command(arg_required_else_help = true)]
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
    /// Make, list, rotate and revoke named API keys
    Keys(commands::keys::KeysArgs),
    /// Print what makes a shell complete command lines
    Completions(commands::completions::CompletionsArgs),
    /// Print the pages of the manual
    Man(commands::man::ManArgs),
}

/// Exits with 0, with 1 when the settings or the system are at fault, or with 2 for wrong usage.
fn main() -> ExitCode {
    let matches = command().color(asked_color()).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
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
        Some(Command::Keys(args)) => commands::keys::run(&args)?,
        Some(Command::Completions(args)) => commands::completions::run(&args, command())?,
        Some(Command::Man(args)) => commands::man::run(&args, command())?,
        None => command()
            .error(
                clap::error::ErrorKind::MissingSubcommand,
                "a command is needed",
            )
            .exit(),
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the whole command line.
fn command() -> clap::Command {
    commands::help::dress(Cli::command())
}

/// Returns the colours that are asked for, before the command line is understood: help and the
/// refusal of a command line have colours too.
fn asked_color() -> ColorChoice {
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let mut asked = ColorChoice::Auto;
    while let Some(word) = words.next() {
        let value = match word.as_str() {
            "--" => break,
            "--color" => words.next(),
            _ => word.strip_prefix("--color=").map(str::to_owned),
        };
        let choice = value.and_then(|value| ColorChoice::from_str(&value, false).ok());
        asked = choice.unwrap_or(asked);
    }
    asked
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is_it = |error: &io::Error| error.kind() == ErrorKind::BrokenPipe;
    error.downcast_ref().is_some_and(is_it)
}
