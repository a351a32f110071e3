//! `portcullis token`.

mod decoded;
mod verdict;

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::ColorChoice;
use portcullis_core::HttpUrl;
use portcullis_core::jose::{TokenPolicy, usable_keys};
use serde_json::{Value, json};

use self::decoded::Decoded;
use self::verdict::Verdict;
use super::check::fetch;
use crate::moment::now;
use crate::terminal::{Palette, print};

/// A token is never longer.
const MAX_BYTES: u64 = 256 * 1024;

/// Arguments of `portcullis token`.
#[derive(clap::Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(clap::Subcommand)]
enum TokenCommand {
    /// Show what an access token (a JWT) says; with --jwks, check it as the gateway would
    Decode(DecodeArgs),
}

#[derive(clap::Args)]
#[command(next_help_heading = "Token")]
struct DecodeArgs {
    /// The token; without it, or with -, it is read from standard input
    ///
    /// Other users of this machine can see arguments, and shells keep them: better pipe it in.
    token: Option<String>,
    /// The keys that should have signed it: a file or an http(s) URL
    #[arg(long, value_name = "FILE|URL")]
    jwks: Option<String>,
    /// With --jwks: an issuer to accept; any without it
    #[arg(long, requires = "jwks")]
    issuer: Vec<String>,
    /// With --jwks: an audience to accept; any without it
    #[arg(long, requires = "jwks")]
    audience: Vec<String>,
    /// With --jwks: clock skew to allow
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(..=300)
    )]
    leeway: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Shows a token. Exits with 1 where it was to be verified, and is not good.
///
/// # Errors
///
/// Fails where the text is no token, and where the keys cannot be had.
pub(crate) fn run(args: &TokenArgs, color: ColorChoice) -> anyhow::Result<ExitCode> {
    let TokenCommand::Decode(args) = &args.command;
    let token = read(args.token.as_deref())?;
    let token = bare(&token);
    let decoded = Decoded::of(token)?;
    let verdict = match &args.jwks {
        Some(place) => {
            let policy = TokenPolicy {
                issuers: args.issuer.clone(),
                audiences: args.audience.clone(),
                leeway_seconds: args.leeway,
            };
            Some(Verdict::of(token, keys(place)?, policy, now())?)
        }
        None => None,
    };
    if args.json {
        print(&format!("{:#}\n", as_json(&decoded, verdict.as_ref())))?;
    } else {
        let palette = Palette::for_output(color);
        let head = match &verdict {
            Some(verdict) => verdict.text(palette),
            None => palette.bad("NOT VERIFIED") + UNVERIFIED,
        };
        print(&format!("{head}\n{}", decoded.text(palette, now())))?;
    }
    let good = verdict.is_none_or(|verdict| verdict.is_good());
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

const UNVERIFIED: &str = ": anybody can write such a token.\n\
    Believe nothing below before its signature is checked (--jwks FILE or URL).\n";

fn as_json(decoded: &Decoded, verdict: Option<&Verdict>) -> Value {
    json!({
        "verified": verdict.is_some_and(Verdict::is_good),
        "reason": verdict.map(|verdict| verdict.reason.name()),
        "header": decoded.header,
        "claims": decoded.claims,
        "times": decoded.times(),
        "now": now().0,
    })
}

fn read(argument: Option<&str>) -> anyhow::Result<String> {
    if let Some(token) = argument.filter(|token| *token != "-") {
        return Ok(token.to_owned());
    }
    let mut token = String::new();
    let stdin = std::io::stdin().lock();
    stdin
        .take(MAX_BYTES)
        .read_to_string(&mut token)
        .context("cannot read the token from standard input")?;
    ensure!(
        !token.trim().is_empty(),
        "standard input is empty: give a token there, or as an argument"
    );
    Ok(token)
}

/// Takes off what is often copied along.
fn bare(token: &str) -> &str {
    let mut token = token.trim().trim_matches(['"', '\'']);
    for word in ["authorization:", "bearer "] {
        let start = token.get(..word.len());
        if start.is_some_and(|start| start.eq_ignore_ascii_case(word)) {
            token = token.get(word.len()..).unwrap_or_default().trim();
        }
    }
    token
}

fn keys(place: &str) -> anyhow::Result<Vec<u8>> {
    let scheme = place.split_once("://").map(|(scheme, _)| scheme);
    let document = match scheme {
        Some("http" | "https") => {
            let url =
                HttpUrl::parse(place).map_err(|problem| anyhow::anyhow!("--jwks {problem}"))?;
            fetch(&url).with_context(|| format!("--jwks {url}"))?
        }
        _ => std::fs::read(place).with_context(|| format!("--jwks {place}"))?,
    };
    match usable_keys(&document) {
        None => bail!(
            "--jwks {place}: that is no set of keys; give the provider's jwks_uri, \
             which its discovery document names"
        ),
        Some(0) => bail!("--jwks {place}: none of its keys can check signatures"),
        Some(_) => Ok(document),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_along_is_taken_off() {
        for text in [
            "a.b.c\n",
            "Bearer a.b.c",
            "Authorization: bearer a.b.c",
            "\"a.b.c\"",
            "  authorization:Bearer  a.b.c ",
        ] {
            assert_eq!(bare(text), "a.b.c");
        }
    }
}
