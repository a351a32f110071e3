//! `portcullis man`.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::help::{EXIT_CODES, Example, Section, examples, sections};
use crate::terminal::{note, print};

/// Commands whose pages list all settings: the program's own, and the one that most are for.
const HAS_SETTINGS: [&str; 2] = ["", "serve"];

/// Arguments of `portcullis man`.
#[derive(clap::Args)]
#[command(next_help_heading = "Manual")]
pub(crate) struct ManArgs {
    /// The command whose page to print; the program's own without it
    command: Vec<String>,
    /// Write all pages into this folder
    #[arg(long, conflicts_with = "command")]
    dir: Option<PathBuf>,
}

/// Prints a page of the manual, or writes all of them.
///
/// # Errors
///
/// Fails where there is no such command, and where the folder cannot be written.
pub(crate) fn run(args: &ManArgs, mut command: Command) -> anyhow::Result<()> {
    command.build();
    let Some(folder) = &args.dir else {
        let mut found = &command;
        for name in &args.command {
            let below = found.find_subcommand(name);
            let Some(below) = below else {
                bail!("there is no command {name}: portcullis --help lists them");
            };
            found = below;
        }
        print(&page(found, &args.command.join(" "))?)?;
        return Ok(());
    };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut pages = Vec::new();
    collect(&command, "", &mut pages)?;
    for (name, text) in pages {
        let path = folder.join(format!("{name}.1"));
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        note(&path.display().to_string());
    }
    Ok(())
}

fn collect(command: &Command, path: &str, pages: &mut Vec<(String, String)>) -> anyhow::Result<()> {
    let name = format!("portcullis {path}");
    pages.push((name.trim().replace(' ', "-"), page(command, path)?));
    let below = command.get_subcommands();
    for below in below.filter(|below| below.get_name() != "help") {
        let path = format!("{path} {}", below.get_name());
        collect(below, path.trim(), pages)?;
    }
    Ok(())
}

fn page(command: &Command, path: &str) -> anyhow::Result<String> {
    let man = Man::new(command.clone())
        .manual("Portcullis")
        .source(format!("portcullis {}", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if HAS_SETTINGS.contains(&path) {
        environment().to_writer(&mut page)?;
    }
    exit_status().to_writer(&mut page)?;
    if !examples(path).is_empty() {
        example_section(path).to_writer(&mut page)?;
    }
    Ok(ascii(&String::from_utf8_lossy(&page)))
}

/// Writes other characters as groff's escapes, which it takes whatever encoding it expects.
fn ascii(page: &str) -> String {
    let mut ascii = String::new();
    for c in page.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            ascii.push_str(&format!("\\[u{:04X}]", u32::from(c)));
        }
    }
    ascii
}

fn environment() -> Roff {
    let mut roff = Roff::default();
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([roman(
        "Each of these may be a key of the JSON file of --config as well, which wins.",
    )]);
    for Section { title, entries } in sections() {
        roff.control("SS", [title.as_str()]);
        for entry in entries {
            roff.control("TP", []);
            roff.text([bold(entry.name.as_str())]);
            roff.text([roman(entry.words())]);
        }
    }
    roff
}

fn exit_status() -> Roff {
    let mut roff = Roff::default();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in EXIT_CODES {
        roff.control("TP", []);
        roff.text([bold(code.to_string())]);
        roff.text([roman(meaning)]);
    }
    roff
}

fn example_section(path: &str) -> Roff {
    let mut roff = Roff::default();
    roff.control("SH", ["EXAMPLES"]);
    for Example { what, line } in examples(path) {
        roff.control("PP", []);
        roff.text([roman(*what)]);
        roff.control("PP", []);
        roff.control("nf", []);
        roff.text([roman(format!("    {line}"))]);
        roff.control("fi", []);
    }
    roff
}
