//! Host and source-address rules, before any credential.

use portcullis_tests::{Request, Settings};

use crate::table::{Expect, Group, Row, World, answered, forwarded, probed, refused, row};

/// Mode none. On a loopback address the native binary then has Host and Origin rules of its own,
/// which the filter cannot have: it cannot see the address.
fn open() -> Settings {
    Settings::new()
        .with("ZSCALER_MCP_AUTH_MODE", "none")
        .with("ZSCALER_MCP_ALLOWED_HOSTS", "*")
        .with("ZSCALER_MCP_ALLOWED_ORIGINS", "*")
}

fn at(host: &str) -> Request {
    Request::bare("GET", "/mcp").field("Host", host)
}

fn misdirected() -> Expect {
    refused(421).keeps_quiet_about("evil")
}

/// `ZSCALER_MCP_ALLOWED_HOSTS`.
pub(crate) fn hosts(_: &World) -> Group {
    let mut rows: Vec<Row> = [
        "mcp.example.com",
        "MCP.Example.COM",
        "mcp.example.com:8443",
        "any.example.com",
        "any.example.com:1",
        "exact.example.com:8443",
        "[::1]",
        "[::1]:9000",
    ]
    .into_iter()
    .map(|host| row(format!("{host} passes"), at(host), forwarded()))
    .collect();
    for host in [
        "evil.example",
        "mcp.example.com.evil.example",
        "evil-mcp.example.com",
        "exact.example.com",
        "exact.example.com:8444",
        "127.0.0.1",
        "[::2]",
        "mcp.example.com@evil.example",
        "mcp.example.com:",
        "mcp.example.com:x",
        "mcp.example.com:8443:1",
        "",
    ] {
        rows.push(row(
            format!("{host:?} is misdirected"),
            at(host),
            misdirected(),
        ));
    }
    rows.extend([
        row(
            "X-Forwarded-Host does not count",
            at("evil.example").field("X-Forwarded-Host", "mcp.example.com"),
            misdirected(),
        ),
        row(
            "Forwarded does not count",
            at("evil.example").field("Forwarded", "host=mcp.example.com"),
            misdirected(),
        ),
        row(
            "the authority of an absolute target counts",
            Request::bare("GET", "http://evil.example/mcp").field("Host", "evil.example"),
            misdirected(),
        ),
        row(
            "health is told to any host",
            Request::bare("GET", "/health").field("Host", "evil.example"),
            answered(200),
        ),
        row(
            "healthz is told to any host",
            Request::bare("GET", "/healthz").field("Host", "10.0.0.7:8000"),
            answered(200),
        ),
        row(
            "ready is told to any host",
            Request::bare("GET", "/ready").field("Host", "10.0.0.7:8000"),
            probed(200),
        ),
        row(
            "well-known paths are not",
            Request::bare("GET", "/.well-known/oauth-protected-resource")
                .field("Host", "evil.example"),
            misdirected(),
        ),
    ]);
    Group {
        settings: open().with(
            "ZSCALER_MCP_ALLOWED_HOSTS",
            "mcp.example.com, any.example.com:*, exact.example.com:8443, [::1]:*",
        ),
        rows,
    }
}

/// The Host rule comes before credentials.
pub(crate) fn hosts_first(_: &World) -> Group {
    let rows = vec![
        row(
            "a wrong host is told before a missing credential",
            at("evil.example"),
            misdirected(),
        ),
        row(
            "a right host is asked for a credential",
            at("mcp.example.com"),
            refused(401),
        ),
        row(
            "a good credential does not rescue a wrong host",
            at("evil.example").field("X-Api-Key", "secret-key-0123456789"),
            misdirected(),
        ),
        row(
            "both right pass",
            at("mcp.example.com").field("X-Api-Key", "secret-key-0123456789"),
            forwarded(),
        ),
    ];
    Group {
        settings: Settings::new()
            .with("ZSCALER_MCP_AUTH_API_KEY", "secret-key-0123456789")
            .with("ZSCALER_MCP_ALLOWED_HOSTS", "mcp.example.com"),
        rows,
    }
}

/// Every host, said so.
pub(crate) fn any_host(_: &World) -> Group {
    let rows = vec![
        row("any host passes", at("evil.example"), forwarded()),
        row("an address passes", at("127.0.0.1:8000"), forwarded()),
    ];
    Group {
        settings: open().with("ZSCALER_MCP_ALLOWED_HOSTS", "*"),
        rows,
    }
}

fn from(forwarded_for: &str) -> Request {
    Request::get("/mcp").field("X-Forwarded-For", forwarded_for)
}

fn forbidden() -> Expect {
    refused(403).keeps_quiet_about("127.0.0.1")
}

/// Clients are not in the list, and nobody's word is taken.
pub(crate) fn strangers(_: &World) -> Group {
    let rows = vec![
        row(
            "another address is forbidden",
            Request::get("/mcp"),
            forbidden(),
        ),
        row(
            "X-Forwarded-For does not count",
            from("10.1.2.3"),
            forbidden(),
        ),
        row(
            "Forwarded does not count",
            Request::get("/mcp").field("Forwarded", "for=10.1.2.3"),
            forbidden(),
        ),
        row(
            "X-Real-IP does not count",
            Request::get("/mcp").field("X-Real-IP", "10.1.2.3"),
            forbidden(),
        ),
        row(
            "X-Envoy-External-Address does not count",
            Request::get("/mcp").field("X-Envoy-External-Address", "10.1.2.3"),
            forbidden(),
        ),
        row(
            "a client address in a field does not count",
            Request::get("/mcp")
                .field("X-Client-IP", "10.1.2.3")
                .field("True-Client-IP", "10.1.2.3"),
            forbidden(),
        ),
        row(
            "health is told to any address",
            Request::get("/health"),
            answered(200),
        ),
        row(
            "ready is told to any address",
            Request::get("/ready"),
            probed(200),
        ),
        row(
            "preflights are not",
            Request::new("OPTIONS", "/mcp")
                .field("Origin", "https://a.example")
                .field("Access-Control-Request-Method", "POST"),
            forbidden(),
        ),
    ];
    Group {
        settings: open().with("ZSCALER_MCP_ALLOWED_SOURCE_IPS", "10.0.0.0/8, 192.0.2.7"),
        rows,
    }
}

/// Clients are in the list.
pub(crate) fn neighbours(_: &World) -> Group {
    let rows = vec![
        row(
            "an address of the list passes",
            Request::get("/mcp"),
            forwarded(),
        ),
        row(
            "a forged address does not matter",
            from("203.0.113.9"),
            forwarded(),
        ),
    ];
    Group {
        settings: open().with("ZSCALER_MCP_ALLOWED_SOURCE_IPS", "127.0.0.1/8"),
        rows,
    }
}

/// The connection's other end is a trusted proxy.
pub(crate) fn trusted_proxy(_: &World) -> Group {
    let mut rows: Vec<Row> = [
        "10.1.2.3",
        "203.0.113.9, 10.1.2.3",
        "garbage, 10.1.2.3",
        "10.1.2.3, 127.0.0.1",
        "10.1.2.3, 192.0.2.1, 127.0.0.9",
        "::ffff:10.1.2.3",
        "10.1.2.3:5555",
        "2001:db8::1",
        "[2001:db8::1]:443",
        "  10.1.2.3  ",
        // Empty list elements do not count (RFC 9110 §5.6.1).
        "10.1.2.3, ",
        ",, 10.1.2.3 ,",
    ]
    .into_iter()
    .map(|addresses| {
        row(
            format!("{addresses:?} passes"),
            from(addresses),
            forwarded(),
        )
    })
    .collect();
    for addresses in [
        "203.0.113.9",
        "10.1.2.3, 203.0.113.9",
        "10.1.2.3, garbage",
        "garbage",
        "2001:db9::1",
        "::ffff:203.0.113.9",
        "unknown",
        "10.1.2",
        "010.1.2.3",
        "10.1.2.3/8",
        "10.1.2.3;",
    ] {
        rows.push(row(
            format!("{addresses:?} is forbidden"),
            from(addresses),
            forbidden(),
        ));
    }
    rows.extend([
        row(
            "no address but the proxy's is forbidden",
            Request::get("/mcp"),
            forbidden(),
        ),
        row("an empty list is forbidden", from(""), forbidden()),
        row(
            "two lines are one list: the last hop counts",
            from("10.1.2.3").field("X-Forwarded-For", "203.0.113.9"),
            forbidden(),
        ),
        row(
            "two lines are one list: and passes",
            from("203.0.113.9").field("X-Forwarded-For", "10.1.2.3"),
            forwarded(),
        ),
        row(
            "proxies alone are forbidden",
            from("192.0.2.1, 127.0.0.1"),
            forbidden(),
        ),
    ]);
    Group {
        settings: open()
            .with(
                "ZSCALER_MCP_ALLOWED_SOURCE_IPS",
                "10.0.0.0/8, 2001:db8::/32",
            )
            .with("PORTCULLIS_TRUSTED_PROXIES", "127.0.0.0/8, 192.0.2.1"),
        rows,
    }
}
