//! Ways back from the provider that no honest browser takes.

use portcullis_tests::oauth_flow::{Browser, form, location};

use super::host::{Host, cases, shown};

#[test]
fn callbacks() {
    cases![
        a_callback_needs_the_cookie_of_its_flow,
        a_callback_in_another_browser_is_not_believed,
        a_callback_with_the_state_of_another_flow_is_not_believed,
        a_callback_with_two_cookies_of_one_name_is_not_believed,
        a_callback_is_good_once,
        nobody_is_signed_in_as_the_attacker,
        an_answer_of_another_issuer_is_not_believed,
        what_another_issuer_says_goes_to_no_client,
        an_error_of_the_provider_reaches_the_client_in_our_words,
    ];
}

fn a_callback_needs_the_cookie_of_its_flow(host: &Host<'_>) {
    let (mut browser, attempt) = (Browser::default(), host.attempt());
    let back = host.back(&mut browser, &attempt);
    shown(&host.site.come_back(&mut Browser::default(), &back), 400);
    let home = location(&host.site.come_back(&mut browser, &back));
    assert_ne!(attempt.read(&home, host.site.origin()), "");
}

fn a_callback_in_another_browser_is_not_believed(host: &Host<'_>) {
    let back = host.back(&mut Browser::default(), &host.attempt());
    let mut other = Browser::default();
    let _theirs = host.back(&mut other, &host.attempt());
    shown(&host.site.come_back(&mut other, &back), 400);
}

/// One browser, two flows: the code of one does not come back as that of the other.
fn a_callback_with_the_state_of_another_flow_is_not_believed(host: &Host<'_>) {
    let mut browser = Browser::default();
    let [one, two] = [(); 2].map(|()| host.back(&mut browser, &host.attempt()));
    let [first, second] = [&one, &two].map(|back| value(back, "state"));
    let names = [&first, &second].map(|state| format!("portcullis-flow-{state}"));
    let held = browser.cookie(&names[0]).to_owned();
    let mut mixed = Browser::default();
    mixed.plant(&names[1], &held);
    shown(&host.site.come_back(&mut mixed, &two), 400);
    // A code under the state of the other flow would be redeemed with the wrong verifier: the
    // provider refuses it.
    let crossed = one.replace(&first, &second);
    assert_ne!(crossed, one);
    let answer = host.site.come_back(&mut browser, &crossed);
    let (_, query) = location(&answer).split_once('?').map(owned).unwrap();
    let mut attempt = host.attempt();
    attempt.state = form::value(&query, "state");
    let refused = host.site.redeem(&attempt, &form::value(&query, "code"));
    assert_eq!(refused.status, 400, "{}", refused.text());
}

/// Another host of the domain can plant a cookie, but not read ours.
fn a_callback_with_two_cookies_of_one_name_is_not_believed(host: &Host<'_>) {
    let mut browser = Browser::default();
    let back = host.back(&mut browser, &host.attempt());
    browser.plant(&format!("portcullis-flow-{}", value(&back, "state")), "x");
    shown(&host.site.come_back(&mut browser, &back), 400);
}

fn a_callback_is_good_once(host: &Host<'_>) {
    let mut browser = Browser::default();
    let back = host.back(&mut browser, &host.attempt());
    assert_eq!(host.site.come_back(&mut browser, &back).status, 303);
    shown(&host.site.come_back(&mut browser, &back), 400);
}

/// Login CSRF: the attacker signs in and has the victim's browser finish.
fn nobody_is_signed_in_as_the_attacker(host: &Host<'_>) {
    let mut attacker = Browser::default();
    let attempt = host.attempt();
    let consent = host.site.authorize(&mut attacker, &attempt);
    // The victim's browser sends the attacker's consent, as if the page had been shown there.
    let mut victim = Browser::default();
    shown(&host.site.decide(&mut victim, &consent, "approve"), 400);
    let _page = host.site.authorize(&mut victim, &host.attempt());
    shown(&host.site.decide(&mut victim, &consent, "approve"), 403);
    // The victim's browser is sent to the end of the attacker's way.
    let away = location(&host.site.decide(&mut attacker, &consent, "approve"));
    let back = attacker.sign_in(&away);
    let _own = host.back(&mut victim, &host.attempt());
    shown(&host.site.come_back(&mut victim, &back), 400);
}

/// Mix-up (RFC 9207): the provider says in its document that it names itself.
fn an_answer_of_another_issuer_is_not_believed(host: &Host<'_>) {
    let mut browser = Browser::default();
    let back = host.back(&mut browser, &host.attempt());
    let (start, issuer) = back.split_once("&iss=").unwrap();
    for other in [
        start.to_owned(),
        format!("{start}&iss="),
        format!("{start}&iss=https%3A%2F%2Fevil.example"),
        format!("{start}&iss={issuer}%2F"),
        format!("{start}&iss={issuer}&iss=https%3A%2F%2Fevil.example"),
        format!("{start}&iss={issuer}&iss={issuer}"),
    ] {
        shown(&host.site.come_back(&mut browser, &other), 400);
    }
    assert_eq!(host.site.come_back(&mut browser, &back).status, 303);
}

fn what_another_issuer_says_goes_to_no_client(host: &Host<'_>) {
    let mut browser = Browser::default();
    let back = host.back(&mut browser, &host.attempt());
    let (start, _) = back.split_once("?code=").unwrap();
    let state = value(&back, "state");
    let error = format!("{start}?error=access_denied&state={state}");
    shown(&host.site.come_back(&mut browser, &error), 400);
}

fn an_error_of_the_provider_reaches_the_client_in_our_words(host: &Host<'_>) {
    for (error, told) in [
        ("access_denied", "access_denied"),
        ("%3Cscript%3Ealert(1)%3C/script%3E", "server_error"),
    ] {
        let (mut browser, attempt) = (Browser::default(), host.attempt());
        let back = host.back(&mut browser, &attempt);
        let (start, _) = back.split_once("?code=").unwrap();
        let (_, issuer) = back.split_once("&iss=").unwrap();
        let state = value(&back, "state");
        let said = format!(
            "{start}?error={error}&error_description=%3Cb%3Eevil&error_uri=https://evil.example\
             &state={state}&iss={issuer}"
        );
        let home = location(&host.site.come_back(&mut browser, &said));
        assert!(home.starts_with(&attempt.client.redirect_uri), "{home}");
        assert_eq!(value(&home, "error"), told);
        assert_eq!(value(&home, "state"), attempt.state);
        assert_eq!(value(&home, "iss"), host.site.origin());
        assert!(!home.contains("evil"), "{home}");
    }
}

fn value(url: &str, name: &str) -> String {
    let (_, query) = url.split_once('?').unwrap();
    form::value(query, name)
}

fn owned((start, rest): (&str, &str)) -> (String, String) {
    (start.to_owned(), rest.to_owned())
}
