//! A person on the way from a new client to the tool, who can be stopped after each step.

use std::mem;

use portcullis_tests::oauth_flow::{Attempt, Browser, Client, Consent, Site, Tokens, location};

use super::install::PERSON;

/// The person.
#[derive(Default)]
pub(crate) struct Traveller {
    browser: Browser,
    place: Place,
}

/// How far the person has come, and what is needed to go on.
#[derive(Default)]
enum Place {
    #[default]
    Start,
    Registered(Attempt),
    Asked(Attempt, Consent),
    /// With the URL at the provider.
    Agreed(Attempt, String),
    /// With the URL of the gateway's callback.
    SignedIn(Attempt, String),
    /// With the code.
    SentHome(Attempt, String),
    Granted(Client, Tokens),
    Refreshed(Tokens),
    Arrived,
}

impl Traveller {
    /// How many steps there are.
    pub(crate) const STEPS: usize = 8;

    /// Goes this many steps.
    pub(crate) fn walk(&mut self, site: &Site<'_>, steps: usize) {
        for _ in 0..steps {
            let place = mem::take(&mut self.place);
            self.place = place.step(site, &mut self.browser);
        }
    }

    /// Tells whether the tool was reached.
    pub(crate) const fn has_arrived(&self) -> bool {
        matches!(self.place, Place::Arrived)
    }
}

impl Place {
    fn step(self, site: &Site<'_>, browser: &mut Browser) -> Self {
        match self {
            Self::Start => {
                let client = site.register("http://127.0.0.1:7/callback");
                Self::Registered(site.attempt(&client))
            }
            Self::Registered(attempt) => {
                let consent = site.authorize(browser, &attempt);
                Self::Asked(attempt, consent)
            }
            Self::Asked(attempt, consent) => {
                let away = location(&site.decide(browser, &consent, "approve"));
                Self::Agreed(attempt, away)
            }
            Self::Agreed(attempt, away) => {
                let back = browser.sign_in(&away);
                Self::SignedIn(attempt, back)
            }
            Self::SignedIn(attempt, back) => {
                let home = location(&site.come_back(browser, &back));
                let code = attempt.read(&home, site.origin());
                Self::SentHome(attempt, code)
            }
            Self::SentHome(attempt, code) => {
                let tokens = Tokens::read(&site.redeem(&attempt, &code));
                Self::Granted(attempt.client, tokens)
            }
            Self::Granted(client, tokens) => {
                call(site, &tokens);
                Self::Refreshed(Tokens::read(&site.refresh(&client, &tokens.refresh)))
            }
            Self::Refreshed(tokens) => {
                call(site, &tokens);
                Self::Arrived
            }
            Self::Arrived => panic!("there is no further step"),
        }
    }
}

/// Asks the protected resource, which echoes what it is told of the caller.
fn call(site: &Site<'_>, tokens: &Tokens) {
    let answer = site.call(&tokens.access);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let subject = serde_json::json!(["x-mcp-auth-subject", PERSON]);
    let echo = answer.json();
    let fields = echo["headers"].as_array().unwrap();
    assert!(fields.contains(&subject), "{echo}");
}
