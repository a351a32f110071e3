//! Logs, on standard error.

use clap::ValueEnum;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Flags of logging.
#[derive(clap::Args)]
#[command(next_help_heading = "Logs")]
pub(crate) struct LogArgs {
    /// Form of the logs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    log_format: Format,
    /// Least important entries to log: error, warn, info or debug
    #[arg(long, value_name = "LEVEL", default_value_t = Level::INFO)]
    log_level: Level,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl LogArgs {
    /// Starts logging. Only our own entries are logged: those of libraries may hold what passes
    /// through them.
    pub(crate) fn start(&self) {
        let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), self.log_level);
        let registry = tracing_subscriber::registry().with(ours);
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_target(false);
        match self.log_format {
            Format::Text => registry.with(layer.with_ansi(false)).init(),
            Format::Json => registry.with(layer.json().flatten_event(true)).init(),
        }
    }
}
