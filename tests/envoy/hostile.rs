//! Bytes that would kill a careless VM.

use portcullis_tests::{Alg, AuthorizationServer, Connection, EchoResource, Request, SigningKey};
use serde_json::Value;

use crate::envoy::{self, Envoy};
use crate::settings::{api_key, call_with_secret, jwt, with_key, zscaler};
use crate::signatures::{claims, with_token};

/// Values for credential fields.
fn values() -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "bearer\t",
        "Basic",
        "Basic Og==",
        "Basic :",
        "Basic ====",
        "Bearer ..",
        "Bearer e30.e30.",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Negotiate x",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    values.extend((0x01..=0xff).map(|byte: u8| [b"Bearer a", &[byte][..], b"b"].concat()));
    values.extend([
        b"Basic /w==".to_vec(),
        b"Bearer \xff\xfe".to_vec(),
        b"\xc3\x28".to_vec(),
    ]);
    values.push([b"Bearer ", "a".repeat(50_000).as_bytes()].concat());
    values.push([b"Bearer ", "e30.".repeat(12_000).as_bytes()].concat());
    values.push([b"Basic ", "QQ".repeat(25_000).as_bytes()].concat());
    let deep = "W1tb".repeat(8_000);
    values.push(format!("Bearer {deep}.{deep}.x").into_bytes());
    values
}

/// Request heads that are odd in other ways.
fn heads() -> Vec<Vec<u8>> {
    let many = "x-a: b\r\n".repeat(90);
    let heads = [
        "GET / HTTP/1.1\r\nHost: a\r\nx-mcp-auth-mode: x\r\nX-Mcp-Auth-Principal: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
        "GET http://[::1%25x]/ HTTP/1.1\r\nHost: [::1\r\n\r\n",
        "GET /%00%ff%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /health?x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX-Api-Key: a\r\nX-Api-Key: one\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nMcp-Session-Id: a\r\nMcp-Session-Id: b\r\n\r\n",
    ];
    let mut heads: Vec<Vec<u8>> = heads.iter().map(|head| head.as_bytes().to_vec()).collect();
    heads.push(format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n").into_bytes());
    heads.push(b"GET /\xff HTTP/1.1\r\nHost: \xff\r\n\r\n".to_vec());
    heads.push(b"GET / HTTP/1.1\r\nHost: a\r\n\xff\xfe: x\r\n\r\n".to_vec());
    heads
}

/// Sends everything and asserts that nothing passed and nothing broke.
fn attack(settings: &Value, good: &Request, extra: Vec<Value>) {
    let resource = EchoResource::start();
    let mut clusters = vec![envoy::cluster(&resource.url())];
    clusters.extend(extra);
    let envoy = Envoy::start(vec![envoy::filter("portcullis", settings)], clusters);
    let fields = [
        "Authorization",
        "X-Api-Key",
        "X-Zscaler-Client-ID",
        "Mcp-Session-Id",
        "Origin",
    ];
    for value in values() {
        for field in fields {
            let request = Request::post("/mcp", "{}").field(field, &value);
            let status = request
                .send(envoy.listeners[0])
                .map(|response| response.status);
            let refused = status
                .as_ref()
                .is_ok_and(|status| (400..500).contains(status));
            assert!(refused, "{status:?} for {request:?}");
        }
    }
    for head in heads() {
        let mut connection = Connection::open(envoy.listeners[0]).unwrap();
        connection.write(&head).unwrap();
        let status = connection.read_response_head().map(|(status, _)| status);
        let refused = status
            .as_ref()
            .is_ok_and(|status| (200..500).contains(status));
        assert!(refused, "{status:?} for {}", head.escape_ascii());
    }
    assert_eq!(resource.count(), 0, "{:?}", resource.take());
    assert_eq!(envoy.send(good).status, 200, "{}", envoy.log());
    let log = envoy.log();
    assert!(
        !log.contains("panicked") && !log.contains("[critical]"),
        "{log}"
    );
}

#[test]
fn hostile_requests_are_refused_and_the_vm_lives_on() {
    let good = with_key(Request::post("/mcp", "{}"), "the-key");
    attack(&api_key("the-key"), &good, vec![]);
}

#[test]
fn hostile_tokens_are_refused_and_the_vm_lives_on() {
    let server = AuthorizationServer::start();
    let key = SigningKey::generate("k", Alg::Rs256);
    server.publish([key.jwk()]);
    let good = with_token(&key.token(Alg::Rs256, &claims()));
    attack(
        &jwt(&server.url("/jwks")),
        &good,
        vec![envoy::cluster(&server.url(""))],
    );
}

#[test]
fn hostile_client_credentials_are_refused_and_the_vm_lives_on() {
    let server = AuthorizationServer::start();
    let cluster = envoy::cluster(&server.url(""));
    attack(
        &zscaler(&server.url("")),
        &call_with_secret("s"),
        vec![cluster],
    );
}
