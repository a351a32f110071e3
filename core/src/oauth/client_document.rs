//! Client ID metadata documents: a client whose identifier is where it describes itself
//! (draft-ietf-oauth-client-id-metadata-document).

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde_json::Value;

use super::client::Client;
use super::deny_list::client_digest;
use super::redirect_uri::RedirectUri;
use crate::ambient::UnixSeconds;
use crate::cache::{DEFAULT_SECONDS, freshness_seconds};
use crate::denial::Outage;
use crate::digest::Digest;
use crate::flights::Errand;
use crate::json;
use crate::rules::items;
use crate::upstream::{CallOutcome, Reach, UpstreamCall};
use crate::url::{HttpUrl, is_host};

/// The draft's own limit, in octets (§6.6).
const MAX_DOCUMENT_BYTES: usize = 5 * 1024;

/// A person waits.
const TIMEOUT_SECONDS: u32 = 5;

/// How long a document that is none is not asked for again, in seconds.
const WRONG_SECONDS: u64 = 60;

/// How long a server that gave no answer is left alone, in seconds.
const OUTAGE_SECONDS: u64 = 5;

/// Whose documents are fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ClientDocuments {
    /// Nobody's.
    Off,
    /// Those of every public host.
    Public,
    /// Those of these hosts, with their ports, wherever they are: who names them answers for them.
    Hosts(Vec<String>),
}

impl ClientDocuments {
    /// Parses `off`, `on`, or a comma list of `host` and `host:port`.
    ///
    /// # Errors
    ///
    /// Returns what is wrong, in words that follow the name of a setting.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        match text.trim() {
            "off" => return Ok(Self::Off),
            "on" => return Ok(Self::Public),
            _ => {}
        }
        let hosts: Option<Vec<String>> = items(text).map(with_port).collect();
        let hosts = hosts.filter(|hosts| !hosts.is_empty());
        hosts
            .map(Self::Hosts)
            .ok_or("must be on, off, or a comma list of host or host:port")
    }

    /// Tells whether any document is fetched.
    pub(crate) fn are_on(&self) -> bool {
        *self != Self::Off
    }

    /// Tells whether strangers name the hosts.
    pub(crate) fn are_public(&self) -> bool {
        *self == Self::Public
    }

    /// Returns the URLs whose hosts are named.
    pub(crate) fn urls(&self) -> Vec<HttpUrl> {
        match self {
            Self::Off | Self::Public => Vec::new(),
            Self::Hosts(hosts) => {
                let url = |host: &String| HttpUrl::parse(&format!("https://{host}/")).ok();
                hosts.iter().filter_map(url).collect()
            }
        }
    }

    /// Makes the call for the document of a client; `None` when `client_id` is no address of one
    /// that may be fetched.
    pub(super) fn call(&self, client_id: &str) -> Option<UpstreamCall> {
        let url = HttpUrl::parse(client_id).ok()?;
        let path = url.path().split('?').next().unwrap_or_default();
        let dotted = path.split('/').any(|segment| matches!(segment, "." | ".."));
        if !url.is_https() || path.len() < 2 || dotted {
            return None;
        }
        let reach = match self {
            Self::Off => return None,
            Self::Public if is_public_name(url.host()) => Reach::Public,
            Self::Public => return None,
            Self::Hosts(hosts) => {
                let address = format!("{}:{}", url.host(), url.port());
                hosts.contains(&address).then_some(Reach::Anywhere)?
            }
        };
        Some(UpstreamCall {
            url,
            method: "GET",
            headers: [("accept", b"application/json".to_vec())].into(),
            body: Vec::new(),
            timeout_seconds: TIMEOUT_SECONDS,
            max_response_bytes: MAX_DOCUMENT_BYTES,
            reach,
        })
    }
}

/// Names the call for the document of a client.
pub(crate) fn document_errand(client_id: &str) -> Errand {
    let host = HttpUrl::parse(client_id).ok();
    let host = host.as_ref().map(HttpUrl::host).unwrap_or_default();
    Errand::ClientDocument(Digest::of(&[host.as_bytes()]), client_digest(client_id))
}

/// A client by its document: beyond its life it counts while a newer one cannot be had.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) client: Arc<Client>,
    pub(super) fresh_until: UnixSeconds,
}

/// How long a document that cannot be renewed counts, in seconds.
pub(super) const STALE_SECONDS: u64 = 24 * 60 * 60;

/// Why a document describes no client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DocumentFault {
    /// There is none, or it is not the client's.
    Wrong,
    Outage(Outage),
}

/// What a call for a document brought, and for how long it counts, in seconds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct DocumentFinding {
    pub(super) known: Result<Arc<Client>, DocumentFault>,
    pub(super) life: u64,
}

impl DocumentFinding {
    /// Condenses the outcome, which came at `now`, of the call for the document of `client_id`.
    pub(crate) fn of(client_id: &str, outcome: CallOutcome, now: UnixSeconds) -> Self {
        let outage = |outage| Self {
            known: Err(DocumentFault::Outage(outage)),
            life: OUTAGE_SECONDS,
        };
        let response = match outcome {
            Ok(response) => response,
            Err(failure) => return outage(Outage::Call(failure)),
        };
        // Whatever else stands between us and the document, such as a 403 to programs, says nothing
        // of the client.
        if !matches!(response.status, 200 | 300..=399 | 404 | 410) {
            return outage(Outage::Status(response.status));
        }
        let is_json = response.header("content-type").is_some_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            let kind = kind.to_ascii_lowercase();
            kind == "application/json"
                || (kind.starts_with("application/") && kind.ends_with("+json"))
        });
        let client = if response.status == 200 && is_json {
            read(client_id, &response.body)
        } else {
            None
        };
        match client {
            Some(client) => Self {
                known: Ok(Arc::new(client)),
                life: freshness_seconds(&response, now).unwrap_or(DEFAULT_SECONDS),
            },
            None => Self {
                known: Err(DocumentFault::Wrong),
                life: WRONG_SECONDS,
            },
        }
    }
}

/// Reads the document of `client_id`, which it must name to the letter.
fn read(client_id: &str, body: &[u8]) -> Option<Client> {
    let document: Value = json::parse(body)?;
    if document.get("client_id")?.as_str()? != client_id {
        return None;
    }
    // A client that would authenticate by a key is none that PKCE alone protects.
    let method = document.get("token_endpoint_auth_method");
    if !method.is_none_or(|method| method == "none") {
        return None;
    }
    // One that cannot be gone back to does not spoil the others.
    let uris = document.get("redirect_uris")?.as_array()?.iter();
    let uris = uris.filter_map(|uri| RedirectUri::parse(uri.as_str()?).ok());
    Client::new(document.get("client_name")?.as_str()?, uris.collect()).ok()
}

/// Tells whether a host is a name that public hosts have: no address in any spelling, and none of
/// the names that stand for this computer or network (RFC 6761, RFC 6762, RFC 9476).
fn is_public_name(host: &str) -> bool {
    const LOCAL: [&str; 8] = [
        "localhost",
        "local",
        "internal",
        "alt",
        "test",
        "invalid",
        "onion",
        "arpa",
    ];
    let Some((_, last)) = host.trim_end_matches('.').rsplit_once('.') else {
        return false;
    };
    // Whatever ends in a number is read as an IPv4 address (WHATWG URL §3.5).
    let is_number = last.starts_with(|first: char| first.is_ascii_digit());
    !host.starts_with('[') && !is_number && !LOCAL.contains(&last)
}

fn with_port(item: &str) -> Option<String> {
    let item = item.to_ascii_lowercase();
    let (host, port) = match item.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host.to_owned(), port.parse().ok()?),
        _ => (item, 443_u16),
    };
    is_host(&host).then(|| [host, port.to_string()].join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::UpstreamResponse;

    const ID: &str = "https://app.example/client.json";

    #[test]
    fn no_internal_address_is_asked_in_any_spelling() {
        let public = ClientDocuments::Public;
        assert!(public.call(ID).is_some());
        assert_eq!(public.call(ID).map(|call| call.reach), Some(Reach::Public));
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "0.0.0.0",
            "10.0.0.1",
            "169.254.169.254",
            "192.168.0.1:8443",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[fd00::1]",
            "[fe80::1]",
            "localhost",
            "localhost.",
            "app.localhost",
            "printer.local",
            "metadata.google.internal",
            "intranet",
            "user@app.example",
        ] {
            let id = format!("https://{host}/client.json");
            assert_eq!(public.call(&id), None, "{id}");
        }
    }

    #[test]
    fn an_identifier_is_an_https_address_with_a_path() {
        let public = ClientDocuments::Public;
        for id in [
            "http://app.example/client.json",
            "https://app.example",
            "https://app.example/",
            "https://app.example/a/../b",
            "https://app.example/./b",
            "https://app.example/a#b",
            "app.example/a",
            "",
        ] {
            assert_eq!(public.call(id), None, "{id}");
        }
        assert_eq!(ClientDocuments::Off.call(ID), None);
    }

    #[test]
    fn hosts_that_are_named_are_the_only_ones() {
        let named = ClientDocuments::parse("app.example, 127.0.0.1:8443").unwrap();
        let reach = |id: &str| named.call(id).map(|call| call.reach);
        assert_eq!(reach(ID), Some(Reach::Anywhere));
        assert_eq!(reach("https://127.0.0.1:8443/c"), Some(Reach::Anywhere));
        assert_eq!(reach("https://127.0.0.1/c"), None);
        assert_eq!(reach("https://app.example:8443/c"), None);
        assert_eq!(reach("https://other.example/c"), None);
        assert_eq!(named.urls().len(), 2);
        assert_eq!(ClientDocuments::parse("on"), Ok(ClientDocuments::Public));
        assert_eq!(ClientDocuments::parse("off"), Ok(ClientDocuments::Off));
        for bad in ["", ",", "a b", "app.example:x", "https://app.example"] {
            assert!(ClientDocuments::parse(bad).is_err(), "{bad}");
        }
    }

    #[track_caller]
    fn check(kind: &str, body: &str, expected: Option<&str>) {
        let response = UpstreamResponse {
            status: 200,
            headers: [("content-type".into(), kind.into())].into(),
            body: body.into(),
        };
        let finding = DocumentFinding::of(ID, Ok(response), UnixSeconds(0));
        let name = finding.known.as_ref().map(|client| client.name()).ok();
        assert_eq!(name, expected, "{kind} {body}");
    }

    #[test]
    fn a_document_names_its_own_address_and_is_json() {
        let document = |id: &str, more: &str| {
            format!(
                r#"{{"client_id":"{id}","client_name":"App","redirect_uris":["app:/cb"]{more}}}"#
            )
        };
        let right = document(ID, "");
        for kind in [
            "application/json",
            "application/json; charset=utf-8",
            "application/x+json",
        ] {
            check(kind, &right, Some("App"));
        }
        check("text/html", &right, None);
        check("", &right, None);
        let json = "application/json";
        check(
            json,
            &document(ID, r#","token_endpoint_auth_method":"none""#),
            Some("App"),
        );
        for wrong in [
            document("https://app.example/CLIENT.json", ""),
            document("https://app.example:443/client.json", ""),
            document(ID, r#","token_endpoint_auth_method":"private_key_jwt""#),
            right.replace("app:/cb", "javascript:/cb"),
            right.replace("client_name", "name"),
            right.replace("redirect_uris", "uris"),
            String::new(),
            "[]".into(),
        ] {
            check(json, &wrong, None);
        }
    }

    #[test]
    fn an_outage_is_told_from_a_document_that_is_not_there() {
        let fault = |status: u16| {
            let response = UpstreamResponse {
                status,
                headers: Vec::new(),
                body: Vec::new(),
            };
            DocumentFinding::of(ID, Ok(response), UnixSeconds(0))
                .known
                .err()
        };
        for status in [200, 301, 302, 404, 410] {
            assert_eq!(fault(status), Some(DocumentFault::Wrong), "{status}");
        }
        for status in [400, 401, 403, 429, 500, 503] {
            let outage = DocumentFault::Outage(Outage::Status(status));
            assert_eq!(fault(status), Some(outage));
        }
    }
}
