//! Mode jwt: claims (RFC 7519 §4.1).

use portcullis_tests::{Alg, Request};
use serde_json::{Value, json};

use super::jwt::{allowed, bearer, invalid, settings};
use crate::table::{AUDIENCE, Group, ISSUER, World, claims, claims_with, keys, now, row};

fn with(name: &str, value: impl Into<Value>) -> Request {
    bearer(keys().p256.token(Alg::Es256, &claims_with(name, value)))
}

/// A token whose claims are this text.
fn with_text(claims: &str) -> Request {
    let header = r#"{"alg":"ES256","kid":"p256-1"}"#;
    bearer(keys().p256.token_of(Alg::Es256, header, claims))
}

/// `exp`, `nbf` and `iat`, with 30 seconds of leeway.
pub(crate) fn times(world: &World) -> Group {
    let rows = vec![
        row(
            "exp is required",
            with("exp", Value::Null),
            invalid().says("no expiry"),
        ),
        row(
            "a token long expired is invalid",
            with("exp", now() - 3600),
            invalid().says("has expired"),
        ),
        row(
            "a token expired beyond the leeway is invalid",
            with("exp", now() - 35),
            invalid().says("has expired"),
        ),
        row(
            "a token expired within the leeway passes",
            with("exp", now() - 5),
            allowed(),
        ),
        row(
            "exp zero is invalid",
            with("exp", 0),
            invalid().says("has expired"),
        ),
        row(
            "a negative exp is invalid",
            with("exp", -1),
            invalid().says("malformed"),
        ),
        row(
            "an exp in text is invalid",
            with("exp", (now() + 600).to_string()),
            invalid().says("malformed"),
        ),
        row(
            "an exp with a fraction passes",
            with(
                "exp",
                json!(600.5 + f64::from(u32::try_from(now()).unwrap())),
            ),
            allowed(),
        ),
        row(
            "a boolean exp is invalid",
            with("exp", true),
            invalid().says("malformed"),
        ),
        row(
            "an exp list is invalid",
            with("exp", json!([now() + 600])),
            invalid().says("malformed"),
        ),
        row(
            "an exp of the far future passes",
            with("exp", 4_102_444_800_i64),
            allowed(),
        ),
        row(
            "a token from the far future is invalid",
            with("nbf", now() + 3600),
            invalid().says("not valid yet"),
        ),
        row(
            "a token not valid yet is invalid beyond the leeway",
            with("nbf", now() + 60),
            invalid().says("not valid yet"),
        ),
        row(
            "a token not valid yet passes within the leeway",
            with("nbf", now() + 10),
            allowed(),
        ),
        row(
            "an nbf in the past passes",
            with("nbf", now() - 3600),
            allowed(),
        ),
        row(
            "an nbf in text is invalid",
            with("nbf", "0"),
            invalid().says("malformed"),
        ),
        row(
            "an iat in the future is invalid beyond the leeway",
            with("iat", now() + 60),
            invalid().says("not valid yet"),
        ),
        row(
            "an iat in the future passes within the leeway",
            with("iat", now() + 10),
            allowed(),
        ),
        row("no iat passes", with("iat", Value::Null), allowed()),
        row(
            "an iat in text is invalid",
            with("iat", "yesterday"),
            invalid().says("malformed"),
        ),
        row("an old iat passes", with("iat", 1_000_000_000), allowed()),
    ];
    Group {
        settings: settings(world),
        rows,
    }
}

/// `iss` and `aud`.
pub(crate) fn issuer_and_audience(world: &World) -> Group {
    let rows = vec![
        row(
            "no issuer is invalid",
            with("iss", Value::Null),
            invalid().says("issuer is not accepted"),
        ),
        row(
            "another issuer is invalid",
            with("iss", "https://other.example"),
            invalid().says("issuer is not accepted"),
        ),
        row(
            "a slash more makes another issuer",
            with("iss", format!("{ISSUER}/")),
            invalid().says("issuer is not accepted"),
        ),
        row(
            "issuers have case",
            with("iss", ISSUER.to_uppercase()),
            invalid().says("issuer is not accepted"),
        ),
        row("an empty issuer is invalid", with("iss", ""), invalid()),
        row(
            "an issuer list is invalid",
            with("iss", json!([ISSUER])),
            invalid(),
        ),
        row("a numeric issuer is invalid", with("iss", 1), invalid()),
        row(
            "no audience is invalid",
            with("aud", Value::Null),
            invalid().says("not issued for this server"),
        ),
        row(
            "another audience is invalid",
            with("aud", "other"),
            invalid().says("not issued for this server"),
        ),
        row(
            "a prefix of the audience is invalid",
            with("aud", &AUDIENCE[..5]),
            invalid(),
        ),
        row(
            "audiences have case",
            with("aud", AUDIENCE.to_uppercase()),
            invalid(),
        ),
        row(
            "an audience list with ours passes",
            with("aud", json!(["x", AUDIENCE])),
            allowed(),
        ),
        row(
            "an audience list without ours is invalid",
            with("aud", json!(["x", "y"])),
            invalid().says("not issued for this server"),
        ),
        row(
            "an empty audience list is invalid",
            with("aud", json!([])),
            invalid().says("not issued for this server"),
        ),
        row(
            "a numeric audience is invalid",
            with("aud", 1),
            invalid().says("malformed"),
        ),
        row(
            "an audience object is invalid",
            with("aud", json!({AUDIENCE: true})),
            invalid(),
        ),
    ];
    Group {
        settings: settings(world),
        rows,
    }
}

/// What of the claims goes on to the protected resource.
pub(crate) fn identity(world: &World) -> Group {
    let both = |first: (&str, Value), second: (&str, Value)| {
        let mut claims = claims_with(first.0, first.1);
        claims[second.0] = second.1;
        bearer(keys().p256.token(Alg::Es256, &claims))
    };
    let rows = vec![
        row(
            "sub goes on",
            with("sub", "auth0|123"),
            allowed().saw("x-mcp-auth-subject", "auth0|123"),
        ),
        row(
            "no sub is no header",
            with("sub", Value::Null),
            allowed().hid("x-mcp-auth-subject"),
        ),
        row(
            "client_id goes on",
            with("client_id", "app-1"),
            allowed().saw("x-mcp-auth-client", "app-1"),
        ),
        row(
            "azp goes on",
            with("azp", "app-2"),
            allowed().saw("x-mcp-auth-client", "app-2"),
        ),
        row(
            "appid goes on",
            with("appid", "app-3"),
            allowed().saw("x-mcp-auth-client", "app-3"),
        ),
        row(
            "scope goes on",
            with("scope", "read write"),
            allowed().saw("x-mcp-auth-scope", "read write"),
        ),
        row(
            "scp goes on",
            with("scp", "read write"),
            allowed().saw("x-mcp-auth-scope", "read write"),
        ),
        row(
            "a list of scopes is joined",
            with("scp", json!(["read", "write"])),
            allowed().saw("x-mcp-auth-scope", "read write"),
        ),
        row(
            "no scope is no header",
            with("scope", Value::Null),
            allowed().hid("x-mcp-auth-scope"),
        ),
        row(
            "a subject with a line end adds no field",
            with("sub", "alice\r\nx-mcp-auth-mode: none"),
            allowed(),
        ),
        row(
            "a subject with NUL does no harm",
            with("sub", "a\0b"),
            allowed(),
        ),
        row(
            "a subject beyond ASCII does no harm",
            with("sub", "Zoë ☃"),
            allowed(),
        ),
        row(
            "a subject of blanks does no harm",
            with("sub", "   "),
            allowed(),
        ),
        row(
            "a scope with a line end adds no field",
            with("scope", "read\r\nx-evil: 1"),
            allowed().hid("x-evil"),
        ),
        row(
            "an issuer is the configured one",
            with("sub", "bob"),
            allowed()
                .saw("x-mcp-auth-issuer", ISSUER)
                .saw("x-mcp-auth-subject", "bob"),
        ),
        row(
            "odd scopes are no failure",
            both(("scope", json!(7)), ("scp", json!([1, 2]))),
            allowed(),
        ),
        row(
            "the principal tells subjects apart",
            with("sub", "carol"),
            allowed(),
        ),
    ];
    Group {
        settings: settings(world),
        rows,
    }
}

/// JSON that is allowed by the grammar and meant by nobody.
pub(crate) fn odd_json(world: &World) -> Group {
    let text = claims().to_string();
    let nested = |depth: usize| {
        let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        with_text(&text.replacen('{', &format!("{{\"x\":{value},"), 1))
    };
    let rows = vec![
        row(
            "claims that are no JSON are invalid",
            with_text("not json"),
            invalid().says("malformed"),
        ),
        row("empty claims are invalid", with_text(""), invalid()),
        row("an empty object is invalid", with_text("{}"), invalid()),
        row("a list is invalid", with_text("[]"), invalid()),
        row("null is invalid", with_text("null"), invalid()),
        row(
            "text after the claims is invalid",
            with_text(&format!("{text}x")),
            invalid(),
        ),
        row(
            "two objects are invalid",
            with_text(&format!("{text}{text}")),
            invalid(),
        ),
        row(
            "a byte order mark is invalid",
            with_text(&format!("\u{feff}{text}")),
            invalid(),
        ),
        row(
            "claims cut short are invalid",
            with_text(&text[..text.len() - 1]),
            invalid(),
        ),
        row(
            "blanks around the claims pass",
            with_text(&format!(" \n{text}\t ")),
            allowed(),
        ),
        row(
            "NaN is invalid",
            with_text(&text.replacen('{', "{\"x\":NaN,", 1)),
            invalid(),
        ),
        row(
            "a lone surrogate in a claim of ours is invalid",
            with_text(&text.replacen("alice", "\\ud800", 1)),
            invalid(),
        ),
        row(
            "exp twice is invalid",
            with_text(&text.replacen('{', "{\"exp\":1,", 1)),
            invalid().says("malformed"),
        ),
        row("a few levels of nesting pass", nested(4), allowed()),
        row(
            "5000 levels of nesting are invalid",
            nested(5000),
            invalid().says("malformed"),
        ),
        row(
            "an exp beyond every number is invalid",
            with_text(&text.replace("\"exp\":", "\"exp\":1e999,\"y\":")),
            invalid(),
        ),
        row(
            "claims that are not UTF-8 are invalid",
            bearer(keys().p256.token_of(
                Alg::Es256,
                r#"{"alg":"ES256","kid":"p256-1"}"#,
                b"{\"sub\":\"\xff\"}",
            )),
            invalid(),
        ),
    ];
    Group {
        settings: settings(world),
        rows,
    }
}
