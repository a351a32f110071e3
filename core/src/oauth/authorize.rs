//! The authorization request of a client (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2).

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use super::form::Form;
use super::grant::Asked;
use super::pkce::CodeChallenge;
use super::redirect_uri::RedirectUri;
use crate::digest::Digest;
use crate::reason::Reason;

/// The longest `state` of a client, in octets: it travels in a cookie and in a URL.
const MAX_STATE_OCTETS: usize = 1024;

/// The client of a request, as it registered.
pub(crate) struct Registered<'a> {
    /// Its `client_id`.
    pub(crate) id: &'a str,
    pub(crate) redirect_uris: &'a [RedirectUri],
}

/// Why a request is not taken up.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum AuthorizeFault {
    /// It is shown to the person, and nothing goes back: who sent the browser here is not the
    /// client, or cannot be told from others (RFC 6749 §4.1.2.1).
    Shown(&'static str),
    /// The client is told at its redirect URI.
    Returned {
        redirect_uri: String,
        /// Empty when it sent none.
        state: String,
        error: Reason,
        description: &'static str,
    },
}

/// Checks the request of `client` for access to `resource` with `scope`.
///
/// # Errors
///
/// Client and redirect URI are checked first: until both are right, an error may go nowhere.
pub(crate) fn read(
    query: &Form,
    client: &Registered<'_>,
    resource: &str,
    scope: &str,
) -> Result<Asked, AuthorizeFault> {
    let redirect_uri = redirect_uri(query, client)?;
    let (state, whole) = state(query);
    let fault = |error, description| AuthorizeFault::Returned {
        redirect_uri: redirect_uri.to_owned(),
        state: if whole { state } else { "" }.to_owned(),
        error,
        description,
    };
    let invalid = |description| fault(Reason::InvalidRequest, description);
    if !whole {
        let description = "state occurs twice or is longer than 1,024 octets";
        return Err(invalid(description));
    }
    let single = |name: &str| {
        let twice = "a parameter occurs twice";
        query.get(name).map_err(|_| invalid(twice))
    };
    match single("response_type")? {
        Some("code") => {}
        Some(_) => {
            let description = "response_type must be code";
            return Err(fault(Reason::UnsupportedResponseType, description));
        }
        None => return Err(invalid("response_type is missing")),
    }
    // Without it the method is `plain` (RFC 7636 §4.3).
    if single("code_challenge_method")? != Some("S256") {
        let description = "code_challenge_method must be S256";
        return Err(invalid(description));
    }
    let challenge = single("code_challenge")?.and_then(CodeChallenge::parse);
    let Some(challenge) = challenge else {
        let description = "code_challenge must be the base64url of a SHA-256 digest";
        return Err(invalid(description));
    };
    if !query.all("resource").all(|asked| is_same(asked, resource)) {
        let description = "resource is not the one that this server protects";
        return Err(fault(Reason::InvalidTarget, description));
    }
    let prompt = single("prompt")?.unwrap_or_default();
    let known = ["none", "login", "consent", "select_account"];
    if !prompt
        .split(' ')
        .all(|word| word.is_empty() || known.contains(&word))
    {
        return Err(fault(
            Reason::InvalidRequest,
            "prompt holds an unknown word",
        ));
    }
    Ok(Asked {
        prompt: prompt.to_owned(),
        client: Digest::of(&[client.id.as_bytes()]),
        redirect_uri: redirect_uri.to_owned(),
        challenge,
        state: state.to_owned(),
        scope: scope.to_owned(),
    })
}

/// Returns the state that the client wants back, and whether all of it can be given back.
fn state(query: &Form) -> (&str, bool) {
    match query.get("state") {
        Ok(state) => {
            let state = state.unwrap_or_default();
            (state, state.len() <= MAX_STATE_OCTETS)
        }
        Err(_) => ("", false),
    }
}

/// Tells whether a resource indicator names `resource`: clients put a slash behind a URL without a
/// path, or leave it out.
pub(crate) fn is_same(indicator: &str, resource: &str) -> bool {
    indicator.strip_suffix('/').unwrap_or(indicator) == resource
}

/// Returns the URI to go back to: the one that is asked for, if it is registered, or the only one
/// that is (RFC 6749 §3.1.2.3).
fn redirect_uri<'a>(query: &'a Form, client: &Registered<'a>) -> Result<&'a str, AuthorizeFault> {
    let asked = query.get("redirect_uri").map_err(|_| {
        AuthorizeFault::Shown("The request names more than one address to go back to.")
    })?;
    match (asked, client.redirect_uris) {
        (Some(asked), registered) if registered.iter().any(|uri| uri.matches(asked)) => Ok(asked),
        (None, [only]) => Ok(only.as_str()),
        (Some(_) | None, _) => Err(AuthorizeFault::Shown(
            "The request wants to go back to an address that the client did not register.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec::Vec;

    const RESOURCE: &str = "https://gw.example/mcp";
    const REDIRECT: &str = "https://app.example/callback";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn good() -> Vec<(&'static str, &'static str)> {
        [
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "s"),
            ("resource", RESOURCE),
        ]
        .into()
    }

    fn read_as(registered: &[&str], query: &str) -> Result<Asked, AuthorizeFault> {
        let uris: Vec<_> = registered
            .iter()
            .map(|uri| RedirectUri::parse(uri).unwrap())
            .collect();
        let client = Registered {
            id: "client",
            redirect_uris: &uris,
        };
        let form = Form::parse(query.as_bytes()).unwrap();
        read(&form, &client, RESOURCE, "mcp:tools")
    }

    fn with(name: &str, value: Option<&str>) -> Result<Asked, AuthorizeFault> {
        let mut pairs = good();
        pairs.retain(|(other, _)| *other != name);
        pairs.extend(value.map(|value| (name, value)));
        read_as(&[REDIRECT], &super::super::form::encode(&pairs))
    }

    #[track_caller]
    fn returned(outcome: Result<Asked, AuthorizeFault>, expected: &str) {
        match outcome {
            Err(AuthorizeFault::Returned {
                error,
                redirect_uri,
                ..
            }) => {
                assert_eq!((error.name(), &*redirect_uri), (expected, REDIRECT));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_whole_request_is_taken_up() {
        let asked = with("x", None).unwrap();
        assert_eq!((&*asked.redirect_uri, &*asked.state), (REDIRECT, "s"));
        assert_eq!(asked.scope, "mcp:tools");
        assert!(with("resource", None).is_ok(), "older clients name none");
        assert!(with("state", None).is_ok());
        assert!(with("redirect_uri", None).is_ok(), "there is only one");
    }

    #[test]
    fn nothing_goes_back_to_an_address_that_is_not_registered() {
        for other in [
            "https://app.example/callback/",
            "https://app.example/callback?x",
            "https://app.example.evil.example/callback",
            "https://app.example@evil.example/callback",
            "http://app.example/callback",
            "HTTPS://app.example/callback",
            "javascript:alert(1)",
            "//evil.example",
        ] {
            let outcome = with("redirect_uri", Some(other));
            assert!(matches!(outcome, Err(AuthorizeFault::Shown(_))), "{other}");
        }
        let twice = format!("redirect_uri={REDIRECT}&redirect_uri=https://evil.example");
        let outcome = read_as(&[REDIRECT], &twice);
        assert!(matches!(outcome, Err(AuthorizeFault::Shown(_))));
        let two = read_as(&[REDIRECT, "https://b.example/cb"], "response_type=code");
        assert!(
            matches!(two, Err(AuthorizeFault::Shown(_))),
            "which of them?"
        );
    }

    #[test]
    fn a_challenge_that_could_be_guessed_is_refused() {
        returned(with("code_challenge_method", None), "invalid_request");
        for method in ["plain", "s256", "S512"] {
            returned(
                with("code_challenge_method", Some(method)),
                "invalid_request",
            );
        }
        returned(with("code_challenge", None), "invalid_request");
        for bad in ["", "x", &CHALLENGE[1..], &format!("{CHALLENGE}=")] {
            returned(with("code_challenge", Some(bad)), "invalid_request");
        }
    }

    #[test]
    fn another_resource_is_no_target() {
        for other in [
            "https://gw.example",
            "https://gw.example/mcp/x",
            "https://evil.example/mcp",
        ] {
            returned(with("resource", Some(other)), "invalid_target");
        }
        let both = format!(
            "{}&resource=https://evil.example",
            super::super::form::encode(&good())
        );
        returned(read_as(&[REDIRECT], &both), "invalid_target");
        assert!(with("resource", Some("https://gw.example/mcp/")).is_ok());
    }

    #[test]
    fn other_flows_and_oversized_state_are_told_to_the_client() {
        for kind in ["token", "code token", "id_token"] {
            returned(
                with("response_type", Some(kind)),
                "unsupported_response_type",
            );
        }
        returned(with("response_type", None), "invalid_request");
        assert!(with("state", Some(&"s".repeat(1024))).is_ok());
        returned(with("state", Some(&"s".repeat(1025))), "invalid_request");
    }
}
