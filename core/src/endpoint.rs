//! What a path means to the gateway; no other file compares paths.

use crate::config::Config;
use crate::modes::Mode;
use crate::oauth::OAuthEndpoint;
use crate::request::RequestHead;

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
    /// Our own authorization server.
    AuthorizationServer(OAuthEndpoint),
    /// OAuth discovery and registration (RFC 8414, RFC 9728, RFC 7591). Clients that find no
    /// definitive answer there start an OAuth flow that cannot end.
    OAuthDiscovery,
}

impl Endpoint {
    /// Tells the endpoint of a request. Paths are compared as sent: an exempt path is answered by
    /// the gateway and never passed on, so another spelling of one gains nothing.
    pub(crate) fn of(head: &RequestHead<'_>, config: &Config) -> Self {
        let reads = matches!(head.method, b"GET" | b"HEAD");
        match head.path_only() {
            b"/health" | b"/healthz" if reads => Self::Health,
            b"/ready" if reads => Self::Ready,
            path if (reads || head.method == b"OPTIONS")
                && config
                    .resource
                    .as_ref()
                    .is_some_and(|resource| resource.has_metadata_at(path)) =>
            {
                Self::ResourceMetadata
            }
            path => of_server(path, config).map_or_else(
                || {
                    if path == b"/register" || is_discovery(path) {
                        Self::OAuthDiscovery
                    } else {
                        Self::Protected
                    }
                },
                Self::AuthorizationServer,
            ),
        }
    }

    /// Tells whether every page may read the answer.
    pub(crate) const fn is_public(self) -> bool {
        match self {
            Self::ResourceMetadata => true,
            Self::AuthorizationServer(endpoint) => endpoint.is_for_scripts(),
            Self::Protected | Self::Health | Self::Ready | Self::OAuthDiscovery => false,
        }
    }

    /// Tells whether a form of our own pages is sent there.
    pub(crate) const fn is_consent(self) -> bool {
        matches!(self, Self::AuthorizationServer(OAuthEndpoint::Consent))
    }
}

/// Tells which endpoint of our authorization server is at a path, where there is one.
fn of_server(path: &[u8], config: &Config) -> Option<OAuthEndpoint> {
    let Mode::OidcProxy(mode) = &config.mode else {
        return None;
    };
    match path {
        b"/register" => Some(OAuthEndpoint::Register),
        b"/authorize" => Some(OAuthEndpoint::Authorize),
        b"/consent" => Some(OAuthEndpoint::Consent),
        b"/token" => Some(OAuthEndpoint::Token),
        b"/revoke" => Some(OAuthEndpoint::Revoke),
        path if path == mode.redirect_path.as_bytes() => Some(OAuthEndpoint::Callback),
        path => {
            let resource = config.resource.as_ref()?.path().as_bytes();
            // Below the resource's own path, a route for the resource would take what passes.
            let at_resource = mode.elsewhere().is_none() && is_below(path, resource);
            let metadata = is_server_metadata(path, resource) || at_resource;
            metadata.then_some(OAuthEndpoint::Metadata)
        }
    }
}

/// Tells whether the metadata of the authorization server is at a path: at the root, and where
/// clients look that take the resource for the issuer (RFC 8414 §3.1 and §5, OpenID Connect
/// Discovery 1.0 §4).
fn is_server_metadata(path: &[u8], resource: &[u8]) -> bool {
    const NAMES: [&[u8]; 2] = [
        b"/.well-known/oauth-authorization-server",
        b"/.well-known/openid-configuration",
    ];
    let of_resource = |rest: &[u8]| rest.is_empty() || rest == resource;
    let mut leads = NAMES.into_iter().filter_map(|name| path.strip_prefix(name));
    leads.any(of_resource)
}

/// Tells whether a path is OpenID discovery's form for an issuer with the resource's path.
fn is_below(path: &[u8], resource: &[u8]) -> bool {
    path.strip_suffix(b"/.well-known/openid-configuration") == Some(resource)
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
            Endpoint::of(&head, &Config::new(Mode::None)),
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
