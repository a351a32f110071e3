//! Hostile input: nothing of it passes, nothing of it is answered with a server error.

use hmac::{Hmac, KeyInit as _, Mac as _};
use portcullis_core::Step;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::request::Request;
use crate::signer::{Signer, claims, encode};
use crate::support::{API_KEY, API_KEY_MODE, JWT_MODE, Scenario, ZSCALER_MODE};

const ALLOWED: (u16, &str) = (200, "allowed");

fn signer() -> Signer {
    Signer::ed_dsa("a", 1)
}

/// A gateway in each mode that has credentials, with everything at hand that a good one needs.
fn gates() -> Vec<Scenario> {
    let settings = [API_KEY_MODE, JWT_MODE, ZSCALER_MODE];
    settings.map(gate).into()
}

fn gate(settings: &[(&str, &str)]) -> Scenario {
    let mut scenario = Scenario::new(settings);
    scenario.server.keys = vec![
        signer().jwk(),
        Signer::es256("b", 2).jwk(),
        Signer::rs256("c").jwk(),
    ];
    scenario.server.register("id", "secret");
    scenario.pass(0);
    scenario
}

#[track_caller]
fn refuse(scenario: &mut Scenario, request: &Request) {
    let (status, reason) = scenario.verdict(request);
    let fields: Vec<String> = request
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value[..value.len().min(200)].escape_ascii()))
        .collect();
    assert_eq!(status, 401, "{reason}: {fields:?}");
}

#[track_caller]
fn refuse_everywhere(request: &Request) {
    for mut scenario in gates() {
        refuse(&mut scenario, request);
    }
}

#[track_caller]
fn refuse_token(scenario: &mut Scenario, token: impl AsRef<[u8]>) {
    let value = [b"Bearer ", token.as_ref()].concat();
    refuse(scenario, &Request::post().with("authorization", value));
}

#[test]
fn values_that_no_client_means() {
    let huge = vec![b'a'; 64 * 1024];
    let token = signer().token();
    let basic = "Basic aWQ6c2VjcmV0";
    let values: Vec<Vec<u8>> = [
        &b"\0"[..],
        b"Bearer \0",
        b"Bearer \xff\xfe",
        b"\xef\xbb\xbfBearer x",
        b"Bearer",
        b"Bearer ",
        b"Bearer  \t ",
        b"Basic",
        b"Basic ====",
        b": : :",
        b",",
        b"Bearer ,",
        b"Negotiate \xf0\x28\x8c\x28",
        b"Basic \xff",
        b"Basic AA==",
        b"Basic Og==",
        b"Bearer\x0bx y",
        b"{\"Bearer\":1}",
        b"%42earer x",
        &huge,
        &[b"Bearer ", huge.as_slice()].concat(),
        &[b"Basic ", huge.as_slice()].concat(),
        &[&[b' '; 60_000][..], b"x"].concat(),
        &b"Bearer ".repeat(9000),
        &b"Basic ".repeat(9000),
    ]
    .map(<[u8]>::to_vec)
    .into();
    for value in values {
        refuse_everywhere(&Request::post().with("authorization", &value));
        refuse_everywhere(&Request::post().with("x-api-key", &value));
        refuse_everywhere(&Request::post().with("x-zscaler-client-id", &value));
        let pair = Request::post().with("x-zscaler-client-id", "id");
        refuse_everywhere(&pair.with("x-zscaler-client-secret", &value));
    }
    for (first, second) in [
        (token.as_str(), "x"),
        ("x", token.as_str()),
        (&token, &token),
    ] {
        refuse_everywhere(&Request::post().bearer(first).bearer(second));
        refuse_everywhere(&Request::post().bearer(&format!("{first}, Bearer {second}")));
        refuse_everywhere(&Request::post().bearer(&format!("{first},{second}")));
        refuse_everywhere(&Request::post().bearer(&format!("{first}\r\n {second}")));
    }
    refuse_everywhere(
        &Request::post()
            .with("authorization", basic)
            .with("authorization", basic),
    );
    refuse_everywhere(&Request::post().with("authorization", basic).bearer(API_KEY));
    let ids = Request::post()
        .pair("id", "secret")
        .with("x-zscaler-client-id", "id");
    refuse_everywhere(&ids);
}

#[test]
fn a_good_credential_of_another_mode_is_none() {
    let token = signer().token();
    let [mut api_key, mut jwt, mut zscaler] =
        [gate(API_KEY_MODE), gate(JWT_MODE), gate(ZSCALER_MODE)];
    refuse(
        &mut api_key,
        &Request::post().bearer(&token).pair("id", "secret"),
    );
    refuse(
        &mut jwt,
        &Request::post().bearer(API_KEY).with("x-api-key", API_KEY),
    );
    refuse(&mut jwt, &Request::post().pair("id", "secret"));
    refuse(
        &mut zscaler,
        &Request::post().bearer(&token).with("x-api-key", API_KEY),
    );
}

#[test]
fn basic_is_taken_in_its_only_encoding() {
    let mut scenario = gate(ZSCALER_MODE);
    for value in [
        "aWQ6c2VjcmV0=",
        "aWQ6c2VjcmV0====",
        "aWQ6c2Vjcm V0",
        "aWQ6\tc2VjcmV0",
        "aWQ6c2VjcmV",
        "=aWQ6c2VjcmV0",
        "aWQ6c2VjcmV0\u{0}",
        "aWQ6c2Vjcm\u{e9}",
        "aWQ6c2VjcmV0*",
        "aWQ_c2VjcmV0",
        "aWQ-c2VjcmV0",
        "aWQ6c2VjcmV0Cg==",
        "aWQ6c2VjcmV0AA==",
        "aWQ6",
        "OnNlY3JldA==",
        "Og==",
        "aWQ6c2Vj\r\ncmV0",
        "id:secret",
        "aWQ6c2VjcmV/",
        "aWT/c2VjcmV0",
    ] {
        refuse(
            &mut scenario,
            &Request::post().with("authorization", format!("Basic {value}")),
        );
    }
    let good = Request::post().with("authorization", "Basic aWQ6c2VjcmV0");
    assert_eq!(scenario.verdict(&good), ALLOWED);
}

#[test]
fn no_piece_of_a_good_token_and_no_change_of_it_passes() {
    let mut scenario = gate(JWT_MODE);
    for signer in [signer(), Signer::es256("b", 2)] {
        let token = signer.token();
        for end in 0..token.len() {
            refuse_token(&mut scenario, &token[..end]);
            refuse_token(&mut scenario, &token[end + 1..]);
            for change in [1, 0x20, 0x80] {
                let mut changed = token.clone().into_bytes();
                changed[end] ^= change;
                refuse_token(&mut scenario, &changed);
            }
        }
        for around in [
            format!("{token}."),
            format!(".{token}"),
            format!("{token}="),
        ] {
            refuse_token(&mut scenario, around);
        }
        for odd in [" ", "\n", "\0", "=", "\u{a0}", "."] {
            refuse_token(&mut scenario, token.replace('.', &format!(".{odd}")));
        }
        assert_eq!(scenario.verdict(&Request::post().bearer(&token)), ALLOWED);
    }
}

#[test]
fn headers_of_tokens_choose_neither_algorithm_nor_key() {
    let mut scenario = gate(JWT_MODE);
    let evil = Signer::ed_dsa("a", 9);
    let jwk = evil.jwk();
    for header in [
        json!({ "alg": "EdDSA", "jwk": jwk }),
        json!({ "alg": "EdDSA", "kid": "a", "jwk": jwk }),
        json!({ "alg": "EdDSA", "jku": "https://evil.example.com/jwks" }),
        json!({ "alg": "EdDSA", "kid": "a", "x5u": "https://evil.example.com/" }),
        json!({ "alg": "EdDSA", "kid": "a", "x5c": ["MII="] }),
        json!({ "alg": "EdDSA", "kid": "https://evil.example.com/jwks" }),
        json!({ "alg": "EdDSA", "kid": "../../../dev/null" }),
        json!({ "alg": "EdDSA", "kid": "a' OR '1'='1" }),
        json!({ "alg": "EdDSA", "kid": "\u{0}" }),
        json!({ "alg": "EdDSA", "kid": "x".repeat(9000) }),
        json!({ "alg": "EdDSA", "kid": 7 }),
        json!({ "alg": "EdDSA", "kid": ["a"] }),
        json!({ "alg": "EdDSA", "kid": { "a": "a" } }),
        json!({ "alg": "EdDSA", "kid": null }),
        json!({ "alg": ["EdDSA"], "kid": "a" }),
        json!({ "alg": null, "kid": "a" }),
        json!({ "kid": "a" }),
        json!({}),
        json!([]),
        json!("EdDSA"),
        json!(null),
    ] {
        refuse_token(&mut scenario, evil.sign_as(&header, &claims()));
    }
    // With the right key, too, what we do not understand is not passed over.
    for member in ["jwk", "jku", "x5u", "x5c", "crit"] {
        for value in [
            json!(null),
            json!({}),
            json!(["exp"]),
            json!(["b64"]),
            json!("x"),
        ] {
            let mut header = json!({ "alg": "EdDSA", "kid": "a", "b64": true });
            header[member] = value;
            refuse_token(&mut scenario, signer().sign_as(&header, &claims()));
        }
    }
    for alg in [
        "none", "None", "NONE", "nOnE", "", "eddsa", "EDDSA", "HS256", "ES256K", "dir",
    ] {
        let header = json!({ "alg": alg, "kid": "a" });
        refuse_token(&mut scenario, signer().sign_as(&header, &claims()));
        let (head, body) = (encode(header.to_string()), encode(claims().to_string()));
        refuse_token(&mut scenario, format!("{head}.{body}."));
    }
}

#[test]
fn a_public_key_is_no_shared_secret() {
    let mut scenario = gate(JWT_MODE);
    scenario
        .server
        .keys
        .push(json!({ "kty": "oct", "kid": "o", "k": encode("secret") }));
    let n = Signer::rs256("c").jwk()["n"].as_str().unwrap().to_owned();
    let x = signer().jwk()["x"].as_str().unwrap().to_owned();
    let secrets = [
        b"secret".to_vec(),
        n.into_bytes(),
        x.into_bytes(),
        Vec::new(),
    ];
    for secret in secrets {
        for (alg, kid) in [
            ("HS256", "a"),
            ("HS256", "c"),
            ("HS256", "o"),
            ("RS256", "c"),
        ] {
            let header = encode(json!({ "alg": alg, "kid": kid }).to_string());
            let message = format!("{header}.{}", encode(claims().to_string()));
            let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
            mac.update(message.as_bytes());
            let signature = encode(mac.finalize().into_bytes());
            refuse_token(&mut scenario, format!("{message}.{signature}"));
        }
    }
}

#[test]
fn a_signature_counts_for_its_own_key_and_algorithm_only() {
    let mut scenario = gate(JWT_MODE);
    let signers = [signer(), Signer::es256("b", 2), Signer::rs256("c")];
    for signer in &signers {
        for alg in [
            "RS256", "RS384", "PS256", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
        ] {
            for kid in ["a", "b", "c"] {
                let same = match alg {
                    "Ed25519" => signer.algorithm() == "EdDSA",
                    alg => signer.algorithm() == alg,
                };
                if same && kid == signer.kid {
                    continue;
                }
                let header = json!({ "alg": alg, "kid": kid });
                refuse_token(&mut scenario, signer.sign_as(&header, &claims()));
            }
        }
    }
    for length in [0, 1, 32, 63, 64, 65, 71, 72, 96, 256] {
        for byte in [0, 1, 0xff] {
            for signer in &signers {
                let token = signer.token();
                let (message, _) = token.rsplit_once('.').unwrap();
                let forged = format!("{message}.{}", encode(vec![byte; length]));
                refuse_token(&mut scenario, forged);
            }
        }
    }
}

#[test]
fn json_of_tokens_is_read_strictly() {
    let mut scenario = gate(JWT_MODE);
    let header = r#"{"alg":"EdDSA","kid":"a"}"#;
    let good = claims().to_string();
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let with = |member: &str| format!("{},{member}}}", &good[..good.len() - 1]);
    for header in [
        r#"{"alg":"EdDSA","kid":"a","alg":"none"}"#.into(),
        r#"{"alg":"none","alg":"EdDSA","kid":"a"}"#.into(),
        r#"{"alg":"EdDSA","kid":"b","kid":"a"}"#.into(),
        format!("\u{feff}{header}"),
        format!("{header} x"),
        format!("{header}{header}"),
        format!(r#"{{"alg":"EdDSA","kid":"a","x":{}}}"#, nested(17)),
        format!(r#"{{"alg":"EdDSA","kid":"a","x":{}}}"#, nested(2000)),
        "[".repeat(9000),
        "{\"a\":".repeat(2000),
        String::new(),
    ] {
        refuse_token(&mut scenario, signer().sign_raw(&header, &good));
    }
    for claims in [
        with(r#""exp":1900000000"#),
        with(r#""aud":"mcp""#),
        with(r#""iss":"https://idp.example.com""#),
        with(&format!(r#""x":{}"#, nested(2000))),
        format!("\u{feff}{good}"),
        format!("{good} x"),
        good.replace("1800003600", "NaN"),
        good.replace("1800003600", "Infinity"),
        good.replace("1800003600", "18e99"),
        good.replace("1800003600", "99999999999999999999"),
        good.replace("\"mcp\"", &nested(100)),
        format!("[{good}]"),
        format!("{good:?}"),
        "null".into(),
        "[".repeat(9000),
        String::new(),
    ] {
        refuse_token(&mut scenario, signer().sign_raw(header, &claims));
    }
    let wide: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let message = format!("{}.{}", encode(header), encode(wide));
    refuse_token(&mut scenario, format!("{message}.{}", encode([0; 64])));
}

/// Keys that nobody can use, each under a name of its own.
fn odd_keys() -> Vec<Value> {
    let ed = |members: Value| {
        let mut jwk = signer().jwk();
        for (name, value) in members.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        jwk
    };
    let mut weak = Signer::rs256("weak").jwk();
    weak["n"] = json!(encode([&[0x81][..], &[7; 127]].concat()));
    let mut even = Signer::rs256("even").jwk();
    even["e"] = json!(encode([2]));
    let mut one = Signer::rs256("one").jwk();
    one["e"] = json!(encode([1]));
    let mut off_curve = Signer::es256("off", 2).jwk();
    off_curve["y"] = off_curve["x"].clone();
    vec![
        json!(null),
        json!(7),
        json!([]),
        json!({}),
        json!({ "kty": "oct", "kid": "oct", "k": "AAAA" }),
        json!({ "kty": "RSA", "kid": "empty", "n": "", "e": "" }),
        json!({ "kty": "EC", "kid": "k256", "crv": "secp256k1", "x": "AA", "y": "AA" }),
        json!({ "kty": "OKP", "kid": "x", "crv": "X25519", "x": encode([9; 32]) }),
        json!({ "kty": "OKP", "kid": "short", "crv": "Ed25519", "x": encode([9; 31]) }),
        json!({ "kty": "OKP", "kid": "zero", "crv": "Ed25519", "x": encode([0; 32]) }),
        ed(json!({ "kid": "enc", "use": "enc" })),
        ed(json!({ "kid": "ops", "key_ops": ["sign"] })),
        ed(json!({ "kid": "no-ops", "key_ops": [] })),
        ed(json!({ "kid": "alg", "alg": "ES256" })),
        ed(json!({ "kid": "hmac", "alg": "HS256" })),
        ed(json!({ "kid": "padded", "x": format!("{}=", encode([9; 32])) })),
        ed(json!({ "kid": "kty", "kty": "EC" })),
        ed(json!({ "kid": "crv", "crv": "Ed448" })),
        ed(json!({ "kid": 7 })),
        weak,
        even,
        one,
        off_curve,
    ]
}

#[test]
fn odd_keys_are_skipped_and_spoil_nothing() {
    let mut scenario = Scenario::new(JWT_MODE);
    scenario.server.keys = odd_keys();
    scenario.server.keys.push(signer().jwk());
    scenario.pass(0);
    let signers = [signer(), Signer::es256("b", 2), Signer::rs256("c")];
    for key in odd_keys() {
        let Some(kid) = key["kid"].as_str() else {
            continue;
        };
        for signer in &signers {
            let header = json!({ "alg": signer.algorithm(), "kid": kid });
            refuse_token(&mut scenario, signer.sign_as(&header, &claims()));
        }
    }
    assert_eq!(
        scenario.verdict(&Request::post().bearer(&signer().token())),
        ALLOWED
    );
}

#[test]
fn nothing_that_a_host_may_print_holds_a_credential() {
    let token = signer().token();
    let request = Request::post().bearer(&token).with("x-api-key", "s3cret");
    let shown = request.lend(|head| format!("{head:?}"));
    assert!(
        !shown.contains("s3cret") && !shown.contains("66, 101, 97"),
        "{shown}"
    );

    let mut jwt = Scenario::new(JWT_MODE);
    let ambient = jwt.ambient();
    let step = request.lend(|head| jwt.engine.handle_request(head, ambient));
    let bytes = format!("{:?}", &token.as_bytes()[..8]);
    let bytes = bytes.trim_matches(['[', ']']);
    let shown = format!("{step:?} {:?}", jwt.engine);
    assert!(matches!(step, Step::Wait { .. }));
    assert!(!shown.contains(bytes) && !shown.contains(&token), "{shown}");

    let mut zscaler = Scenario::new(ZSCALER_MODE);
    let ticket = zscaler
        .begin(&Request::post().pair("id", "s3cret"))
        .parked();
    let (call, pending) = zscaler.take_call();
    let outcome = crate::server::response(200, r#"{"access_token":"s3cret","expires_in":900}"#);
    let shown = format!("{ticket:?} {call:?} {pending:?} {outcome:?}");
    assert!(
        !shown.contains("s3cret") && !shown.contains("115, 51, 99"),
        "{shown}"
    );
}
