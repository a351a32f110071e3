//! The discovery document of an issuer over time (OpenID Connect Discovery 1.0 §4).

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::Value;

use crate::ambient::UnixSeconds;
use crate::denial::Outage;
use crate::json;
use crate::modes::KeySource;
use crate::upstream::CallOutcome;
use crate::url::HttpUrl;

/// How long a document counts, in seconds. It says where the keys are, which hardly ever changes;
/// the keys themselves have a life of their own.
const DOCUMENT_SECONDS: u64 = 60 * 60;

/// Where the keys are, as far as it is known.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    source: KeySource,
    found: Option<Described>,
    fetched: UnixSeconds,
}

/// What a document says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Described {
    issuer: String,
    jwks_uri: HttpUrl,
    authorization_endpoint: Option<HttpUrl>,
    token_endpoint: Option<HttpUrl>,
    revocation_endpoint: Option<HttpUrl>,
    /// How clients authenticate at the token endpoint, where it is said.
    client_authentication: Option<Vec<String>>,
    names_itself: bool,
}

/// What a call for the document brought, condensed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ProviderFinding {
    Document(Box<Described>),
    Unavailable(Outage),
}

impl Provider {
    pub(crate) const fn new(source: KeySource) -> Self {
        Self {
            source,
            found: None,
            fetched: UnixSeconds(0),
        }
    }

    /// Returns the URL of the document if it must be fetched before the keys are.
    pub(crate) fn next_document(&self, now: UnixSeconds) -> Option<&HttpUrl> {
        match &self.source {
            KeySource::Jwks(_) => None,
            KeySource::Discovery(url) => {
                let age = now.since(self.fetched);
                let known = self.found.is_some() && age < DOCUMENT_SECONDS;
                (!known).then_some(url)
            }
        }
    }

    /// Condenses the outcome of a call for the document.
    pub(crate) fn condense(&self, outcome: CallOutcome) -> ProviderFinding {
        let response = match outcome {
            Ok(response) => response,
            Err(failure) => return ProviderFinding::Unavailable(Outage::Call(failure)),
        };
        if response.status != 200 {
            return ProviderFinding::Unavailable(Outage::Status(response.status));
        }
        Described::read(self.source.url(), &response.body)
            .map_or(ProviderFinding::Unavailable(Outage::Garbage), |described| {
                ProviderFinding::Document(Box::new(described))
            })
    }

    /// Takes what a call brought, and returns why it brought nothing.
    pub(crate) fn finish(&mut self, finding: ProviderFinding, at: UnixSeconds) -> Option<Outage> {
        match finding {
            ProviderFinding::Document(described) => {
                self.found = Some(*described);
                self.fetched = at;
                None
            }
            ProviderFinding::Unavailable(outage) => Some(outage),
        }
    }

    /// Returns where the keys are, if that is known.
    pub(crate) fn jwks_uri(&self) -> Option<&HttpUrl> {
        match &self.source {
            KeySource::Jwks(url) => Some(url),
            KeySource::Discovery(_) => self.found.as_ref().map(|found| &found.jwks_uri),
        }
    }

    /// Returns the URL that the settings name.
    pub(crate) const fn source_url(&self) -> &HttpUrl {
        self.source.url()
    }

    /// Returns what the document said.
    pub(crate) const fn described(&self) -> Option<&Described> {
        self.found.as_ref()
    }

    /// Returns the issuer that the document named.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.found.as_ref().map(|found| found.issuer.as_str())
    }
}

impl Described {
    /// Returns the issuer identifier.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns where the keys are.
    pub(crate) const fn jwks_uri(&self) -> &HttpUrl {
        &self.jwks_uri
    }

    /// Tells whether people can sign in there with a code.
    pub(crate) const fn signs_in(&self) -> bool {
        self.authorization_endpoint.is_some() && self.token_endpoint.is_some()
    }

    /// Returns the endpoint that browsers are sent to.
    pub(crate) const fn authorization_endpoint(&self) -> Option<&HttpUrl> {
        self.authorization_endpoint.as_ref()
    }

    /// Returns the endpoint that codes are spent at.
    pub(crate) const fn token_endpoint(&self) -> Option<&HttpUrl> {
        self.token_endpoint.as_ref()
    }

    /// Returns the endpoint that tokens are revoked at (RFC 7009), if there is one.
    pub(crate) const fn revocation_endpoint(&self) -> Option<&HttpUrl> {
        self.revocation_endpoint.as_ref()
    }

    /// Returns how clients may authenticate at the token endpoint, where it is said.
    pub(crate) fn client_authentication(&self) -> Option<&[String]> {
        self.client_authentication.as_deref()
    }

    /// Tells whether each answer of the authorization endpoint names the issuer (RFC 9207 §3).
    pub(crate) const fn names_itself(&self) -> bool {
        self.names_itself
    }

    /// Reads a document fetched from `url`. Its issuer must be the one that the URL is made of
    /// (OpenID Connect Discovery 1.0 §4.3): else whoever can write one document of a host could
    /// speak for every issuer there.
    pub(crate) fn read(url: &HttpUrl, document: &[u8]) -> Option<Self> {
        let document: Value = json::parse(document)?;
        let issuer = document.get("issuer")?.as_str()?;
        let expected = issuer_of(url)?;
        if issuer.trim_end_matches('/') != expected || HttpUrl::parse(issuer).is_err() {
            return None;
        }
        let closed = |endpoint: &HttpUrl| {
            endpoint.is_https() || (url.is_loopback() && endpoint.is_loopback())
        };
        let endpoint = |name: &str| {
            let endpoint = HttpUrl::parse(document.get(name)?.as_str()?).ok();
            endpoint.filter(closed)
        };
        let methods = document.get("token_endpoint_auth_methods_supported");
        let methods = methods.and_then(Value::as_array).map(|methods| {
            let names = methods.iter().filter_map(Value::as_str);
            names.map(ToString::to_string).collect()
        });
        let names_itself = document.get("authorization_response_iss_parameter_supported");
        Some(Self {
            issuer: issuer.to_string(),
            jwks_uri: endpoint("jwks_uri")?,
            authorization_endpoint: endpoint("authorization_endpoint"),
            token_endpoint: endpoint("token_endpoint"),
            revocation_endpoint: endpoint("revocation_endpoint"),
            client_authentication: methods,
            names_itself: names_itself.and_then(Value::as_bool).unwrap_or_default(),
        })
    }
}

/// Returns the issuer whose document is at `url`, without a slash at its end; `None` when that is
/// no place for one.
pub(crate) fn issuer_of(url: &HttpUrl) -> Option<String> {
    let path = url
        .path()
        .strip_suffix("/.well-known/openid-configuration")?;
    if path.contains('?') {
        return None;
    }
    let mut issuer = url.with_path(path).to_string();
    issuer.truncate(issuer.trim_end_matches('/').len());
    Some(issuer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[track_caller]
    fn check(url: &str, document: &str, expected: Option<(&str, &str)>) {
        let url = HttpUrl::parse(url).unwrap();
        let read = Described::read(&url, document.as_bytes());
        let read = read.map(|read| (read.issuer, read.jwks_uri.to_string()));
        let read = read
            .as_ref()
            .map(|(issuer, uri)| (issuer.as_str(), uri.as_str()));
        assert_eq!(read, expected, "{url} {document}");
    }

    #[test]
    fn the_issuer_of_a_document_is_the_one_its_url_is_made_of() {
        let url = "https://idp.example/t/.well-known/openid-configuration";
        let keys = "https://keys.example/jwks";
        let document = |issuer: &str| format!(r#"{{"issuer":"{issuer}","jwks_uri":"{keys}"}}"#);
        for issuer in ["https://idp.example/t", "https://idp.example/t/"] {
            check(url, &document(issuer), Some((issuer, keys)));
        }
        for other in [
            "https://idp.example",
            "https://idp.example/u",
            "https://evil.example/t",
            "http://idp.example/t",
            "",
        ] {
            check(url, &document(other), None);
        }
    }

    #[test]
    fn keys_come_over_tls_unless_all_is_on_this_host() {
        let document =
            |issuer: &str, keys: &str| format!(r#"{{"issuer":"{issuer}","jwks_uri":"{keys}"}}"#);
        let (there, here) = ("https://idp.example", "http://127.0.0.1:8080");
        let at = |issuer: &str| format!("{issuer}/.well-known/openid-configuration");
        check(
            &at(there),
            &document(there, "http://idp.example/jwks"),
            None,
        );
        check(&at(there), &document(there, "http://127.0.0.1/jwks"), None);
        let keys = "http://127.0.0.1:8080/jwks";
        check(&at(here), &document(here, keys), Some((here, keys)));
        check(&at(here), &document(here, "http://10.0.0.1/jwks"), None);
    }

    #[test]
    fn a_url_that_no_issuer_has_a_document_at_is_told() {
        for bad in [
            "https://idp.example/",
            "https://idp.example/.well-known/openid-configuration?x=1",
            "https://idp.example/.well-known/oauth-authorization-server",
        ] {
            assert_eq!(issuer_of(&HttpUrl::parse(bad).unwrap()), None, "{bad}");
        }
    }
}
