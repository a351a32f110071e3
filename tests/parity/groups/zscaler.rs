//! Mode zscaler: client credentials against the token endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use portcullis_tests::authorization_server::{
    CLIENT_ID, CLIENT_SECRET, TOKEN_PATH, WRONG_SECRET, grant, grant_with_entitlements, refusal,
};
use portcullis_tests::{Answer, Behaviour, Request, Settings};
use serde_json::json;

use crate::table::{Expect, Group, Row, World, forwarded, refused, row, unavailable};

/// The challenge (RFC 7617 §2.1).
const CHALLENGE: &str = "Basic realm=\"mcp\", charset=\"UTF-8\"";

/// Settings of the mode.
pub(crate) fn settings(world: &World) -> Settings {
    Settings::new()
        .with("ZSCALER_MCP_AUTH_MODE", "zscaler")
        .with(
            "PORTCULLIS_TOKEN_URL",
            world.authorization_server.url(TOKEN_PATH),
        )
}

fn denied() -> Expect {
    refused(401)
        .challenge(CHALLENGE)
        .keeps_quiet_about("upstream words")
        .keeps_quiet_about(CLIENT_SECRET)
}

fn allowed() -> Expect {
    forwarded()
        .saw("x-mcp-auth-mode", "zscaler")
        .hid("authorization")
        .hid("x-zscaler-client-id")
        .hid("x-zscaler-client-secret")
}

/// A request with these bytes as Basic credentials.
pub(crate) fn basic(pair: impl AsRef<[u8]>) -> Request {
    encoded(&STANDARD.encode(pair))
}

fn encoded(value: &str) -> Request {
    Request::get("/mcp").field("Authorization", format!("Basic {value}"))
}

/// A request with the credential in two fields.
pub(crate) fn fields(id: &str, secret: &str) -> Request {
    Request::get("/mcp")
        .field("X-Zscaler-Client-ID", id)
        .field("X-Zscaler-Client-Secret", secret)
}

fn good() -> String {
    format!("{CLIENT_ID}:{CLIENT_SECRET}")
}

/// Both forms of the credential, and what is not one.
pub(crate) fn credentials(world: &World) -> Group {
    let id = |value: &str| Request::get("/mcp").field("X-Zscaler-Client-ID", value);
    let secret = |value: &str| Request::get("/mcp").field("X-Zscaler-Client-Secret", value);
    let rows = vec![
        row("Basic credentials pass", basic(good()), allowed()),
        row(
            "two fields pass",
            fields(CLIENT_ID, CLIENT_SECRET),
            allowed(),
        ),
        row(
            "nothing is asked for a credential",
            Request::get("/mcp"),
            denied().says("X-Zscaler-Client-ID"),
        ),
        row(
            "a wrong secret is refused",
            basic(format!("{CLIENT_ID}:{WRONG_SECRET}")),
            denied().says("are not accepted"),
        ),
        row(
            "a wrong secret in a field is refused",
            fields(CLIENT_ID, WRONG_SECRET),
            denied(),
        ),
        row(
            "an unknown client is refused",
            basic("nobody:secret"),
            denied().says("are not accepted"),
        ),
        row(
            "the pair of fields wins over a bad Authorization",
            fields(CLIENT_ID, CLIENT_SECRET).field("Authorization", "Basic bm9ib2R5Ong="),
            allowed(),
        ),
        row(
            "the pair of fields wins over another scheme",
            fields(CLIENT_ID, CLIENT_SECRET).field("Authorization", "Bearer x"),
            allowed(),
        ),
        row(
            "a bad pair of fields is not rescued by Basic",
            basic(good())
                .field("X-Zscaler-Client-ID", "nobody")
                .field("X-Zscaler-Client-Secret", "x"),
            denied(),
        ),
        row(
            "half a pair leaves Basic to decide",
            basic(good()).field("X-Zscaler-Client-ID", "nobody"),
            allowed(),
        ),
        row(
            "the other half too",
            basic(good()).field("X-Zscaler-Client-Secret", "x"),
            allowed(),
        ),
        row("half a pair is no credential", id(CLIENT_ID), denied()),
        row(
            "a secret alone is no credential",
            secret(CLIENT_SECRET),
            denied(),
        ),
        row(
            "an empty secret is half a pair",
            fields(CLIENT_ID, ""),
            denied(),
        ),
        row(
            "an empty id is half a pair",
            fields("", CLIENT_SECRET),
            denied(),
        ),
        row(
            "an empty half leaves Basic to decide",
            basic(good())
                .field("X-Zscaler-Client-ID", "nobody")
                .field("X-Zscaler-Client-Secret", ""),
            allowed(),
        ),
        row(
            "two ids are refused",
            fields(CLIENT_ID, CLIENT_SECRET).field("X-Zscaler-Client-ID", CLIENT_ID),
            denied().says("must occur once"),
        ),
        row(
            "two secrets are refused",
            fields(CLIENT_ID, CLIENT_SECRET).field("x-zscaler-client-secret", "b"),
            denied(),
        ),
        row(
            "two Authorizations are refused",
            basic(good()).field(
                "Authorization",
                format!("Basic {}", STANDARD.encode(good())),
            ),
            denied(),
        ),
        row(
            "Bearer is refused",
            Request::get("/mcp").field("Authorization", format!("Bearer {CLIENT_SECRET}")),
            denied().says("credentials are required"),
        ),
        row(
            "credentials in the query do not count",
            Request::get(&format!(
                "/mcp?client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}"
            )),
            denied(),
        ),
        row(
            "credentials in a form do not count",
            Request::new("POST", "/mcp")
                .field("Content-Type", "application/x-www-form-urlencoded")
                .body(format!(
                    "client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}"
                )),
            denied(),
        ),
        row(
            "credentials in a cookie do not count",
            Request::get("/mcp").field(
                "Cookie",
                format!("x-zscaler-client-id={CLIENT_ID}; x-zscaler-client-secret={CLIENT_SECRET}"),
            ),
            denied(),
        ),
        row(
            "blanks around fields do not count",
            fields(&format!("  {CLIENT_ID} "), &format!("\t{CLIENT_SECRET} ")),
            allowed(),
        ),
        row(
            "another secret of the same client is another credential",
            fields(CLIENT_ID, "rotated"),
            allowed(),
        ),
        row(
            "HEAD is refused without a body",
            Request::new("HEAD", "/mcp"),
            denied(),
        ),
        row(
            "a forged identity is replaced",
            basic(good())
                .field("X_MCP_Auth_Principal", "root")
                .field("x-mcp-auth-entitlements", "ALL"),
            allowed().hid("x-mcp-auth-entitlements"),
        ),
    ];
    Group {
        settings: settings(world),
        rows,
    }
}

/// Base64 and what is inside (RFC 7617 §2).
pub(crate) fn encoding(world: &World) -> Group {
    let value = STANDARD.encode(good());
    // A credential whose base64 has both characters that differ between the alphabets.
    let marked = "client-1:>>>???";
    let mut rows: Vec<Row> = ["basic", "BASIC", "bAsIc"]
        .into_iter()
        .map(|scheme| {
            let request = Request::get("/mcp").field("Authorization", format!("{scheme} {value}"));
            row(format!("{scheme} is Basic"), request, allowed())
        })
        .collect();
    rows.extend([
        row(
            "several blanks after the scheme are one",
            encoded(&format!("  {value}")),
            allowed(),
        ),
        row(
            "both alphabets' odd characters pass in the plain one",
            encoded(&STANDARD.encode(marked)),
            allowed(),
        ),
        row(
            "the URL alphabet is refused",
            encoded(&STANDARD.encode(marked).replace('+', "-").replace('/', "_")),
            denied(),
        ),
        row(
            "missing padding is refused",
            encoded(&STANDARD_NO_PAD.encode(format!("{}x", good()))),
            denied().says("malformed"),
        ),
        row(
            "too much padding is refused",
            encoded(&format!("{value}====")),
            denied(),
        ),
        row(
            "data after the padding is refused",
            encoded(&format!("{}{value}", STANDARD.encode("nobody:x"))),
            denied(),
        ),
        row(
            "characters outside the alphabet are refused",
            encoded(&format!("{}!{}", &value[..4], &value[4..])),
            denied(),
        ),
        row(
            "an inner blank is refused",
            encoded(&format!("{} {}", &value[..4], &value[4..])),
            denied(),
        ),
        row(
            "quotes are refused",
            encoded(&format!("\"{value}\"")),
            denied(),
        ),
        row(
            "two values in one field are refused",
            encoded(&format!("{value}, {value}")),
            denied(),
        ),
        row(
            "the scheme alone is refused",
            Request::get("/mcp").field("Authorization", "Basic"),
            denied(),
        ),
        row("an empty value is refused", encoded(""), denied()),
        row(
            "no colon is refused",
            basic("client-1"),
            denied().says("malformed"),
        ),
        row("an empty id is refused", basic(":secret"), denied()),
        row("an empty secret is refused", basic("client-1:"), denied()),
        row("a colon alone is refused", basic(":"), denied()),
        row(
            "what is not UTF-8 is refused",
            basic(b"client-1:\xff\xfe"),
            denied(),
        ),
        row("a NUL is refused", basic("client-1:a\0b"), denied()),
        row("a line end is refused", basic("client-1:a\n"), denied()),
        row(
            "a secret beyond ASCII passes",
            basic("client-1:pässwörd ☃"),
            allowed(),
        ),
        row(
            "a secret of form characters passes",
            basic("client-1:a&client_id=evil%26=+ "),
            allowed(),
        ),
        row("plain credentials are refused", encoded(&good()), denied()),
        row(
            "8 KB of credentials are no failure",
            basic(format!("nobody:{}", "x".repeat(6000))),
            denied(),
        ),
        row(
            "40 KB of base64 are no failure",
            encoded(&"QUFB".repeat(10_000)),
            denied(),
        ),
    ]);
    Group {
        settings: settings(world),
        rows,
    }
}

/// What the token endpoint answers, and what becomes of it.
pub(crate) fn token_endpoint(world: &World) -> Group {
    let server = &world.authorization_server;
    let mut rows = Vec::new();
    let mut client = |id: &str, rule: &str, behaviour: Behaviour, expect: Expect| {
        server.on_client(id, behaviour);
        rows.push(row(rule, fields(id, "secret"), expect));
    };
    let outage = || unavailable().keeps_quiet_about("upstream words");
    let answer = |status: u16, body: &str| {
        Behaviour::Answer(
            Answer::new(status)
                .field("content-type", "application/json")
                .body(body),
        )
    };
    client("plain", "a grant passes", grant(3600), allowed());
    client("short", "a short grant passes", grant(1), allowed());
    client(
        "unlimited",
        "a grant without a lifetime passes",
        answer(200, r#"{"access_token":"t","token_type":"Bearer"}"#),
        allowed(),
    );
    client(
        "huge-life",
        "a grant for ever passes",
        answer(
            200,
            r#"{"access_token":"t","expires_in":99999999999999999999}"#,
        ),
        allowed(),
    );
    client(
        "negative",
        "a grant of negative life passes once",
        answer(200, r#"{"access_token":"t","expires_in":-5}"#),
        allowed(),
    );
    client(
        "text-life",
        "a lifetime in text is no failure",
        answer(200, r#"{"access_token":"t","expires_in":"3600"}"#),
        allowed(),
    );
    for (id, status) in [("r400", 400), ("r401", 401), ("r403", 403)] {
        client(
            id,
            &format!("{status} with an OAuth error is a refusal"),
            refusal(status, "invalid_client"),
            denied(),
        );
    }
    client(
        "unauthorized",
        "another OAuth error is a refusal too",
        refusal(400, "unauthorized_client"),
        denied(),
    );
    for (id, status) in [
        ("r404", 404),
        ("r405", 405),
        ("r408", 408),
        ("r418", 418),
        ("r429", 429),
        ("r500", 500),
        ("r501", 501),
        ("r502", 502),
        ("r503", 503),
        ("r504", 504),
    ] {
        client(
            id,
            &format!("{status} is an outage"),
            refusal(status, "invalid_client"),
            outage(),
        );
    }
    for (id, status) in [("h400", 400), ("h401", 401), ("h403", 403)] {
        let page = Answer::new(status)
            .field("content-type", "text/html")
            .body("<html>upstream words</html>");
        client(
            id,
            &format!("{status} of a stranger is an outage"),
            Behaviour::Answer(page),
            outage(),
        );
    }
    for (id, status) in [("s201", 201), ("s202", 202), ("s204", 204), ("s206", 206)] {
        client(
            id,
            &format!("{status} is an outage"),
            answer(status, r#"{"access_token":"t"}"#),
            outage(),
        );
    }
    for (id, status) in [
        ("m301", 301),
        ("m302", 302),
        ("m303", 303),
        ("m307", 307),
        ("m308", 308),
    ] {
        let moved = Answer::new(status).field("location", server.url("/stolen"));
        client(
            id,
            &format!("{status} is not followed"),
            Behaviour::Answer(moved),
            outage(),
        );
    }
    client(
        "list",
        "a JSON list is an outage",
        answer(200, "[]"),
        outage(),
    );
    client(
        "text",
        "JSON text is an outage",
        answer(200, "\"token\""),
        outage(),
    );
    client(
        "garbage",
        "garbage is an outage",
        answer(200, "\u{0}\u{1}upstream words"),
        outage(),
    );
    client(
        "empty",
        "an empty body is an outage",
        answer(200, ""),
        outage(),
    );
    client(
        "no-token",
        "no access token is an outage",
        answer(200, "{}"),
        outage(),
    );
    client(
        "number",
        "a numeric access token is an outage",
        answer(200, r#"{"access_token":7}"#),
        outage(),
    );
    client(
        "null",
        "a null access token is an outage",
        answer(200, r#"{"access_token":null}"#),
        outage(),
    );
    client(
        "blank",
        "an empty access token is an outage",
        answer(200, r#"{"access_token":""}"#),
        outage(),
    );
    client(
        "deep",
        "nesting without end is an outage",
        answer(200, &"[".repeat(100_000)),
        outage(),
    );
    client(
        "huge",
        "2 MB are an outage",
        answer(
            200,
            &format!(r#"{{"access_token":"{}"}}"#, "x".repeat(2 << 20)),
        ),
        outage(),
    );
    client(
        "close",
        "a closed connection is an outage",
        Behaviour::Close,
        outage(),
    );
    client(
        "raw",
        "what is no HTTP is an outage",
        Behaviour::Raw(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()),
        outage(),
    );
    client(
        "cut",
        "a cut body is an outage",
        Behaviour::Cut(Answer::json(
            200,
            &json!({"access_token": "t", "expires_in": 3600}),
        )),
        outage(),
    );
    Group {
        settings: settings(world),
        rows,
    }
}

/// A token endpoint where nobody listens.
pub(crate) fn unreachable_token_endpoint(_: &World) -> Group {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token", nobody.local_addr().unwrap());
    drop(nobody);
    let rows = vec![
        row(
            "credentials that nobody can check are an outage",
            basic(good()),
            unavailable(),
        ),
        row("so are other credentials", fields("a", "b"), unavailable()),
        row(
            "no credential is still asked for one",
            Request::get("/mcp"),
            denied(),
        ),
        row(
            "a broken credential is still refused",
            encoded("!!!"),
            denied(),
        ),
        row(
            "health needs no token endpoint",
            Request::get("/health"),
            crate::table::answered(200),
        ),
    ];
    Group {
        settings: Settings::new()
            .with("ZSCALER_MCP_AUTH_MODE", "zscaler")
            .with("PORTCULLIS_TOKEN_URL", url),
        rows,
    }
}

/// Product entitlements of the validation call's own access token.
pub(crate) fn entitlements(world: &World) -> Group {
    let server = &world.authorization_server;
    server.on_client("entitled", grant_with_entitlements(&["ZIA", "ZPA"]));
    server.on_client("none", grant_with_entitlements(&[]));
    server.on_client("line-end", grant_with_entitlements(&["ZIA\r\nx-evil: 1"]));
    server.on_client("opaque", grant(3600));
    let rows = vec![
        row(
            "entitlements go on",
            fields("entitled", "s"),
            allowed().saw("x-mcp-auth-entitlements", "ZIA,ZPA"),
        ),
        row(
            "they come from the cache too",
            fields("entitled", "s"),
            allowed().saw("x-mcp-auth-entitlements", "ZIA,ZPA"),
        ),
        row(
            "forged ones are replaced",
            fields("entitled", "s").field("X-MCP-Auth-Entitlements", "ALL"),
            allowed().saw("x-mcp-auth-entitlements", "ZIA,ZPA"),
        ),
        row(
            "an opaque token has none",
            fields("opaque", "s").field("X_MCP_Auth_Entitlements", "ALL"),
            allowed().saw("x-mcp-auth-entitlements", ""),
        ),
        row(
            "a product with a line end adds no field",
            fields("line-end", "s"),
            allowed().hid("x-evil"),
        ),
        row(
            "an empty list grants nothing",
            fields("none", "s").field("X-MCP-Auth-Entitlements", "ALL"),
            allowed(),
        ),
    ];
    Group {
        settings: settings(world).with("PORTCULLIS_ENTITLEMENTS", "forward"),
        rows,
    }
}
