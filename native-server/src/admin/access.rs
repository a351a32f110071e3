//! Who may ask the admin listener.

use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context as _, bail};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HOST};

use crate::listen;

/// Fewer characters could be guessed.
const MIN_TOKEN: usize = 16;

/// What is asked of a request.
pub(super) struct Access {
    /// Whether only this machine can connect. Browsers of this machine can be led here by names
    /// that a stranger has resolved to loopback, so the `Host` must be one of loopback's own.
    loopback: bool,
    /// The digest of the token.
    token: Option<Digest>,
}

/// Why a request is turned away.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TurnedAway {
    WrongHost,
    NoToken,
}

impl Access {
    pub(super) fn new(loopback: bool, token: Option<Digest>) -> Self {
        Self { loopback, token }
    }

    /// Lets a request in with the right token, as a bearer token, or as the password of anybody
    /// for browsers.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), TurnedAway> {
        if self.loopback && !has_loopback_host(headers) {
            return Err(TurnedAway::WrongHost);
        }
        let Some(token) = &self.token else {
            return Ok(());
        };
        let presented = presented(headers).ok_or(TurnedAway::NoToken)?;
        let presented = digest(&SHA256, &presented);
        verify_slices_are_equal(presented.as_ref(), token.as_ref()).map_err(|_| TurnedAway::NoToken)
    }
}

/// Reads the token of a file and returns its digest.
///
/// # Errors
///
/// Refuses a file that cannot be read, and a token that is too short.
pub(super) fn read_token(path: &Path) -> anyhow::Result<Digest> {
    let at = || format!("--admin-token-file {}", path.display());
    let text = std::fs::read_to_string(path).with_context(at)?;
    let token = text.trim();
    if token.len() < MIN_TOKEN || !token.bytes().all(|octet| octet.is_ascii_graphic()) {
        bail!(
            "{} must hold {MIN_TOKEN} or more letters, digits and signs; \
             `portcullis --generate-auth-token` prints such a token",
            at()
        );
    }
    Ok(digest(&SHA256, token.as_bytes()))
}

fn has_loopback_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let Ok(host) = host.to_str() else {
        return false;
    };
    let is_port = |port: &str| port.bytes().all(|octet| octet.is_ascii_digit());
    let host = match host.rsplit_once(':') {
        Some((host, port)) if is_port(port) => host,
        Some(_) | None => host,
    };
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match bare {
        Some(address) => address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        None => listen::is_loopback(host),
    }
}

fn presented(headers: &HeaderMap) -> Option<Vec<u8>> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return None;
    };
    let (scheme, value) = field.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.trim().as_bytes().to_vec());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = STANDARD.decode(value.trim()).ok()?;
    let colon = pair.iter().position(|octet| *octet == b':')?;
    Some(pair.get(colon.checked_add(1)?..)?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn check(access: &Access, fields: &[(&'static str, &str)]) -> Result<(), TurnedAway> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        access.check(&headers)
    }

    #[test]
    fn on_loopback_the_host_is_one_of_loopback() {
        let access = Access::new(true, None);
        for host in [
            "localhost",
            "LOCALHOST:9464",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]:9464",
        ] {
            assert_eq!(check(&access, &[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:9464",
            "localhost.evil.example",
            "10.0.0.1",
            "[::2]",
        ] {
            let turned_away = Err(TurnedAway::WrongHost);
            assert_eq!(check(&access, &[("host", host)]), turned_away, "{host}");
        }
        let twice = [("host", "localhost"), ("host", "localhost")];
        assert_eq!(check(&access, &twice), Err(TurnedAway::WrongHost));
        assert_eq!(check(&access, &[]), Err(TurnedAway::WrongHost));
    }

    #[test]
    fn the_token_comes_as_a_bearer_token_or_as_a_password() {
        let token = digest(&SHA256, b"correct-horse-battery");
        let access = Access::new(false, Some(token));
        let with = |value: &str| check(&access, &[("authorization", value)]);
        assert_eq!(with("Bearer correct-horse-battery"), Ok(()));
        let basic = |pair: &str| with(&format!("Basic {}", STANDARD.encode(pair)));
        assert_eq!(basic("anybody:correct-horse-battery"), Ok(()));
        for turned_away in [
            with("Bearer correct-horse-batter"),
            with("Bearer "),
            with("correct-horse-battery"),
            basic("correct-horse-battery"),
            basic("correct-horse-battery:"),
            check(&access, &[]),
            check(
                &access,
                &[
                    ("authorization", "Bearer correct-horse-battery"),
                    ("authorization", "Bearer correct-horse-battery"),
                ],
            ),
        ] {
            assert_eq!(turned_away, Err(TurnedAway::NoToken));
        }
    }
}
