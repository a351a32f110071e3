//! Tokens that were stolen, changed or cut.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_tests::oauth_flow::Tokens;
use portcullis_tests::openid_provider::TOKEN_PATH;

use super::host::{Host, REDIRECT, cases, refused};

#[test]
fn tokens() {
    cases![
        a_stolen_refresh_token_ends_the_session_when_it_is_used_again,
        a_refresh_token_is_asked_for_once_in_a_moment,
        a_refresh_token_is_nothing_to_another_client,
        a_revoked_refresh_token_is_good_for_nothing,
        no_bit_of_an_access_token_can_be_changed,
        no_character_of_an_access_token_can_be_changed,
        an_access_token_is_taken_from_the_header_only,
        the_provider_s_tokens_are_nothing_here,
    ];
}

/// The provider rotates and detects reuse; here the thief is at another replica, or later than a
/// moment.
fn a_stolen_refresh_token_ends_the_session_when_it_is_used_again(host: &Host<'_>) {
    let (client, stolen) = host.tokens();
    let fresh = Tokens::read(&host.site.refresh(&client, &stolen.refresh));
    let thief = host.other.refresh(&client, &stolen.refresh);
    refused(&thief, 400, "invalid_grant");
    let owner = host.site.refresh(&client, &fresh.refresh);
    refused(&owner, 400, "invalid_grant");
}

/// Clients that run twice refresh twice: the same replica gives the same session again, and the
/// provider does not hear of it.
fn a_refresh_token_is_asked_for_once_in_a_moment(host: &Host<'_>) {
    let (client, tokens) = host.tokens();
    let before = host.provider.count(TOKEN_PATH);
    let first = Tokens::read(&host.site.refresh(&client, &tokens.refresh));
    let second = Tokens::read(&host.site.refresh(&client, &tokens.refresh));
    assert_eq!(host.provider.count(TOKEN_PATH), before + 1);
    for tokens in [first, second] {
        assert_eq!(host.site.call(&tokens.access).status, 200);
    }
}

fn a_refresh_token_is_nothing_to_another_client(host: &Host<'_>) {
    let (client, tokens) = host.tokens();
    let other = host.site.register(REDIRECT);
    let refresh = |client| host.unspent(|| host.site.refresh(client, &tokens.refresh));
    refused(&refresh(&other), 400, "invalid_grant");
    // Nor can it end the session.
    let revoked = [("token", &*tokens.refresh), ("client_id", &other.id)];
    assert_eq!(host.site.post("/revoke", &revoked).status, 200);
    assert_eq!(host.site.refresh(&client, &tokens.refresh).status, 200);
}

fn a_revoked_refresh_token_is_good_for_nothing(host: &Host<'_>) {
    let (client, tokens) = host.tokens();
    let fresh = Tokens::read(&host.site.refresh(&client, &tokens.refresh));
    let fields = [("token", &*fresh.refresh), ("client_id", &client.id)];
    assert_eq!(host.site.post("/revoke", &fields).status, 200);
    for site in [&host.site, &host.other] {
        let answer = site.refresh(&client, &fresh.refresh);
        refused(&answer, 400, "invalid_grant");
    }
}

fn no_bit_of_an_access_token_can_be_changed(host: &Host<'_>) {
    let (_, tokens) = host.tokens();
    let octets = URL_SAFE_NO_PAD.decode(&tokens.access).unwrap();
    for place in 0..octets.len() {
        for bit in 0..8 {
            let mut changed = octets.clone();
            changed[place] ^= 1 << bit;
            let changed = URL_SAFE_NO_PAD.encode(changed);
            let answer = host.site.call(&changed);
            assert_eq!(answer.status, 401, "bit {bit} of octet {place}");
        }
    }
    assert_eq!(host.site.call(&tokens.access).status, 200);
}

/// Also not to one that decodes to the same octets.
fn no_character_of_an_access_token_can_be_changed(host: &Host<'_>) {
    let (_, tokens) = host.tokens();
    let text = tokens.access;
    let (start, last) = text.split_at(text.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let ends = alphabet.chars().map(|end| format!("{start}{end}"));
    let cut = (0..text.len()).map(|length| text[..length].to_owned());
    let swapped = (0..text.len()).map(|place| {
        let mut characters: Vec<char> = text.chars().collect();
        characters[place] = if characters[place] == 'A' { 'B' } else { 'A' };
        characters.into_iter().collect()
    });
    let longer = ["=", "A", "==", ".", "~"].map(|end| format!("{text}{end}"));
    let others = [
        text.to_lowercase(),
        format!("{text}{text}"),
        last.to_owned(),
    ];
    let all = ends.chain(cut).chain(swapped).chain(longer).chain(others);
    for changed in all.filter(|changed| *changed != text) {
        let answer = host.site.call(&changed);
        assert!(
            matches!(answer.status, 400 | 401),
            "{}: {changed}",
            answer.status
        );
    }
}

fn an_access_token_is_taken_from_the_header_only(host: &Host<'_>) {
    let (_, tokens) = host.tokens();
    drop(host.resource.take());
    let target = format!("/mcp?access_token={}", tokens.access);
    let in_query = host.site.request("GET", &target);
    let in_cookie = host.site.request("GET", "/mcp");
    let in_cookie = in_cookie.field("Cookie", format!("access_token={}", tokens.access));
    let in_form = [("access_token", &*tokens.access)];
    for answer in [
        host.site.send(&in_query),
        host.site.send(&in_cookie),
        host.site.post("/mcp", &in_form),
    ] {
        assert_eq!(answer.status, 401, "{}", answer.text());
    }
    assert_eq!(host.resource.count(), 0);
}

/// They are for the gateway; who gets hold of one elsewhere is nobody here.
fn the_provider_s_tokens_are_nothing_here(host: &Host<'_>) {
    let (client, _) = host.tokens();
    for given in host.provider.given() {
        assert_eq!(host.site.call(&given).status, 401, "{given}");
        let answer = host.unspent(|| host.site.refresh(&client, &given));
        refused(&answer, 400, "invalid_grant");
    }
}
