//! The way back to a client (RFC 6749 §4.1.2, RFC 9207 §2).

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::super::cookie::SetCookie;
use super::super::form::with_query;
use super::super::server::AuthorizationServer;
use crate::decision::LocalResponse;
use crate::reason::Reason;

/// The longest address that a browser is sent to, in characters: proxies on the way and the
/// listeners of clients take no more than 8 kB in a line.
const MAX_LOCATION: usize = 8000;

impl AuthorizationServer {
    /// Sends the browser back to a client with `pairs`, its `state`, and our issuer.
    pub(super) fn send_back(
        &self,
        redirect_uri: &str,
        state: &str,
        pairs: &[(&str, &str)],
        reason: Reason,
    ) -> LocalResponse {
        let mut all = Vec::from(pairs);
        if !state.is_empty() {
            all.push(("state", state));
        }
        all.push(("iss", &self.issuer));
        self.redirect(with_query(redirect_uri, &all), reason)
    }

    /// Sends the browser to `location`. A form that was sent is not sent on (RFC 9110 §15.4.4), and
    /// no other host learns the sealed query from a referrer.
    pub(super) fn redirect(&self, location: String, reason: Reason) -> LocalResponse {
        if location.len() > MAX_LOCATION {
            let text = "What has to go back to the application is longer than browsers carry.";
            return self.error_page(
                502,
                "The sign-in cannot go on",
                text,
                Reason::LocationTooLong,
            );
        }
        let headers = [
            ("location", location),
            ("cache-control", "no-store".to_owned()),
            ("referrer-policy", "no-referrer".to_owned()),
        ];
        LocalResponse {
            status: 303,
            headers: headers.into(),
            body: Vec::new(),
            reason,
        }
    }

    /// Has the browser keep a cookie for `seconds`, or forget it when they are none.
    pub(super) fn set_cookie(
        &self,
        response: &mut LocalResponse,
        name: &str,
        value: &str,
        seconds: u64,
    ) {
        let cookie = SetCookie {
            name,
            value,
            max_age_seconds: seconds,
            secure: self.is_secure(),
        };
        response.headers.push(("set-cookie", cookie.to_string()));
    }
}
