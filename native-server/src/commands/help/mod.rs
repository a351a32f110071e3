//! What the help of every command has in common: width, version, examples, settings, exit codes.

mod example;
mod reference;

use std::sync::LazyLock;

use clap::Command;

pub(super) use self::example::{Example, examples};
pub(super) use self::reference::{Section, sections};

/// The widest help, in columns.
const WIDTH: usize = 80;

/// Commands whose long help lists all settings.
const WITH_SETTINGS: [&str; 3] = ["serve", "check", "explain"];

/// What exit codes mean.
pub(super) const EXIT_CODES: [(u8, &str); 3] = [
    (
        0,
        "done; check: no problem; token decode --jwks: the token is good",
    ),
    (
        1,
        "settings, files or the system are at fault; a check found a problem; files differ",
    ),
    (
        2,
        "wrong usage: an unknown command or flag, or a value of another form",
    ),
];

/// The version, with the commit where the build was told it.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let version = env!("CARGO_PKG_VERSION");
    match option_env!("PORTCULLIS_COMMIT") {
        Some(commit) if !commit.is_empty() => {
            let (commit, state) = commit.split_once('-').unwrap_or((commit, ""));
            let dash = if state.is_empty() { "" } else { "-" };
            let commit = commit.get(..12).unwrap_or(commit);
            format!("{version} ({commit}{dash}{state})")
        }
        Some(_) | None => version.to_owned(),
    }
});

/// Completes a command and those below it.
pub(crate) fn dress(command: Command) -> Command {
    let command = command.version(VERSION.as_str()).max_term_width(WIDTH);
    dress_below(command, "").after_help(exit_codes())
}

fn dress_below(command: Command, path: &str) -> Command {
    command.mut_subcommands(|below| {
        let path = format!("{path} {}", below.get_name());
        let path = path.trim();
        let shown = example_text(path);
        let mut below = dress_below(below, path);
        if WITH_SETTINGS.contains(&path) {
            let hint = "Settings: --help lists them.";
            below = below
                .after_help(format!("{shown}{hint}"))
                .after_long_help(format!("{shown}{}", settings_text()));
        } else if !shown.is_empty() {
            below = below.after_help(shown.trim_end().to_owned());
        }
        below
    })
}

fn example_text(path: &str) -> String {
    let mut text = String::new();
    for Example { what, line } in examples(path) {
        let title = if text.is_empty() { "Examples:\n" } else { "" };
        text.push_str(&format!("{title}  # {what}\n  {line}\n"));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn settings_text() -> String {
    let mut text = wrapped(
        "Settings are environment variables, or keys of the JSON file of --config, which wins; \
         flags win over both. Lists are separated by commas.",
        "",
    );
    for Section { title, entries } in sections() {
        text.push_str(&format!("\n{title}:\n"));
        for entry in entries {
            text.push_str(&format!("  {}\n", entry.name));
            text.push_str(&wrapped(&entry.words(), "      "));
        }
    }
    text.trim_end().to_owned()
}

fn exit_codes() -> String {
    let mut text = "Exit codes:\n".to_owned();
    for (code, meaning) in EXIT_CODES {
        let meaning = wrapped(meaning, "     ");
        text.push_str(&format!("  {code}  {}", meaning.trim_start()));
    }
    text.push_str("\nportcullis help COMMAND says more of a command.");
    text
}

/// Breaks a text into lines that begin with `margin`.
fn wrapped(text: &str, margin: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut();
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if margin.len() + line.len() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
        .iter()
        .map(|line| format!("{margin}{line}\n"))
        .collect()
}
