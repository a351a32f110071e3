//! Explains step by step what is decided about a request and why, for people.
//!
//! Parsing, rules and the decision itself are the engine's own. What the engine would ask others
//! for is either given, such as a JWKS, or left open, and then said to be.

mod cause;
mod clock;
mod credential;
mod ending;
mod rules;
mod token;

use alloc::string::String;
use alloc::vec::Vec;

pub use cause::Cause;
pub use ending::{Ending, Missing};

use crate::ambient::UnixSeconds;
use crate::config::{Config, Resolution};
use crate::decision::Decision;
use crate::denial::Denial;
use crate::endpoint::Endpoint;
use crate::jose::TokenText;
use crate::reason::Reason;
use crate::request::RequestHead;

/// What is known beside settings and request.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The document at the JWKS URI, if it is at hand.
    pub jwks: Option<&'a [u8]>,
    /// Whether the secrets in the settings are the real ones, or only stand in for them.
    pub secrets: Secrets,
    /// The time at which the request comes.
    pub now: UnixSeconds,
}

/// Whether secrets are known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Secrets {
    /// The settings hold the real ones.
    Known,
    /// The settings hold others in their place, so nothing can be said that depends on them.
    Hidden,
}

/// What was found out about a request, and how it ends.
#[derive(Debug)]
pub struct Explanation {
    /// The checks in the order in which they are made. Those after one that failed are made for
    /// the explanation only.
    pub checks: Vec<Check>,
    /// The token of the request, if it has one. Unchecked.
    pub token: Option<TokenText>,
    /// What the client gets.
    pub ending: Ending,
}

/// One step on the way to a decision.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Check {
    /// What it is about, in a word or two.
    pub subject: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What was compared and found.
    pub text: String,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Well.
    Passed,
    /// The request is refused for it, with this reason.
    Failed(Reason),
    /// Something is not known here.
    Open,
    /// There was nothing to check.
    Note,
}

/// Explains what a gateway with these settings makes of a request.
#[must_use]
pub fn explain(resolution: &Resolution, head: &RequestHead<'_>, given: &Given<'_>) -> Explanation {
    let config = &resolution.config;
    let mut checks = Checks::default();
    let mode = alloc::format!("{}, because {}", config.mode_name(), resolution.why);
    checks.note("mode", mode);
    let endpoint = Endpoint::of(head, config);
    checks.note("endpoint", rules::endpoint(head, endpoint).into());
    if !matches!(endpoint, Endpoint::Health | Endpoint::Ready) {
        rules::check(config, head, endpoint, &mut checks);
    }
    let token = if endpoint == Endpoint::Protected {
        credential::check(config, head, given, &mut checks)
    } else {
        None
    };
    let ending = if endpoint == Endpoint::Ready {
        Ending::Open {
            missing: Missing::Calls,
            refused_anyway: None,
        }
    } else {
        ending::reach(config, head, given, &checks)
    };
    if endpoint == Endpoint::Protected {
        session(config, head, &ending, &mut checks);
    }
    Explanation {
        checks: checks.0,
        token,
        ending,
    }
}

/// Says what came of a session id: that it belongs to the caller is seen by the engine only, who
/// knows the caller.
fn session(config: &Config, head: &RequestHead<'_>, ending: &Ending, checks: &mut Checks) {
    const SUBJECT: &str = "session";
    let presented = head.values(crate::session::FIELD).next().is_some();
    if !presented || config.session_keys.is_none() {
        return;
    }
    match ending {
        Ending::Decided(Decision::Forward(_)) => {
            checks.push(SUBJECT, Outcome::Passed, "one of this caller's".into());
        }
        Ending::Decided(decision) if decision.reason() == Denial::SessionNotFound.reason() => {
            checks.fail(SUBJECT, &Denial::SessionNotFound, "");
        }
        Ending::Decided(_) | Ending::Open { .. } => {
            checks.open(SUBJECT, "not checked before the caller is known");
        }
    }
}

/// The checks so far.
#[derive(Debug, Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn note(&mut self, subject: &'static str, text: String) {
        self.push(subject, Outcome::Note, text);
    }

    fn open(&mut self, subject: &'static str, text: impl Into<String>) {
        self.push(subject, Outcome::Open, text.into());
    }

    /// Notes that the request is refused, with the words for the reason and `more`.
    fn fail(&mut self, subject: &'static str, denial: &Denial, more: &str) {
        let reason = denial.reason();
        let words = Cause::of(reason).map_or_else(|| reason.name(), |cause| cause.cause);
        let text = alloc::format!("{words}{more}");
        self.push(subject, Outcome::Failed(reason), text);
    }

    fn push(&mut self, subject: &'static str, outcome: Outcome, text: String) {
        self.0.push(Check {
            subject,
            outcome,
            text,
        });
    }

    /// Returns the reason of the first check that failed.
    fn failure(&self) -> Option<Reason> {
        self.0.iter().find_map(|check| match check.outcome {
            Outcome::Failed(reason) => Some(reason),
            Outcome::Passed | Outcome::Open | Outcome::Note => None,
        })
    }
}
