//! Whether the gateway that runs with the same settings is ready.

use std::net::TcpStream;

use anyhow::{Context as _, anyhow};
use portcullis_core::HttpUrl;
use portcullis_core::config::Settings;

use super::fetch;
use crate::listen::Listen;

/// Asks the gateway of this machine that listens as `settings` say.
///
/// Over TLS the question is only whether it accepts connections: its certificate is for the name
/// that clients use, and it may ask for one.
///
/// # Errors
///
/// Fails where nobody listens, or the answer is another than 200.
pub(super) fn ask(settings: &Settings) -> anyhow::Result<()> {
    let listen = Listen::from_settings(settings)?;
    let authority = format!("{}:{}", listen.url_host(), listen.port);
    if listen.tls.is_some() {
        let connection = TcpStream::connect(&authority);
        return connection.map(drop).context(authority);
    }
    let url = format!("http://{authority}/ready");
    let url = HttpUrl::parse(&url).map_err(|why| anyhow!("{url}: {why}"))?;
    fetch(&url).map(drop).with_context(|| url.to_string())
}
