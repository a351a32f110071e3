//! What the protected resource makes of tokens.

use portcullis_tests::{Gateway, Kind, Request, Response};

use crate::install::Mode;
use crate::stand_in::StandIn;
use crate::world::{
    BOTH, Front, PROXY, REDIRECT, RESOURCE, SCOPE, bearer, challenged, check, parameter, saw, site,
};

#[test]
fn r05_a_token_counts_in_one_field_of_every_request() {
    check(&BOTH, |front| {
        let token = front.token();
        let pair = format!("access_token={token}");
        let site = front.site();
        let elsewhere = [
            site.request("POST", &format!("/mcp?{pair}")).body("{}"),
            front.request("POST").field("Cookie", &pair).body("{}"),
            front
                .request("POST")
                .field("Content-Type", "application/x-www-form-urlencoded")
                .body(pair),
        ];
        for request in elsewhere {
            challenged(&front.send(&request), 401, "");
        }
        let session = open_session(front, &token);
        for method in ["GET", "POST", "DELETE"] {
            let again = front.request(method).field("Mcp-Session-Id", &session);
            challenged(&front.send(&again.body("")), 401, "");
        }
    });
}

#[test]
fn r06_no_token_is_asked_for_one_and_a_bad_one_is_called_bad() {
    check(&BOTH, |front| {
        let with = |value: &str| front.request("GET").field("Authorization", value);
        challenged(&front.send(&front.request("GET")), 401, "");
        let good = front.token();
        let cut = &good[..good.len() - 1];
        for token in ["garbage", "e30.e30.e30", cut] {
            let answer = front.send(&with(&format!("Bearer {token}")));
            challenged(&answer, 401, "invalid_token");
        }
        for malformed in ["Bearer", "Bearer a,Bearer b"] {
            challenged(&front.send(&with(malformed)), 400, "invalid_request");
        }
        assert_eq!(front.send(&with(&format!("Bearer {good}"))).status, 200);
    });
}

#[test]
fn r06_a_lapsed_token_is_called_bad() {
    let provider = StandIn::start();
    for kind in Kind::BOTH {
        let gateway = provider.gateway(kind, Mode::Oidc);
        let call = |token: &str| site(&gateway).call(token);
        assert_eq!(call(&provider.access_token("alice", 600)).status, 200);
        let lapsed = provider.access_token("alice", -600);
        challenged(&call(&lapsed), 401, "invalid_token");
    }
}

#[test]
fn r07_a_token_without_a_required_scope_is_told_which() {
    check(&[Mode::Oidc], |front| {
        let narrow = front.world.provider.token_for(RESOURCE, &[]);
        lacks(&front.site().call(&narrow), SCOPE);
    });
    // A token has all that the gateway asks for, until that is more.
    check(&PROXY, |front| {
        let narrow = front.token();
        let more = "mcp:tools,mcp:admin";
        let settings = front.world.settings(front.mode);
        let settings = settings.with("OIDCPROXY_REQUIRED_SCOPES", more);
        let stricter = Gateway::start(front.kind, &settings, &front.resource.url());
        lacks(&site(&stricter).call(&narrow), "mcp:tools mcp:admin");
    });
}

#[track_caller]
fn lacks(answer: &Response, all: &str) {
    challenged(answer, 403, "insufficient_scope");
    assert_eq!(parameter(answer, "scope"), all);
    let metadata = parameter(answer, "resource_metadata");
    assert!(
        metadata.ends_with("/oauth-protected-resource/mcp"),
        "{metadata}"
    );
}

#[test]
fn r08_a_token_for_something_else_is_refused_and_no_token_is_passed_on() {
    check(&BOTH, |front| {
        let foreign = match front.mode {
            Mode::Oidc => "https://other.example/mcp",
            // Those for this very resource are the provider's own, too.
            Mode::OidcProxy => RESOURCE,
        };
        let foreign = front.world.provider.token_for(foreign, &[SCOPE]);
        challenged(&front.site().call(&foreign), 401, "invalid_token");
        let answer = front.site().call(&front.token());
        assert_eq!(answer.status, 200);
        assert_eq!(saw(&answer, "authorization"), None);
        let leaked = front.resource.take().into_iter().any(|request| {
            let fields = request.fields.iter();
            fields
                .clone()
                .any(|(_, value)| value.starts_with(b"Bearer"))
        });
        assert!(!leaked);
    });
}

#[test]
fn r08_a_token_of_another_deployment_is_refused() {
    check(&PROXY, |front| {
        let other = "https://gw.example/other";
        let settings = front.world.settings(front.mode);
        let settings = settings.with("OIDCPROXY_BASE_URL", other);
        let neighbour = Gateway::start(Kind::Native, &settings, &front.resource.url());
        let there = site(&neighbour);
        let mut attempt = there.attempt(&there.register(REDIRECT));
        other.clone_into(&mut attempt.resource);
        let code = there.code(&mut Default::default(), &attempt);
        let token = there.redeem(&attempt, &code).json()["access_token"].clone();
        let token = token.as_str().unwrap();
        let call = |request: Request| bearer(request, token);
        assert_eq!(
            there.send(&call(there.request("GET", "/other"))).status,
            200
        );
        challenged(
            &front.send(&call(front.request("GET"))),
            401,
            "invalid_token",
        );
    });
}

#[test]
fn r10_a_session_id_opens_nothing_by_itself_and_nothing_to_others() {
    check(&PROXY, |front| {
        let (alice, other) = (front.token(), front.token());
        holds_session(&front.gateway, &alice, &other);
    });
    let provider = StandIn::start();
    for kind in Kind::BOTH {
        let gateway = provider.gateway(kind, Mode::Oidc);
        let [alice, bob] = ["alice", "bob"].map(|who| provider.access_token(who, 600));
        holds_session(&gateway, &alice, &bob);
    }
}

/// A session of `token` is found by whoever has it, and by nobody with `other` or nothing.
#[track_caller]
fn holds_session(gateway: &Gateway, token: &str, other: &str) {
    let ask = || site(gateway).request("POST", "/mcp").body("{}");
    let opened = gateway.send(&bearer(ask(), token).field("X-Test-Session", "s-1"));
    let session = opened.value("mcp-session-id");
    let within = || ask().field("Mcp-Session-Id", &session);
    let answer = gateway.send(&bearer(within(), token));
    assert_eq!(saw(&answer, "mcp-session-id").as_deref(), Some("s-1"));
    assert_eq!(gateway.send(&bearer(within(), other)).status, 404);
    assert_eq!(gateway.send(&within()).status, 401);
}

fn open_session(front: &Front, token: &str) -> String {
    let request = front.request_by(token, "POST").body("{}");
    let opened = front.send(&request.field("X-Test-Session", "s-1"));
    assert_eq!(opened.status, 200);
    opened.value("mcp-session-id")
}
