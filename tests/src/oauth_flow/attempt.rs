//! What a client knows of one sign-in, and what it is granted in the end.

use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::form;
use crate::client::Response;

/// A registered client.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// Its only redirect URI.
    pub redirect_uri: String,
}

/// What a client made up for one sign-in.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Who signs somebody in.
    pub client: Client,
    /// The `state`, which has to come back.
    pub state: String,
    /// The code verifier (RFC 7636).
    pub verifier: String,
    /// The resource indicator (RFC 8707).
    pub resource: String,
    /// The scope, blanks between.
    pub scope: String,
}

/// What the token endpoint granted.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token; empty when there is none.
    pub refresh: String,
}

impl Attempt {
    /// Returns path and query of the authorization request.
    #[must_use]
    pub fn target(&self) -> String {
        let digest = digest::digest(&digest::SHA256, self.verifier.as_bytes());
        let fields = form::encode(&[
            ("response_type", "code"),
            ("client_id", &self.client.id),
            ("redirect_uri", &self.client.redirect_uri),
            ("state", &self.state),
            ("scope", &self.scope),
            ("resource", &self.resource),
            ("code_challenge", &URL_SAFE_NO_PAD.encode(digest)),
            ("code_challenge_method", "S256"),
        ]);
        format!("/authorize?{fields}")
    }

    /// Reads the code out of what came to the client, checking what a client checks.
    ///
    /// # Panics
    ///
    /// Panics when it is for another client or attempt, from another issuer, or an error.
    #[must_use]
    pub fn read(&self, url: &str, issuer: &str) -> String {
        let (place, query) = url.split_once('?').unwrap();
        assert_eq!(place, self.client.redirect_uri);
        assert_eq!(form::value(query, "state"), self.state, "{url}");
        assert_eq!(form::value(query, "iss"), issuer, "{url}");
        assert_eq!(form::value(query, "error"), "", "{url}");
        form::value(query, "code")
    }
}

impl Tokens {
    /// Reads what the token endpoint granted.
    ///
    /// # Panics
    ///
    /// Panics when it granted nothing.
    #[must_use]
    pub fn read(answer: &Response) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.value("cache-control"), "no-store");
        let granted = answer.json();
        Self {
            access: text(&granted, "access_token"),
            refresh: text(&granted, "refresh_token"),
        }
    }
}

pub(super) fn text(object: &Value, name: &str) -> String {
    object[name].as_str().unwrap_or_default().to_owned()
}

/// Makes 43 characters that nobody can guess.
pub(crate) fn random() -> String {
    let mut octets = [0; 32];
    rand::fill(&mut octets).unwrap();
    URL_SAFE_NO_PAD.encode(octets)
}
