//! `portcullis check`.

mod document;
mod endpoint;
mod files;
mod keys;
mod online;
mod ready;
mod report;
mod trouble;

use std::process::ExitCode;

use anyhow::{Context as _, anyhow, ensure};
use clap::ColorChoice;
use portcullis_core::HttpUrl;
use tokio::runtime::{Builder, Runtime};

use self::report::{Finding, Report, Section};
use super::preview::Preview;
use super::serve::ServeArgs;
use crate::plan::Plan;
use crate::proxy::{CallClient, Connector};
use crate::terminal::{Palette, print};
use crate::trace::Collector;
use crate::{state, tls};

/// Arguments of `portcullis check`: those of `serve`, so that a command line can be tried by
/// changing one word.
#[derive(clap::Args)]
pub(crate) struct CheckArgs {
    /// Ask the endpoints that serve would call, and the protected resource
    #[arg(long, help_heading = "Check")]
    online: bool,
    /// With --online: how long to wait for each answer
    #[arg(
        long,
        help_heading = "Check",
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=300)
    )]
    timeout: u32,
    /// Only ask the gateway that runs here with these settings whether it is ready, as health
    /// checks of containers do
    #[arg(long, help_heading = "Check", conflicts_with_all = ["online", "json"])]
    ready: bool,
    /// Print JSON
    #[arg(long, help_heading = "Check")]
    json: bool,
    #[command(flatten)]
    serve: ServeArgs,
}

/// Looks at everything, prints what was found, and exits with 1 where that is a problem.
///
/// # Errors
///
/// Fails when there is no thread, or nobody to print for, and with `--ready` where the gateway is
/// not ready.
pub(crate) fn run(args: &CheckArgs, color: ColorChoice) -> anyhow::Result<ExitCode> {
    if args.ready {
        ready::ask(&args.serve.settings.load()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut report = Report::default();
    check(args, &mut report)?;
    if args.json {
        print(&format!("{:#}\n", report.json()))?;
    } else {
        print(&report.text(Palette::for_output(color)))?;
    }
    Ok(if report.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Fetches a document, or says in plain words why there is none.
///
/// # Errors
///
/// Fails where there is no answer, or another one than 200.
pub(super) fn fetch(url: &HttpUrl) -> anyhow::Result<Vec<u8>> {
    let calls = client(url.is_https())?;
    let response = runtime()?
        .block_on(endpoint::get(&calls, url))
        .map_err(|trouble| anyhow!("{}: {}", trouble.message, trouble.advice))?;
    ensure!(
        response.status == 200,
        "it answers with status {}",
        response.status
    );
    Ok(response.body)
}

fn client(https: bool) -> anyhow::Result<CallClient> {
    let tls = tls::client_config(https)?;
    let public = Connector::to_public_hosts(tls.clone());
    Ok(CallClient::new(Connector::new(tls), public))
}

fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start threads")
}

fn check(args: &CheckArgs, report: &mut Report) -> anyhow::Result<()> {
    let settings = &args.serve.settings;
    let preview = match Preview::of(settings) {
        Ok(preview) => preview,
        Err(error) => {
            report.add(
                Section::Settings,
                Finding::problem("", error.to_string()).advise(
                    "nothing else was checked; `portcullis serve --help` lists all settings",
                ),
            );
            return Ok(());
        }
    };
    let resolution = &preview.resolution;
    let mode = format!(
        "mode {}, as {}",
        resolution.config.mode_name(),
        resolution.why
    );
    report.add(Section::Settings, Finding::good("", mode));
    for warning in &resolution.warnings {
        report.add(Section::Settings, Finding::warning("", warning));
    }
    let plan = settings
        .load()
        .and_then(|settings| Plan::new(settings, &state::fresh()?));
    if let Err(error) = &plan {
        report.add(Section::Settings, Finding::problem("", error.to_string()));
    }
    if let Err(error) = args.serve.admin.check() {
        report.add(
            Section::Settings,
            Finding::problem("", format!("{error:#}")),
        );
    }
    check_tracing(report);
    files::check(&preview, settings.config.as_deref(), report);
    if args.online {
        let calls = match plan {
            Ok(plan) => CallClient::new(plan.connector, plan.public),
            // What stops `serve` need not stop its calls.
            Err(_) => client(true)?,
        };
        let asking = online::check(&preview, &calls, args.timeout, report);
        runtime()?.block_on(asking);
    }
    Ok(())
}

/// Looks at where spans go.
fn check_tracing(report: &mut Report) {
    let finding = match Collector::from_environment() {
        Ok(None) => return,
        Ok(Some(collector)) => match collector.warning {
            Some(warning) => Finding::warning("", warning),
            None => Finding::good("", format!("spans go to {}", collector.place())),
        },
        Err(error) => Finding::problem("", format!("{error:#}")),
    };
    report.add(Section::Settings, finding);
}
