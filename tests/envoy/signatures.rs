//! Signatures, checked by Envoy's own library where it can.

use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_tests::signing::base64url;
use portcullis_tests::{Alg, AuthorizationServer, EchoResource, Request, SigningKey};
use serde_json::{Value, json};

use crate::envoy::{self, Envoy};
use crate::settings::jwt;

/// Claims of a token that is good for five minutes.
pub(crate) fn claims() -> Value {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    json!({"sub": "someone", "exp": now + 300})
}

/// Makes a request with a bearer token.
pub(crate) fn with_token(token: &str) -> Request {
    Request::post("/mcp", "{}").field("Authorization", format!("Bearer {token}"))
}

fn start(server: &AuthorizationServer, resource: &EchoResource) -> Envoy {
    let filter = envoy::filter("portcullis", &jwt(&server.url("/jwks")));
    let clusters = [resource.url(), server.url("")].map(|url| envoy::cluster(&url));
    Envoy::start(vec![filter], clusters.into())
}

#[test]
fn every_algorithm_is_checked_and_six_of_them_by_envoy() {
    let server = AuthorizationServer::start();
    let resource = EchoResource::start();
    let keys = Alg::ALL.map(|alg| (alg, SigningKey::generate(alg.name(), alg)));
    server.publish(keys.iter().map(|(_, key)| key.jwk()));
    let envoy = start(&server, &resource);
    for (alg, key) in &keys {
        let token = key.token(*alg, &claims());
        let response = envoy.send(&with_token(&token));
        assert_eq!(response.status, 200, "{}: {}", alg.name(), response.text());
        let (message, _) = token.rsplit_once('.').unwrap();
        for signature in [
            key.sign(*alg, b"another message"),
            Vec::new(),
            vec![0; 64],
            vec![0xff; 132],
        ] {
            let forged = format!("{message}.{}", base64url(signature));
            assert_eq!(
                envoy.send(&with_token(&forged)).status,
                401,
                "{}",
                alg.name()
            );
        }
    }
    assert_eq!(resource.count(), keys.len());
    assert_eq!(
        envoy.stat("wasmcustom.portcullis_host_signature_algorithms"),
        6
    );
    let says = "checked by the host: RS256 RS384 RS512 ES256 ES384 ES512; by the filter: PS256 PS384 PS512 EdDSA";
    assert!(envoy.log().contains(says), "{}", envoy.log());
}

#[test]
fn keys_that_are_none_refuse_and_the_vm_lives_on() {
    let server = AuthorizationServer::start();
    let resource = EchoResource::start();
    let good = SigningKey::generate("good", Alg::Es256);
    let number = |bytes: usize| base64url(vec![0x55; bytes]);
    let zero = |bytes: usize| base64url(vec![0; bytes]);
    let point = |kid: &str, curve: &str, x: String, y: String| json!({"kid": kid, "kty": "EC", "crv": curve, "x": x, "y": y});
    let even = base64url([vec![0xff; 255], vec![0xfe]].concat());
    let keys = [
        (
            Alg::Es256,
            point("off-256", "P-256", number(32), number(32)),
        ),
        (
            Alg::Es384,
            point("off-384", "P-384", number(48), number(48)),
        ),
        (Alg::Es512, point("off-521", "P-521", zero(66), number(66))),
        (Alg::Es256, point("zero", "P-256", zero(32), zero(32))),
        (
            Alg::Rs256,
            json!({"kid": "even", "kty": "RSA", "n": even, "e": "AQAB"}),
        ),
        (
            Alg::EdDsa,
            json!({"kid": "ed", "kty": "OKP", "crv": "Ed25519", "x": base64url([0xff; 32])}),
        ),
    ];
    server.publish(keys.iter().map(|(_, key)| key.clone()).chain([good.jwk()]));
    let envoy = start(&server, &resource);
    for (alg, key) in &keys {
        let header = json!({"alg": alg.name(), "kid": key["kid"]});
        let message = format!(
            "{}.{}",
            base64url(header.to_string()),
            base64url(claims().to_string())
        );
        for length in [64, 96, 132, 256] {
            let token = format!("{message}.{}", base64url(vec![1; length]));
            let response = envoy.send(&with_token(&token));
            assert_eq!(response.status, 401, "{}: {}", key["kid"], response.text());
        }
    }
    let token = good.token(Alg::Es256, &claims());
    assert_eq!(
        envoy.send(&with_token(&token)).status,
        200,
        "{}",
        envoy.log()
    );
    assert_eq!(resource.count(), 1);
}
