//! What can be wrong with the gateway and those whom it asks.

use super::Row;
use crate::reason::Reason;

pub(super) const ROWS: &[Row] = &[
    (
        &[Reason::CallNotSent],
        "The call to the authorization server could not be sent.",
        "In Envoy a cluster for its host is missing; else look at the log of the start.",
    ),
    (
        &[Reason::CallUnreachable],
        "The authorization server cannot be reached.",
        "Check its name, network and certificate from the gateway's host.",
    ),
    (
        &[Reason::CallTimedOut, Reason::CallWaitedTooLong],
        "The authorization server did not answer in time.",
        "See whether it is slow or a firewall swallows the call; clients may try again.",
    ),
    (
        &[Reason::CallCut, Reason::CallTooLarge, Reason::CallGarbage],
        "The authorization server's answer cannot be used.",
        "See what is at the URL in the settings: a log-in page or a proxy's error is usual.",
    ),
    (
        &[Reason::CallStatus],
        "The authorization server answered with an error.",
        "Check the URL in the settings, then the state of the authorization server.",
    ),
    (
        &[Reason::BodyNotDelivered],
        "The gateway could not read the body of a request to an OAuth endpoint.",
        "In Envoy the plugin needs allow_on_headers_stop_iteration; else the client was too slow.",
    ),
    (
        &[Reason::NotReady],
        "The gateway is not ready: the keys or the protected resource cannot be reached.",
        "The body of /ready says which of both; see whether it runs.",
    ),
    (
        &[Reason::NoOAuth],
        "A client looked for an authorization server, and there is none here.",
        "Nothing, if the client has a credential; else give it one, or use mode oidcproxy.",
    ),
    (
        &[Reason::HostFailure],
        "The gateway could not carry the decision out.",
        "Look at its log of that time; in Envoy a call or a buffer was refused to the filter.",
    ),
    (
        &[Reason::UpstreamUnreachable],
        "The MCP server behind the gateway cannot be reached.",
        "See whether it runs, and whether the upstream URL of the settings is its own.",
    ),
    (
        &[Reason::UpstreamBadResponse],
        "The MCP server's answer is not HTTP, or was cut.",
        "Look at the MCP server's log; see whether the port is that of another protocol.",
    ),
    (
        &[Reason::BadHost, Reason::BadMethod, Reason::TooManyFields],
        "The request is not one that a client of MCP makes.",
        "Nothing, unless the client is yours: scanners of the network send such requests.",
    ),
    (
        &[Reason::AskerNotTrusted],
        "Somebody asked for a decision who is no proxy of this gateway.",
        "Name the proxy in PORTCULLIS_TRUSTED_PROXIES, if it is yours.",
    ),
    (
        &[Reason::NoOriginalRequest, Reason::OwnAnswer],
        "The proxy in front does not ask as it should.",
        "Compare its configuration with that of docs/beside.",
    ),
    (
        &[Reason::FieldStays],
        "A header field is misspelled or repeated, and the proxy in front cannot take it out.",
        "Nothing, unless the client is yours: it must not send that field.",
    ),
    (
        &[Reason::NoUpstream],
        "This gateway only decides, and was sent a request to pass on.",
        "Ask it at /decide, or name the MCP server as the upstream.",
    ),
    (
        &[Reason::BodyTooLarge],
        "The body is larger than what is allowed.",
        "Send less, or raise --max-body-bytes; bodies of OAuth requests are small.",
    ),
    (
        &[Reason::BodyStalled, Reason::BodyCut],
        "The client did not send its body to the end.",
        "Look at the client or at the network between: it gave up, or was too slow.",
    ),
    (
        &[Reason::BadEdit],
        "A header for the MCP server could not be written.",
        "Report it: what the gateway adds is always well-formed.",
    ),
    (
        &[Reason::MethodNotAllowed],
        "An OAuth endpoint was asked by another method than it takes.",
        "Use the method that the Allow header of the answer names.",
    ),
];
