//! Mode `jwt`.

use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_tests::authorization_server::JWKS_PATH;
use portcullis_tests::signing::{base64url, hs256_token};
use portcullis_tests::{Alg, AuthorizationServer, SigningKey};
use serde_json::{Value, json};

use super::{Both, Crash, Differ, Expected, In, Out, Row, compare, initialize};

const ISSUER: &str = "https://issuer.example.com/";

/// The keys of the issuer, and what an honest token says.
struct Issuer {
    rsa: SigningKey,
    ec: SigningKey,
    ed: SigningKey,
    now: i64,
}

#[test]
fn the_same_callers_get_in_by_token() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let issuer = Issuer {
        rsa: SigningKey::generate("rsa", Alg::Rs256),
        ec: SigningKey::generate("ec", Alg::Es256),
        ed: SigningKey::generate("ed", Alg::EdDsa),
        now: i64::try_from(now.as_secs()).unwrap(),
    };
    let server = AuthorizationServer::start();
    let odd_keys = issuer.odd_keys();
    let published = odd_keys.iter().map(|(jwk, ..)| jwk.clone());
    let honest = [&issuer.rsa, &issuer.ec, &issuer.ed].map(SigningKey::jwk);
    server.publish(honest.into_iter().chain(published));
    let mut rows = issuer.algorithms();
    rows.extend(issuer.times());
    rows.extend(issuer.claims());
    rows.extend(issuer.headers());
    rows.extend(issuer.encodings());
    rows.extend(odd_keys.into_iter().map(|(_, row)| row));
    compare(
        &[
            ("ZSCALER_MCP_AUTH_JWKS_URI", &server.url(JWKS_PATH)),
            ("ZSCALER_MCP_AUTH_ISSUER", ISSUER),
            ("ZSCALER_MCP_AUTH_AUDIENCE", "mcp"),
        ],
        rows,
    );
}

fn bearer(name: &'static str, token: &str, expected: Expected) -> Row {
    let value = format!("Bearer {token}");
    Row(name, initialize(&[("Authorization", &value)]), expected)
}

impl Issuer {
    fn honest(&self) -> Value {
        json!({"iss": ISSUER, "aud": "mcp", "sub": "alice", "exp": self.now + 600})
    }

    /// Makes the claims of an honest token with one replaced, or removed by null.
    fn with(&self, name: &str, value: Value) -> Value {
        let mut claims = self.honest();
        let members = claims.as_object_mut().unwrap();
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.to_owned(), value);
        }
        claims
    }

    fn claim(&self, about: &'static str, name: &str, value: Value, expected: Expected) -> Row {
        let token = self.rsa.token(Alg::Rs256, &self.with(name, value));
        bearer(about, &token, expected)
    }

    fn algorithms(&self) -> Vec<Row> {
        let claims = self.honest();
        let header = json!({"alg": "HS256", "kid": "rsa"});
        let public = self.rsa.jwk().to_string();
        let none = format!(
            "{}.{}.",
            base64url(r#"{"alg":"none","kid":"rsa"}"#),
            base64url(claims.to_string())
        );
        let good = self.rsa.token(Alg::Rs256, &claims);
        let (head, signature) = good.rsplit_once('.').unwrap();
        let other = self.rsa.token(Alg::Rs256, &self.with("sub", json!("bob")));
        let (other_head, _) = other.rsplit_once('.').unwrap();
        vec![
            bearer("RS256", &good, Both(In)),
            bearer("ES256", &self.ec.token(Alg::Es256, &claims), Both(In)),
            bearer(
                "PS256",
                &self.rsa.token(Alg::Ps256, &claims),
                Differ("J2", Out, In),
            ),
            bearer(
                "RS512",
                &self.rsa.token(Alg::Rs512, &claims),
                Differ("J2", Out, In),
            ),
            bearer(
                "EdDSA",
                &self.ed.token(Alg::EdDsa, &claims),
                Differ("J2", Out, In),
            ),
            bearer("none", &none, Both(Out)),
            bearer(
                "HMAC",
                &hs256_token(public.as_bytes(), &header, &claims),
                Both(Out),
            ),
            bearer(
                "of other claims",
                &format!("{other_head}.{signature}"),
                Both(Out),
            ),
            bearer("no signature", &format!("{head}."), Both(Out)),
            bearer("two parts", head, Both(Out)),
            bearer("garbage", "garbage", Both(Out)),
            bearer("blank", "", Both(Out)),
            Row("no token", initialize(&[]), Both(Out)),
            Row(
                "as basic",
                initialize(&[("Authorization", &format!("Basic {good}"))]),
                Both(Out),
            ),
            Row("as api key", initialize(&[("X-Api-Key", &good)]), Both(Out)),
        ]
    }

    fn times(&self) -> Vec<Row> {
        let at = |seconds: i64| json!(self.now + seconds);
        vec![
            self.claim("expired", "exp", at(-120), Both(Out)),
            self.claim("just expired", "exp", at(-10), Differ("J4", Out, In)),
            self.claim("never expires", "exp", Value::Null, Differ("J5", In, Out)),
            self.claim("exp is null", "exp", json!("null"), Both(Out)),
            self.claim("exp is negative", "exp", json!(-1), Both(Out)),
            self.claim("not yet", "nbf", at(120), Both(Out)),
            self.claim("nearly", "nbf", at(20), Differ("J4", Out, In)),
            self.claim("valid since", "nbf", at(-120), Both(In)),
            self.claim("issued later", "iat", at(120), Both(Out)),
            self.claim("issued just now", "iat", at(20), Differ("J4", Out, In)),
            self.claim("iat is text", "iat", json!("soon"), Both(Out)),
            self.claim(
                "fraction",
                "exp",
                json!(self.fraction()),
                Differ("J6", Crash, In),
            ),
            self.claim(
                "exp is text",
                "exp",
                json!(at(600).to_string()),
                Differ("J7", In, Out),
            ),
        ]
    }

    fn fraction(&self) -> f64 {
        f64::from(u32::try_from(self.now + 600).unwrap()) + 0.5
    }

    fn claims(&self) -> Vec<Row> {
        vec![
            self.claim(
                "other issuer",
                "iss",
                json!("https://other.example.com/"),
                Both(Out),
            ),
            self.claim(
                "no slash",
                "iss",
                json!("https://issuer.example.com"),
                Both(Out),
            ),
            self.claim("no issuer", "iss", Value::Null, Both(Out)),
            self.claim("issuers", "iss", json!([ISSUER]), Both(Out)),
            self.claim("audiences", "aud", json!(["other", "mcp"]), Both(In)),
            self.claim("other audience", "aud", json!("mcp2"), Both(Out)),
            self.claim("no audience", "aud", Value::Null, Both(Out)),
            self.claim("empty audience", "aud", json!([]), Both(Out)),
            self.claim("numbers", "aud", json!([1]), Both(Out)),
            self.claim("no subject", "sub", Value::Null, Both(In)),
            self.claim("subject number", "sub", json!(7), Both(Out)),
            self.claim("id number", "jti", json!(7), Differ("J13", Out, In)),
            self.claim("scope", "scope", json!("read write"), Both(In)),
            self.claim("scopes", "scp", json!(["read", "write"]), Both(In)),
            self.claim("scope number", "scope", json!(7), Differ("J6", Crash, In)),
            self.claim("scope numbers", "scp", json!([7]), Differ("J6", Crash, In)),
            self.claim("client", "azp", json!("client"), Both(In)),
        ]
    }

    fn headers(&self) -> Vec<Row> {
        let claims = self.honest();
        let row = |name, header: Value, expected| {
            bearer(
                name,
                &self.rsa.token_with(Alg::Rs256, &header, &claims),
                expected,
            )
        };
        let base = |name: &str, value: Value| {
            let mut header = json!({"alg": "RS256", "kid": "rsa"});
            header[name] = value;
            header
        };
        vec![
            row("no type", json!({"alg": "RS256", "kid": "rsa"}), Both(In)),
            row("other type", base("typ", json!("anything")), Both(In)),
            row("unknown kid", base("kid", json!("unknown")), Both(Out)),
            row("kid number", base("kid", json!(7)), Both(Out)),
            row("kid of another type", base("kid", json!("ec")), Both(Out)),
            row("other alg", base("alg", json!("ES256")), Both(Out)),
            row("small alg", base("alg", json!("rs256")), Both(Out)),
            row("unknown crit", base("crit", json!(["x"])), Both(Out)),
            row(
                "embedded key",
                base("jwk", self.rsa.jwk()),
                Differ("J9", In, Out),
            ),
            row(
                "linked keys",
                base("jku", json!("https://evil.example")),
                Differ("J9", In, Out),
            ),
            row(
                "linked certificate",
                base("x5u", json!("https://evil.example")),
                Differ("J9", In, Out),
            ),
            row(
                "embedded certificate",
                base("x5c", json!(["MIIB"])),
                Differ("J9", In, Out),
            ),
            bearer(
                "no kid, one key fits",
                &self
                    .ec
                    .token_with(Alg::Es256, &json!({"alg": "ES256"}), &claims),
                Differ("J3", Out, In),
            ),
            row("no kid, several fit", json!({"alg": "RS256"}), Both(Out)),
        ]
    }

    fn encodings(&self) -> Vec<Row> {
        let header = r#"{"alg":"RS256","kid":"rsa"}"#;
        let text = self.honest().to_string();
        let doubled = format!("{{\"aud\":\"other\",{}", text.trim_start_matches('{'));
        let marked = format!("\u{feff}{text}");
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let deep = format!("{}\"a\":{}1{}}}", "{", "[".repeat(3000), "]".repeat(3000));
        let token = |claims: &[u8]| self.rsa.token_of(Alg::Rs256, header, claims);
        let good = token(text.as_bytes());
        vec![
            bearer(
                "repeated claim",
                &token(doubled.as_bytes()),
                Differ("J11", In, Out),
            ),
            bearer(
                "byte order mark",
                &token(marked.as_bytes()),
                Differ("J11", In, Out),
            ),
            bearer("UTF-16", &token(&wide), Differ("J11", In, Out)),
            bearer("deep", &token(deep.as_bytes()), Both(Out)),
            bearer("a list", &token(b"[]"), Both(Out)),
            bearer("empty", &token(b""), Both(Out)),
            bearer(
                "padded signature",
                &format!("{good}=="),
                Differ("J12", In, Out),
            ),
            bearer("more parts", &format!("{good}.x"), Both(Out)),
            bearer("quoted", &format!("\"{good}\""), Both(Out)),
        ]
    }

    /// Keys that say more of themselves than `zscaler-mcp` reads, each with a token that it made.
    fn odd_keys(&self) -> Vec<(Value, Row)> {
        let odd = |kid: &'static str, name: &str, value: Value, expected| {
            let key = SigningKey::generate(kid, Alg::Rs256);
            let mut jwk = key.jwk();
            jwk[name] = value;
            let token = key.token(Alg::Rs256, &self.honest());
            (jwk, bearer(kid, &token, expected))
        };
        vec![
            odd("key for encryption", "use", json!("enc"), Both(Out)),
            odd(
                "key for signing",
                "key_ops",
                json!(["sign"]),
                Differ("J8", In, Out),
            ),
            odd(
                "key for RS512",
                "alg",
                json!("RS512"),
                Differ("J8", In, Out),
            ),
            odd("key for RS256", "alg", json!("RS256"), Both(In)),
        ]
    }
}
