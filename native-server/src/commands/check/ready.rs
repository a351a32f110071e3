//! Whether the gateway that runs with the same settings is ready.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpStream};

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
    let host = host(&listen);
    let authority = format!("{host}:{}", listen.port);
    if listen.tls.is_some() {
        let connection = TcpStream::connect(&authority);
        return connection.map(drop).context(authority);
    }
    let url = format!("http://{authority}/ready");
    let url = HttpUrl::parse(&url).map_err(|why| anyhow!("{url}: {why}"))?;
    fetch(&url).map(drop).with_context(|| url.to_string())
}

/// Returns the host to connect to: one that listens on all addresses does so on loopback.
fn host(listen: &Listen) -> String {
    match listen.host.parse() {
        Ok(IpAddr::V4(ip)) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
        Ok(IpAddr::V6(ip)) if ip.is_unspecified() => format!("[{}]", Ipv6Addr::LOCALHOST),
        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
        Ok(IpAddr::V4(_)) | Err(_) => listen.host.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, expected: &str) {
        let listen = Listen {
            host: given.to_owned(),
            port: 8000,
            tls: None,
        };
        assert_eq!(host(&listen), expected);
    }

    #[test]
    fn listener_on_all_addresses_is_asked_on_loopback() {
        check("0.0.0.0", "127.0.0.1");
        check("::", "[::1]");
        check("2001:db8::1", "[2001:db8::1]");
        check("192.0.2.1", "192.0.2.1");
        check("mcp.example.com", "mcp.example.com");
    }
}
