//! Which credential a request carries, and what can be said of it.

use alloc::format;
use alloc::vec::Vec;

use super::rules::text;
use super::{Checks, Given, Outcome, Secrets, token};
use crate::config::Config;
use crate::credentials::{Authorization, ClientCredentials, Decoded};
use crate::denial::Denial;
use crate::jose::TokenText;
use crate::modes::Mode;
use crate::request::{RequestHead, Single};
use crate::rules::is_preflight;

const SUBJECT: &str = "credential";

/// Checks the credential of a request; returns its token, if it is one with parts.
pub(super) fn check(
    config: &Config,
    head: &RequestHead<'_>,
    given: &Given<'_>,
    checks: &mut Checks,
) -> Option<TokenText> {
    if is_preflight(head) {
        checks.note(SUBJECT, "none needed: browsers ask without one".into());
        return None;
    }
    unused(config, head, checks);
    match &config.mode {
        Mode::None => {
            checks.note(SUBJECT, "none needed: everybody may connect".into());
            None
        }
        Mode::ApiKey(mode) => {
            match mode.check(head, &config.access, given.now) {
                Ok(_) if given.secrets == Secrets::Known => {
                    checks.push(SUBJECT, Outcome::Passed, "the key is the right one".into());
                }
                Ok(_) | Err(Denial::WrongApiKey) if given.secrets == Secrets::Hidden => {
                    checks.open(
                        SUBJECT,
                        "a key: whether it is the right one is not known here",
                    );
                }
                Ok(_) => {}
                Err(denial) => refuse(&denial, checks),
            }
            None
        }
        Mode::Zscaler(_) => {
            client_credentials(head, checks);
            None
        }
        Mode::OidcProxy(_) => {
            if bearer(head, checks).is_some() {
                checks.note(
                    "token",
                    "one of this gateway's own: sealed, not readable".into(),
                );
            }
            None
        }
        Mode::Jwt(mode) | Mode::Oidc(mode) => {
            let found = bearer(head, checks)?;
            token::check(config, mode, found, given, checks);
            TokenText::of(found)
        }
    }
}

/// Names credential fields of other modes: what people send by mistake.
fn unused(config: &Config, head: &RequestHead<'_>, checks: &mut Checks) {
    let used: &[&str] = match config.mode {
        Mode::ApiKey(_) => &["x-api-key"],
        Mode::Zscaler(_) => &["x-zscaler-client-id", "x-zscaler-client-secret"],
        Mode::None | Mode::Jwt(_) | Mode::Oidc(_) | Mode::OidcProxy(_) => &[],
    };
    let others = [
        "x-api-key",
        "x-zscaler-client-id",
        "x-zscaler-client-secret",
        "cookie",
    ];
    let present: Vec<&str> = others
        .into_iter()
        .filter(|name| !used.contains(name) && head.values(name).next().is_some())
        .collect();
    if !present.is_empty() {
        let names = present.join(", ");
        checks.note("other fields", format!("not used in this mode: {names}"));
    }
}

fn bearer<'a>(head: &RequestHead<'a>, checks: &mut Checks) -> Option<&'a [u8]> {
    let denial = match Authorization::read(head) {
        Ok(Authorization::Bearer(token)) => {
            let length = token.len();
            let found = format!("Authorization: Bearer with {length} octets");
            checks.push(SUBJECT, Outcome::Passed, found);
            return Some(token);
        }
        Ok(Authorization::Absent) => Denial::MissingCredentials,
        Ok(Authorization::Basic(_) | Authorization::OtherScheme) => Denial::UnsupportedScheme,
        Err(denial) => denial,
    };
    refuse(&denial, checks);
    None
}

fn client_credentials(head: &RequestHead<'_>, checks: &mut Checks) {
    let mut decoded = Decoded::default();
    match ClientCredentials::read(head, &mut decoded) {
        Ok(credentials) => {
            let by_fields = matches!(head.single("x-zscaler-client-id"), Single::Value([_, ..]));
            let way = if by_fields {
                "the X-Zscaler fields"
            } else {
                "Authorization: Basic"
            };
            let id = text(credentials.client_id.as_bytes());
            let length = credentials.client_secret.len();
            let found = format!("client {id} by {way}, with a secret of {length} octets");
            checks.push(SUBJECT, Outcome::Passed, found);
            checks.open(
                "client secret",
                "only the token endpoint knows whether it is right",
            );
        }
        Err(denial) => refuse(&denial, checks),
    }
}

fn refuse(denial: &Denial, checks: &mut Checks) {
    checks.fail(SUBJECT, denial, "");
}
