//! What is sealed for one purpose or one install, brought elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_tests::oauth_flow::{
    Attempt, Browser, Client, Consent, Site, Tokens, form, location,
};
use portcullis_tests::{Gateway, Kind, Response, Settings};

use super::host::{Host, REDIRECT, cases};

#[test]
fn seals() {
    cases![
        what_is_sealed_for_one_purpose_is_nothing_for_another,
        what_another_path_of_the_same_host_sealed_is_nothing_here,
        what_another_host_sealed_is_nothing_here,
        what_another_key_sealed_is_nothing_here,
        no_octet_of_anything_sealed_can_be_changed,
    ];
}

/// All that is sealed in one sign-in.
struct Sealed {
    attempt: Attempt,
    consent: Consent,
    browser: String,
    flow: String,
    /// The provider's way back, which goes with `flow`.
    back: String,
    code: String,
    tokens: Tokens,
}

/// What a blob is brought as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    AccessToken,
    RefreshToken,
    Code,
    ClientId,
    Consent,
    Flow,
}

impl Place {
    const ALL: [Self; 6] = [
        Self::AccessToken,
        Self::RefreshToken,
        Self::Code,
        Self::ClientId,
        Self::Consent,
        Self::Flow,
    ];
}

impl Sealed {
    /// Signs somebody in for `resource` and keeps everything.
    fn of(site: &Site<'_>, resource: &str) -> Self {
        let mut attempt = site.attempt(&site.register(REDIRECT));
        resource.clone_into(&mut attempt.resource);
        let mut browser = Browser::default();
        let consent = site.authorize(&mut browser, &attempt);
        let away = location(&site.decide(&mut browser, &consent, "approve"));
        let back = browser.sign_in(&away);
        let (_, query) = back.split_once('?').unwrap();
        let flow = format!("portcullis-flow-{}", form::value(query, "state"));
        let flow = browser.cookie(&flow).to_owned();
        let home = location(&site.come_back(&mut browser, &back));
        let code = attempt.read(&home, site.origin());
        let tokens = Tokens::read(&site.redeem(&attempt, &code));
        Self {
            browser: browser.cookie("portcullis-browser").to_owned(),
            attempt,
            consent,
            flow,
            back,
            code,
            tokens,
        }
    }

    fn blob(&self, place: Place) -> &str {
        match place {
            Place::AccessToken => &self.tokens.access,
            Place::RefreshToken => &self.tokens.refresh,
            Place::Code => &self.code,
            Place::ClientId => &self.attempt.client.id,
            Place::Consent => &self.consent.request,
            Place::Flow => &self.flow,
        }
    }

    /// Brings `blob` as what belongs in `place`, all else being right; the answer is a refusal
    /// unless the blob belongs there.
    fn bring(&self, site: &Site<'_>, place: Place, blob: &str) -> Response {
        let client = &self.attempt.client;
        match place {
            Place::AccessToken => site.call(blob),
            Place::RefreshToken => site.refresh(client, blob),
            Place::Code => site.redeem(&self.attempt, blob),
            Place::ClientId => {
                let id = blob.to_owned();
                let redirect_uri = client.redirect_uri.clone();
                let client = Client { id, redirect_uri };
                let target = site.attempt(&client).target();
                site.send(&site.request("GET", &target))
            }
            Place::Consent => {
                let mut browser = Browser::default();
                browser.plant("portcullis-browser", &self.browser);
                let request = blob.to_owned();
                site.decide(&mut browser, &Consent { request }, "approve")
            }
            Place::Flow => {
                let (_, query) = self.back.split_once('?').unwrap();
                let name = format!("portcullis-flow-{}", form::value(query, "state"));
                let mut browser = Browser::default();
                browser.plant(&name, blob);
                site.come_back(&mut browser, &self.back)
            }
        }
    }
}

fn what_is_sealed_for_one_purpose_is_nothing_for_another(host: &Host<'_>) {
    let sealed = Sealed::of(&host.site, &host.site.resource());
    for place in Place::ALL {
        for other in Place::ALL.into_iter().filter(|other| *other != place) {
            let answer = sealed.bring(&host.site, place, sealed.blob(other));
            nothing(&answer, &format!("{other:?} as {place:?}"));
        }
    }
    // That all else was right: each blob does something where it belongs.
    for place in [
        Place::AccessToken,
        Place::ClientId,
        Place::Consent,
        Place::Flow,
    ] {
        let answer = sealed.bring(&host.site, place, sealed.blob(place));
        assert!(
            matches!(answer.status, 200 | 303),
            "{place:?}: {}",
            answer.text()
        );
    }
}

fn what_another_path_of_the_same_host_sealed_is_nothing_here(host: &Host<'_>) {
    let origin = host.site.origin();
    foreign(host, origin, "/other", &host.provider.settings(origin));
}

fn what_another_host_sealed_is_nothing_here(host: &Host<'_>) {
    let origin = host.site.origin().replace("127.0.0.1", "localhost");
    foreign(host, &origin, "/mcp", &host.provider.settings(&origin));
}

fn what_another_key_sealed_is_nothing_here(host: &Host<'_>) {
    let origin = host.site.origin();
    let settings = host.provider.settings(origin);
    let key = URL_SAFE_NO_PAD.encode([7; 32]);
    foreign(
        host,
        origin,
        "/mcp",
        &settings.with("PORTCULLIS_STATE_KEYS", key),
    );
}

/// Brings all that an install seals that protects `path` with these settings, beside what is right
/// here.
fn foreign(host: &Host<'_>, origin: &str, path: &str, settings: &Settings) {
    let resource = format!("{origin}{path}");
    let settings = settings.clone().with("OIDCPROXY_BASE_URL", &resource);
    let gateway = Gateway::start(Kind::Native, &settings, &host.resource.url());
    let elsewhere = Site::new(origin.to_owned(), |request| gateway.send(request));
    let theirs = Sealed::of(&elsewhere, &resource);
    let ours = Sealed::of(&host.site, &host.site.resource());
    for place in Place::ALL {
        let answer = ours.bring(&host.site, place, theirs.blob(place));
        nothing(&answer, &format!("{place:?}"));
    }
}

/// The access token is changed bit by bit elsewhere.
fn no_octet_of_anything_sealed_can_be_changed(host: &Host<'_>) {
    let sealed = Sealed::of(&host.site, &host.site.resource());
    let before = host.provider.all_requests().len();
    for place in Place::ALL {
        let octets = URL_SAFE_NO_PAD.decode(sealed.blob(place)).unwrap();
        for number in 0..octets.len() {
            let mut changed = octets.clone();
            changed[number] ^= 1 << (number % 8);
            let changed = URL_SAFE_NO_PAD.encode(changed);
            let answer = sealed.bring(&host.site, place, &changed);
            nothing(&answer, &format!("octet {number} of {place:?}"));
        }
    }
    assert_eq!(
        host.provider.all_requests().len(),
        before,
        "the provider was asked"
    );
}

/// Checks that a blob did nothing.
#[track_caller]
fn nothing(answer: &Response, what: &str) {
    let refused = matches!(answer.status, 400 | 401 | 403);
    assert!(refused, "{what}: {} {}", answer.status, answer.text());
    assert_eq!(answer.value("location"), "", "{what}");
}
