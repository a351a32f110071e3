//! What is checked of a token, each check by itself.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::clock::{span, utc};
use super::{Checks, Given, Outcome};
use crate::ambient::UnixSeconds;
use crate::cache::issuer_of;
use crate::config::Config;
use crate::denial::Denial;
use crate::jose::{
    Algorithm, ClaimCheck, ClaimValue, Jwks, NoKey, PortableVerifier, SignatureCheck, TokenPolicy,
    UnverifiedToken,
};
use crate::modes::{JwtMode, KeySource};
use crate::resource::ProtectedResource;

/// Checks a token of mode `jwt` or `oidc`.
pub(super) fn check(
    config: &Config,
    mode: &JwtMode,
    token: &[u8],
    given: &Given<'_>,
    checks: &mut Checks,
) {
    let parsed = match UnverifiedToken::parse(token, &mode.algorithms) {
        Ok(parsed) => parsed,
        Err(denial) => return refuse_form(&denial, mode, checks),
    };
    let name = parsed.algorithm.name();
    let algorithm = format!("{name}: accepted by the settings");
    checks.push("algorithm", Outcome::Passed, algorithm);
    let kid = parsed.kid.as_deref();
    let kid = kid.map_or_else(
        || "none: the set must have one key that fits".to_string(),
        |kid| kid.escape_debug().to_string(),
    );
    checks.note("key id", kid);
    let scopes = config.resource.as_ref().map(ProtectedResource::scopes);
    let scopes = scopes.unwrap_or_default();
    let policy = policy(mode, token);
    let claims = policy.rehearse(&parsed, scopes, given.now);
    signature(parsed, given, checks);
    match claims {
        Ok(claims) => {
            for claim in claims {
                let text = describe(&claim, &policy, scopes, given.now);
                let outcome = match (&claim.result, &claim.value) {
                    (Err(denial), _) => Outcome::Failed(denial.reason()),
                    (Ok(()), None) => Outcome::Note,
                    (Ok(()), Some(_)) => Outcome::Passed,
                };
                checks.push(claim.claim, outcome, text);
            }
        }
        Err(denial) => {
            let text = "not a JSON object with claims of the right types".into();
            checks.push("claims", Outcome::Failed(denial.reason()), text);
        }
    }
}

/// Returns the issuer that a discovery document at this place would name, where `token` is one of
/// its tokens: with or without a slash at its end.
pub(super) fn discovered_issuer(source: &KeySource, token: &[u8]) -> Option<String> {
    let KeySource::Discovery(url) = source else {
        return None;
    };
    let issuer = issuer_of(url)?;
    let with_slash = format!("{issuer}/");
    let policy = |issuer: &String| TokenPolicy {
        issuers: [issuer.clone()].into(),
        ..TokenPolicy::default()
    };
    let named = UnverifiedToken::parse(token, &Algorithm::ALL)
        .and_then(|token| policy(&with_slash).rehearse(&token, &[], UnixSeconds(0)));
    let fits = named.is_ok_and(|claims| {
        let mut claims = claims.iter();
        claims.any(|claim| claim.claim == "iss" && claim.result.is_ok())
    });
    Some(if fits { with_slash } else { issuer })
}

fn policy(mode: &JwtMode, token: &[u8]) -> TokenPolicy {
    let mut policy = mode.policy.clone();
    if let Some(issuer) = discovered_issuer(&mode.keys, token) {
        policy.issuers = [issuer].into();
    }
    policy
}

fn refuse_form(denial: &Denial, mode: &JwtMode, checks: &mut Checks) {
    if *denial == Denial::UnacceptableAlgorithm {
        let accepted: Vec<&str> = mode.algorithms.iter().map(|one| one.name()).collect();
        let accepted = format!(" Accepted are {}.", accepted.join(", "));
        checks.fail("algorithm", denial, &accepted);
    } else {
        checks.fail("token", denial, "");
    }
}

fn signature(token: UnverifiedToken<'_>, given: &Given<'_>, checks: &mut Checks) {
    const SUBJECT: &str = "signature";
    let Some(document) = given.jwks else {
        return checks.open(
            SUBJECT,
            "not checked here: the keys of the issuer were not given",
        );
    };
    let Some(keys) = Jwks::parse(document) else {
        return checks.open(
            SUBJECT,
            "not checked here: what was given as keys is no JWKS",
        );
    };
    let names: Vec<&str> = keys.names().collect();
    let (count, names) = (keys.len(), names.join(", "));
    let held = format!("usable keys of the set: {count} ({})", names.escape_debug());
    let text = match keys.find(token.kid.as_deref(), token.algorithm) {
        Err(NoKey::Unknown) => {
            let text = format!("no key fits the token; {held}");
            return checks.push(SUBJECT, Outcome::Failed(Denial::UnknownKey.reason()), text);
        }
        Err(NoKey::Ambiguous) => {
            let text = format!("several keys fit a token without a key id; {held}");
            return checks.push(SUBJECT, Outcome::Failed(Denial::UnknownKey.reason()), text);
        }
        Err(NoKey::OtherAlgorithm) => {
            let reason = Denial::UnacceptableAlgorithm.reason();
            let text = "the key of this id is for another algorithm".to_string();
            return checks.push(SUBJECT, Outcome::Failed(reason), text);
        }
        Ok(found) => {
            let checked = SignatureCheck::of(token, found).run(&PortableVerifier::new());
            if !checked.is_good() {
                let reason = Denial::BadSignature.reason();
                let text = format!("not made by the key of this id; {held}");
                return checks.push(SUBJECT, Outcome::Failed(reason), text);
            }
            format!("verified with the keys given; {held}")
        }
    };
    checks.push(SUBJECT, Outcome::Passed, text);
}

fn describe(
    check: &ClaimCheck,
    policy: &TokenPolicy,
    scopes: &[String],
    now: UnixSeconds,
) -> String {
    let accepted = |list: &[String], none: &str| {
        if list.is_empty() {
            none.to_string()
        } else {
            format!("accepted: {}", list.join(", "))
        }
    };
    let expected = match check.claim {
        "iss" => accepted(&policy.issuers, "any is accepted"),
        "aud" => accepted(&policy.audiences, "any is accepted"),
        "scope" if scopes.is_empty() => "none is required".to_string(),
        "scope" => format!("required: {}", scopes.join(", ")),
        _ => format!("clock {}, {} s allowed", utc(now), policy.leeway_seconds),
    };
    let value = match &check.value {
        None => "absent".to_string(),
        Some(ClaimValue::Text(text)) => text.escape_debug().to_string(),
        Some(ClaimValue::Time(at)) if *at >= now => {
            format!("{}, in {}", utc(*at), span(at.since(now)))
        }
        Some(ClaimValue::Time(at)) => format!("{}, {} ago", utc(*at), span(now.since(*at))),
    };
    format!("{value}; {expected}")
}
