//! Codes in the wrong hands.

use portcullis_tests::Response;
use portcullis_tests::oauth_flow::{Attempt, Browser, Site, Tokens, form};

use super::host::{Host, REDIRECT, cases, refused};
use crate::trial::at_once;

#[test]
fn codes() {
    cases![
        a_code_is_redeemed_once,
        of_eight_parallel_redemptions_one_succeeds,
        of_eight_parallel_redemptions_at_two_replicas_one_succeeds,
        a_code_is_nothing_with_another_verifier,
        a_code_is_nothing_with_another_client,
        a_code_is_nothing_with_another_redirect_uri,
        a_code_is_nothing_with_another_resource,
        the_provider_s_code_is_nothing_here,
    ];
}

/// Whoever brings it again ends the session, too: it was in two hands.
fn a_code_is_redeemed_once(host: &Host<'_>) {
    let (attempt, code) = host.code();
    let tokens = Tokens::read(&host.site.redeem(&attempt, &code));
    for site in [&host.site, &host.other] {
        refused(&site.redeem(&attempt, &code), 400, "invalid_grant");
    }
    let refreshed = host.site.refresh(&attempt.client, &tokens.refresh);
    refused(&refreshed, 400, "invalid_grant");
}

fn of_eight_parallel_redemptions_one_succeeds(host: &Host<'_>) {
    one_of_eight(host, |_| &host.site);
}

fn of_eight_parallel_redemptions_at_two_replicas_one_succeeds(host: &Host<'_>) {
    one_of_eight(host, |number| [&host.site, &host.other][number % 2]);
}

fn one_of_eight<'a>(host: &Host<'_>, site: impl Fn(usize) -> &'a Site<'a> + Sync) {
    let (attempt, code) = host.code();
    let told = at_once(8, |number| site(number).redeem(&attempt, &code));
    let (granted, others): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(granted.len(), 1, "{granted:?}");
    for answer in others {
        refused(&answer, 400, "invalid_grant");
    }
}

fn a_code_is_nothing_with_another_verifier(host: &Host<'_>) {
    let (attempt, code) = host.code();
    for verifier in [
        "other".repeat(12),
        "short".to_owned(),
        host.attempt().verifier,
    ] {
        let change = |attempt: &mut Attempt| attempt.verifier.clone_from(&verifier);
        refused(&with(host, &attempt, &code, change), 400, "invalid_grant");
    }
    honest(host, &attempt, &code);
}

fn a_code_is_nothing_with_another_client(host: &Host<'_>) {
    let (attempt, code) = host.code();
    // It is described alike, and still another client.
    let other = host.site.register(REDIRECT);
    let answer = with(host, &attempt, &code, |attempt| attempt.client = other);
    refused(&answer, 400, "invalid_grant");
    let nobody = |attempt: &mut Attempt| attempt.client.id = "nobody".to_owned();
    refused(&with(host, &attempt, &code, nobody), 401, "invalid_client");
    honest(host, &attempt, &code);
}

fn a_code_is_nothing_with_another_redirect_uri(host: &Host<'_>) {
    let (attempt, code) = host.code();
    for uri in [
        "http://127.0.0.1:8/callback",
        "http://127.0.0.1:7/callback/",
        "http://localhost:7/callback",
        "https://evil.example/callback",
    ] {
        let change = |attempt: &mut Attempt| attempt.client.redirect_uri = uri.to_owned();
        refused(&with(host, &attempt, &code, change), 400, "invalid_grant");
    }
    honest(host, &attempt, &code);
}

fn a_code_is_nothing_with_another_resource(host: &Host<'_>) {
    let (attempt, code) = host.code();
    let origin = host.site.origin();
    for resource in [
        "https://evil.example/mcp".to_owned(),
        format!("{origin}/mcp/other"),
        format!("{origin}/MCP"),
        format!("{origin}/mcp#x"),
        origin.to_owned(),
    ] {
        let change = |attempt: &mut Attempt| attempt.resource.clone_from(&resource);
        refused(&with(host, &attempt, &code, change), 400, "invalid_target");
    }
    honest(host, &attempt, &code);
}

fn the_provider_s_code_is_nothing_here(host: &Host<'_>) {
    let attempt = host.attempt();
    let back = host.back(&mut Browser::default(), &attempt);
    let (_, query) = back.split_once('?').unwrap();
    let code = form::value(query, "code");
    let answer = host.unspent(|| host.site.redeem(&attempt, &code));
    refused(&answer, 400, "invalid_grant");
}

/// Brings a code with something changed, which spends nothing.
#[track_caller]
fn with(
    host: &Host<'_>,
    attempt: &Attempt,
    code: &str,
    change: impl FnOnce(&mut Attempt),
) -> Response {
    let mut changed = attempt.clone();
    change(&mut changed);
    host.unspent(|| host.site.redeem(&changed, code))
}

/// Whoever guessed has spent nothing.
#[track_caller]
fn honest(host: &Host<'_>, attempt: &Attempt, code: &str) {
    let answer = host.site.redeem(attempt, code);
    assert_eq!(answer.status, 200, "{}", answer.text());
}
