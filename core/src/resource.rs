//! What clients are told of the protected resource (RFC 9728).

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde_json::Value;

use crate::scope::is_scope;
use crate::url::HttpUrl;

/// Where the metadata of a resource without a path is (RFC 9728 §3); that of one with a path has
/// the path behind it.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The protected resource as clients know it.
#[derive(Clone, Debug)]
pub struct ProtectedResource {
    origin: String,
    identifier: String,
    metadata_path: String,
    scopes: Vec<String>,
    challenge: String,
}

impl ProtectedResource {
    /// Describes the resource at the public URL `url`, which asks for `scopes` of every token.
    ///
    /// # Errors
    ///
    /// Refuses a URL with a query, as an identifier must be usable in any request (RFC 8707 §2), one
    /// that cannot be quoted in a challenge, and what is no scope (RFC 6749 §3.3).
    pub fn new(url: &HttpUrl, scopes: Vec<String>) -> Result<Self, ResourceFault> {
        if url.path().contains(['?', '"', '\\']) {
            return Err(ResourceFault::Url);
        }
        if !scopes.iter().all(|scope| is_scope(scope)) {
            return Err(ResourceFault::Scope);
        }
        let path = url.path().trim_end_matches('/');
        let origin = url.with_path("/").to_string();
        let origin = origin.trim_end_matches('/');
        let metadata_path = format!("{WELL_KNOWN}{path}");
        let mut challenge = format!(", resource_metadata=\"{origin}{metadata_path}\"");
        let asked: Vec<&str> = of_resource(&scopes).collect();
        if !asked.is_empty() {
            challenge.push_str(&format!(", scope=\"{}\"", asked.join(" ")));
        }
        Ok(Self {
            origin: origin.to_string(),
            identifier: format!("{origin}{path}"),
            metadata_path,
            scopes,
            challenge,
        })
    }

    /// Returns the resource identifier (RFC 8707 §2): the URL without a slash at its end.
    #[must_use]
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// Returns the origin of the identifier, without a slash at its end.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the path of the identifier, empty or without a slash at its end.
    pub(crate) fn path(&self) -> &str {
        self.identifier
            .strip_prefix(&self.origin)
            .unwrap_or_default()
    }

    /// Returns the scopes that every token must have.
    pub(crate) fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Returns what a challenge says of the resource (RFC 9728 §5.1), led by a comma.
    pub(crate) fn challenge(&self) -> &str {
        &self.challenge
    }

    /// Tells whether the metadata is at `path`: in the form with the resource's path, or at the
    /// root, where clients look next.
    pub(crate) fn has_metadata_at(&self, path: &[u8]) -> bool {
        path == self.metadata_path.as_bytes() || path == WELL_KNOWN.as_bytes()
    }

    /// Writes the metadata (RFC 9728 §2); `issuers` are the authorization servers.
    pub(crate) fn metadata(&self, issuers: &[String]) -> Vec<u8> {
        let quoted = |text: &str| Value::from(text).to_string();
        let list = |items: Vec<String>| items.join(",");
        let resource = quoted(&self.identifier);
        let issuers = list(issuers.iter().map(|issuer| quoted(issuer)).collect());
        let scopes = list(of_resource(&self.scopes).map(quoted).collect());
        let mut metadata = format!(
            "{{\"resource\":{resource},\"authorization_servers\":[{issuers}],\
             \"bearer_methods_supported\":[\"header\"]"
        );
        if !scopes.is_empty() {
            metadata.push_str(&format!(",\"scopes_supported\":[{scopes}]"));
        }
        metadata.push('}');
        metadata.into_bytes()
    }
}

/// Leaves out what a client asks for to stay signed in: it is no scope of the resource.
fn of_resource(scopes: &[String]) -> impl Iterator<Item = &str> {
    let scopes = scopes.iter().map(String::as_str);
    scopes.filter(|scope| *scope != "offline_access")
}

/// What is wrong with the description of a protected resource.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ResourceFault {
    /// The URL has a query, a quote or a backslash.
    Url,
    /// A scope has characters that no scope has.
    Scope,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use serde_json::json;

    fn resource(url: &str, scopes: &[&str]) -> Result<ProtectedResource, ResourceFault> {
        let scopes = scopes.iter().map(ToString::to_string).collect();
        ProtectedResource::new(&HttpUrl::parse(url).unwrap(), scopes)
    }

    #[test]
    fn metadata_is_at_the_root_and_at_the_path_of_the_resource() {
        let check = |url: &str, identifier: &str, path: &str| {
            let resource = resource(url, &[]).unwrap();
            assert_eq!(resource.identifier(), identifier);
            assert!(resource.has_metadata_at(path.as_bytes()), "{url} {path}");
            assert!(resource.has_metadata_at(WELL_KNOWN.as_bytes()));
            assert!(!resource.has_metadata_at(b"/.well-known/oauth-protected-resource/other"));
            assert!(!resource.has_metadata_at(b"/mcp"));
        };
        let path = "/.well-known/oauth-protected-resource/mcp";
        check("https://a.example/mcp", "https://a.example/mcp", path);
        check("https://a.example/mcp/", "https://a.example/mcp", path);
        check("https://A.example:443", "https://a.example", WELL_KNOWN);
    }

    #[test]
    fn a_challenge_points_to_the_metadata_and_names_the_scopes() {
        let resource = resource("https://a.example:8443/mcp", &["read", "write"]).unwrap();
        assert_eq!(
            resource.challenge(),
            ", resource_metadata=\"https://a.example:8443/.well-known/oauth-protected-resource/mcp\", \
             scope=\"read write\""
        );
    }

    #[test]
    fn no_client_is_told_of_a_scope_that_only_clients_care_for() {
        let read = |scopes: &[&str]| -> Value {
            let resource = resource("https://a.example/mcp", scopes).unwrap();
            serde_json::from_slice(&resource.metadata(&["https://idp".into()])).unwrap()
        };
        let metadata = read(&["read", "offline_access"]);
        assert_eq!(metadata["scopes_supported"], json!(["read"]));
        assert_eq!(metadata["authorization_servers"], json!(["https://idp"]));
        assert_eq!(metadata["resource"], "https://a.example/mcp");
        assert_eq!(read(&["offline_access"]).get("scopes_supported"), None);
        let challenge = |scopes: &[&str]| {
            let resource = resource("https://a.example/mcp", scopes).unwrap();
            resource.challenge().to_string()
        };
        assert!(challenge(&["read", "offline_access"]).ends_with("scope=\"read\""));
        assert!(!challenge(&["offline_access"]).contains("scope"));
    }

    #[test]
    fn what_is_no_identifier_or_scope_is_refused() {
        for url in [
            "https://a.example/mcp?x=1",
            // They would end the quoted text of a challenge, or escape its end.
            "https://a.example/m\"cp",
            "https://a.example/mcp\\",
        ] {
            assert_eq!(resource(url, &[]).err(), Some(ResourceFault::Url), "{url}");
        }
        for bad in ["a b", "", "a\"b", "a\\b", "é"] {
            let outcome = resource("https://a.example/mcp", &[bad]);
            assert_eq!(outcome.err(), Some(ResourceFault::Scope), "{bad}");
        }
    }
}
