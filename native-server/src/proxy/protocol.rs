//! Which HTTP a connection speaks.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::sleep;

const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A major version of HTTP.
pub(super) enum Protocol {
    /// HTTP/1.1 and HTTP/1.0.
    Http1,
    /// HTTP/2.
    Http2,
}

impl Protocol {
    /// Reads what was agreed on with TLS (RFC 7301).
    pub(super) fn agreed(alpn: Option<&[u8]>) -> Self {
        match alpn {
            Some(b"h2") => Self::Http2,
            Some(_) | None => Self::Http1,
        }
    }

    /// Looks at the first bytes without taking them: a client that knows of h2 says so (RFC 9113
    /// §3.3).
    pub(super) async fn sniff(stream: &TcpStream) -> io::Result<Self> {
        let mut buffer = [0; PREFACE.len()];
        loop {
            let length = stream.peek(&mut buffer).await?;
            let start = buffer.get(..length).unwrap_or_default();
            if start == PREFACE {
                return Ok(Self::Http2);
            }
            if start.is_empty() || !PREFACE.starts_with(start) {
                return Ok(Self::Http1);
            }
            // Part of the preface: the socket stays readable, so there is nothing to wait for but
            // time. Only a client that sends it in pieces comes here.
            sleep(Duration::from_millis(10)).await;
        }
    }
}
