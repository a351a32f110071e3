//! Heads of requests, and the grammar of credentials.

use portcullis_core::rules::{AddressList, HostList, OriginList};
use portcullis_core::{Decision, Peer, RequestHead};

use super::gate::{API_KEY, Gate, TOKEN, answer, api_key, is_field_value, state_keys};

/// Reads lines `METHOD PATH`, host, then `name: value` until the end.
pub fn request(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let (start, authority) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    let (method, path) = cut(start, b' ');
    let names: Vec<(String, &[u8])> = lines
        .map(|line| cut(line, b':'))
        .map(|(name, value)| {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            (name, value.trim_ascii())
        })
        .collect();
    let fields = [method, path, authority];
    if !fields
        .into_iter()
        .chain(names.iter().map(|(_, value)| *value))
        .all(is_field_value)
    {
        return;
    }
    let headers: Vec<(&str, &[u8])> = names
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    let peer = Peer::Address([192, 0, 2, 1].into());
    let head = RequestHead {
        method,
        authority,
        path,
        headers: &headers,
        peer,
    };
    try_everywhere(&head, data);
}

/// Takes a request to gateways of every mode.
fn try_everywhere(head: &RequestHead<'_>, data: &[u8]) {
    let holds = |needle: &[u8]| data.windows(needle.len()).any(|window| window == needle);
    for (mut gate, credential) in [
        (Gate::api_key(), API_KEY),
        (guarded(), API_KEY),
        (Gate::jwt(), TOKEN),
    ] {
        if let Decision::Forward(forward) = gate.decide(head) {
            assert!(
                holds(credential.as_bytes()),
                "admitted without its credential"
            );
            for name in ["authorization", "x-api-key"] {
                let mine = name != "x-api-key" || credential == API_KEY;
                let sent = head.values(name).next().is_some();
                let removed = forward.request.removals().any(|removal| removal == name);
                assert!(!(mine && sent) || removed, "{name} passes");
            }
        }
    }
    let refusal = answer(401, br#"{"error":"invalid_client"}"#);
    let decision = Gate::zscaler(refusal).decide(head);
    assert!(
        matches!(decision, Decision::Respond(_)),
        "admitted though refused"
    );
    let grant = answer(200, br#"{"access_token":"t","expires_in":3600}"#);
    let _ = Gate::zscaler(grant).decide(head);
    let _ = Gate::credulous().decide(head);
    let _ = Gate::none().decide(head);
}

/// Reads one value of `Authorization`.
pub fn authorization(data: &[u8]) {
    if !is_field_value(data) {
        return;
    }
    let bearer = |credential: &str| {
        let value = data.trim_ascii();
        let (scheme, rest) = cut(value, b' ');
        scheme.eq_ignore_ascii_case(b"bearer") && rest.trim_ascii() == credential.as_bytes()
    };
    assert_eq!(Gate::api_key().admits(data), bearer(API_KEY));
    assert_eq!(Gate::jwt().admits(data), bearer(TOKEN));
    let grant = answer(200, br#"{"access_token":"t","expires_in":3600}"#);
    let mut gate = Gate::zscaler(grant);
    let first = gate.admits(data);
    assert_eq!(gate.admits(data), first, "the second time differs");
    assert!(
        !first
            || cut(data.trim_ascii(), b' ')
                .0
                .eq_ignore_ascii_case(b"basic")
    );
    assert!(Gate::none().admits(data));
}

/// A gateway with every rule and with bound sessions.
fn guarded() -> Gate {
    let mut config = api_key();
    config.access.hosts = Some(HostList::parse("mcp.example, *.test, [::1]:*").unwrap());
    config.access.origins = Some(OriginList::parse("https://app.example, http://a:*").unwrap());
    config.access.sources = Some(AddressList::parse("192.0.2.0/24, 2001:db8::/32").unwrap());
    config.access.trusted_proxies = Some(AddressList::parse("192.0.2.0/24").unwrap());
    config.session_keys = Some(state_keys());
    Gate::new(
        config,
        Box::new(portcullis_core::jose::PortableVerifier::new()),
    )
}

/// Cuts at the first `separator`, which belongs to neither part.
pub fn cut(bytes: &[u8], separator: u8) -> (&[u8], &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == separator);
    (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    )
}
