//! What a path means to the gateway; no other file compares paths.

use crate::request::RequestHead;
use crate::resource::ProtectedResource;

/// Where a request goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Endpoint {
    /// The protected resource: everything else.
    Protected,
    /// Liveness, answered here.
    Health,
    /// Readiness, answered here.
    Ready,
    /// The metadata of the protected resource (RFC 9728 §3), answered here.
    ResourceMetadata,
    /// OAuth discovery and registration (RFC 8414, RFC 9728, RFC 7591). Clients that find no
    /// definitive answer there start an OAuth flow that cannot end.
    OAuthDiscovery,
}

impl Endpoint {
    /// Tells the endpoint of a request. Paths are compared as sent: an exempt path is answered by
    /// the gateway and never passed on, so another spelling of one gains nothing.
    pub(crate) fn of(head: &RequestHead<'_>, resource: Option<&ProtectedResource>) -> Self {
        let reads = matches!(head.method, b"GET" | b"HEAD");
        match head.path_only() {
            b"/health" | b"/healthz" if reads => Self::Health,
            b"/ready" if reads => Self::Ready,
            path if (reads || head.method == b"OPTIONS")
                && resource.is_some_and(|resource| resource.has_metadata_at(path)) =>
            {
                Self::ResourceMetadata
            }
            b"/register" => Self::OAuthDiscovery,
            path if is_discovery(path) => Self::OAuthDiscovery,
            _ => Self::Protected,
        }
    }
}

/// The well-known locations with any path after them (RFC 8414 §3.1, RFC 9728 §3.1), and OpenID
/// discovery's form that ends a path.
fn is_discovery(path: &[u8]) -> bool {
    const NAMES: [&[u8]; 3] = [
        b"/.well-known/oauth-protected-resource",
        b"/.well-known/oauth-authorization-server",
        b"/.well-known/openid-configuration",
    ];
    let leads = |name: &&[u8]| {
        path.strip_prefix(*name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    };
    NAMES.iter().any(leads) || path.ends_with(b"/.well-known/openid-configuration")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Peer;

    #[track_caller]
    fn check(method: &[u8], path: &[u8], expected: Endpoint) {
        let head = RequestHead {
            method,
            authority: b"",
            path,
            headers: &[],
            peer: Peer::Unknown,
        };
        assert_eq!(
            Endpoint::of(&head, None),
            expected,
            "{}",
            path.escape_ascii()
        );
    }

    #[test]
    fn only_the_named_paths_are_answered_by_the_gateway() {
        check(b"GET", b"/health?x=1", Endpoint::Health);
        check(b"HEAD", b"/healthz", Endpoint::Health);
        check(b"GET", b"/ready", Endpoint::Ready);
        check(b"POST", b"/health", Endpoint::Protected);
        check(b"GET", b"/health/", Endpoint::Protected);
        check(b"GET", b"/%68ealth", Endpoint::Protected);
        check(b"GET", b"/mcp?/health", Endpoint::Protected);
    }

    #[test]
    fn oauth_discovery_is_known_in_all_its_forms() {
        for path in [
            &b"/.well-known/oauth-protected-resource"[..],
            b"/.well-known/oauth-protected-resource/mcp",
            b"/.well-known/oauth-authorization-server?x",
            b"/.well-known/openid-configuration",
            b"/mcp/.well-known/openid-configuration",
            b"/register",
        ] {
            check(b"GET", path, Endpoint::OAuthDiscovery);
        }
        check(
            b"GET",
            b"/.well-known/oauth-protected-resourcex",
            Endpoint::Protected,
        );
    }
}
