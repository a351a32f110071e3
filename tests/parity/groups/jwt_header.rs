//! Mode jwt: the token's header (RFC 7515 §4) and its structure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_tests::signing::{base64url, hs256_token};
use portcullis_tests::{Alg, Request};
use serde_json::{Value, json};

use super::jwt::{allowed, bearer, invalid, settings};
use crate::table::{Group, Row, World, claims, keys, row};

/// A token by the P-256 key with this header.
fn with_header(header: &Value) -> Request {
    bearer(keys().p256.token_with(Alg::Es256, header, &claims()))
}

/// A token by the P-256 key with a header field more.
fn with(name: &str, value: impl Into<Value>) -> Request {
    let mut header = json!({"alg": "ES256", "kid": "p256-1"});
    header[name] = value.into();
    with_header(&header)
}

/// A token of these parts, signed by the P-256 key.
fn with_text(header: &str) -> Request {
    bearer(
        keys()
            .p256
            .token_of(Alg::Es256, header, claims().to_string()),
    )
}

/// `alg`: what a token asks for is not what it gets.
pub(crate) fn algorithm(world: &World) -> Group {
    let unsigned = |alg: &str| {
        let header = json!({"alg": alg, "kid": "p256-1"});
        bearer(format!(
            "{}.{}.",
            base64url(header.to_string()),
            base64url(claims().to_string())
        ))
    };
    let confused = |key: &[u8]| {
        bearer(hs256_token(
            key,
            &json!({"alg": "HS256", "kid": "rsa-1"}),
            &claims(),
        ))
    };
    let rsa = keys().rsa.jwk();
    let modulus = rsa["n"].as_str().unwrap();
    let crossed = |alg: Alg, name: &str, kid: &str| {
        bearer(
            keys()
                .of(alg)
                .token_with(alg, &json!({"alg": name, "kid": kid}), &claims()),
        )
    };
    let mut rows: Vec<Row> = ["none", "None", "NONE", "nOnE", ""]
        .into_iter()
        .map(|alg| {
            row(
                format!("alg {alg:?} without a signature is invalid"),
                unsigned(alg),
                invalid(),
            )
        })
        .collect();
    for alg in ["ES256", "EdDSA", "HS256"] {
        rows.push(row(
            format!("{alg} without a signature is invalid"),
            unsigned(alg),
            invalid(),
        ));
    }
    rows.extend([
        row(
            "HS256 keyed by the modulus in text is invalid",
            confused(modulus.as_bytes()),
            invalid(),
        ),
        row(
            "HS256 keyed by the JWK is invalid",
            confused(rsa.to_string().as_bytes()),
            invalid().says("algorithm is not accepted"),
        ),
        row(
            "HS256 keyed by nothing is invalid",
            confused(b""),
            invalid(),
        ),
        row(
            "alg has case",
            with("alg", "es256"),
            invalid().says("algorithm is not accepted"),
        ),
        row(
            "no alg is invalid",
            with_header(&json!({"kid": "p256-1"})),
            invalid(),
        ),
        row("a numeric alg is invalid", with("alg", 256), invalid()),
        row(
            "an alg list is invalid",
            with("alg", json!(["ES256"])),
            invalid(),
        ),
        row(
            "an unknown alg is invalid",
            with("alg", "ES256K"),
            invalid().says("algorithm is not accepted"),
        ),
        row(
            "a key of another curve is invalid",
            crossed(Alg::Es256, "ES256", "p384-1"),
            invalid(),
        ),
        row(
            "an algorithm of another curve is invalid",
            crossed(Alg::Es256, "ES384", "p256-1"),
            invalid(),
        ),
        row(
            "an RSA key for ES256 is invalid",
            crossed(Alg::Es256, "ES256", "rsa-1"),
            invalid(),
        ),
        row(
            "an EC key for RS256 is invalid",
            crossed(Alg::Rs256, "RS256", "p256-1"),
            invalid(),
        ),
        row(
            "a PKCS #1 signature is no PSS one",
            crossed(Alg::Rs256, "PS256", "rsa-1"),
            invalid().says("signature cannot be verified"),
        ),
        row(
            "a PSS signature is no PKCS #1 one",
            crossed(Alg::Ps256, "RS256", "rsa-1"),
            invalid(),
        ),
        row(
            "another hash is invalid",
            crossed(Alg::Rs256, "RS384", "rsa-1"),
            invalid().says("signature cannot be verified"),
        ),
        row(
            "an Ed25519 key for ES256 is invalid",
            crossed(Alg::Es256, "ES256", "ed-1"),
            invalid(),
        ),
    ]);
    Group {
        settings: settings(world),
        rows,
    }
}

/// The other header fields.
pub(crate) fn fields(world: &World) -> Group {
    let mut rows = vec![
        row("typ at+jwt passes", with("typ", "at+jwt"), allowed()),
        row(
            "no typ passes",
            with_header(&json!({"alg": "ES256", "kid": "p256-1"})),
            allowed(),
        ),
        row(
            "an embedded key is refused",
            with("jwk", keys().p256.jwk()),
            invalid().says("header has members"),
        ),
        row(
            "an embedded stranger's key is refused",
            bearer(keys().stranger.token_with(
                Alg::Es256,
                &json!({"alg": "ES256", "jwk": keys().stranger.jwk()}),
                &claims(),
            )),
            invalid(),
        ),
        row(
            "a linked key set is refused",
            with("jku", "https://evil.example/jwks"),
            invalid().says("header has members"),
        ),
        row(
            "a linked certificate is refused",
            with("x5u", "https://evil.example/cert"),
            invalid(),
        ),
        row(
            "an embedded certificate is refused",
            with("x5c", json!(["MIIB"])),
            invalid(),
        ),
        row(
            "an unknown critical extension is refused",
            with("crit", json!(["urn:x"])),
            invalid().says("header has members"),
        ),
        row(
            "an unencoded payload is refused",
            with_header(&json!({"alg": "ES256", "kid": "p256-1", "b64": false, "crit": ["b64"]})),
            invalid(),
        ),
        row(
            "a critical exp is refused",
            with_header(&json!({"alg": "ES256", "kid": "p256-1", "exp": 1, "crit": ["exp"]})),
            invalid(),
        ),
        row(
            "an empty crit is refused",
            with("crit", json!([])),
            invalid().says("header has members"),
        ),
        row(
            "a crit that is no list is refused",
            with("crit", "exp"),
            invalid(),
        ),
        row(
            "a compressed payload is no token of ours",
            with_header(&json!({"alg": "dir", "enc": "A256GCM", "zip": "DEF", "kid": "p256-1"})),
            invalid(),
        ),
        row(
            "a kid of a stranger is invalid",
            bearer(keys().stranger.token(Alg::Es256, &claims())),
            invalid().says("signature cannot be verified"),
        ),
        row(
            "a stranger under our kid is invalid",
            bearer(keys().stranger.token_with(
                Alg::Es256,
                &json!({"alg": "ES256", "kid": "p256-1"}),
                &claims(),
            )),
            invalid().says("signature cannot be verified"),
        ),
        row("a kid has case", with("kid", "P256-1"), invalid()),
        row(
            "a kid with a blank is another kid",
            with("kid", "p256-1 "),
            invalid(),
        ),
        row("a numeric kid is invalid", with("kid", 1), invalid()),
        row(
            "a null kid is none: one key fits",
            with("kid", Value::Null),
            allowed(),
        ),
        row("an empty kid is invalid", with("kid", ""), invalid()),
        row(
            "a kid that is a path is invalid",
            with("kid", "../../dev/null"),
            invalid(),
        ),
        row(
            "a kid of SQL is invalid",
            with("kid", "' UNION SELECT 'a"),
            invalid(),
        ),
        row(
            "a kid of 4 KB is invalid",
            with("kid", "k".repeat(4096)),
            invalid(),
        ),
        row(
            "a field that we do not know passes",
            with("x", "y"),
            allowed(),
        ),
    ];
    for (rule, text) in [
        ("a header that is no JSON is invalid", "not json"),
        ("an empty header is invalid", ""),
        ("a header list is invalid", r#"["alg","ES256"]"#),
        (
            "alg twice is invalid",
            r#"{"alg":"ES256","alg":"none","kid":"p256-1"}"#,
        ),
        (
            "kid twice is invalid",
            r#"{"alg":"ES256","kid":"p256-1","kid":"rsa-1"}"#,
        ),
        (
            "text after the header is invalid",
            r#"{"alg":"ES256","kid":"p256-1"}x"#,
        ),
    ] {
        rows.push(row(rule, with_text(text), invalid()));
    }
    rows.push(row(
        "5000 levels of nesting are invalid",
        with_text(&format!(
            r#"{{"alg":"ES256","kid":"p256-1","x":{}{}}}"#,
            "[".repeat(5000),
            "]".repeat(5000)
        )),
        invalid(),
    ));
    Group {
        settings: settings(world),
        rows,
    }
}

/// The three parts of a token.
pub(crate) fn structure(world: &World) -> Group {
    let token = keys().p256.token(Alg::Es256, &claims());
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        unreachable!("a token has three parts")
    };
    let raw = keys()
        .p256
        .sign(Alg::Es256, format!("{header}.{payload}").as_bytes());
    let signed = |signature: &str| bearer(format!("{header}.{payload}.{signature}"));
    let standard = STANDARD.encode(&raw);
    let mut rows = vec![
        row(
            "a fresh signature passes",
            signed(&base64url(&raw)),
            allowed(),
        ),
        row(
            "one part is invalid",
            bearer(header),
            invalid().says("not a well-formed"),
        ),
        row(
            "two parts are invalid",
            bearer(format!("{header}.{payload}")),
            invalid(),
        ),
        row(
            "four parts are invalid",
            bearer(format!("{token}.")),
            invalid(),
        ),
        row(
            "five parts are invalid",
            bearer(format!("{token}.a.b")),
            invalid(),
        ),
        row("three empty parts are invalid", bearer(".."), invalid()),
        row(
            "dots are invalid",
            bearer("....................................................."),
            invalid(),
        ),
        row(
            "an empty header is invalid",
            bearer(format!(".{payload}.{signature}")),
            invalid(),
        ),
        row(
            "an empty payload is invalid",
            bearer(format!("{header}..{signature}")),
            invalid(),
        ),
        row(
            "a blank inside is invalid",
            bearer(format!("{header}. {payload}.{signature}")),
            invalid(),
        ),
        row(
            "padding is invalid",
            signed(&standard),
            invalid().says("not a well-formed"),
        ),
        row(
            "the alphabet of plain base64 is invalid",
            signed(&format!("+/{}", &signature[2..])),
            invalid(),
        ),
        row(
            "other characters are invalid",
            signed(&format!("{}*", &signature[1..])),
            invalid(),
        ),
        row(
            "percent signs are invalid",
            bearer(token.replace('.', "%2E")),
            invalid(),
        ),
        row(
            "an ECDSA signature of zeros is invalid",
            signed(&base64url([0_u8; 64])),
            invalid().says("signature cannot be verified"),
        ),
        row(
            "an ECDSA signature in DER is invalid",
            signed(&base64url(der(&raw))),
            invalid(),
        ),
        row(
            "a signature and a byte more is invalid",
            signed(&base64url([raw.as_slice(), b"x"].concat())),
            invalid(),
        ),
        row(
            "a signature of one byte is invalid",
            signed("AA"),
            invalid(),
        ),
        row(
            "a token of 20 KB of dots is invalid",
            bearer(".".repeat(20_000)),
            invalid(),
        ),
        row(
            "a token with 40 KB of claims is invalid",
            bearer(keys().p256.token(
                Alg::Es256,
                &crate::table::claims_with("x", "y".repeat(28_000)),
            )),
            invalid().says("too large"),
        ),
    ];
    // Bits of the last character that belong to no octet must be zero, or one signature has
    // several spellings (RFC 4648 §3.5).
    let last = signature.chars().last().unwrap();
    let odd = char::from(u8::try_from(u32::from(last)).unwrap() + 1);
    rows.push(row(
        "left-over bits in the signature are invalid",
        signed(&format!("{}{odd}", &signature[..signature.len() - 1])),
        invalid(),
    ));
    for cut in 1..token.len() {
        rows.push(row(
            format!("a token cut after {cut} characters is invalid"),
            bearer(&token[..cut]),
            invalid(),
        ));
    }
    Group {
        settings: settings(world),
        rows,
    }
}

/// Encodes `r || s` as a DER sequence.
fn der(raw: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let bytes = [&[0], bytes].concat();
        [&[2, u8::try_from(bytes.len()).unwrap()], bytes.as_slice()].concat()
    };
    let (r, s) = raw.split_at(raw.len() / 2);
    let body = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], body.as_slice()].concat()
}
