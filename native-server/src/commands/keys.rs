//! `portcullis keys`.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use portcullis_core::config::Setting;
use portcullis_core::modes::ApiKeyRecord;
use portcullis_core::rules::AddressList;
use portcullis_core::{Digest, Timestamp, UnixSeconds};
use serde_json::{Map, Value};

use crate::crypto::random_token;
use crate::key_file::{self, Entry, KeyFile, is_of, text};
use crate::moment::now;
use crate::terminal::{note, print};

/// Arguments of `portcullis keys`.
#[derive(clap::Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    action: Action,
    /// The file of keys [default: that of PORTCULLIS_API_KEYS_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Make a key and print it, this once
    Add(AddArgs),
    /// Print what is known of each key; never a key
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Take all keys of a name out
    Revoke {
        /// The name
        name: String,
    },
    /// Make another key of a name and print it, this once; those that are there go on for a while
    Rotate {
        /// The name
        name: String,
        /// How long the old keys still count, such as 24h or 7d; 0s ends them at once
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = span)]
        overlap: u64,
        /// How long the new key counts [default: for ever]
        #[arg(long, value_name = "TIME", value_parser = span)]
        expires: Option<u64>,
    },
}

#[derive(clap::Args)]
struct AddArgs {
    /// What the caller is called
    name: String,
    /// How long it counts, such as 12h, 90d or 52w [default: for ever]
    #[arg(long, value_name = "TIME", value_parser = span)]
    expires: Option<u64>,
    /// An address or a network that it may come from; may be repeated [default: anywhere]
    #[arg(long, value_name = "NETWORK")]
    source: Vec<String>,
    /// What people should know of it
    #[arg(long)]
    note: Option<String>,
}

/// Changes or shows the keys of a file.
pub(crate) fn run(args: &KeysArgs) -> anyhow::Result<()> {
    let variable = Setting::ApiKeysFile.name();
    let file = args.file.clone().or_else(|| {
        let path = std::env::var_os(variable).filter(|path| !path.is_empty());
        path.map(PathBuf::from)
    });
    let file = file.with_context(|| format!("name the file of keys with --file or {variable}"))?;
    let (key, said) = match &args.action {
        Action::List { json } => {
            let entries = key_file::read(&file)?;
            let shown = if *json {
                as_json(&entries)?
            } else {
                as_table(&entries)
            };
            return Ok(print(&shown)?);
        }
        Action::Revoke { name } => {
            let mut keys = KeyFile::open(&file)?;
            some(keys.of(name).count(), name)?;
            keys.entries.retain(|entry| !is_of(entry, name));
            keys.save()?;
            note(&format!(
                "revoked {name}; a gateway that watches the file knows within a second"
            ));
            return Ok(());
        }
        Action::Add(add) => (make(KeyFile::open(&file)?, add)?, "made"),
        Action::Rotate {
            name,
            overlap,
            expires,
        } => (
            rotate(KeyFile::open(&file)?, name, *overlap, *expires)?,
            "rotated",
        ),
    };
    note(&format!(
        "{said}; the key is shown only this once, {} holds its digest:",
        file.display()
    ));
    Ok(print(&format!("{key}\n"))?)
}

fn make(mut keys: KeyFile, add: &AddArgs) -> anyhow::Result<String> {
    let AddArgs {
        name,
        expires,
        source,
        note,
    } = add;
    ApiKeyRecord::check_name(name).map_err(anyhow::Error::msg)?;
    ApiKeyRecord::check_note(note.as_deref().unwrap_or_default()).map_err(anyhow::Error::msg)?;
    if !source.is_empty() {
        AddressList::parse(&source.join(","))
            .map_err(|problem| anyhow::anyhow!("--source {problem}"))?;
    }
    if keys.of(name).next().is_some() {
        bail!("there is a key called {name}: rotate it, or revoke it first");
    }
    let (key, mut entry) = fresh(name, *expires)?;
    if !source.is_empty() {
        entry.insert("sources".to_owned(), Value::from(source.clone()));
    }
    if let Some(note) = note {
        entry.insert("note".to_owned(), Value::from(note.as_str()));
    }
    keys.entries.push(entry);
    keys.save()?;
    Ok(key)
}

/// The new key keeps the sources and the note of the last one.
fn rotate(
    mut keys: KeyFile,
    name: &str,
    overlap: u64,
    expires: Option<u64>,
) -> anyhow::Result<String> {
    some(keys.of(name).count(), name)?;
    let (key, mut entry) = fresh(name, expires)?;
    let end = now().plus(overlap);
    for old in keys.of(name) {
        for member in ["sources", "note"] {
            if let Some(value) = old.get(member) {
                entry.insert(member.to_owned(), value.clone());
            }
        }
        if expiry(old).is_none_or(|expires| expires > end) {
            old.insert("expires".to_owned(), time(end));
        }
    }
    keys.entries
        .retain(|old| !is_of(old, name) || expiry(old).is_none_or(|end| end > now()));
    keys.entries.push(entry);
    keys.save()?;
    Ok(key)
}

fn fresh(name: &str, expires: Option<u64>) -> anyhow::Result<(String, Entry)> {
    let key = random_token()?;
    let digest = Digest::plain(key.as_bytes());
    let hex: String = digest
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut entry = Map::new();
    entry.insert("name".to_owned(), Value::from(name));
    entry.insert("sha256".to_owned(), Value::from(hex));
    entry.insert("created".to_owned(), time(now()));
    if let Some(seconds) = expires {
        entry.insert("expires".to_owned(), time(now().plus(seconds)));
    }
    Ok((key, entry))
}

fn some(count: usize, name: &str) -> anyhow::Result<()> {
    if count == 0 {
        bail!("there is no key called {name}: portcullis keys list shows those that are there");
    }
    Ok(())
}

fn time(at: UnixSeconds) -> Value {
    Value::from(Timestamp(at).to_string())
}

fn expiry(entry: &Entry) -> Option<UnixSeconds> {
    text(entry, "expires")
        .and_then(Timestamp::parse)
        .map(|time| time.0)
}

fn as_json(entries: &[Entry]) -> anyhow::Result<String> {
    let shown: Vec<Entry> = entries.iter().map(public).collect();
    Ok(serde_json::to_string_pretty(&shown)? + "\n")
}

/// A digest is no secret, but of no use to look at either.
fn public(entry: &Entry) -> Entry {
    let mut entry = entry.clone();
    entry.remove("sha256");
    let expired = expiry(&entry).is_some_and(|expires| expires <= now());
    entry.insert("expired".to_owned(), Value::from(expired));
    entry
}

fn as_table(entries: &[Entry]) -> String {
    let heading = ["NAME", "CREATED", "EXPIRES", "SOURCES", "NOTE"].map(str::to_owned);
    let rows = entries.iter().map(|entry| {
        let get = |member| text(entry, member).unwrap_or("-").to_owned();
        let expired = expiry(entry).is_some_and(|expires| expires <= now());
        let expires = get("expires") + if expired { " (expired)" } else { "" };
        let sources = entry.get("sources").and_then(Value::as_array);
        let sources = sources.map_or_else(
            || "anywhere".to_owned(),
            |list| {
                list.iter()
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>()
                    .join(",")
            },
        );
        [get("name"), get("created"), expires, sources, get("note")]
    });
    let rows: Vec<[String; 5]> = std::iter::once(heading).chain(rows).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..5).map(width).collect();
    let mut table = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths);
        let line: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        table.push_str(line.join("  ").trim_end());
        table.push('\n');
    }
    table
}

/// Parses a length of time: a number and one of `s`, `m`, `h`, `d` and `w`.
fn span(text: &str) -> Result<u64, String> {
    let units = [
        ('s', 1),
        ('m', 60),
        ('h', 3600),
        ('d', 86_400),
        ('w', 604_800),
    ];
    let parsed = units.iter().find_map(|(unit, seconds)| {
        let number: u32 = text.strip_suffix(*unit)?.parse().ok()?;
        Some(u64::from(number).saturating_mul(*seconds))
    });
    parsed.ok_or_else(|| "a number and a unit: 30m, 24h, 90d or 52w".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_a_unit() {
        assert_eq!(span("24h"), Ok(86_400));
        assert_eq!(span("90d"), Ok(7_776_000));
        assert_eq!(span("0s"), Ok(0));
        for bad in ["", "24", "h", "-1h", "1.5h", "1y", "24 h"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }
}
