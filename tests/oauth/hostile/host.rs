//! The gateways under attack: two replicas of one install, so that what was begun at one can be
//! misused at the other.

use portcullis_tests::oauth_flow::{Attempt, Browser, Client, Site, Tokens, location};
use portcullis_tests::openid_provider::{Quirks, TOKEN_PATH};
use portcullis_tests::{EchoResource, Gateway, Kind, OpenIdProvider, Response, free_address};

use crate::trial::{at_both, fails};

/// Where honest clients wait for their codes.
pub(super) const REDIRECT: &str = "http://127.0.0.1:7/callback";

/// One replica under attack, and what stands around it.
pub(super) struct Host<'a> {
    pub(super) kind: Kind,
    pub(super) site: Site<'a>,
    /// The same install at the other gateway.
    pub(super) other: Site<'a>,
    pub(super) provider: &'a OpenIdProvider,
    pub(super) resource: &'a EchoResource,
}

/// A case with its name.
pub(super) type Case = (&'static str, fn(&Host<'_>));

/// Names cases by their functions.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        $crate::hostile::host::run(&[$((stringify!($case), $case)),*])
    };
}
pub(super) use cases;

/// Runs the cases at both gateways.
pub(super) fn run(cases: &[Case]) {
    at_both(|kind| {
        let provider = OpenIdProvider::start(Quirks::default());
        let resource = EchoResource::start();
        // Nothing listens there: who asks meets the replica that the case is about.
        let origin = Site::origin_at(free_address());
        let settings = provider.settings(&origin);
        let start = |kind| Gateway::start(kind, &settings, &resource.url());
        let gateways = [kind, Kind::Native].map(start);
        let [site, other] = gateways
            .each_ref()
            .map(|gateway| Site::new(origin.clone(), |request| gateway.send(request)));
        let host = &Host {
            kind,
            site,
            other,
            provider: &provider,
            resource: &resource,
        };
        let failed = |(name, case): &&Case| fails(&format!("{kind:?}: {name}"), || case(host));
        let failed = cases.iter().filter(failed);
        failed.map(|(name, _)| (*name).to_owned()).collect()
    });
}

impl Host<'_> {
    /// Registers a client and begins a sign-in.
    pub(super) fn attempt(&self) -> Attempt {
        self.site.attempt(&self.site.register(REDIRECT))
    }

    /// Signs somebody in up to the code.
    pub(super) fn code(&self) -> (Attempt, String) {
        let attempt = self.attempt();
        let code = self.site.code(&mut Browser::default(), &attempt);
        (attempt, code)
    }

    /// Signs somebody in.
    pub(super) fn tokens(&self) -> (Client, Tokens) {
        self.site.sign_in()
    }

    /// Goes to the provider and returns the URL by which it sends the browser back.
    pub(super) fn back(&self, browser: &mut Browser, attempt: &Attempt) -> String {
        let consent = self.site.authorize(browser, attempt);
        let away = location(&self.site.decide(browser, &consent, "approve"));
        browser.sign_in(&away)
    }

    /// Checks that nothing is asked at the provider's token endpoint meanwhile.
    #[track_caller]
    pub(super) fn unspent(&self, ask: impl FnOnce() -> Response) -> Response {
        let before = self.provider.count(TOKEN_PATH);
        let answer = ask();
        assert_eq!(self.provider.count(TOKEN_PATH), before, "it was spent");
        answer
    }
}

/// Checks that a client is told `error`.
#[track_caller]
pub(super) fn refused(answer: &Response, status: u16, error: &str) {
    let json = answer.json();
    let told = (answer.status, json["error"].as_str().unwrap_or_default());
    assert_eq!(told, (status, error), "{}", answer.text());
    assert_eq!(answer.value("location"), "");
}

/// Checks that a person is shown that it does not go on, and is sent nowhere.
#[track_caller]
pub(super) fn shown(answer: &Response, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.value("location"), "");
    assert_eq!(answer.value("content-type"), "text/html; charset=utf-8");
}
