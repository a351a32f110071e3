//! Dynamic client registration (RFC 7591), of which nothing is kept: the answer holds all of it.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::client::{Client, ClientFault, MAX_REDIRECT_URIS};
use super::error::OAuthError;
use super::redirect_patterns::RedirectPatterns;
use super::redirect_uri::RedirectUri;
use crate::ambient::UnixSeconds;
use crate::reason::Reason;

/// The most octets of a registration that are read.
pub(crate) const MAX_OCTETS: usize = 64 * 1024;

const GRANT_TYPES: [&str; 2] = ["authorization_code", "refresh_token"];
const RESPONSE_TYPES: [&str; 1] = ["code"];

/// Reads a registration request (RFC 7591 §3.1); `allowed` are the redirect URIs that an operator
/// lets clients have, if not all that the rules allow.
///
/// Members that are not needed are ignored (§2). So is `token_endpoint_auth_method`: every client
/// is a public one, which the answer says, as the server may replace what was asked for (§3.2.1).
///
/// # Errors
///
/// Returns `invalid_redirect_uri` or `invalid_client_metadata` with the rule that is broken.
pub(crate) fn read(body: &[u8], allowed: Option<&RedirectPatterns>) -> Result<Client, OAuthError> {
    if body.len() > MAX_OCTETS {
        return Err(metadata("the registration is larger than 64 KiB"));
    }
    let asked: Asked = crate::json::parse(body)
        .ok_or_else(|| metadata("the body must be JSON of a client's metadata"))?;
    if lacks(asked.grant_types.as_deref(), "authorization_code") {
        return Err(metadata("grant_types must hold authorization_code"));
    }
    if lacks(asked.response_types.as_deref(), "code") {
        return Err(metadata("response_types must hold code"));
    }
    let texts = asked.redirect_uris.unwrap_or_default();
    if texts.len() > MAX_REDIRECT_URIS {
        return Err(limit(ClientFault::NumberOfRedirectUris));
    }
    let mut redirect_uris = Vec::with_capacity(texts.len());
    for text in &texts {
        let uri = RedirectUri::parse(text);
        let uri = uri.map_err(|fault| OAuthError::invalid_redirect_uri(fault.description()))?;
        if allowed.is_some_and(|allowed| !allowed.allows(&uri)) {
            let error = OAuthError::invalid_redirect_uri("a redirect URI is not allowed here");
            return Err(error.because(Reason::RedirectUriNotAllowed));
        }
        redirect_uris.push(uri);
    }
    let name = asked.client_name.unwrap_or_default();
    Client::new(&name, redirect_uris).map_err(limit)
}

/// Writes the answer to a registration (RFC 7591 §3.2.1). There is no secret, and so no time when
/// one lapses; `scope` is what a client may ask for, if that is configured.
pub(crate) fn answer(
    client_id: &str,
    client: &Client,
    scope: Option<&str>,
    issued_at: UnixSeconds,
) -> Vec<u8> {
    let registered = Registered {
        client_id,
        client_id_issued_at: issued_at.0,
        client_name: Some(client.name()).filter(|name| !name.is_empty()),
        redirect_uris: client
            .redirect_uris()
            .iter()
            .map(RedirectUri::as_str)
            .collect(),
        grant_types: &GRANT_TYPES,
        response_types: &RESPONSE_TYPES,
        token_endpoint_auth_method: "none",
        scope,
    };
    // Writing texts and numbers to memory cannot fail.
    serde_json::to_vec(&registered).unwrap_or_default()
}

#[derive(Deserialize)]
struct Asked {
    redirect_uris: Option<Vec<String>>,
    client_name: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Registered<'a> {
    client_id: &'a str,
    client_id_issued_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<&'a str>,
    redirect_uris: Vec<&'a str>,
    grant_types: &'a [&'a str],
    response_types: &'a [&'a str],
    token_endpoint_auth_method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

/// Tells whether a list was given, and without what must be in it.
fn lacks(list: Option<&[String]>, needed: &str) -> bool {
    list.is_some_and(|list| !list.iter().any(|item| item == needed))
}

const fn metadata(description: &'static str) -> OAuthError {
    OAuthError::invalid_client_metadata(description)
}

const fn limit(fault: ClientFault) -> OAuthError {
    match fault {
        ClientFault::NumberOfRedirectUris => OAuthError::invalid_redirect_uri(fault.description()),
        ClientFault::LongName | ClientFault::TooLarge => metadata(fault.description()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString as _;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[track_caller]
    fn check(body: &[u8], expected: Result<(&str, &[&str]), &str>) {
        let read = read(body, None);
        let read = match &read {
            Ok(client) => {
                let uris = client.redirect_uris().iter().map(RedirectUri::as_str);
                Ok((client.name(), uris.collect::<Vec<_>>()))
            }
            Err(error) => Err(error.code),
        };
        let expected = expected.map(|(name, uris)| (name, uris.to_vec()));
        assert_eq!(read, expected, "{}", body.escape_ascii());
    }

    /// What mcp-remote 0.15 sends.
    #[test]
    fn a_real_registration_is_read() {
        let body = json!({
            "redirect_uris": ["http://localhost:3335/oauth/callback"],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "client_name": "MCP CLI Proxy",
            "client_uri": "https://github.com/modelcontextprotocol/mcp-cli",
            "software_id": "2e6dc280-f3c3-4e01-99a7-8181dbd1d23d",
            "software_version": "0.15.1",
            "scope": "openid email profile",
            "application_type": "native",
        });
        let uris: &[&str] = &["http://localhost:3335/oauth/callback"];
        check(body.to_string().as_bytes(), Ok(("MCP CLI Proxy", uris)));
    }

    #[test]
    fn what_is_not_needed_is_ignored() {
        for more in [
            "",
            r#","client_name":null,"grant_types":null,"response_types":null"#,
            r#","token_endpoint_auth_method":"client_secret_basic""#,
            r#","token_endpoint_auth_method":7,"jwks":{"keys":[]},"scope":[]"#,
            r#","grant_types":["implicit","authorization_code"],"response_types":["token","code"]"#,
            r#","client_name#de":"Anderes","logo_uri":"https://evil.example/""#,
        ] {
            let body = format!(r#"{{"redirect_uris":["app:/cb"]{more}}}"#);
            check(body.as_bytes(), Ok(("", &["app:/cb"])));
        }
    }

    #[test]
    fn redirect_uris_are_needed_and_keep_the_rules() {
        for uris in [
            "null",
            "[]",
            r#"["javascript:alert(1)"]"#,
            r#"["app:/cb","http://evil.example/"]"#,
            r#"["https://h/cb#x"]"#,
            r#"["https://h\\@evil.example/"]"#,
            r#"["https://h/\u0000"]"#,
            r#"[""]"#,
        ] {
            let body = format!(r#"{{"redirect_uris":{uris}}}"#);
            check(body.as_bytes(), Err("invalid_redirect_uri"));
        }
        check(b"{}", Err("invalid_redirect_uri"));
        let many =
            |count: usize| json!({"redirect_uris": alloc::vec!["app:/cb"; count]}).to_string();
        check(many(10).as_bytes(), Ok(("", &["app:/cb"; 10])));
        check(many(11).as_bytes(), Err("invalid_redirect_uri"));
        check(many(5000).as_bytes(), Err("invalid_redirect_uri"));
    }

    #[test]
    fn other_metadata_that_is_wrong_is_refused() {
        let name = |length: usize| {
            json!({"redirect_uris": ["app:/cb"], "client_name": "n".repeat(length)}).to_string()
        };
        check(name(120).as_bytes(), Ok((&"n".repeat(120), &["app:/cb"])));
        let deep = format!(
            r#"{{"redirect_uris":["app:/cb"],"x":{}{}}}"#,
            "[".repeat(1000),
            "]".repeat(1000)
        );
        let large = format!(
            r#"{{"redirect_uris":["app:/cb"],"x":"{}"}}"#,
            "x".repeat(MAX_OCTETS)
        );
        for bad in [
            &name(121),
            &deep,
            &large,
            "",
            "[]",
            "redirect_uris=app:/cb",
            r#"{"redirect_uris":"app:/cb"}"#,
            r#"{"redirect_uris":[1]}"#,
            r#"{"redirect_uris":["app:/cb"],"client_name":7}"#,
            r#"{"redirect_uris":["app:/cb"],"grant_types":[]}"#,
            r#"{"redirect_uris":["app:/cb"],"grant_types":["implicit"]}"#,
            r#"{"redirect_uris":["app:/cb"],"response_types":["token"]}"#,
            r#"{"redirect_uris":["app:/cb"],"redirect_uris":["app:/other"]}"#,
            r#"{"redirect_uris":["app:/cb"]} x"#,
        ] {
            check(bad.as_bytes(), Err("invalid_client_metadata"));
        }
        check(
            b"{\"redirect_uris\":[\"app:/cb\"],\"x\":\"\xff\"}",
            Err("invalid_client_metadata"),
        );
    }

    #[test]
    fn an_operator_may_allow_some_redirect_uris_only() {
        let allowed = RedirectPatterns::parse("http://localhost:*/cb").unwrap();
        let code = |uris: Value| {
            let body = json!({ "redirect_uris": uris }).to_string();
            read(body.as_bytes(), Some(&allowed)).map_err(|error| (error.code, error.reason.name()))
        };
        assert!(code(json!(["http://localhost:1/cb"])).is_ok());
        let refused = ("invalid_redirect_uri", "redirect_uri_not_allowed");
        assert_eq!(
            code(json!(["http://localhost:1/cb", "https://evil.example/"])),
            Err(refused)
        );
    }

    #[test]
    fn the_answer_is_a_public_client_with_what_it_registered() {
        let body = br#"{"redirect_uris":["app:/cb","https://h/"],"client_name":"N\"<"}"#;
        let client = read(body, None).unwrap();
        let told = answer("id", &client, Some("read write"), UnixSeconds(7));
        let told: Value = serde_json::from_slice(&told).unwrap();
        let mut expected = json!({
            "client_id": "id",
            "client_id_issued_at": 7,
            "client_name": "N\"<",
            "redirect_uris": ["app:/cb", "https://h/"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": "read write",
        });
        assert_eq!(told, expected);

        let nameless = read(br#"{"redirect_uris":["app:/cb","https://h/"]}"#, None).unwrap();
        let told = answer("id", &nameless, None, UnixSeconds(7));
        let members = expected.as_object_mut().unwrap();
        members.retain(|name, _| name != "scope" && name != "client_name");
        assert_eq!(serde_json::from_slice::<Value>(&told).unwrap(), expected);
    }

    proptest! {
        #[test]
        fn whoever_registers_is_the_same_client_when_its_identifier_is_opened(
            name in "\\PC{0,60}|[\\x00-\\x{ff}]{0,130}",
            uris in prop::collection::vec("(https://[a-z]{1,9}|app:)/[a-zA-Z0-9._~/?=&-]{0,120}", 0..9),
        ) {
            let body = json!({"client_name": name, "redirect_uris": uris}).to_string();
            if let Ok(client) = read(body.as_bytes(), None) {
                prop_assert_eq!(Client::from_octets(&client.to_octets()), Some(client.clone()));
                prop_assert!(!client.name().chars().any(char::is_control));
                let answer = answer("id", &client, None, UnixSeconds(1));
                let answer: Value = serde_json::from_slice(&answer).unwrap();
                prop_assert_eq!(&answer["redirect_uris"], &json!(uris));
            }
        }

        #[test]
        fn any_body_is_read_or_refused_as_a_client_error(
            body in "\\{\"(redirect_uris|client_name)\":[\\[\\]{}\",:a-z\\\\0-9]{0,60}\\}?"
        ) {
            let status = read(body.as_bytes(), None).map_err(|error| error.status);
            prop_assert!(status.is_ok() || status == Err(400));
        }
    }
}
