//! `portcullis token decode`: what it shows, and when it says that a token is good.

use std::io::Write as _;
use std::process::{Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::support::{Folder, Upstream, command, run};

/// An issuer with one key.
struct Issuer(Ed25519KeyPair);

impl Issuer {
    fn new() -> Self {
        Self(Ed25519KeyPair::generate().expect("key"))
    }

    fn keys(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.0.public_key());
        format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{x}"}}]}}"#)
    }

    /// Signs a token that expires in so many seconds.
    fn token(&self, seconds: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("clock");
        let exp = i64::try_from(now.as_secs()).expect("time") + seconds;
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","kid":"k"}"#);
        let claims =
            format!(r#"{{"iss":"https://idp.example","aud":"gw","sub":"ann","exp":{exp}}}"#);
        let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = self.0.sign(input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

#[track_caller]
fn check(args: &[&str], code: i32, parts: &[&str]) {
    let output = run(&[&["token", "decode"], args].concat(), &[]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for part in parts {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

fn text(output: &Output) -> String {
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(all).expect("UTF-8")
}

#[test]
fn unverified_token_is_called_that() {
    let token = Issuer::new().token(3590);
    let parts = ["NOT VERIFIED", "ann", "expires", ", in 59 minutes"];
    check(&[&token], 0, &parts);
    check(&[&format!("Bearer {token}")], 0, &parts);
    check(
        &["--json", &token],
        0,
        &["\"verified\": false", "\"reason\": null"],
    );
    check(&["an-api-key"], 1, &["no dots"]);
}

#[test]
fn token_comes_from_standard_input_where_nobody_sees_it() {
    let mut child = command(&["token", "decode"], &[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("binary starts");
    let token = Issuer::new().token(60);
    let mut stdin = child.stdin.take().expect("piped");
    writeln!(stdin, "Authorization: Bearer {token}").expect("sent");
    drop(stdin);
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output).contains("ann"));
    check(&[], 1, &["standard input is empty"]);
}

#[test]
fn verdict_is_the_gateways() {
    let folder = Folder::new();
    let issuer = Issuer::new();
    let keys = folder.write("keys.json", &issuer.keys());
    let good = issuer.token(3600);
    let with = |token: &str, args: &[&str], code, part: &str| {
        check(&[args, &["--jwks", &keys, token]].concat(), code, &[part]);
    };
    with(&good, &[], 0, "VERIFIED: one of these keys");
    with(&good, &[], 0, "Any issuer and audience was accepted");
    let both = ["--issuer", "https://idp.example", "--audience", "gw"];
    with(&good, &both, 0, "VERIFIED");
    with(&good, &["--json"], 0, "\"verified\": true");
    with(
        &good,
        &["--issuer", "https://idp.example/"],
        1,
        "REFUSED (wrong_issuer)",
    );
    with(
        &good,
        &["--audience", "other"],
        1,
        "REFUSED (wrong_audience)",
    );
    with(&issuer.token(-60), &[], 1, "REFUSED (expired)");
    with(&issuer.token(-60), &["--leeway", "120"], 0, "VERIFIED");
    with(
        &Issuer::new().token(3600),
        &[],
        1,
        "REFUSED (bad_signature)",
    );
    let none = folder.write("none.json", r#"{"keys":[]}"#);
    check(&["--jwks", &none, &good], 1, &["none of its keys"]);
    let document = folder.write("document.json", r#"{"jwks_uri":"https://idp.example"}"#);
    check(&["--jwks", &document, &good], 1, &["jwks_uri"]);
}

#[test]
fn keys_are_fetched_or_it_is_said_why_not() {
    let issuer = Issuer::new();
    let keys = issuer.keys();
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
    let server = Upstream::answering(format!("{head}{keys}").leak());
    let url = format!("http://{}/jwks", server.address);
    check(&["--jwks", &url, &issuer.token(60)], 0, &["VERIFIED"]);
    let dead = format!("http://{}/", Upstream::dead());
    check(
        &["--jwks", &dead, &issuer.token(60)],
        1,
        &["refuses connections"],
    );
}

#[test]
fn pipe_that_nobody_reads_is_no_error() {
    let mut child = command(&["token", "decode", &Issuer::new().token(60)], &[])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("binary starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}
