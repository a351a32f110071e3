//! How a request ends: the engine itself decides it.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::token::discovered_issuer;
use super::{Checks, Given, Secrets};
use crate::ambient::Ambient;
use crate::config::Config;
use crate::credentials::Authorization;
use crate::decision::Decision;
use crate::denial::Denial;
use crate::engine::Engine;
use crate::jose::{Jwks, PortableVerifier};
use crate::modes::Mode;
use crate::reason::Reason;
use crate::request::{Peer, RequestHead};
use crate::seed::Seed;
use crate::step::{PendingCall, PendingRequest, Step, Underway};
use crate::upstream::{CallOutcome, UpstreamResponse};

/// How a request ends.
#[derive(Debug)]
pub enum Ending {
    /// So: this is what the engine answers.
    Decided(Decision),
    /// It depends on something that is not known here.
    Open {
        /// On what.
        missing: Missing,
        /// The reason for which the request is refused whatever that is, if there is one.
        refused_anyway: Option<Reason>,
    },
}

/// What a decision may depend on that is not known here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Missing {
    /// The issuer's keys.
    Jwks,
    /// What the token endpoint says of client credentials.
    TokenEndpoint,
    /// A secret of the settings.
    Secret,
    /// The address that the request comes from.
    Address,
    /// The body of the request.
    Body,
    /// What other servers answer.
    Calls,
}

/// Has an engine of its own decide.
pub(super) fn reach(
    config: &Config,
    head: &RequestHead<'_>,
    given: &Given<'_>,
    checks: &Checks,
) -> Ending {
    let decided = decide(config, head, given).and_then(|decision| {
        let missing = doubt(config, head, given, &decision);
        missing.map_or(Ok(decision), Err)
    });
    match decided {
        Ok(decision) => Ending::Decided(decision),
        Err(missing) => Ending::Open {
            missing,
            refused_anyway: checks.failure(),
        },
    }
}

/// Returns what a decision was taken without, if it could be another one with it.
fn doubt(
    config: &Config,
    head: &RequestHead<'_>,
    given: &Given<'_>,
    decision: &Decision,
) -> Option<Missing> {
    let reason = decision.reason();
    if reason == Denial::AddressNotAllowed.reason() && matches!(head.peer, Peer::Unknown) {
        return Some(Missing::Address);
    }
    let by_secret = match config.mode {
        Mode::ApiKey(_) => {
            matches!(decision, Decision::Forward(_)) || reason == Denial::WrongApiKey.reason()
        }
        Mode::OidcProxy(_) => reason == Denial::UnknownAccessToken.reason(),
        Mode::None | Mode::Jwt(_) | Mode::Oidc(_) | Mode::Zscaler(_) => false,
    };
    let hidden = given.secrets == Secrets::Hidden;
    let concealed = by_secret || reason == Denial::SessionNotFound.reason();
    (hidden && concealed).then_some(Missing::Secret)
}

fn decide(config: &Config, head: &RequestHead<'_>, given: &Given<'_>) -> Result<Decision, Missing> {
    // Nothing that is drawn from it leaves this function.
    let seed = Seed::new([0; 32]);
    let mut engine = Engine::new(config.clone(), Box::new(PortableVerifier::new()), seed);
    let ambient = Ambient { now: given.now };
    let step = engine.handle_request(head, ambient);
    let mut parked: Option<PendingRequest> = match step {
        Step::Decide(decision) => return Ok(decision),
        Step::ReadBody { .. } => return Err(Missing::Body),
        Step::Wait { pending, .. } => Some(pending),
    };
    while let Some((_, call)) = engine.poll_call() {
        let outcome = answer(&call, config, head, given)?;
        let wake = engine.handle_upstream(call, outcome, ambient);
        if wake.tickets.is_empty() {
            continue;
        }
        let Some(pending) = parked.take() else { break };
        match engine.handle_wake(pending, &wake.answer, ambient) {
            Step::Decide(decision) => return Ok(decision),
            Step::ReadBody { .. } => return Err(Missing::Body),
            Step::Wait { pending, .. } => parked = Some(pending),
        }
    }
    Err(Missing::Calls)
}

/// Answers a call with what is given.
fn answer(
    call: &PendingCall,
    config: &Config,
    head: &RequestHead<'_>,
    given: &Given<'_>,
) -> Result<CallOutcome, Missing> {
    let body = match (&call.underway, &config.mode) {
        (Underway::Jwks, _) => {
            let jwks = given
                .jwks
                .filter(|document| Jwks::parse(document).is_some());
            jwks.ok_or(Missing::Jwks)?.to_vec()
        }
        (Underway::Discovery, Mode::Oidc(mode)) => {
            let token = match Authorization::read(head) {
                Ok(Authorization::Bearer(token)) => token,
                _ => &[],
            };
            let issuer = discovered_issuer(&mode.keys, token).ok_or(Missing::Calls)?;
            document(issuer, config)
        }
        (Underway::Validation(_), _) => return Err(Missing::TokenEndpoint),
        _ => return Err(Missing::Calls),
    };
    Ok(Ok(UpstreamResponse {
        status: 200,
        headers: Vec::new(),
        body,
    }))
}

/// Makes a discovery document; the keys are given, so where they are does not matter.
fn document(issuer: String, config: &Config) -> Vec<u8> {
    let jwks_uri = config.call_urls().into_iter().next();
    let jwks_uri = jwks_uri.map(|url| url.to_string());
    let document = serde_json::json!({ "issuer": issuer, "jwks_uri": jwks_uri });
    document.to_string().into_bytes()
}
