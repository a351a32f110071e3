//! Mode `zscaler`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_tests::authorization_server::{TOKEN_PATH, grant, refusal};
use portcullis_tests::{Answer, AuthorizationServer, Behaviour};
use serde_json::json;

use super::{Both, Crash, Differ, Expected, In, Out, Row, Unavailable};
use super::{compare, initialize, initialize_bytes};

const ID: &str = "X-Zscaler-Client-ID";
const SECRET: &str = "X-Zscaler-Client-Secret";

#[test]
fn the_same_callers_get_in_by_client_credentials() {
    let server = AuthorizationServer::start();
    for client in ["a", "b", "c", "d", "e", "f", "odd\u{fffd}"] {
        server.on_client(client, grant(3600));
    }
    let mut rows = fields();
    rows.extend(basic());
    rows.extend(outages(&server));
    rows.extend(ambiguity(&server));
    compare(
        &[
            ("ZSCALER_MCP_AUTH_MODE", "zscaler"),
            ("ZSCALER_VANITY_DOMAIN", "unused"),
            ("PORTCULLIS_TEST_TOKEN_URL", &server.url(TOKEN_PATH)),
            ("PORTCULLIS_TOKEN_URL", &server.url(TOKEN_PATH)),
        ],
        rows,
    );
}

fn pair(id: &str, secret: &str) -> [(&'static str, String); 2] {
    [(ID, id.to_owned()), (SECRET, secret.to_owned())]
}

fn fields() -> Vec<Row> {
    let row = |name, fields: &[(&str, String)], expected| {
        let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        Row(name, initialize(&fields), expected)
    };
    let [id, secret] = pair("a", "secret");
    let authorization = |text: &str| ("Authorization", encoded(text));
    let empty = |name| (name, String::new());
    vec![
        row("nothing", &[], Both(Out)),
        row("pair", &[id.clone(), secret.clone()], Both(In)),
        row("pair with blanks", &pair(" a ", "\tsecret "), Both(In)),
        row("wrong secret", &pair("a", "wrong"), Both(Out)),
        row("unknown client", &pair("unknown", "secret"), Both(Out)),
        row("id alone", std::slice::from_ref(&id), Both(Out)),
        row("secret alone", std::slice::from_ref(&secret), Both(Out)),
        row("half empty", &[id.clone(), empty(SECRET)], Both(Out)),
        row(
            "half, and basic",
            &[id.clone(), authorization("b:secret")],
            Both(In),
        ),
        row(
            "half empty, and basic",
            &[id.clone(), empty(SECRET), authorization("b:secret")],
            Both(In),
        ),
        row(
            "bad pair, and basic",
            &[
                pair("a", "wrong")[0].clone(),
                pair("a", "wrong")[1].clone(),
                authorization("b:secret"),
            ],
            Both(Out),
        ),
        row(
            "pair, and bad basic",
            &[id.clone(), secret.clone(), authorization("b:wrong")],
            Both(In),
        ),
        row(
            "id twice",
            &[id.clone(), id.clone(), secret.clone()],
            Differ("C1", In, Out),
        ),
        row(
            "secret twice",
            &[id, secret.clone(), secret],
            Differ("C1", In, Out),
        ),
        Row(
            "not UTF-8",
            initialize_bytes(&[(ID, b"odd\xff"), (SECRET, b"secret")]),
            Differ("Z2", In, Out),
        ),
    ]
}

fn encoded(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

fn basic() -> Vec<Row> {
    let row = |name, value: &str, expected: Expected| {
        Row(name, initialize(&[("Authorization", value)]), expected)
    };
    let good = encoded("c:se:cret");
    let (start, end) = good.split_at(10);
    vec![
        row("basic", &good, Both(In)),
        row("small scheme", &good.replace("Basic", "basic"), Both(In)),
        row("two spaces", &good.replace("Basic ", "Basic  "), Both(In)),
        row("wrong", &encoded("c:wrong"), Both(Out)),
        row("no colon", &encoded("c"), Both(Out)),
        row("no id", &encoded(":secret"), Both(Out)),
        row("no secret", &encoded("c:"), Both(Out)),
        row("bearer", &good.replace("Basic", "Bearer"), Both(Out)),
        row("no padding", "Basic YTpzZWNyZXQx", Both(In)),
        row("padding is missing", "Basic ZDpz", Both(In)),
        row(
            "padding is cut",
            &encoded("d:secret").replace('=', ""),
            Both(Out),
        ),
        row(
            "padding is doubled",
            &format!("{}==", encoded("d:secret")),
            Differ("Z1", In, Out),
        ),
        row(
            "other characters",
            &format!("{start}!{end}"),
            Differ("Z1", In, Out),
        ),
        row(
            "data after padding",
            &format!("{}YQ==", encoded("e:secret")),
            Differ("Z1", In, Out),
        ),
        row("line end", &encoded("f:secret\n"), Differ("Z2", In, Out)),
        row("empty", "Basic ", Both(Out)),
        row("not base64", "Basic ~~~~", Both(Out)),
        row("not UTF-8", "Basic /zo6", Both(Out)),
    ]
}

/// What the authorization server does to a client of its own.
fn outages(server: &AuthorizationServer) -> Vec<Row> {
    server.on_path("/elsewhere", grant(3600));
    let moved = Answer::new(307).field("location", server.url("/elsewhere"));
    let status = Behaviour::status;
    let json = Behaviour::json;
    let token = json!({"access_token": "t", "expires_in": 60});
    let empty = json!({"access_token": ""});
    let number = json!({"access_token": 7});
    let text = Behaviour::Answer(Answer::new(200).body("ok"));
    let refused = |code| refusal(code, "invalid_client");
    let unavailable = || Differ("Z3", Out, Unavailable);
    let clients = [
        ("granted", grant(3600), Both(In)),
        ("refused-400", refused(400), Both(Out)),
        ("refused-403", refused(403), Both(Out)),
        ("proxy-403", status(403), unavailable()),
        ("down-500", status(500), unavailable()),
        ("down-503", status(503), unavailable()),
        ("busy-429", status(429), unavailable()),
        ("gone-404", status(404), unavailable()),
        ("closed", Behaviour::Close, unavailable()),
        ("created-201", json(201, &token), unavailable()),
        ("no-token", json(200, &json!({})), unavailable()),
        ("empty-token", json(200, &empty), unavailable()),
        ("no-json", text, unavailable()),
        ("number", json(200, &number), Differ("Z6", In, Unavailable)),
        (
            "list",
            json(200, &json!([])),
            Differ("Z6", Crash, Unavailable),
        ),
        (
            "moved",
            Behaviour::Answer(moved),
            Differ("Z4", In, Unavailable),
        ),
    ];
    clients
        .into_iter()
        .map(|(client, behaviour, expected)| {
            server.on_client(client, behaviour);
            let fields = [(ID, client), (SECRET, "secret")];
            Row(client, initialize(&fields), expected)
        })
        .collect()
}

/// One text made of both parts would also be another client's.
fn ambiguity(server: &AuthorizationServer) -> Vec<Row> {
    let row =
        |name, id, secret, expected| Row(name, initialize(&[(ID, id), (SECRET, secret)]), expected);
    server.on_client("a:b", refusal(401, "invalid_client"));
    vec![
        row("colon in the secret", "a", "b:secret", Both(In)),
        row("colon in the id", "a:b", "secret", Differ("Z5", In, Out)),
    ]
}
