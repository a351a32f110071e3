//! The gateway as a client of the provider.

use portcullis_tests::oauth_flow::{Attempt, Browser, Site, form, location};
use portcullis_tests::{Alg, Kind, SigningKey};
use serde_json::{Value, json};

use crate::stand_in::StandIn;
use crate::world::{ORIGIN, PROXY, REDIRECT, check, refused, site};

#[test]
fn r26_the_provider_is_asked_with_a_challenge_state_and_nonce_of_our_own() {
    check(&PROXY, |front| {
        let site = front.site();
        let attempt = front.attempt();
        let mut browser = Browser::default();
        let [first, second] = [(); 2].map(|()| leave(&site, &mut browser, &attempt));
        assert_eq!(form::value(&first, "code_challenge_method"), "S256");
        let clients = attempt.target();
        for name in ["code_challenge", "state", "nonce"] {
            let ours = form::value(&first, name);
            assert!(ours.len() >= 22, "{name}: {ours}");
            assert_ne!(ours, form::value(&clients, name), "{name}");
            assert_ne!(ours, form::value(&second, name), "{name}");
        }
    });
}

#[test]
fn r26_an_answer_of_another_issuer_is_not_believed() {
    check(&PROXY, |front| {
        let site = front.site();
        let attempt = front.attempt();
        let mut browser = Browser::default();
        let away = leave(&site, &mut browser, &attempt);
        let back = browser.sign_in(&away);
        let named = form::encode(&[("iss", front.world.provider.fact("issuer"))]);
        assert!(back.contains(&named), "{back}");
        for other in ["iss=https%3A%2F%2Fevil.example", "iss=", "x=y"] {
            let answer = site.come_back(&mut browser, &back.replace(&named, other));
            assert_eq!(answer.status, 400, "{other}");
        }
        let home = location(&site.come_back(&mut browser, &back));
        assert_ne!(attempt.read(&home, ORIGIN), "");
    });
}

#[test]
fn r26_an_id_token_for_something_else_signs_nobody_in() {
    let provider = StandIn::start();
    let stranger = SigningKey::generate("stand-in", Alg::Es256);
    for kind in Kind::BOTH {
        let gateway = provider.gateway(kind, PROXY[0]);
        let site = site(&gateway);
        let wrong: [(&str, Value); 5] = [
            ("nonce", "another".into()),
            ("nonce", Value::Null),
            ("aud", "another".into()),
            ("iss", "https://evil.example".into()),
            ("exp", 1_000_000_000.into()),
        ];
        for (name, value) in wrong {
            let spoil = |claims: &mut Value| claims[name] = value.clone();
            let answer = redeem(&site, |nonce| provider.grant(nonce, spoil));
            refused(&answer, "invalid_grant");
        }
        let forged = |nonce: &str| {
            let claims = json!({
                "iss": provider.issuer(),
                "aud": crate::stand_in::CLIENT,
                "sub": "mallory",
                "nonce": nonce,
                "exp": 4_000_000_000_u64,
            });
            provider.grant_with(&stranger.token(Alg::Es256, &claims));
        };
        refused(&redeem(&site, forged), "invalid_grant");
        let honest = redeem(&site, |nonce| provider.grant(nonce, |_| {}));
        assert_eq!(honest.status, 200, "{}", honest.text());
    }
}

/// Signs in at a provider that is told the nonce before it is asked, and redeems the code.
fn redeem(site: &Site<'_>, prepare: impl FnOnce(&str)) -> portcullis_tests::Response {
    let attempt = site.attempt(&site.register(REDIRECT));
    let mut browser = Browser::default();
    let away = leave(site, &mut browser, &attempt);
    prepare(&form::value(&away, "nonce"));
    let (provider, _) = form::split(&away);
    let answer = form::encode(&[
        ("code", "code"),
        ("state", &form::value(&away, "state")),
        ("iss", provider),
    ]);
    let back = format!("{ORIGIN}/auth/callback?{answer}");
    let home = location(&site.come_back(&mut browser, &back));
    site.redeem(&attempt, &attempt.read(&home, ORIGIN))
}

/// Approves, and returns where the browser is sent.
fn leave(site: &Site<'_>, browser: &mut Browser, attempt: &Attempt) -> String {
    let consent = site.authorize(browser, attempt);
    location(&site.decide(browser, &consent, "approve"))
}
