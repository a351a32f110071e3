//! Requests that want a code sent elsewhere, or made easier to steal.

use portcullis_tests::oauth_flow::{form, location};
use serde_json::json;

use super::host::{Host, REDIRECT, cases, refused, shown};

/// What the client under attack has registered besides [`REDIRECT`].
const WEB: &str = "https://app.example/cb";

#[test]
fn authorization_requests() {
    cases![
        nothing_goes_back_to_where_the_client_did_not_register,
        nothing_goes_back_for_a_client_that_is_not_known,
        the_port_of_a_loopback_address_is_free,
        no_client_registers_a_place_that_others_could_read,
        pkce_is_not_given_up,
        a_resource_of_somebody_else_is_refused,
    ];
}

fn nothing_goes_back_to_where_the_client_did_not_register(host: &Host<'_>) {
    let client_id = register(host, &[REDIRECT, WEB]);
    for uri in [
        "https://evil.example/cb",
        "https://app.example/cb/../evil",
        "https://app.example/cb/",
        "https://app.example/cb?x",
        "https://app.example/cb#x",
        "https://app.example/%63b",
        // User information.
        "https://user@app.example/cb",
        "https://app.example@evil.example/cb",
        "https://app.example:443@evil.example/cb",
        // Backslash.
        "https://app.example\\@evil.example/cb",
        "https://evil.example\\app.example/cb",
        "https:\\\\app.example\\cb",
        // Port.
        "https://app.example:443/cb",
        "https://app.example:444/cb",
        "http://localhost:7/callback",
        // Scheme.
        "http://app.example/cb",
        "HTTPS://app.example/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "//app.example/cb",
        "/cb",
        // Encoded.
        "https://app.example%2fcb",
        "https://app%2eexample/cb",
        "https%3A%2F%2Fapp.example%2Fcb",
        "https://app.example/cb%00",
        "https://app.example/cb\r\nset-cookie: a=b",
        // IPv4 and IPv6.
        "http://127.1:7/callback",
        "http://2130706433:7/callback",
        "http://127.0.0.1.evil.example:7/callback",
        "http://[::1]:7/callback",
        "http://[::ffff:127.0.0.1]:7/callback",
        "http://[::ffff:7f00:1]:7/callback",
        "http://127.0.0.1:7/callback/",
        // Other names that look or are read alike.
        "https://APP.example/cb",
        "https://app.example./cb",
        "https://xn--app-abc.example/cb",
        "https://\u{430}pp.example/cb",
        "https://app\u{3002}example/cb",
        " https://app.example/cb",
        "",
    ] {
        let target = asked(host, &client_id, &[("redirect_uri", uri)]);
        let page = host.site.send(&host.site.request("GET", &target));
        shown(&page, 400);
        assert!(!page.text().contains("evil"), "{uri}: {}", page.text());
    }
    // Two of them, of which one is right.
    let twice = asked(host, &client_id, &[("redirect_uri", WEB)]);
    for twice in [
        format!("{twice}&redirect_uri=https://evil.example/cb"),
        twice.replacen('?', "?redirect_uri=https://evil.example/cb&", 1),
    ] {
        shown(&host.site.send(&host.site.request("GET", &twice)), 400);
    }
    // None, where it cannot be told which.
    let none = asked(host, &client_id, &[]);
    shown(&host.site.send(&host.site.request("GET", &none)), 400);
}

fn nothing_goes_back_for_a_client_that_is_not_known(host: &Host<'_>) {
    let good = register(host, &[WEB]);
    let doubled = format!("{good}{good}");
    for client_id in ["nobody", &good[1..], &doubled, "../", "%00"] {
        let target = asked(host, client_id, &[("redirect_uri", WEB)]);
        let answer = host.site.send(&host.site.request("GET", &target));
        refused(&answer, 401, "invalid_client");
    }
}

fn the_port_of_a_loopback_address_is_free(host: &Host<'_>) {
    let client_id = register(host, &[REDIRECT]);
    let uri = "http://127.0.0.1:65535/callback";
    let target = asked(host, &client_id, &[("redirect_uri", uri)]);
    let page = host.site.send(&host.site.request("GET", &target));
    assert_eq!(page.status, 200, "{}", page.text());
}

fn no_client_registers_a_place_that_others_could_read(host: &Host<'_>) {
    for uri in [
        "http://app.example/cb",
        "http://10.0.0.1/cb",
        "http://localhost.evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "https://user@app.example/cb",
        "https://user:pass@app.example/cb",
        "https://app.example/cb#fragment",
        "https://app.example\\@evil.example/cb",
        "https://app.example/\n",
        "https:///cb",
        "https://",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example/x",
        "about:blank",
        "view-source:https://app.example/",
        "//app.example/cb",
        "/cb",
        "",
    ] {
        let body = json!({"redirect_uris": [WEB, uri]}).to_string();
        let answer = host
            .site
            .send(&host.site.request("POST", "/register").body(body));
        refused(&answer, 400, "invalid_redirect_uri");
    }
}

/// A challenge that is missing or plain could be met by whoever sees it.
fn pkce_is_not_given_up(host: &Host<'_>) {
    let attempt = host.attempt();
    let good = attempt.target();
    let challenge = form::value(&good, "code_challenge");
    let method = "&code_challenge_method=S256";
    let without = good.replace(method, "");
    assert_ne!(without, good);
    for target in [
        without.clone(),
        format!("{without}&code_challenge_method=plain"),
        format!("{without}&code_challenge_method=s256"),
        format!("{without}&code_challenge_method="),
        format!("{good}&code_challenge_method=plain"),
        good.replace(&format!("code_challenge={challenge}&"), ""),
        good.replace(&challenge, ""),
        good.replace(&challenge, &challenge[1..]),
        good.replace(&challenge, &attempt.verifier.replace('-', "+"))
            .replace("S256", "plain"),
        format!("{good}&code_challenge={challenge}"),
    ] {
        let answer = host.site.send(&host.site.request("GET", &target));
        let home = location(&answer);
        assert!(home.starts_with(&format!("{REDIRECT}?")), "{home}");
        let (_, told) = home.split_once('?').unwrap();
        assert_eq!(form::value(told, "error"), "invalid_request", "{target}");
        assert_eq!(form::value(told, "state"), attempt.state);
        assert_eq!(form::value(told, "iss"), host.site.origin());
        assert_eq!(form::value(told, "code"), "");
    }
    // Nor at the other end.
    let (attempt, code) = host.code();
    let challenge = form::value(&attempt.target(), "code_challenge");
    let redeem = |more: &[(&str, &str)]| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &attempt.client.redirect_uri),
            ("client_id", &attempt.client.id),
        ];
        host.unspent(|| host.site.post("/token", &[&fields[..], more].concat()))
    };
    refused(&redeem(&[]), 400, "invalid_request");
    refused(&redeem(&[("code_verifier", "")]), 400, "invalid_request");
    refused(
        &redeem(&[("code_verifier", &challenge)]),
        400,
        "invalid_grant",
    );
    let right = ("code_verifier", &*attempt.verifier);
    refused(&redeem(&[right, right]), 400, "invalid_request");
}

fn a_resource_of_somebody_else_is_refused(host: &Host<'_>) {
    let mut attempt = host.attempt();
    attempt.resource = "https://evil.example/mcp".to_owned();
    let answer = host.site.send(&host.site.request("GET", &attempt.target()));
    let home = location(&answer);
    assert!(home.starts_with(&format!("{REDIRECT}?")), "{home}");
    assert!(home.contains("error=invalid_target"), "{home}");
}

fn register(host: &Host<'_>, redirect_uris: &[&str]) -> String {
    let body = json!({ "redirect_uris": redirect_uris }).to_string();
    let answer = host
        .site
        .send(&host.site.request("POST", "/register").body(body));
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["client_id"].as_str().unwrap().to_owned()
}

/// Returns the target of a request that is good but for `more`.
fn asked(host: &Host<'_>, client_id: &str, more: &[(&str, &str)]) -> String {
    let resource = host.site.resource();
    let challenge = "A".repeat(43);
    let fields = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("state", "s"),
        ("resource", &resource),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    format!("/authorize?{}", form::encode(&[&fields[..], more].concat()))
}
