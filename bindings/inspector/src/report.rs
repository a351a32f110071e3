//! What was found out, as JavaScript gets it.

use portcullis_core::explain::{Cause, Check, Ending, Explanation, Missing, Outcome};
use portcullis_core::{Decision, LocalResponse, Reason};
use serde::Serialize;

use crate::pasted::Pasted;
use crate::settings::Known;

/// The report; `types.d.ts` has the same in TypeScript.
#[derive(Serialize)]
pub(crate) struct Report {
    request: Request,
    mode: &'static str,
    warnings: Vec<String>,
    checks: Vec<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Token>,
    result: Ended,
}

/// What the request was taken for; values may be secrets and are not repeated.
#[derive(Serialize)]
struct Request {
    form: &'static str,
    method: String,
    path: String,
    host: String,
    fields: Vec<String>,
}

#[derive(Serialize)]
struct Step {
    subject: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    text: String,
}

#[derive(Serialize)]
struct Token {
    header: String,
    claims: String,
    signature: &'static str,
}

#[derive(Default, Serialize)]
#[serde(default)]
struct Ended {
    decision: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<(String, String)>,
}

impl Report {
    /// Tells of a pasted request what the engine made of it.
    pub(crate) fn new(pasted: &Pasted, known: &Known, explanation: Explanation) -> Self {
        let signature = signature(&explanation.checks);
        Self {
            request: Request {
                form: pasted.form.name(),
                method: pasted.method.clone(),
                path: pasted.path.clone(),
                host: pasted.host.clone(),
                fields: pasted.fields.iter().map(|(name, _)| name.clone()).collect(),
            },
            mode: known.resolution.config.mode_name(),
            warnings: known.resolution.warnings.clone(),
            token: explanation.token.map(|token| Token {
                header: token.header,
                claims: token.claims,
                signature,
            }),
            checks: explanation.checks.into_iter().map(Step::from).collect(),
            result: ended(explanation.ending),
        }
    }
}

impl From<Check> for Step {
    fn from(check: Check) -> Self {
        let (outcome, reason) = match check.outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Failed(reason) => ("failed", Some(reason.name())),
            Outcome::Open => ("open", None),
            Outcome::Note => ("note", None),
        };
        Self {
            subject: check.subject,
            outcome,
            reason,
            text: check.text,
        }
    }
}

fn signature(checks: &[Check]) -> &'static str {
    let check = checks.iter().find(|check| check.subject == "signature");
    match check.map(|check| check.outcome) {
        Some(Outcome::Passed) => "verified",
        Some(Outcome::Failed(_)) => "refused",
        Some(Outcome::Open | Outcome::Note) | None => "unchecked",
    }
}

fn ended(ending: Ending) -> Ended {
    match ending {
        Ending::Decided(Decision::Forward(forward)) => {
            let told = forward.request.fields();
            let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
            Ended {
                decision: "forwarded",
                text: "The request passes to the protected resource.".to_owned(),
                reason: Some(Reason::Allowed.name()),
                fields: told
                    .map(|(name, value)| (name.to_owned(), text(value)))
                    .collect(),
                ..Ended::default()
            }
        }
        Ending::Decided(Decision::Respond(response)) => answered(response),
        Ending::Open {
            missing,
            refused_anyway,
        } => open(missing, refused_anyway),
    }
}

fn answered(response: LocalResponse) -> Ended {
    let cause = Cause::of(response.reason);
    let text = cause.map_or("The gateway answers this itself.", |cause| cause.cause);
    let fields = response.headers.into_iter();
    Ended {
        decision: "answered",
        text: text.to_owned(),
        reason: Some(response.reason.name()),
        remedy: cause.map(|cause| cause.remedy),
        status: Some(response.status),
        body: Some(String::from_utf8_lossy(&response.body).into_owned()),
        fields: fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    }
}

fn open(missing: Missing, refused_anyway: Option<Reason>) -> Ended {
    let on = match missing {
        Missing::Jwks => "the signature, which was not checked here: paste the issuer's JWKS",
        Missing::TokenEndpoint => "what the token endpoint says of the client credentials",
        Missing::Secret => "a secret of the settings, which is not known here",
        Missing::Address => "the source address: give one",
        Missing::Body => "the body of the request",
        Missing::Calls => "what other servers answer to the gateway",
    };
    let cause = refused_anyway.and_then(Cause::of);
    let text = match cause {
        Some(cause) => format!("The request is refused. {}", cause.cause),
        None => format!("It depends on {on}. All else is in order."),
    };
    Ended {
        decision: "open",
        text,
        reason: refused_anyway.map(Reason::name),
        remedy: cause.map(|cause| cause.remedy),
        ..Ended::default()
    }
}
