//! The native reverse proxy.

mod commands;
mod render;
mod settings;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Client authentication for MCP servers, at the gateway.
#[derive(Parser)]
#[command(name = "portcullis", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prints the configuration of another proxy for the same settings.
    Render(commands::render::RenderArgs),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Render(args) => commands::render::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the one line that says why the program ends"
)]
fn report(error: &anyhow::Error) {
    eprintln!("portcullis: {error:#}");
}
