//! The rules about where a request goes and comes from.

use alloc::format;
use alloc::string::{String, ToString as _};

use super::{Checks, Outcome};
use crate::config::Config;
use crate::denial::Denial;
use crate::endpoint::Endpoint;
use crate::request::{Peer, RequestHead};
use crate::rules::{AccessRules, is_preflight};

/// Says what the path of a request means.
pub(super) fn endpoint(head: &RequestHead<'_>, endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Protected if is_preflight(head) => {
            "a browser's question about the protected resource, answered by the gateway"
        }
        Endpoint::Protected => "the protected resource: a credential is needed",
        Endpoint::Health => "the gateway's /health: answered without any check",
        Endpoint::Ready => "the gateway's /ready: answered without any check",
        Endpoint::ResourceMetadata => {
            "the metadata of the protected resource: answered by the gateway to everybody"
        }
        Endpoint::AuthorizationServer(_) => {
            "the gateway's own authorization server, which has rules of its own"
        }
        Endpoint::OAuthDiscovery => {
            "OAuth discovery: answered with 404, unless everybody may connect, as there is no \
             authorization server here"
        }
    }
}

/// Checks each rule by itself, in the engine's order.
pub(super) fn check(
    config: &Config,
    head: &RequestHead<'_>,
    endpoint: Endpoint,
    checks: &mut Checks,
) {
    let access = &config.access;
    let only = |access| AccessRules {
        trusted_proxies: config.access.trusted_proxies.clone(),
        ..access
    };
    let hosts = only(AccessRules {
        hosts: access.hosts.clone(),
        ..AccessRules::default()
    });
    let host = text(head.authority);
    let host = if host.is_empty() { "none" } else { &host };
    let ruled = access.hosts.is_some();
    judge(
        (&hosts, endpoint),
        head,
        checks,
        "Host",
        ruled,
        host.to_string(),
    );
    let sources = only(AccessRules {
        sources: access.sources.clone(),
        ..AccessRules::default()
    });
    let client = access.client(head);
    let ruled = access.sources.is_some();
    if ruled && client.is_none() && matches!(head.peer, Peer::Unknown) {
        checks.open("source address", "not known here: give one to check it");
    } else {
        let client = client.map_or_else(|| "unknown".to_string(), |client| client.to_string());
        judge(
            (&sources, endpoint),
            head,
            checks,
            "source address",
            ruled,
            client,
        );
    }
    let origins = only(AccessRules {
        origins: access.origins.clone(),
        own_origin: access.own_origin.clone(),
        ..AccessRules::default()
    });
    let sent = head.values("origin").map(text).next();
    let sent = sent.unwrap_or_else(|| "none".to_string());
    if endpoint.is_consent() {
        checks.note(
            "Origin",
            format!("{sent}: seen to by the consent page itself"),
        );
    } else {
        let own = access.own_origin.is_some() && !endpoint.is_public();
        let ruled = access.origins.is_some() || own;
        judge((&origins, endpoint), head, checks, "Origin", ruled, sent);
    }
}

fn judge(
    (rules, endpoint): (&AccessRules, Endpoint),
    head: &RequestHead<'_>,
    checks: &mut Checks,
    subject: &'static str,
    ruled: bool,
    value: String,
) {
    let (outcome, what) = match rules.check(head, endpoint.is_public()) {
        _ if !ruled => (Outcome::Note, "not checked: the settings have no such list"),
        Ok(_) => (Outcome::Passed, "on the list"),
        Err(denial) => (Outcome::Failed(Denial::reason(&denial)), "not on the list"),
    };
    checks.push(subject, outcome, format!("{value}: {what}"));
}

/// Writes octets of a client as text that shows what they are.
pub(super) fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).escape_debug().to_string()
}
