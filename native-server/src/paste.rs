//! The URL that clients connect to.

use crate::listen::Listen;

/// Returns the URL that clients use, with the path where MCP servers answer by default.
pub(crate) fn client_url(listen: &Listen, port: u16) -> String {
    let scheme = if listen.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let host = listen.url_host();
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
        check("::", "http://[::1]:8000/mcp");
        check("::1", "http://[::1]:8000/mcp");
        check("2001:db8::1", "http://[2001:db8::1]:8000/mcp");
        check("mcp.example.com", "http://mcp.example.com:8000/mcp");
    }
}
