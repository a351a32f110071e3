//! Mode jwt: the mode as a whole. Claims, headers and structure have files of their own.

use portcullis_tests::authorization_server::JWKS_PATH;
use portcullis_tests::{Alg, Request, Settings, SigningKey};
use serde_json::{Value, json};

use crate::table::{
    AUDIENCE, Expect, Group, ISSUER, Row, World, claims, claims_with, forwarded, keys, refused, row,
};

/// The challenge of a request that presented nothing (RFC 6750 §3.1).
const ASK: &str = "Bearer realm=\"mcp\"";
/// The challenge of a request that presented something.
const INVALID: &str = "Bearer realm=\"mcp\", error=\"invalid_token\"";

/// Settings of the mode, with every key published.
pub(crate) fn settings(world: &World) -> Settings {
    world.authorization_server.publish(keys().jwks());
    bare_settings(world)
        .with("ZSCALER_MCP_AUTH_ISSUER", ISSUER)
        .with("ZSCALER_MCP_AUTH_AUDIENCE", AUDIENCE)
}

fn bare_settings(world: &World) -> Settings {
    Settings::new().with("ZSCALER_MCP_AUTH_MODE", "jwt").with(
        "ZSCALER_MCP_AUTH_JWKS_URI",
        world.authorization_server.url(JWKS_PATH),
    )
}

/// A request with this token.
pub(crate) fn bearer(token: impl AsRef<str>) -> Request {
    Request::get("/mcp").field("Authorization", format!("Bearer {}", token.as_ref()))
}

/// A refusal of a token: it says nothing of what was expected.
pub(super) fn invalid() -> Expect {
    refused(401)
        .challenge(INVALID)
        .keeps_quiet_about(ISSUER)
        .keeps_quiet_about(AUDIENCE)
}

pub(super) fn missing() -> Expect {
    refused(401).challenge(ASK)
}

/// An honest token's way.
pub(super) fn allowed() -> Expect {
    forwarded()
        .saw("x-mcp-auth-mode", "jwt")
        .hid("authorization")
}

/// Every algorithm, and the identity that goes on.
pub(crate) fn algorithms(world: &World) -> Group {
    let mut rows: Vec<Row> = Alg::ALL
        .into_iter()
        .map(|alg| {
            let token = keys().of(alg).token(alg, &claims());
            let expect = allowed()
                .saw("x-mcp-auth-subject", "alice")
                .saw("x-mcp-auth-issuer", ISSUER);
            row(format!("{} passes", alg.name()), bearer(token), expect)
        })
        .collect();
    for alg in Alg::ALL {
        let token = keys().of(alg).token(alg, &claims());
        let (rest, signature) = token.rsplit_once('.').unwrap();
        // The first character holds six bits of the signature, all of which count.
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let forged = format!("{rest}.{other}{}", &signature[1..]);
        rows.push(row(
            format!("{} with a changed signature is invalid", alg.name()),
            bearer(forged),
            invalid(),
        ));
        let (head, _) = rest.split_once('.').unwrap();
        let payload =
            portcullis_tests::signing::base64url(claims_with("sub", "mallory").to_string());
        rows.push(row(
            format!("{} with changed claims is invalid", alg.name()),
            bearer(format!("{head}.{payload}.{signature}")),
            invalid(),
        ));
    }
    Group {
        settings: settings(world),
        rows,
    }
}

/// Credentials that are no bearer token.
pub(crate) fn credentials(world: &World) -> Group {
    let token = keys().p256.token(Alg::Es256, &claims());
    let good = || bearer(&token);
    let rows = vec![
        row(
            "nothing is asked for a credential",
            Request::get("/mcp"),
            missing(),
        ),
        row(
            "HEAD is refused without a body",
            Request::new("HEAD", "/mcp"),
            missing(),
        ),
        row("a token passes", good(), allowed()),
        row(
            "the scheme has no case",
            Request::post("/mcp", "{}").field("authorization", format!("bEARER {token}")),
            allowed(),
        ),
        row(
            "several blanks after the scheme are one",
            Request::get("/mcp").field("Authorization", format!("Bearer   {token}")),
            allowed(),
        ),
        row(
            "an empty Authorization presents nothing",
            Request::get("/mcp").field("Authorization", ""),
            missing(),
        ),
        row(
            "Basic is another scheme",
            Request::get("/mcp").field("Authorization", "Basic dXNlcjpwYXNz"),
            missing(),
        ),
        row(
            "a token without a scheme is invalid",
            Request::get("/mcp").field("Authorization", &token),
            invalid(),
        ),
        row(
            "X-Api-Key presents nothing",
            Request::get("/mcp").field("X-Api-Key", &token),
            missing(),
        ),
        row(
            "two Authorizations are invalid",
            good().field("Authorization", format!("Bearer {token}")),
            invalid(),
        ),
        row(
            "two tokens in one field are invalid",
            bearer(format!("{token}, {token}")),
            invalid(),
        ),
        row(
            "a token in the query does not count",
            Request::get(&format!("/mcp?access_token={token}")),
            missing(),
        ),
        row(
            "a token in a cookie does not count",
            Request::get("/mcp").field("Cookie", format!("access_token={token}")),
            missing(),
        ),
        row(
            "a token in a form does not count",
            Request::new("POST", "/mcp")
                .field("Content-Type", "application/x-www-form-urlencoded")
                .body(format!("access_token={token}")),
            missing(),
        ),
        row(
            "Proxy-Authorization does not count",
            Request::get("/mcp").field("Proxy-Authorization", format!("Bearer {token}")),
            missing(),
        ),
        row("an opaque token is invalid", bearer("opaque"), invalid()),
        row(
            "an opaque token that is not UTF-8 is invalid",
            Request::get("/mcp").field("Authorization", b"Bearer \xff\xfe.\x80.\x81"),
            invalid(),
        ),
        row(
            "a token with a no-break space is invalid",
            bearer(format!("{token}\u{a0}")),
            invalid(),
        ),
        row(
            "a forged identity is replaced",
            good()
                .field("X_MCP_Auth_Subject", "root")
                .field("x-mcp-auth-issuer", "https://evil.example"),
            allowed()
                .saw("x-mcp-auth-subject", "alice")
                .saw("x-mcp-auth-issuer", ISSUER),
        ),
    ];
    Group {
        settings: settings(world),
        rows,
    }
}

/// One key, and tokens that do not name it.
pub(crate) fn without_kid(world: &World) -> Group {
    world
        .authorization_server
        .publish([keys().p256.jwk(), keys().ed25519.jwk()]);
    let token = |alg: Alg| {
        keys()
            .of(alg)
            .token_with(alg, &json!({"alg": alg.name()}), &claims())
    };
    let rows = vec![
        row(
            "a token without kid passes where one key fits",
            bearer(token(Alg::Es256)),
            allowed(),
        ),
        row(
            "so does one for the other key",
            bearer(token(Alg::EdDsa)),
            allowed(),
        ),
        row(
            "it is invalid where no key fits",
            bearer(token(Alg::Rs256)),
            invalid(),
        ),
        row(
            "it is invalid with a stranger's signature",
            bearer(
                keys()
                    .stranger
                    .token_with(Alg::Es256, &json!({"alg": "ES256"}), &claims()),
            ),
            invalid(),
        ),
    ];
    Group {
        settings: bare_settings(world)
            .with("ZSCALER_MCP_AUTH_ISSUER", ISSUER)
            .with("ZSCALER_MCP_AUTH_AUDIENCE", AUDIENCE),
        rows,
    }
}

/// Two keys that fit, and a token that names neither.
pub(crate) fn ambiguous_kid(world: &World) -> Group {
    world
        .authorization_server
        .publish([keys().p256.jwk(), keys().stranger.jwk()]);
    let rows = vec![
        row(
            "a token without kid is invalid where two keys fit",
            bearer(
                keys()
                    .p256
                    .token_with(Alg::Es256, &json!({"alg": "ES256"}), &claims()),
            ),
            invalid(),
        ),
        row(
            "with a kid it passes",
            bearer(keys().p256.token(Alg::Es256, &claims())),
            allowed(),
        ),
        row(
            "so does the other key's",
            bearer(keys().stranger.token(Alg::Es256, &claims())),
            allowed(),
        ),
        row(
            "a kid of the other key is invalid",
            bearer(keys().p256.token_with(
                Alg::Es256,
                &json!({"alg": "ES256", "kid": "stranger"}),
                &claims(),
            )),
            invalid(),
        ),
    ];
    Group {
        settings: bare_settings(world),
        rows,
    }
}

/// Only some algorithms allowed.
pub(crate) fn allowed_algorithms(world: &World) -> Group {
    let rows = Alg::ALL
        .into_iter()
        .map(|alg| {
            let passes = matches!(alg, Alg::Es256 | Alg::Ps384);
            row(
                format!(
                    "{} {}",
                    alg.name(),
                    if passes { "passes" } else { "is invalid" }
                ),
                bearer(keys().of(alg).token(alg, &claims())),
                if passes { allowed() } else { invalid() },
            )
        })
        .collect();
    Group {
        settings: settings(world).with("ZSCALER_MCP_AUTH_ALGORITHMS", " ES256, PS384 "),
        rows,
    }
}

/// Comma lists of issuers and audiences, and no leeway.
pub(crate) fn lists(world: &World) -> Group {
    let token = |issuer: &str, audience: Value| {
        let mut claims = claims_with("iss", issuer);
        claims["aud"] = audience;
        bearer(keys().p256.token(Alg::Es256, &claims))
    };
    let second = "https://second.example";
    let late = crate::table::now() - 2;
    let rows = vec![
        row(
            "the first issuer passes",
            token(ISSUER, json!("a")),
            allowed().saw("x-mcp-auth-issuer", ISSUER),
        ),
        row(
            "the second issuer passes",
            token(second, json!("a")),
            allowed().saw("x-mcp-auth-issuer", second),
        ),
        row(
            "a third issuer is invalid",
            token("https://third.example", json!("a")),
            invalid(),
        ),
        row(
            "the list itself is no issuer",
            token(&format!("{ISSUER},{second}"), json!("a")),
            invalid(),
        ),
        row(
            "the second audience passes",
            token(ISSUER, json!("b")),
            allowed(),
        ),
        row(
            "a list with one of them passes",
            token(ISSUER, json!(["x", "b"])),
            allowed(),
        ),
        row(
            "another audience is invalid",
            token(ISSUER, json!("c")),
            invalid(),
        ),
        row(
            "a list of others is invalid",
            token(ISSUER, json!(["c", "d"])),
            invalid(),
        ),
        row(
            "without leeway a late token is invalid",
            bearer(
                keys()
                    .p256
                    .token(Alg::Es256, &json!({"iss": ISSUER, "aud": "a", "exp": late})),
            ),
            invalid(),
        ),
    ];
    let settings = settings(world)
        .with("ZSCALER_MCP_AUTH_ISSUER", format!("{ISSUER}, {second}"))
        .with("ZSCALER_MCP_AUTH_AUDIENCE", "a , b")
        .with("PORTCULLIS_LEEWAY_SECONDS", "0");
    Group { settings, rows }
}

/// Neither issuer nor audience configured.
pub(crate) fn unrestricted(world: &World) -> Group {
    world.authorization_server.publish(keys().jwks());
    let token = |claims: &Value| bearer(keys().p256.token(Alg::Es256, claims));
    let rows = vec![
        row(
            "any issuer passes",
            token(&claims_with("iss", "https://any.example")),
            allowed().saw("x-mcp-auth-issuer", "https://any.example"),
        ),
        row(
            "no issuer passes",
            token(&claims_with("iss", Value::Null)),
            allowed().hid("x-mcp-auth-issuer"),
        ),
        row(
            "any audience passes",
            token(&claims_with("aud", "any")),
            allowed(),
        ),
        row(
            "no audience passes",
            token(&claims_with("aud", Value::Null)),
            allowed(),
        ),
        row(
            "exp is required all the same",
            token(&claims_with("exp", Value::Null)),
            invalid(),
        ),
        row(
            "the signature counts all the same",
            bearer(keys().stranger.token_with(
                Alg::Es256,
                &json!({"alg": "ES256", "kid": "p256-1"}),
                &claims(),
            )),
            invalid(),
        ),
    ];
    Group {
        settings: bare_settings(world),
        rows,
    }
}

/// Keys of a set that are not for us do no harm to the others.
pub(crate) fn odd_keys(world: &World) -> Group {
    let weak: Value = serde_json::from_str(include_str!("../fixtures/weak_rsa.json")).unwrap();
    let renamed = |key: &SigningKey, kid: &str| {
        let mut jwk = key.jwk();
        jwk["kid"] = json!(kid);
        jwk
    };
    let with = |kid: &str, name: &str, value: Value| {
        let mut jwk = renamed(&keys().rsa, kid);
        jwk[name] = value;
        jwk
    };
    world.authorization_server.publish([
        json!({"kty": "oct", "kid": "oct-1", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}),
        json!({"kty": "quantum", "kid": "q-1"}),
        json!({"kid": "no kty"}),
        json!({}),
        json!({"kty": "EC", "crv": "secp256k1", "kid": "k-1", "x": "AA", "y": "AA"}),
        json!({"kty": "RSA", "kid": "broken", "n": "!!!", "e": "AQAB"}),
        json!({"kty": "RSA", "kid": 7, "n": "AQAB", "e": "AQAB"}),
        weak["jwk"].clone(),
        with("enc-1", "use", json!("enc")),
        with("ops-1", "key_ops", json!(["encrypt"])),
        with("ops-2", "key_ops", json!(["verify"])),
        with("alg-1", "alg", json!("RS384")),
        with("alg-2", "alg", json!("RS256")),
        with("crv-1", "e", json!("AQ")),
        keys().p256.jwk(),
    ]);
    let token = |kid: &str| {
        bearer(
            keys()
                .rsa
                .token_with(Alg::Rs256, &json!({"alg": "RS256", "kid": kid}), &claims()),
        )
    };
    let hmac = portcullis_tests::signing::hs256_token(
        b"secretsecretsecretsecret",
        &json!({"alg": "HS256", "kid": "oct-1"}),
        &claims(),
    );
    let rows = vec![
        row(
            "a good key among odd ones passes",
            bearer(keys().p256.token(Alg::Es256, &claims())),
            allowed(),
        ),
        row(
            "an RSA key of 1024 bits is refused",
            bearer(weak["token"].as_str().unwrap()),
            invalid(),
        ),
        row("a key for encryption is refused", token("enc-1"), invalid()),
        row(
            "a key whose operations lack verify is refused",
            token("ops-1"),
            invalid(),
        ),
        row(
            "a key whose operations hold verify passes",
            token("ops-2"),
            allowed(),
        ),
        row(
            "a key for another algorithm is refused",
            token("alg-1"),
            invalid(),
        ),
        row("a key for this algorithm passes", token("alg-2"), allowed()),
        row("an exponent of 1 is refused", token("crv-1"), invalid()),
        row(
            "a key that is not base64url is refused",
            token("broken"),
            invalid(),
        ),
        row("an HMAC key of the set is refused", bearer(hmac), invalid()),
    ];
    Group {
        settings: bare_settings(world),
        rows,
    }
}
