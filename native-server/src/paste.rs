//! The URL that clients connect to.

use crate::listen::Listen;

/// Returns the URL that clients use, with the path where MCP servers answer by default.
pub(crate) fn client_url(listen: &Listen, port: u16) -> String {
    let scheme = if listen.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let host = listen.host.as_str();
    // Nobody can connect to "any address".
    let host = match host {
        "0.0.0.0" | "::" => "127.0.0.1".to_owned(),
        _ if host.contains(':') => format!("[{host}]"),
        _ => host.to_owned(),
    };
    format!("{scheme}://{host}:{port}/mcp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(host: &str, expected: &str) {
        let listen = Listen {
            host: host.to_owned(),
            port: 0,
            tls: None,
        };
        assert_eq!(client_url(&listen, 8000), expected);
    }

    #[test]
    fn url_is_one_that_a_client_can_use() {
        check("127.0.0.1", "http://127.0.0.1:8000/mcp");
        check("0.0.0.0", "http://127.0.0.1:8000/mcp");
        check("::1", "http://[::1]:8000/mcp");
    }
}
