//! The way back from the authorization server (RFC 6749 §4.1.2, RFC 9207 §2.4).

use alloc::borrow::ToOwned as _;

use super::form::Form;
use super::grant::{CODE_SECONDS, Code, Flow};
use crate::ambient::UnixSeconds;
use crate::digest::Digest;

/// What the authorization server is known for.
pub(crate) struct Issuer<'a> {
    pub(crate) identifier: &'a str,
    /// Whether it says that it names itself in each answer
    /// (`authorization_response_iss_parameter_supported`).
    pub(crate) names_itself: bool,
}

/// What an answer of the authorization server means for the client.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Returned {
    /// A code, to be sealed for the client.
    Code(Code),
    /// An error for the client (RFC 6749 §4.1.2.1).
    Error { flow: Flow, error: &'static str },
}

/// Why an answer is believed by nobody: it is shown, and nothing goes to a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CallbackFault {
    /// A parameter is missing or occurs twice.
    Malformed,
    /// This browser did not begin the flow that the answer is for, or too long ago.
    NotOurFlow,
    /// The answer comes from another authorization server than was asked.
    OtherIssuer,
}

/// Returns the `state` of an answer, by which the browser's cookie is found.
///
/// # Errors
///
/// Refuses an answer without one.
pub(crate) fn state(query: &Form) -> Result<&str, CallbackFault> {
    single(query, "state")?.ok_or(CallbackFault::Malformed)
}

/// Takes the answer for `flow`, which the browser's cookie held.
///
/// # Errors
///
/// Refuses what is not an answer of `issuer` for this flow.
pub(crate) fn read(
    query: &Form,
    flow: Option<Flow>,
    issuer: &Issuer<'_>,
    now: UnixSeconds,
) -> Result<Returned, CallbackFault> {
    let state = state(query)?;
    let flow = flow.ok_or(CallbackFault::NotOurFlow)?;
    let [ours, theirs] = [&flow.state, state].map(|state| Digest::of(&[state.as_bytes()]));
    if !ours.matches(&theirs) {
        return Err(CallbackFault::NotOurFlow);
    }
    match single(query, "iss")? {
        Some(iss) if iss == issuer.identifier => {}
        None if !issuer.names_itself => {}
        Some(_) | None => return Err(CallbackFault::OtherIssuer),
    }
    match (single(query, "code")?, single(query, "error")?) {
        (Some(code), None) => Ok(Returned::Code(Code {
            asked: flow.asked,
            proof: flow.proof,
            code: code.to_owned(),
            until: now.plus(CODE_SECONDS),
        })),
        (None, Some(error)) => {
            let error = for_client(error);
            Ok(Returned::Error { flow, error })
        }
        (Some(_), Some(_)) | (None, None) => Err(CallbackFault::Malformed),
    }
}

/// Says an error of the authorization server in the gateway's own words: only what a client can
/// act on, and never text that somebody else wrote.
fn for_client(error: &str) -> &'static str {
    const PASSED_ON: [&str; 3] = ["access_denied", "temporarily_unavailable", "login_required"];
    let known = PASSED_ON.into_iter().find(|known| *known == error);
    known.unwrap_or("server_error")
}

fn single<'a>(query: &'a Form, name: &str) -> Result<Option<&'a str>, CallbackFault> {
    query.get(name).map_err(|_| CallbackFault::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::grant::{Asked, Proof};
    use crate::oauth::pkce::CodeVerifier;
    use alloc::string::String;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
    const ISS: &str = "https%3A%2F%2Fidp.example";

    fn flow() -> Flow {
        Flow {
            asked: Asked {
                prompt: String::new(),
                client: Digest::of(&[b"client"]),
                redirect_uri: "https://app.example/callback".into(),
                challenge: CodeVerifier::from_entropy([7; 32]).challenge(),
                state: "theirs".into(),
                scope: String::new(),
            },
            proof: Proof {
                verifier: CodeVerifier::from_entropy([8; 32]),
                nonce: "n".into(),
            },
            state: "ours".into(),
            until: NOW.plus(60),
        }
    }

    fn answer(query: &str, names_itself: bool) -> Result<Returned, CallbackFault> {
        let form = Form::parse(query.replace("ISS", ISS).as_bytes()).unwrap();
        let issuer = Issuer {
            identifier: "https://idp.example",
            names_itself,
        };
        read(&form, Some(flow()), &issuer, NOW)
    }

    #[test]
    fn a_code_is_kept_unspent_for_a_minute_with_all_that_it_is_bound_to() {
        for query in ["code=c&state=ours&iss=ISS", "code=c&state=ours"] {
            let Ok(Returned::Code(code)) = answer(query, false) else {
                panic!("{query}");
            };
            assert_eq!((&*code.code, code.until), ("c", NOW.plus(60)));
            assert_eq!((code.asked, code.proof), (flow().asked, flow().proof));
        }
    }

    #[test]
    fn an_answer_for_another_flow_or_browser_is_not_believed() {
        for query in [
            "code=c&state=theirs",
            "code=c&state=our",
            "error=x&state=other",
        ] {
            assert_eq!(
                answer(query, false),
                Err(CallbackFault::NotOurFlow),
                "{query}"
            );
        }
        let form = Form::parse(b"code=c&state=ours").unwrap();
        let issuer = Issuer {
            identifier: "https://idp.example",
            names_itself: false,
        };
        let outcome = read(&form, None, &issuer, NOW);
        assert_eq!(outcome, Err(CallbackFault::NotOurFlow), "no cookie");
    }

    #[test]
    fn an_answer_of_another_issuer_or_of_none_where_it_names_itself_is_a_mix_up() {
        let other = Err(CallbackFault::OtherIssuer);
        assert_eq!(
            answer("code=c&state=ours&iss=https://evil.example", false),
            other
        );
        assert_eq!(answer("code=c&state=ours&iss=ISS/", true), other);
        assert_eq!(answer("code=c&state=ours", true), other);
        assert_eq!(answer("error=access_denied&state=ours", true), other);
        assert!(answer("code=c&state=ours&iss=ISS", true).is_ok());
    }

    #[test]
    fn an_error_reaches_the_client_in_our_words() {
        for (theirs, ours) in [
            ("access_denied", "access_denied"),
            ("temporarily_unavailable", "temporarily_unavailable"),
            ("invalid_scope", "server_error"),
            ("<script>", "server_error"),
        ] {
            let query = alloc::format!("error={theirs}&state=ours");
            match answer(&query, false) {
                Ok(Returned::Error { error, .. }) => assert_eq!(error, ours),
                other => panic!("{theirs}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_answer_says_one_thing_once() {
        for query in [
            "state=ours",
            "code=c&error=x&state=ours",
            "code=c&code=d&state=ours",
            "code=c&state=ours&state=ours",
            "code=c",
        ] {
            assert_eq!(
                answer(query, false),
                Err(CallbackFault::Malformed),
                "{query}"
            );
        }
    }
}
