//! Mode oidcproxy: what the gateway answers as an authorization server.

use portcullis_tests::authorization_server::JWKS_PATH;
use portcullis_tests::{Answer, Behaviour, Request, Settings};
use serde_json::json;

use super::jwt::bearer;
use crate::table::{Expect, Group, World, answered, keys, refused, row};

const DOCUMENT: &str = "/.well-known/openid-configuration";
pub(crate) const BASE: &str = "https://gw.example/mcp";
const ORIGIN: &str = "https://inspector.example";
pub(crate) const REDIRECT_URI: &str = "http://localhost:3335/oauth/callback";
const MAX_OCTETS: usize = 64 * 1024;
const CHALLENGE: &str = "Bearer realm=\"mcp\", error=\"invalid_token\", \
    resource_metadata=\"https://gw.example/.well-known/oauth-protected-resource/mcp\", \
    scope=\"mcp:tools\"";

pub(crate) fn settings(world: &World) -> Settings {
    let server = &world.authorization_server;
    server.publish(keys().jwks());
    let document = json!({
        "issuer": server.url(""),
        "authorization_endpoint": server.url("/authorize"),
        "token_endpoint": server.url("/token"),
        "jwks_uri": server.url(JWKS_PATH),
    });
    server.on_path(DOCUMENT, Behaviour::Answer(Answer::json(200, &document)));
    Settings::new()
        .with("ZSCALER_MCP_AUTH_MODE", "oidcproxy")
        .with("OIDCPROXY_CONFIG_URL", server.url(DOCUMENT))
        .with("OIDCPROXY_BASE_URL", BASE)
        .with("OIDCPROXY_CLIENT_ID", "gateway")
        .with("OIDCPROXY_CLIENT_SECRET", "gateway-secret")
        .with("OIDCPROXY_REQUIRED_SCOPES", "mcp:tools")
        // Where nothing is said, Envoy, which needs a cluster for each host, fetches none.
        .with("OIDCPROXY_CLIENT_DOCUMENTS", "off")
}

pub(crate) fn registration() -> Request {
    register(&json!({ "redirect_uris": [REDIRECT_URI], "client_name": "A client" }).to_string())
}

/// Expects a client; which identifier it is given is random.
pub(crate) fn registered() -> Expect {
    answered(201)
        .field("content-type", "application/json")
        .field("cache-control", "no-store")
        .field("access-control-allow-origin", "*")
        .says("\"token_endpoint_auth_method\":\"none\"")
        .random("\"client_id\":\"", "\"")
        .random("\"client_id_issued_at\":", ",")
}

/// Posts a form.
pub(crate) fn form(target: &str, body: &str) -> Request {
    Request::new("POST", target)
        .field("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
}

/// Expects an error of OAuth in JSON that every page may read.
pub(crate) fn error(status: u16, code: &str) -> Expect {
    answered(status)
        .field("content-type", "application/json")
        .field("cache-control", "no-store")
        .field("access-control-allow-origin", "*")
        .no_field("www-authenticate")
        .no_field("set-cookie")
        .says(format!("\"error\":\"{code}\""))
}

fn register(body: &str) -> Request {
    Request::post("/register", body)
}

/// A good registration of so many octets.
fn of_size(octets: usize) -> String {
    let body = json!({ "redirect_uris": [REDIRECT_URI], "software_id": "" }).to_string();
    let padding = "x".repeat(octets - body.len());
    json!({ "redirect_uris": [REDIRECT_URI], "software_id": padding }).to_string()
}

/// Sends a body in chunks of at most so many octets, with a trailer behind it.
fn in_chunks(body: &str, octets: usize) -> Request {
    let mut chunked = Vec::new();
    for chunk in body.as_bytes().chunks(octets) {
        chunked.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        chunked.extend(chunk);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\nx-checksum: none\r\n\r\n");
    Request::new("POST", "/register")
        .field("Content-Type", "application/json")
        .field("Transfer-Encoding", "chunked")
        .unframed_body(chunked)
}

pub(crate) fn registrations(world: &World) -> Group {
    let metadata = || error(400, "invalid_client_metadata");
    let many = json!({ "redirect_uris": vec!["a:/"; 10_000] }).to_string();
    let deep = format!(
        "{{\"redirect_uris\":[\"{REDIRECT_URI}\"],\"x\":{}{}}}",
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    let large = || error(413, "invalid_request");
    let mut rows = vec![
        row("a client registers", registration(), registered()),
        row(
            "so does one that sends more than is needed",
            register(
                r#"{"redirect_uris":["app:/cb"],"grant_types":["authorization_code"],"jwks":{}}"#,
            ),
            registered(),
        ),
        row(
            "so does a page of any origin",
            registration().field("Origin", ORIGIN),
            registered(),
        ),
        row(
            "the type of the body is not asked for",
            Request::new("POST", "/register")
                .body(json!({ "redirect_uris": [REDIRECT_URI] }).to_string()),
            registered(),
        ),
        row(
            "64 KiB are read",
            register(&of_size(MAX_OCTETS)),
            registered(),
        ),
        row("more are not", register(&of_size(MAX_OCTETS + 1)), large()),
        row("nor are 10 MB", register(&of_size(10_000_000)), large()),
        row(
            "10,000 redirect URIs are too many",
            register(&many),
            error(400, "invalid_redirect_uri"),
        ),
        row(
            "JSON does not nest without end",
            register(&deep),
            metadata(),
        ),
        row(
            "a redirect URI that runs a script is refused",
            register(r#"{"redirect_uris":["javascript:alert(1)"]}"#),
            error(400, "invalid_redirect_uri").keeps_quiet_about("javascript"),
        ),
        row(
            "bytes that are no text are refused",
            Request::new("POST", "/register").body(b"\xff\xfe\x00".to_vec()),
            metadata(),
        ),
    ];
    for body in ["", "{", "[]", "null", "{}x", "redirect_uris=app:/cb"] {
        rows.push(row(
            format!("{body:?} is refused"),
            register(body),
            metadata(),
        ));
    }
    rows.push(row(
        "a registration without a body is refused",
        Request::new("POST", "/register"),
        metadata(),
    ));
    Group {
        settings: settings(world),
        rows,
    }
}

/// In HTTP/1.1 only: in HTTP/2, all bodies come in frames.
pub(crate) fn chunks(world: &World) -> Group {
    let body = of_size(2000);
    let large = || error(413, "invalid_request");
    let rows = vec![
        row("chunks make a whole", in_chunks(&body, 1), registered()),
        row(
            "64 KiB in chunks are read",
            in_chunks(&of_size(MAX_OCTETS), 1000),
            registered(),
        ),
        row(
            "more are not",
            in_chunks(&of_size(MAX_OCTETS + 1), 1000),
            large(),
        ),
        row(
            "nor are 10 MB",
            in_chunks(&of_size(10_000_000), 50_000),
            large(),
        ),
        row(
            "no chunk is no registration",
            in_chunks("", 1),
            error(400, "invalid_client_metadata"),
        ),
    ];
    Group {
        settings: settings(world),
        rows,
    }
}

pub(crate) fn metadata(world: &World) -> Group {
    let told = || {
        answered(200)
            .field("content-type", "application/json")
            .field("access-control-allow-origin", "*")
            .says("\"issuer\":\"https://gw.example\"")
            .says("\"registration_endpoint\":\"https://gw.example/register\"")
    };
    let mut rows = Vec::new();
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/mcp",
        "/mcp/.well-known/openid-configuration",
    ] {
        rows.push(row(format!("{path} tells all"), Request::get(path), told()));
        rows.push(row(
            format!("{path} is not written"),
            Request::post(path, "{}"),
            error(405, "invalid_request").field("allow", "GET, HEAD"),
        ));
    }
    for path in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
    ] {
        let resource = answered(200)
            .says("\"authorization_servers\":[\"https://gw.example\"]")
            .says(format!("\"resource\":\"{BASE}\""));
        rows.push(row(
            format!("{path} names this gateway"),
            Request::get(path),
            resource,
        ));
    }
    rows.extend([
        row(
            "HEAD has no body",
            Request::new("HEAD", "/.well-known/oauth-authorization-server"),
            answered(200),
        ),
        row(
            "every page may read it",
            Request::get("/.well-known/oauth-authorization-server").field("Origin", ORIGIN),
            told(),
        ),
        row(
            "there is none of another path",
            Request::get("/.well-known/oauth-authorization-server/other"),
            answered(404),
        ),
    ]);
    Group {
        settings: settings(world),
        rows,
    }
}

pub(crate) fn methods(world: &World) -> Group {
    let mut rows = Vec::new();
    for (path, allowed, others) in [
        ("/register", "POST", ["GET", "PUT", "DELETE"]),
        ("/consent", "POST", ["GET", "PUT", "DELETE"]),
        ("/token", "POST", ["GET", "PATCH", "OPTIONS"]),
        ("/revoke", "POST", ["GET", "PUT", "OPTIONS"]),
        ("/authorize", "GET, HEAD", ["POST", "PUT", "DELETE"]),
        ("/auth/callback", "GET, HEAD", ["POST", "PUT", "OPTIONS"]),
    ] {
        for method in others {
            rows.push(row(
                format!("{method} {path} is not allowed"),
                Request::new(method, path),
                answered(405)
                    .field("allow", allowed)
                    .no_field("www-authenticate"),
            ));
        }
        rows.push(row(
            format!("a body changes nothing for {path}"),
            Request::new("PUT", path).body(vec![b'x'; 100_000]),
            answered(405).field("allow", allowed),
        ));
    }
    for path in ["/register", "/token", "/revoke"] {
        let preflight = Request::new("OPTIONS", path)
            .field("Origin", ORIGIN)
            .field("Access-Control-Request-Method", "POST")
            .field("Access-Control-Request-Headers", "content-type");
        rows.push(row(
            format!("every page may ask before {path}"),
            preflight,
            answered(204)
                .field("access-control-allow-origin", "*")
                .no_field("access-control-allow-credentials"),
        ));
    }
    for path in ["/register/", "/tokens", "/oauth/token", "/Register"] {
        rows.push(row(
            format!("{path} is of the protected resource"),
            Request::post(path, "{}"),
            refused(401),
        ));
    }
    Group {
        settings: settings(world),
        rows,
    }
}

pub(crate) fn forms(world: &World) -> Group {
    let invalid = || error(400, "invalid_request");
    let unknown = || error(401, "invalid_client");
    let mut rows = vec![
        row("an empty form is refused", form("/token", ""), invalid()),
        row(
            "no body is no form",
            Request::new("POST", "/token"),
            invalid(),
        ),
        row(
            "no client is invalid",
            form("/token", "grant_type=x"),
            invalid(),
        ),
        row(
            "two clients are invalid",
            form("/token", "client_id=a&client_id=b&grant_type=x"),
            invalid(),
        ),
        row(
            "a broken escape is refused",
            form("/token", "client_id=%zz"),
            invalid(),
        ),
        row(
            "a client that was made up is unknown",
            form(
                "/token",
                "client_id=made-up&grant_type=refresh_token&refresh_token=x",
            ),
            unknown().keeps_quiet_about("made-up"),
        ),
        row(
            "a page may read that",
            form("/token", "client_id=made-up&grant_type=authorization_code")
                .field("Origin", ORIGIN),
            unknown(),
        ),
        row(
            "a form is at most as large as one is",
            form("/token", &format!("client_id={}", "x".repeat(200_000))),
            error(413, "invalid_request"),
        ),
        row(
            "revocation asks for a client",
            form("/revoke", "token=x"),
            invalid(),
        ),
        row(
            "and knows its clients",
            form("/revoke", "token=x&client_id=made-up"),
            unknown(),
        ),
    ];
    let page = |status: u16| {
        answered(status)
            .field("content-type", "text/html; charset=utf-8")
            .field("cache-control", "no-store")
            .no_field("access-control-allow-origin")
    };
    rows.extend([
        row(
            "consent without a page is refused",
            form("/consent", "decision=approve&request=made-up"),
            page(400).keeps_quiet_about("made-up"),
        ),
        row("so is no consent", form("/consent", ""), page(400)),
        row(
            "a sign-in names its application",
            Request::get("/authorize").field("Accept", "text/html"),
            page(400),
        ),
        row(
            "an application that is unknown is told to a person",
            Request::get("/authorize?client_id=%3Cscript%3E").field("Accept", "text/html"),
            page(401).keeps_quiet_about("<script>"),
        ),
        row(
            "and to a program",
            Request::get("/authorize?client_id=made-up"),
            answered(401).says("\"error\":\"invalid_client\""),
        ),
        row(
            "nobody returns who did not leave",
            Request::get("/auth/callback?state=made-up&code=x").field("Accept", "text/html"),
            page(400),
        ),
    ]);
    Group {
        settings: settings(world),
        rows,
    }
}

pub(crate) fn tokens(world: &World) -> Group {
    let invalid = || refused(401).challenge(CHALLENGE);
    let sealed = "AdMqmHtQMkqHMnG4a_BbBMYSorQjGLewNTFEPIBiZ2oKBJXRxYiREmeHUEts96-oE2Fc1";
    let mut rows: Vec<_> = ["x", sealed, "a.b.c", "\u{e9}", &"x".repeat(9000)]
        .into_iter()
        .map(|token| row("garbage is no access token", bearer(token), invalid()))
        .collect();
    rows.extend([
        row(
            "nobody is asked to sign in without being told where",
            Request::get("/mcp"),
            refused(401).challenge(
                "Bearer realm=\"mcp\", \
                 resource_metadata=\"https://gw.example/.well-known/oauth-protected-resource/mcp\", \
                 scope=\"mcp:tools\"",
            ),
        ),
        row(
            "a body does not help",
            Request::post("/mcp", &"x".repeat(100_000)).field("Authorization", "Bearer x"),
            invalid(),
        ),
    ]);
    Group {
        settings: settings(world),
        rows,
    }
}
