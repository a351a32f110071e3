//! What must come of a request, with what every answer of a kind must have.

use portcullis_tests::Request;
use portcullis_tests::server::Incoming;
use serde_json::{Value, json};

use super::mask::Mask;
use super::observed::Observed;

/// What must come of a request.
#[derive(Clone, Debug)]
pub(crate) struct Expect {
    outcome: Outcome,
    checks: Vec<Check>,
    masks: Vec<Mask>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    /// Reaches the protected resource, which answers with this status.
    Forwarded(u16),
    /// Refused by the gateway with a JSON-RPC error.
    Refused(u16),
    /// Answered by the gateway with something of its own.
    Answered(u16),
    /// Answered by the gateway, which may ask the protected resource how it is.
    Probed(u16),
    /// Refused by the HTTP library, before there is a request.
    Codec,
}

#[derive(Clone, Debug)]
enum Check {
    Field(&'static str, String),
    NoField(&'static str),
    Body(String),
    BodyLacks(String),
    Saw(&'static str, String),
    Hid(&'static str),
    SawPath(String),
}

/// Expects the request to reach the protected resource, which answers 200.
pub(crate) const fn forwarded() -> Expect {
    forwarded_as(200)
}

/// Expects the request to reach the protected resource, which answers so.
pub(crate) const fn forwarded_as(status: u16) -> Expect {
    Expect::of(Outcome::Forwarded(status))
}

/// Expects a refusal in JSON-RPC.
pub(crate) const fn refused(status: u16) -> Expect {
    Expect::of(Outcome::Refused(status))
}

/// Expects 503, which must say when to come back.
pub(crate) const fn unavailable() -> Expect {
    refused(503)
}

/// Expects an answer of the gateway that is no refusal.
pub(crate) const fn answered(status: u16) -> Expect {
    Expect::of(Outcome::Answered(status))
}

/// Expects an answer of the gateway, which may ask the protected resource how it is.
pub(crate) const fn probed(status: u16) -> Expect {
    Expect::of(Outcome::Probed(status))
}

/// Expects that the HTTP library refuses the bytes (400 or 431).
pub(crate) const fn codec_refused() -> Expect {
    Expect::of(Outcome::Codec)
}

impl Expect {
    const fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            checks: Vec::new(),
            masks: Vec::new(),
        }
    }

    fn and(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// The answer has the field once, with this value.
    pub(crate) fn field(self, name: &'static str, value: impl Into<String>) -> Self {
        self.and(Check::Field(name, value.into()))
    }

    /// The answer has no such field.
    pub(crate) fn no_field(self, name: &'static str) -> Self {
        self.and(Check::NoField(name))
    }

    /// The answer challenges so (RFC 9110 §11.6.1).
    pub(crate) fn challenge(self, value: &'static str) -> Self {
        self.field("www-authenticate", value)
    }

    /// The body holds this text.
    pub(crate) fn says(self, text: impl Into<String>) -> Self {
        self.and(Check::Body(text.into()))
    }

    /// The body does not hold this text.
    pub(crate) fn keeps_quiet_about(self, text: impl Into<String>) -> Self {
        self.and(Check::BodyLacks(text.into()))
    }

    /// The protected resource saw the field once, with this value.
    pub(crate) fn saw(self, name: &'static str, value: impl Into<String>) -> Self {
        self.and(Check::Saw(name, value.into()))
    }

    /// The protected resource did not see the field, however it is spelled.
    pub(crate) fn hid(self, name: &'static str) -> Self {
        self.and(Check::Hid(name))
    }

    /// The protected resource saw this path and query.
    pub(crate) fn saw_path(self, path: impl Into<String>) -> Self {
        self.and(Check::SawPath(path.into()))
    }

    /// What stands between these two in a line of the head or in the body is random: the gateways
    /// need to agree on its length only.
    pub(crate) fn random(mut self, before: &'static str, after: &'static str) -> Self {
        self.masks.push(Mask { before, after });
        self
    }

    /// Returns `text` without what is random.
    pub(crate) fn masked(&self, text: String) -> String {
        self.masks.iter().fold(text, |text, mask| mask.apply(&text))
    }

    /// Tells whether the HTTP library answers, and not the engine.
    pub(crate) const fn is_codec(&self) -> bool {
        matches!(self.outcome, Outcome::Codec)
    }

    /// Tells whether the gateway may ask the protected resource how it is.
    pub(crate) const fn is_probe(&self) -> bool {
        matches!(self.outcome, Outcome::Probed(_))
    }

    /// Returns all that is wrong with what was observed.
    pub(crate) fn check(&self, request: &Request, observed: &Observed) -> Vec<String> {
        let mut problems = self.outcome.problems(request, observed);
        problems.extend(
            self.checks
                .iter()
                .filter_map(|check| check.problem(observed)),
        );
        problems
    }
}

impl Outcome {
    fn problems(self, request: &Request, observed: &Observed) -> Vec<String> {
        let mut problems = Vec::new();
        let mut need = |holds: bool, what: &str| {
            if !holds {
                problems.push(what.to_owned());
            }
        };
        let status = observed.response.status;
        let count = observed.seen.len();
        let right = match self {
            Self::Forwarded(_) => count == 1,
            Self::Probed(_) => observed.seen.iter().all(|seen| seen.target == "/health"),
            Self::Refused(_) | Self::Answered(_) | Self::Codec => count == 0,
        };
        need(
            right,
            &format!("the protected resource saw {count} requests"),
        );
        match self {
            Self::Forwarded(expected)
            | Self::Answered(expected)
            | Self::Probed(expected)
            | Self::Refused(expected) => {
                need(
                    status == expected,
                    &format!("status {status}, not {expected}"),
                );
            }
            Self::Codec => need(
                matches!(status, 400 | 431),
                &format!("status {status}, not 400 or 431"),
            ),
        }
        if matches!(self, Self::Refused(_)) {
            problems.extend(refusal_problems(request, observed));
        }
        problems
    }
}

/// Checks what every refusal has.
fn refusal_problems(request: &Request, observed: &Observed) -> Vec<String> {
    let response = &observed.response;
    let mut problems = Vec::new();
    let mut need = |holds: bool, what: &str| {
        if !holds {
            problems.push(what.to_owned());
        }
    };
    need(
        response.values("content-type") == ["application/json"],
        "content-type is not application/json",
    );
    need(
        response.values("cache-control") == ["no-store"],
        "cache-control is not no-store",
    );
    let challenges = response.values("www-authenticate");
    let lacks_scope = |challenge: &String| challenge.contains("insufficient_scope");
    let challenged = match response.status {
        401 => !challenges.is_empty(),
        403 => challenges.iter().all(lacks_scope),
        _ => challenges.is_empty(),
    };
    need(
        challenged,
        "401, and for a missing scope 403, and no others, have a challenge",
    );
    need(
        response.values("retry-after").is_empty() != [429, 503].contains(&response.status),
        "429 and 503, and no others, have retry-after",
    );
    if request.is_head() {
        need(response.body.is_empty(), "HEAD has a body");
    } else {
        let body = response.json();
        need(body["jsonrpc"] == "2.0", "the body is no JSON-RPC");
        need(
            body.as_object()
                .is_some_and(|body| body.get("id") == Some(&Value::Null)),
            "id is not null",
        );
        need(
            body["error"]["code"] == json!(-32001),
            "the error code is not -32001",
        );
        need(
            body["error"]["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "there is no message",
        );
    }
    problems
}

impl Check {
    fn problem(&self, observed: &Observed) -> Option<String> {
        let response = &observed.response;
        let (holds, found) = match self {
            Self::Field(name, value) => {
                let values = response.values(name);
                (values == [value.as_str()], format!("{values:?}"))
            }
            Self::NoField(name) => {
                let values = response.values(name);
                (values.is_empty(), format!("{values:?}"))
            }
            Self::Body(text) => (response.text().contains(text), response.text()),
            Self::BodyLacks(text) => (!response.text().contains(text), response.text()),
            Self::Saw(name, value) => {
                let values = seen(&observed.seen, |field| field == *name);
                (values == [value.as_str()], format!("{values:?}"))
            }
            Self::Hid(name) => {
                let values = seen(&observed.seen, |field| {
                    field.replace(['_', '.'], "-") == *name
                });
                (values.is_empty(), format!("{values:?}"))
            }
            Self::SawPath(path) => {
                let paths: Vec<&str> = observed.seen.iter().map(|seen| &*seen.target).collect();
                (paths == [path.as_str()], format!("{paths:?}"))
            }
        };
        (!holds).then(|| format!("{self:?}, found {found}"))
    }
}

fn seen(all: &[Incoming], matches: impl Fn(&str) -> bool) -> Vec<String> {
    all.iter()
        .flat_map(|incoming| &incoming.fields)
        .filter(|(name, _)| matches(name))
        .map(|(_, value)| value.escape_ascii().to_string())
        .collect()
}
