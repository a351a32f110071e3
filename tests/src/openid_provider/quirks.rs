//! In what a provider differs from others, and how it fails.

use std::time::Duration;

use serde_json::json;

use crate::server::{Answer, Behaviour};
use crate::signing::Alg;

/// What a provider does in its own way; the usual is what most do.
#[derive(Clone, Debug)]
pub struct Quirks {
    /// What its access tokens are.
    pub access_token: AccessToken,
    /// What becomes of a refresh token that was used.
    pub rotation: Rotation,
    /// Whether it gives refresh tokens.
    pub refresh_tokens: bool,
    /// Whether the answer to a refresh has an ID token.
    pub id_token_on_refresh: bool,
    /// Whom the ID token of a refresh names.
    pub renewed_subject: &'static str,
    /// What its answers call the scope; nothing when none.
    pub scope: Option<&'static str>,
    /// Whether it refuses requests with a resource indicator.
    pub refuses_resource: bool,
    /// Whether it names itself on the way back, and says so in its document (RFC 9207).
    pub names_itself: bool,
    /// Whether its issuer ends in a slash.
    pub issuer_has_slash: bool,
    /// How clients authenticate; the document is silent when none.
    pub authentication: Option<&'static [&'static str]>,
    /// What it signs ID tokens with: an algorithm of RSA, or ES256.
    pub algorithm: Alg,
    /// Whether each sign-in has a new key for ES256, published only then.
    pub new_key_each_time: bool,
    /// Whether it has a revocation endpoint.
    pub revokes: bool,
    /// Whether its answers have members and parameters that nobody asked for.
    pub says_more: bool,
    /// Whether its endpoints have a query of their own.
    pub has_queries: bool,
    /// The status with which a spent or revoked grant is refused.
    pub refusal_status: u16,
    /// How many characters its codes and tokens have at least.
    pub length: usize,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            access_token: AccessToken::ForItsApi,
            rotation: Rotation::Strict,
            refresh_tokens: true,
            id_token_on_refresh: true,
            renewed_subject: super::SUBJECT,
            scope: None,
            refuses_resource: false,
            names_itself: true,
            issuer_has_slash: false,
            authentication: Some(&["client_secret_basic", "client_secret_post"]),
            algorithm: Alg::Rs256,
            new_key_each_time: false,
            revokes: true,
            says_more: false,
            has_queries: false,
            refusal_status: 400,
            length: 43,
        }
    }
}

/// What an access token is to whoever looks at it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AccessToken {
    /// Characters.
    Opaque,
    /// A JWT for an API of the provider's own.
    ForItsApi,
    /// A JWT whose audience is the client.
    ForTheClient,
}

/// What becomes of a refresh token that was used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rotation {
    /// It stays good, and answers have no other.
    None,
    /// It is refused, and its successor stays good.
    Lenient,
    /// It is refused, and with it all that came of the same sign-in.
    Strict,
}

/// How an endpoint fails, before it has looked at the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A status without a body.
    Status(u16),
    /// A redirect to a page.
    Redirect,
    /// A page where JSON should be.
    Html,
    /// Half of an answer.
    Cut,
    /// No answer but the end of the connection.
    Close,
    /// An error of its own (RFC 6749 §5.2).
    Error(u16, &'static str),
    /// All is well, but late.
    Late(Duration),
}

impl Fault {
    /// Returns what comes instead of `well`.
    pub(super) fn spoil(self, well: impl FnOnce() -> Behaviour) -> Behaviour {
        let page = || {
            let page = "<!doctype html><title>Something went wrong</title>".repeat(8);
            Answer::new(200)
                .field("content-type", "text/html")
                .body(page)
        };
        match self {
            Self::Status(status) => Behaviour::status(status),
            Self::Redirect => Behaviour::Answer(Answer::new(302).field("location", "/login")),
            Self::Html => Behaviour::Answer(page()),
            Self::Cut => Behaviour::Cut(page()),
            Self::Close => Behaviour::Close,
            Self::Error(status, error) => Behaviour::json(status, &json!({ "error": error })),
            Self::Late(late) => Behaviour::Late(late, Box::new(well())),
        }
    }
}
