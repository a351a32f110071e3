//! `portcullis client-config`.

mod client;
mod entry;
mod json;
mod jsonc;
mod merge;
mod store;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use portcullis_core::HttpUrl;
use portcullis_core::config::{ModeName, Setting};

use self::client::{Client, Reference};
use self::entry::{Field, Server, fields, placeholder};
use self::store::{File, Written};
use super::preview::Preview;
use crate::listen::Listen;
use crate::moment::now;
use crate::paste::client_url;
use crate::settings::SettingsArgs;
use crate::terminal::{note, print};

/// Arguments of `portcullis client-config`.
#[derive(clap::Args)]
#[command(next_help_heading = "Client configuration")]
pub(crate) struct ClientConfigArgs {
    /// The client to configure; all of them without it
    #[arg(long, value_enum)]
    client: Option<Client>,
    /// What clients call the server
    #[arg(long, value_name = "SERVERNAME", default_value = "portcullis", value_parser = server_name)]
    name: String,
    /// The URL that clients connect to, with the path
    ///
    /// Without it: OIDCPROXY_BASE_URL, else the listen address and /mcp.
    #[arg(long)]
    url: Option<String>,
    /// How clients prove who they are
    ///
    /// Without it: the mode that the settings choose. Needed where the settings of the gateway are
    /// not at hand: api-key, jwt, oidc, oidcproxy, zscaler or none.
    #[arg(long, value_parser = mode_name)]
    mode: Option<ModeName>,
    /// Merge the entry into the client's file, after a backup
    #[arg(long, requires = "client")]
    write: bool,
    /// With --write: this file in place of the client's own
    #[arg(long, requires = "write")]
    file: Option<PathBuf>,
    /// Write the secret itself, in place of a reference to it
    ///
    /// The API key is that of the settings. Others, and API keys that the settings do not hold, are
    /// taken from the environment: PORTCULLIS_API_KEY, PORTCULLIS_TOKEN, or ZSCALER_CLIENT_ID and
    /// ZSCALER_CLIENT_SECRET.
    #[arg(long)]
    with_secret: bool,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Prints or writes what clients are to be told.
///
/// # Errors
///
/// Refuses settings that are wrong, a URL that is none, a secret that is nowhere, and files that
/// cannot be changed.
pub(crate) fn run(args: &ClientConfigArgs) -> anyhow::Result<()> {
    let (mode, api_key) = mode(args)?;
    let url = url(args)?;
    let secrets = if args.with_secret {
        Some(secrets(mode, api_key)?)
    } else {
        None
    };
    let server = Server {
        name: &args.name,
        url: &url,
        mode,
        secrets,
    };
    match args.client {
        Some(client) if args.write => write(client, &server, args.file.as_deref()),
        Some(client) => {
            print(&format!("{}\n", server.whole(client).pretty("", "  ")))?;
            note(&place_words(client));
            note_secrets(client, &server);
            Ok(())
        }
        None => print_all(&server),
    }
}

/// Returns the configuration for a client that starts `mcp-remote`, with the key.
pub(crate) fn mcp_remote(url: &HttpUrl, key: &str) -> String {
    let server = Server {
        name: "portcullis",
        url,
        mode: ModeName::ApiKey,
        secrets: Some(vec![key.to_owned()]),
    };
    server.whole(Client::McpRemote).pretty("", "  ")
}

/// Returns the mode, and the API key where the settings hold it as it is.
fn mode(args: &ClientConfigArgs) -> anyhow::Result<(ModeName, Option<String>)> {
    if let Some(mode) = args.mode {
        return Ok((mode, None));
    }
    let preview = Preview::of(&args.settings)
        .context("the settings of the gateway are wrong (or say --mode and --url)")?;
    let key = preview.settings.non_blank(Setting::ApiKey);
    let key = key.filter(|key| !key.starts_with("sha256:") && preview.stored_key.is_there());
    let mode = preview.resolution.config.mode.name();
    Ok((mode, key.map(str::to_owned)))
}

fn url(args: &ClientConfigArgs) -> anyhow::Result<HttpUrl> {
    let parse = |name: &str, text: &str| {
        HttpUrl::parse(text).map_err(|problem| anyhow!("{name} {problem}"))
    };
    if let Some(url) = &args.url {
        return parse("--url", url);
    }
    let settings = args.settings.load()?;
    if let Some(url) = settings.non_blank(Setting::OidcBaseUrl) {
        return parse(Setting::OidcBaseUrl.name(), url);
    }
    let listen = Listen::from_settings(&settings)?;
    ensure!(
        listen.port != 0,
        "the port is found only when serve starts: say --url"
    );
    parse("the listen address", &client_url(&listen, listen.port))
}

fn secrets(mode: ModeName, api_key: Option<String>) -> anyhow::Result<Vec<String>> {
    let from_environment = |field: &Field| {
        let value = std::env::var(field.variable).ok();
        value
            .filter(|value| !value.trim().is_empty())
            .with_context(|| {
                let Field { variable, what, .. } = field;
                format!("--with-secret needs the {what}: put it into {variable}")
            })
    };
    match (mode, api_key) {
        (ModeName::ApiKey, Some(key)) => Ok(vec![key]),
        _ => fields(mode).iter().map(from_environment).collect(),
    }
}

fn print_all(server: &Server<'_>) -> anyhow::Result<()> {
    let mut text = String::new();
    for client in Client::ALL {
        let json = server.whole(client).pretty("", "  ");
        text.push_str(&format!("# {}\n{json}\n\n", place_words(client)));
    }
    print(&text)?;
    for client in Client::ALL {
        note_secrets(client, server);
    }
    Ok(())
}

fn write(client: Client, server: &Server<'_>, file: Option<&Path>) -> anyhow::Result<()> {
    let Some(path) = file.map(Path::to_owned).or_else(|| client.place()) else {
        bail!(
            "where {} keeps its configuration is not known here: say --file",
            client.name()
        );
    };
    let shown = path.display();
    let file = File::read(&path)?;
    let refused = |problem: String| {
        anyhow!("{shown} is left as it is: {problem}. Correct it, or paste the entry by hand.")
    };
    let (section, entry) = server.entry(client);
    let mut text = merge::set(file.text(), section, server.name, &entry).map_err(refused)?;
    for (id, input) in server.inputs(client) {
        text = merge::append(&text, "inputs", &id, &input).map_err(refused)?;
    }
    match file.write(&text, now())? {
        Written::Unchanged => note(&format!("{shown} has this entry already")),
        Written::Made => note(&format!("made {shown}")),
        Written::Changed { backup } => note(&format!(
            "changed {shown}; what it was is in {}",
            backup.display()
        )),
    }
    note_secrets(client, server);
    note(&format!("Restart {} to connect.", client.name()));
    Ok(())
}

fn place_words(client: Client) -> String {
    let place = client.place().map(|path| path.display().to_string());
    let place = place.unwrap_or_else(|| "the client's own file".to_owned());
    format!("{}: {place}", client.name())
}

/// Says what its user has to do before the client can send its secret.
fn note_secrets(client: Client, server: &Server<'_>) {
    let name = client.name();
    if server.secrets.is_some() {
        if client == Client::ClaudeCode {
            note("Claude Code: the file holds a secret; keep it out of version control.");
        }
        return;
    }
    for field in fields(server.mode) {
        let Field { variable, what, .. } = field;
        note(&match client.reference() {
            Reference::Dollar | Reference::Env => {
                format!("{name}: set {variable} to the {what} where it starts.")
            }
            Reference::Input => format!("{name}: it asks for the {what}, and keeps it."),
            Reference::None => format!(
                "{name}: put the {what} in place of {}, or use --with-secret.",
                placeholder(field)
            ),
        });
    }
}

fn server_name(name: &str) -> Result<String, &'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if (1..=64).contains(&name.len()) && name.chars().all(allowed) {
        Ok(name.to_owned())
    } else {
        Err("must be 1 to 64 letters, digits, hyphens and underscores")
    }
}

fn mode_name(name: &str) -> Result<ModeName, &'static str> {
    ModeName::from_name(name).ok_or("must be api-key, jwt, oidc, oidcproxy, zscaler or none")
}
