//! The rows that hold beside every proxy, in mode `api-key`.

use std::net::{IpAddr, Ipv4Addr};

use portcullis_tests::folder::Folder;
use portcullis_tests::resource::visible_fields;
use portcullis_tests::server::Incoming;
use portcullis_tests::{EchoResource, Gateway, Kind, Request, Response, Settings};

use crate::proxies::Proxy;
use crate::streams;
use crate::world::World;

const KEY: &str = "pk-0123456789abcdefghijklmnopqrstuv";
const APP: &str = "https://app.example.com";
const PLACE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Where clients are that may not come in.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Fields of an answer of the gateway that clients act on.
const TELLING: [&str; 8] = [
    "www-authenticate",
    "content-type",
    "retry-after",
    "cache-control",
    "allow",
    "access-control-allow-origin",
    "access-control-allow-methods",
    "access-control-allow-headers",
];

struct Row {
    rule: &'static str,
    request: Request,
    source: IpAddr,
    expected: Expected,
}

enum Expected {
    /// It reaches the protected resource, which sees this.
    Passes(fn(&Incoming) -> bool),
    /// It is answered with this status in the words of the native gateway.
    Answered(u16),
    /// It may pass or be refused, but the protected resource never sees more than this.
    AtMost(fn(&Incoming) -> bool),
    /// It is refused, by the proxy or in the gateway's words.
    Refused,
}

use Expected::{Answered, AtMost, Passes, Refused};

pub(crate) fn hold(proxy: Proxy) {
    let mut world = World::start(proxy, |_| settings());
    let resource = EchoResource::start();
    let native = Gateway::start(Kind::Native, &settings(), &resource.url());
    let mut failed = Vec::new();
    for row in rows(proxy) {
        let answer = row.request.send_from(row.source, world.address);
        let seen = world.resource.take();
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                failed.push(format!("{}: {error}", row.rule));
                continue;
            }
        };
        let holds = match &row.expected {
            Passes(sees) => answer.status == 200 && seen.len() == 1 && seen.iter().all(sees),
            Refused => answer.status >= 400 && seen.is_empty(),
            AtMost(sees) => answer.status < 500 && seen.iter().all(sees),
            Answered(status) => {
                let own = row.request.send_from(row.source, native.address()).unwrap();
                assert_eq!(own.status, *status, "the native gateway, {}", row.rule);
                seen.is_empty() && told(&answer) == told(&own)
            }
        };
        if !holds {
            let answer = (answer.status, answer.text());
            let seen: Vec<_> = seen.iter().map(visible_fields).collect();
            failed.push(format!("{}: {answer:?}, seen {seen:?}", row.rule));
        }
    }
    check_readable(proxy, &world);
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    streams::pass(&world, |request| request.field("X-Api-Key", KEY));

    // Without the gateway nothing passes.
    world.end_gateway();
    let answer = allowed().send(world.address).unwrap();
    assert!(matches!(answer.status, 500..=504), "{answer:?}");
    assert_eq!(world.resource.count(), 0);
}

/// A proxy that asks by TLS is answered as by any other way.
pub(crate) fn are_decided_over_tls(proxy: Proxy) {
    let folder = Folder::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = folder.write("server.pem", made.cert.pem());
    let key = folder.write("server.key", made.signing_key.serialize_pem());
    let settings = settings()
        .with(
            "ZSCALER_MCP_TLS_CERTFILE",
            certificate.display().to_string(),
        )
        .with("ZSCALER_MCP_TLS_KEYFILE", key.display().to_string());
    let mut world = World::start_trusting(proxy, |_| settings, Some(certificate));
    let answer = allowed().send(world.address).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(world.resource.take().len(), 1);
    let answer = refused().send(world.address).unwrap();
    assert_eq!(answer.status, 401, "{answer:?}");
    assert!(!answer.value("www-authenticate").is_empty(), "{answer:?}");
    assert_eq!(world.resource.count(), 0);
    world.end_gateway();
    let answer = allowed().send(world.address).unwrap();
    assert!(matches!(answer.status, 500..=504), "{answer:?}");
}

/// Who is not trusted is told so, by any way of asking.
pub(crate) fn strangers_are_refused(proxy: Proxy) {
    let stranger = settings().with("PORTCULLIS_TRUSTED_PROXIES", "192.0.2.7");
    let world = World::start(proxy, |_| stranger);
    let answer = allowed().send(world.address).unwrap();
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(
        answer.text().contains("PORTCULLIS_TRUSTED_PROXIES"),
        "{answer:?}"
    );
    assert_eq!(world.resource.count(), 0);
}

/// A page of an allowed site may read what the protected resource answers.
fn check_readable(proxy: Proxy, world: &World) {
    let answer = allowed().field("Origin", APP).send(world.address).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(world.resource.take().len(), 1);
    // Traefik passes nothing of the answer on to the client.
    if proxy != Proxy::Traefik {
        assert_eq!(answer.value("access-control-allow-origin"), APP);
        let exposed = answer.value("access-control-expose-headers");
        assert!(exposed.contains("mcp-session-id"), "{exposed}");
        assert!(
            answer.values("vary").contains(&"origin".to_owned()),
            "{answer:?}"
        );
    }
}

fn settings() -> Settings {
    Settings::new()
        .with("ZSCALER_MCP_AUTH_MODE", "api-key")
        .with("ZSCALER_MCP_AUTH_API_KEY", KEY)
        .with("ZSCALER_MCP_ALLOWED_HOSTS", "mcp.example.com")
        .with("ZSCALER_MCP_ALLOWED_ORIGINS", APP)
        .with("ZSCALER_MCP_ALLOWED_SOURCE_IPS", "127.0.0.1")
        .with("PORTCULLIS_TRUSTED_PROXIES", "127.0.0.1")
        .with("PORTCULLIS_SESSION_BINDING", "off")
}

/// Returns what an answer tells a client.
fn told(answer: &Response) -> (u16, Vec<Vec<String>>, String) {
    let fields = TELLING.map(|name| answer.values(name));
    (answer.status, fields.to_vec(), answer.text())
}

fn row(rule: &'static str, request: Request, expected: Expected) -> Row {
    Row {
        rule,
        request,
        source: PLACE,
        expected,
    }
}

fn rows(proxy: Proxy) -> Vec<Row> {
    [
        credentials(),
        identities(),
        hostile(),
        questions(proxy),
        requests(),
        browsers(),
        own(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn allowed() -> Request {
    Request::post("/mcp", "{}").field("Authorization", format!("Bearer {KEY}"))
}

fn refused() -> Request {
    Request::post("/mcp", "{}")
}

fn count(seen: &Incoming, name: &str) -> usize {
    seen.fields
        .iter()
        .filter(|(field, _)| field == name)
        .count()
}

fn is(seen: &Incoming, name: &str, value: &str) -> bool {
    count(seen, name) == 1 && seen.value(name).as_deref() == Some(value)
}

/// Who the caller is, once, and no credential.
fn introduced(seen: &Incoming) -> bool {
    is(seen, "x-mcp-auth-mode", "api-key")
        && count(seen, "x-mcp-auth-principal") == 1
        && seen
            .value("x-mcp-auth-principal")
            .unwrap()
            .starts_with("api-key:")
        && seen.value("authorization").is_none()
        && seen.value("x-api-key").is_none()
        && seen.value("x-mcp-auth-subject").is_none()
        && !seen
            .fields
            .iter()
            .any(|(_, value)| String::from_utf8_lossy(value).contains("forged"))
}

fn credentials() -> Vec<Row> {
    let key = |value: &str| refused().field("X-Api-Key", value);
    vec![
        row("a bearer key passes", allowed(), Passes(introduced)),
        row("X-Api-Key passes", key(KEY), Passes(introduced)),
        row(
            "nothing is asked for a credential",
            refused(),
            Answered(401),
        ),
        row("a wrong key is refused", key("wrong"), Answered(401)),
        row(
            "a wrong bearer key is refused",
            refused().field("Authorization", "Bearer wrong"),
            Answered(401),
        ),
        row(
            "a credential that occurs twice is refused",
            allowed().field("Authorization", "Bearer wrong"),
            Refused,
        ),
        row(
            "two forms of a credential are refused",
            key(KEY).field("Authorization", "Bearer wrong"),
            Refused,
        ),
        row(
            "a key in the query is none",
            Request::post(&format!("/mcp?x-api-key={KEY}"), "{}"),
            Answered(401),
        ),
    ]
}

fn identities() -> Vec<Row> {
    let forged = |name| allowed().field(name, "forged");
    let mut rows = vec![row(
        "identity fields of a client do not count",
        [
            "Mode",
            "Principal",
            "Subject",
            "Client",
            "Entitlements",
            "Issuer",
            "Scope",
        ]
        .iter()
        .fold(allowed(), |request, name| {
            request.field(&format!("X-Mcp-Auth-{name}"), "forged")
        }),
        Passes(introduced),
    )];
    rows.extend(
        [
            "x_mcp_auth_principal",
            "X-Mcp_Auth-Scope",
            "x.mcp.auth.subject",
            "X-Mcp-Auth-Future",
        ]
        .map(|name| row("nor do other spellings", forged(name), AtMost(introduced))),
    );
    rows.extend(
        [
            "x-mcp-auth-principal",
            "x-mcp-auth-mode, x-mcp-auth-principal",
            "authorization",
        ]
        .map(|named| {
            row(
                "a client cannot have a field taken out as one of its connection",
                allowed().field("Connection", named),
                AtMost(introduced),
            )
        }),
    );
    rows
}

/// What a client says in the place of a proxy.
fn hostile() -> Vec<Row> {
    let mut rows = vec![
        row(
            "a client does not choose the host that is decided on",
            allowed_at("evil.example").field("X-Forwarded-Host", "mcp.example.com"),
            Answered(421),
        ),
        row(
            "another host is refused",
            allowed_at("evil.example"),
            Answered(421),
        ),
    ];
    for (name, value) in [
        ("X-Forwarded-Uri", "/health"),
        ("X-Forwarded-Method", "OPTIONS"),
        ("X-Original-Uri", "/health"),
        ("X-Original-Url", "/health"),
        ("X-Original-Method", "GET"),
        ("X-Envoy-Original-Path", "/health"),
        ("X-Rewrite-Url", "/health"),
        ("X-Http-Method-Override", "OPTIONS"),
    ] {
        rows.push(row(
            "a client does not choose the request that is decided on",
            refused().field(name, value),
            Answered(401),
        ));
    }
    let elsewhere = |request| Row {
        source: ELSEWHERE,
        ..row("another address is refused", request, Answered(403))
    };
    rows.push(elsewhere(allowed()));
    rows.push(elsewhere(allowed().field("X-Forwarded-For", "127.0.0.1")));
    rows.push(elsewhere(
        allowed().field("X-Forwarded-For", "127.0.0.1, 127.0.0.1"),
    ));
    rows.push(elsewhere(allowed().field("X-Real-Ip", "127.0.0.1")));
    rows
}

/// What a client asks in the place of a proxy.
fn questions(proxy: Proxy) -> Vec<Row> {
    let mut rows = Vec::new();
    for path in ["/decide", "/decide/briefly", "/ext-authz/mcp"] {
        let asks = Request::get(path)
            .field("X-Forwarded-Method", "GET")
            .field("X-Forwarded-Uri", "/mcp")
            .field("X-Forwarded-Host", "mcp.example.com");
        rows.push(row("a client asks no questions", asks, Refused));
    }
    // It is a preflight, whatever else it says.
    rows.push(row(
        "a client's preflight is no question",
        Request::new("OPTIONS", "/decide")
            .field("Origin", APP)
            .field("Access-Control-Request-Method", "POST")
            .field("Authorization", format!("Bearer {KEY}"))
            .field("X-Forwarded-Method", "POST")
            .field("X-Forwarded-Uri", "/mcp")
            .field("X-Forwarded-Host", "mcp.example.com"),
        Answered(204),
    ));
    let call = Request::new("POST", "/envoy.service.auth.v3.Authorization/Check")
        .field("Content-Type", "application/grpc")
        .body([0; 5]);
    let expected = match proxy {
        // It puts refusals in gRPC's own words.
        Proxy::EnvoyHttp | Proxy::EnvoyGrpc => AtMost(|_| false),
        Proxy::Nginx | Proxy::Haproxy | Proxy::Caddy | Proxy::Traefik => Answered(401),
    };
    rows.push(row("a client's call is no question", call, expected));
    rows
}

fn allowed_at(host: &str) -> Request {
    Request::bare("POST", "/mcp")
        .field("Host", host)
        .field("Authorization", format!("Bearer {KEY}"))
        .body("{}")
}

fn requests() -> Vec<Row> {
    let with_key = |method: &str, target: &str| {
        Request::new(method, target).field("Authorization", format!("Bearer {KEY}"))
    };
    vec![
        row(
            "GET passes",
            with_key("GET", "/mcp"),
            Passes(|seen| seen.method == "GET"),
        ),
        row(
            "DELETE passes",
            with_key("DELETE", "/mcp"),
            Passes(|seen| seen.method == "DELETE"),
        ),
        row("HEAD is decided too", Request::new("HEAD", "/mcp"), Refused),
        row(
            "path and query pass as they are",
            with_key("GET", "/mcp/a%20b;v=1/%C3%A9?q=%2Fx&r=a+b&&=&u=%C3%A9"),
            Passes(|seen| seen.target == "/mcp/a%20b;v=1/%C3%A9?q=%2Fx&r=a+b&&=&u=%C3%A9"),
        ),
        row(
            "a path that leads elsewhere is decided as it is sent",
            Request::get("/health/../mcp"),
            Refused,
        ),
        row(
            "an encoded path leads nowhere else",
            Request::get("/%68ealth"),
            AtMost(|_| false),
        ),
        row(
            "a body passes",
            Request::post("/mcp", r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
                .field("X-Api-Key", KEY),
            Passes(|seen| seen.body == br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#),
        ),
        row(
            "a body in chunks passes",
            refused_chunked().field("X-Api-Key", KEY),
            Passes(|seen| seen.body == b"hello"),
        ),
        row(
            "a refused body goes nowhere",
            refused_chunked(),
            Answered(401),
        ),
        row(
            "a session id passes as it is",
            allowed().field("Mcp-Session-Id", "abc.def"),
            Passes(|seen| is(seen, "mcp-session-id", "abc.def")),
        ),
    ]
}

fn refused_chunked() -> Request {
    Request::new("POST", "/mcp")
        .field("Transfer-Encoding", "chunked")
        .unframed_body("5\r\nhello\r\n0\r\n\r\n")
}

fn browsers() -> Vec<Row> {
    let preflight = |origin| {
        Request::new("OPTIONS", "/mcp")
            .field("Origin", origin)
            .field("Access-Control-Request-Method", "POST")
    };
    vec![
        row("a preflight is answered", preflight(APP), Answered(204)),
        row(
            "a preflight of another site is refused",
            preflight("https://evil.example"),
            Answered(403),
        ),
        row(
            "another site is refused",
            allowed().field("Origin", "https://evil.example"),
            Answered(403),
        ),
        row(
            "a site that is allowed may read a refusal",
            refused().field("Origin", APP),
            Answered(401),
        ),
        row(
            "OPTIONS that is no preflight is decided",
            Request::new("OPTIONS", "/mcp"),
            Answered(401),
        ),
    ]
}

/// What the gateway answers by itself.
fn own() -> Vec<Row> {
    let metadata = "/.well-known/oauth-protected-resource";
    vec![
        row(
            "discovery ends at once",
            Request::get(metadata),
            Answered(404),
        ),
        row(
            "so does registration",
            Request::post("/register", "{}"),
            Answered(404),
        ),
        row(
            "the gateway's health is its own",
            Request::get("/health"),
            Answered(200),
        ),
    ]
}
