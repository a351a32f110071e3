//! What a client brings to the token endpoint (RFC 6749 §4.1.3 and §6), checked before anything is
//! spent at the authorization server.

use super::authorize::{Registered, is_same};
use super::form::Form;
use super::grant::{Code, RefreshToken, Sealed as _};
use super::pkce::CodeVerifier;
use super::seal::Sealer;
use crate::ambient::UnixSeconds;
use crate::digest::Digest;

/// Why a client gets no token (RFC 6749 §5.2, RFC 8707 §2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RedeemFault {
    /// A parameter is missing or occurs twice.
    Request,
    /// The code or refresh token is none, is not this client's, or has expired; or the verifier or
    /// the redirect URI is another.
    Grant,
    /// The resource is another.
    Target,
}

/// Opens the code that `client` brings, if everything that it is bound to is right.
///
/// # Errors
///
/// A wrong verifier leaves the code as it is: who guesses spends nothing.
pub(crate) fn code(
    form: &Form,
    client: &Registered<'_>,
    resource: &str,
    sealer: &Sealer,
    now: UnixSeconds,
) -> Result<Code, RedeemFault> {
    let (blob, verifier) = (single(form, "code")?, single(form, "code_verifier")?);
    let (Some(blob), Some(verifier)) = (blob, verifier) else {
        return Err(RedeemFault::Request);
    };
    let redirect_uri = single(form, "redirect_uri")?;
    check_resource(form, resource)?;
    let code = Code::open(sealer, blob, now).ok_or(RedeemFault::Grant)?;
    let asked = &code.asked;
    let verified =
        CodeVerifier::parse(verifier).is_some_and(|verifier| asked.challenge.matches(&verifier));
    // A client that named it at first names it again (RFC 6749 §4.1.3); OAuth 2.1 asks for it no
    // more, as the challenge is what binds.
    let same_place = redirect_uri.is_none_or(|uri| uri == asked.redirect_uri);
    if verified && same_place && is_of(client, &asked.client) {
        Ok(code)
    } else {
        Err(RedeemFault::Grant)
    }
}

/// Opens the refresh token that `client` brings, if it is its own.
///
/// # Errors
///
/// More scope than was granted at first is no grant (RFC 6749 §6).
pub(crate) fn refresh_token(
    form: &Form,
    client: &Registered<'_>,
    resource: &str,
    sealer: &Sealer,
    now: UnixSeconds,
) -> Result<RefreshToken, RedeemFault> {
    let blob = single(form, "refresh_token")?.ok_or(RedeemFault::Request)?;
    check_resource(form, resource)?;
    let token = RefreshToken::open(sealer, blob, now).ok_or(RedeemFault::Grant)?;
    if is_of(client, &token.authority.client) {
        Ok(token)
    } else {
        Err(RedeemFault::Grant)
    }
}

fn single<'a>(form: &'a Form, name: &str) -> Result<Option<&'a str>, RedeemFault> {
    form.get(name).map_err(|_| RedeemFault::Request)
}

fn check_resource(form: &Form, resource: &str) -> Result<(), RedeemFault> {
    if form.all("resource").all(|asked| is_same(asked, resource)) {
        Ok(())
    } else {
        Err(RedeemFault::Target)
    }
}

fn is_of(client: &Registered<'_>, digest: &Digest) -> bool {
    Digest::of(&[client.id.as_bytes()]).matches(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::StateKeys;
    use crate::entropy::Entropy;
    use crate::oauth::form::encode;
    use crate::oauth::grant::{Asked, Authority, Proof};
    use alloc::string::String;
    use alloc::vec::Vec;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
    const RESOURCE: &str = "https://gw.example/mcp";
    const REDIRECT: &str = "https://app.example/callback";
    const OURS: Registered<'_> = Registered {
        id: "client",
        redirect_uris: &[],
    };

    fn sealer() -> Sealer {
        let keys = StateKeys::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
        Sealer::new(keys, "https://gw.example", RESOURCE)
    }

    fn verifier() -> CodeVerifier {
        CodeVerifier::from_entropy([7; 32])
    }

    fn sealed_code() -> String {
        let code = Code {
            asked: Asked {
                prompt: String::new(),
                client: Digest::of(&[b"client"]),
                redirect_uri: REDIRECT.into(),
                challenge: verifier().challenge(),
                state: "s".into(),
                scope: "mcp:tools".into(),
            },
            proof: Proof {
                verifier: CodeVerifier::from_entropy([8; 32]),
                nonce: "n".into(),
            },
            code: "theirs".into(),
            until: NOW.plus(60),
        };
        code.seal(&sealer(), &mut Entropy::new([1; 32])).unwrap()
    }

    fn sealed_refresh_token() -> String {
        let token = RefreshToken {
            authority: Authority {
                subject: "alice".into(),
                client: Digest::of(&[b"client"]),
                scope: "mcp:tools".into(),
                since: NOW,
            },
            token: "theirs".into(),
            until: NOW.plus(60),
        };
        token.seal(&sealer(), &mut Entropy::new([1; 32])).unwrap()
    }

    fn form(pairs: &[(&str, &str)]) -> Form {
        Form::parse(encode(pairs).as_bytes()).unwrap()
    }

    /// Brings the code with one parameter set otherwise.
    fn redeem(name: &str, value: Option<&str>) -> Result<String, RedeemFault> {
        let (blob, verifier) = (sealed_code(), verifier());
        let mut pairs: Vec<(&str, &str)> = [
            ("code", blob.as_str()),
            ("code_verifier", verifier.as_str()),
            ("redirect_uri", REDIRECT),
            ("resource", RESOURCE),
        ]
        .into();
        pairs.retain(|(other, _)| *other != name);
        pairs.extend(value.map(|value| (name, value)));
        code(&form(&pairs), &OURS, RESOURCE, &sealer(), NOW).map(|code| code.code)
    }

    #[test]
    fn a_code_opens_for_all_that_it_is_bound_to() {
        for absent in ["x", "redirect_uri", "resource"] {
            assert_eq!(redeem(absent, None).as_deref(), Ok("theirs"), "{absent}");
        }
    }

    #[test]
    fn a_code_opens_for_nothing_else() {
        let other = CodeVerifier::from_entropy([9; 32]);
        let refused = Err(RedeemFault::Grant);
        for (name, value) in [
            ("code_verifier", other.as_str()),
            ("code_verifier", "short"),
            ("redirect_uri", "https://app.example/other"),
            ("code", "theirs"),
            ("code", &sealed_refresh_token()),
        ] {
            assert_eq!(redeem(name, Some(value)), refused, "{name} {value}");
        }
        let target = Err(RedeemFault::Target);
        assert_eq!(redeem("resource", Some("https://evil.example")), target);
        for missing in ["code", "code_verifier"] {
            assert_eq!(redeem(missing, None), Err(RedeemFault::Request));
        }
        let (blob, verifier) = (sealed_code(), verifier());
        let pairs = [("code", &*blob), ("code_verifier", verifier.as_str())];
        let stranger = Registered {
            id: "another",
            redirect_uris: &[],
        };
        let outcome = code(&form(&pairs), &stranger, RESOURCE, &sealer(), NOW);
        assert_eq!(outcome.map(|code| code.code), refused);
        let late = code(&form(&pairs), &OURS, RESOURCE, &sealer(), NOW.plus(60));
        assert_eq!(late.map(|code| code.code), Err(RedeemFault::Grant));
    }

    #[test]
    fn a_refresh_token_is_for_its_client_until_the_session_ends() {
        let blob = sealed_refresh_token();
        let bring = |client: &Registered<'_>, blob: &str, now| {
            let form = form(&[("refresh_token", blob)]);
            refresh_token(&form, client, RESOURCE, &sealer(), now).map(|token| token.token)
        };
        assert_eq!(bring(&OURS, &blob, NOW).as_deref(), Ok("theirs"));
        let refused = Err(RedeemFault::Grant);
        let stranger = Registered {
            id: "another",
            redirect_uris: &[],
        };
        assert_eq!(bring(&stranger, &blob, NOW), refused);
        assert_eq!(bring(&OURS, &blob, NOW.plus(60)), refused);
        assert_eq!(bring(&OURS, &sealed_code(), NOW), refused);
        assert_eq!(bring(&OURS, "", NOW), Err(RedeemFault::Request));
    }
}
