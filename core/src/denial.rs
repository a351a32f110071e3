//! Every reason to refuse a request, and the one mapping to what the client is told.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::ambient::UnixSeconds;
use crate::attempts::RetryAfter;
use crate::config::{Config, ModeName};
use crate::decision::LocalResponse;
use crate::reason::Reason;
use crate::rules::CorsGrant;
use crate::upstream::CallFailure;

/// Why a request is refused: precise, for logs and metrics only.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Denial {
    MissingCredentials,
    UnsupportedScheme,
    RepeatedCredential,
    MalformedCredential,
    WrongApiKey,
    ApiKeyExpired,
    ApiKeySourceNotAllowed,
    MalformedToken,
    TokenTooLarge,
    UnacceptableAlgorithm,
    UnacceptableHeader,
    UnknownKey,
    BadSignature,
    MissingExpiry,
    Expired { exp: UnixSeconds, now: UnixSeconds },
    NotYetValid { nbf: UnixSeconds, now: UnixSeconds },
    IssuedInFuture { iat: UnixSeconds, now: UnixSeconds },
    WrongIssuer,
    WrongAudience,
    MalformedClaims,
    UnknownAccessToken,
    Revoked,
    InsufficientScope,
    ClientCredentialsRefused,
    AuthorizationServerUnavailable(Outage),
    TooManyCalls,
    TooManyWrongSecrets(RetryAfter),
    SessionNotFound,
    HostNotAllowed,
    OriginNotAllowed,
    AddressNotAllowed,
}

/// Why an authorization server counts as unavailable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outage {
    Call(CallFailure),
    Status(u16),
    Garbage,
    WaitedTooLong,
    /// So many calls are under way that there is no room for another.
    NoRoom,
    /// The host does not hand the body of a request over.
    NoBody,
}

/// What the client is told.
struct Wire {
    status: u16,
    message: &'static str,
    challenge: Challenge,
}

/// Which `WWW-Authenticate` goes with an answer.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Challenge {
    Absent,
    /// RFC 6750 §3.1: a request without usable credentials gets no error code.
    Plain,
    /// The request cannot be understood (RFC 6750 §3.1).
    InvalidRequest,
    /// A credential was presented and is not accepted.
    InvalidToken,
    /// The token is good for less than this (RFC 6750 §3.1).
    InsufficientScope,
}

/// How long to wait while something is out of order, in seconds.
const RETRY_AFTER_SECONDS: u64 = 5;

impl Denial {
    /// Returns the reason, for logs and metrics.
    pub(crate) const fn reason(&self) -> Reason {
        match self {
            Self::MissingCredentials => Reason::MissingCredentials,
            Self::UnsupportedScheme => Reason::UnsupportedScheme,
            Self::RepeatedCredential => Reason::RepeatedCredential,
            Self::MalformedCredential => Reason::MalformedCredential,
            Self::WrongApiKey => Reason::WrongApiKey,
            Self::ApiKeyExpired => Reason::ApiKeyExpired,
            Self::ApiKeySourceNotAllowed => Reason::ApiKeySourceNotAllowed,
            Self::MalformedToken => Reason::MalformedToken,
            Self::TokenTooLarge => Reason::TokenTooLarge,
            Self::UnacceptableAlgorithm => Reason::UnacceptableAlgorithm,
            Self::UnacceptableHeader => Reason::UnacceptableHeader,
            Self::UnknownKey => Reason::UnknownKey,
            Self::BadSignature => Reason::BadSignature,
            Self::MissingExpiry => Reason::MissingExpiry,
            Self::Expired { .. } => Reason::Expired,
            Self::NotYetValid { .. } => Reason::NotYetValid,
            Self::IssuedInFuture { .. } => Reason::IssuedInFuture,
            Self::WrongIssuer => Reason::WrongIssuer,
            Self::WrongAudience => Reason::WrongAudience,
            Self::MalformedClaims => Reason::MalformedClaims,
            Self::UnknownAccessToken => Reason::UnknownAccessToken,
            Self::Revoked => Reason::Revoked,
            Self::InsufficientScope => Reason::InsufficientScope,
            Self::ClientCredentialsRefused => Reason::ClientCredentialsRefused,
            Self::AuthorizationServerUnavailable(outage) => outage.reason(),
            Self::TooManyCalls => Reason::TooManyCalls,
            Self::TooManyWrongSecrets(_) => Reason::TooManyWrongSecrets,
            Self::SessionNotFound => Reason::SessionNotFound,
            Self::HostNotAllowed => Reason::HostNotAllowed,
            Self::OriginNotAllowed => Reason::OriginNotAllowed,
            Self::AddressNotAllowed => Reason::AddressNotAllowed,
        }
    }

    /// Makes the answer for the client of a gateway with these settings.
    pub(crate) fn respond(&self, config: &Config, cors: Option<&CorsGrant>) -> LocalResponse {
        let mode = config.mode.name();
        let wire = self.wire(mode);
        let mut headers = Vec::new();
        if let Some(challenge) = challenge(mode, wire.challenge) {
            let mut challenge = challenge.to_owned();
            if let Some(resource) = &config.resource {
                challenge.push_str(resource.challenge());
            }
            headers.push(("www-authenticate", challenge));
        }
        if let Some(seconds) = self.retry_after(wire.status) {
            headers.push(("retry-after", seconds.to_string()));
        }
        let body = json_rpc_error(wire.message);
        json_response(wire.status, headers, body, self.reason(), cors)
    }

    /// Returns how long a client is to wait before it comes again, in seconds.
    fn retry_after(&self, status: u16) -> Option<u64> {
        if let Self::TooManyWrongSecrets(RetryAfter(seconds)) = self {
            return Some(*seconds);
        }
        (status == 503).then_some(RETRY_AFTER_SECONDS)
    }

    /// The only place that decides what a client learns: it helps an honest user, and names no
    /// expected issuer, audience or key and nothing that an authorization server said.
    const fn wire(&self, mode: ModeName) -> Wire {
        let (status, message, challenge) = match self {
            Self::MissingCredentials => (401, missing(mode), Challenge::Plain),
            Self::UnsupportedScheme => (401, missing(mode), Challenge::Plain),
            // MCP asks for the status of RFC 6750; clients of the other modes know 401 only.
            Self::RepeatedCredential if mode.is_oauth() => {
                (400, REPEATED, Challenge::InvalidRequest)
            }
            Self::MalformedCredential if mode.is_oauth() => {
                (400, malformed(mode), Challenge::InvalidRequest)
            }
            Self::RepeatedCredential => (401, REPEATED, Challenge::InvalidToken),
            Self::MalformedCredential => (401, malformed(mode), Challenge::InvalidToken),
            // Who has the key of somebody else is not told what it lacks.
            Self::WrongApiKey | Self::ApiKeyExpired | Self::ApiKeySourceNotAllowed => {
                (401, WRONG_KEY, Challenge::InvalidToken)
            }
            Self::MalformedToken => (401, MALFORMED_TOKEN, Challenge::InvalidToken),
            Self::TokenTooLarge => (401, TOO_LARGE, Challenge::InvalidToken),
            Self::UnacceptableAlgorithm => (401, ALGORITHM, Challenge::InvalidToken),
            Self::UnacceptableHeader => (401, TOKEN_HEADER, Challenge::InvalidToken),
            Self::UnknownKey | Self::BadSignature => (401, SIGNATURE, Challenge::InvalidToken),
            Self::MissingExpiry => (401, NO_EXPIRY, Challenge::InvalidToken),
            Self::Expired { .. } => (401, EXPIRED, Challenge::InvalidToken),
            Self::NotYetValid { .. } | Self::IssuedInFuture { .. } => {
                (401, NOT_YET, Challenge::InvalidToken)
            }
            Self::WrongIssuer => (401, ISSUER, Challenge::InvalidToken),
            Self::WrongAudience => (401, AUDIENCE, Challenge::InvalidToken),
            Self::MalformedClaims => (401, CLAIMS, Challenge::InvalidToken),
            Self::UnknownAccessToken => (401, UNKNOWN_TOKEN, Challenge::InvalidToken),
            Self::Revoked => (401, WITHDRAWN, Challenge::InvalidToken),
            Self::InsufficientScope => (403, SCOPE, Challenge::InsufficientScope),
            Self::ClientCredentialsRefused => (401, REFUSED, Challenge::InvalidToken),
            Self::AuthorizationServerUnavailable(_) => (503, UNAVAILABLE, Challenge::Absent),
            Self::TooManyCalls => (503, BUSY, Challenge::Absent),
            Self::TooManyWrongSecrets(_) => (429, GUESSED, Challenge::Absent),
            Self::SessionNotFound => (404, "Session not found", Challenge::Absent),
            Self::HostNotAllowed => (421, HOST, Challenge::Absent),
            Self::OriginNotAllowed => (403, ORIGIN, Challenge::Absent),
            Self::AddressNotAllowed => (403, ADDRESS, Challenge::Absent),
        };
        Wire {
            status,
            message,
            challenge,
        }
    }
}

impl Outage {
    pub(crate) const fn reason(self) -> Reason {
        match self {
            Self::Call(CallFailure::NotSent) => Reason::CallNotSent,
            Self::Call(CallFailure::Unreachable) => Reason::CallUnreachable,
            Self::Call(CallFailure::TimedOut) => Reason::CallTimedOut,
            Self::Call(CallFailure::Cut) => Reason::CallCut,
            Self::Call(CallFailure::TooLarge) => Reason::CallTooLarge,
            Self::Status(_) => Reason::CallStatus,
            Self::Garbage => Reason::CallGarbage,
            Self::WaitedTooLong => Reason::CallWaitedTooLong,
            Self::NoRoom => Reason::TooManyCalls,
            Self::NoBody => Reason::BodyNotDelivered,
        }
    }
}

/// Makes a JSON answer that no cache keeps.
pub(crate) fn json_response(
    status: u16,
    mut headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    reason: Reason,
    cors: Option<&CorsGrant>,
) -> LocalResponse {
    headers.push(("content-type", "application/json".to_owned()));
    headers.push(("cache-control", "no-store".to_owned()));
    if let Some(cors) = cors {
        cors.expose_local(&mut headers);
    }
    LocalResponse {
        status,
        headers,
        body,
        reason,
    }
}

fn json_rpc_error(message: &str) -> Vec<u8> {
    let message = serde_json::Value::from(message);
    alloc::format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{{\"code\":-32001,\"message\":{message}}}}}"
    )
    .into_bytes()
}

const fn challenge(mode: ModeName, challenge: Challenge) -> Option<&'static str> {
    match (challenge, mode) {
        (Challenge::Absent, _) => None,
        (_, ModeName::Zscaler) => Some("Basic realm=\"mcp\", charset=\"UTF-8\""),
        (Challenge::Plain, _) => Some("Bearer realm=\"mcp\""),
        (Challenge::InvalidRequest, _) => Some("Bearer realm=\"mcp\", error=\"invalid_request\""),
        (Challenge::InvalidToken, _) => Some("Bearer realm=\"mcp\", error=\"invalid_token\""),
        (Challenge::InsufficientScope, _) => {
            Some("Bearer realm=\"mcp\", error=\"insufficient_scope\"")
        }
    }
}

const fn missing(mode: ModeName) -> &'static str {
    match mode {
        ModeName::ApiKey => {
            "Unauthorized: an API key is required. Use one of:\n  \
             1. Authorization: Bearer <api-key>\n  2. X-Api-Key: <api-key>"
        }
        ModeName::Jwt | ModeName::Oidc | ModeName::OidcProxy | ModeName::None => {
            "Unauthorized: an access token is required. Use: Authorization: Bearer <token>"
        }
        ModeName::Zscaler => {
            "Unauthorized: Zscaler OneAPI client credentials are required. Use one of:\n  \
             1. X-Zscaler-Client-ID: <client-id> and X-Zscaler-Client-Secret: <client-secret>\n  \
             2. Authorization: Basic base64(<client-id>:<client-secret>)"
        }
    }
}

const fn malformed(mode: ModeName) -> &'static str {
    match mode {
        ModeName::ApiKey => "Unauthorized: malformed. Expected: Authorization: Bearer <api-key>",
        ModeName::Jwt | ModeName::Oidc | ModeName::OidcProxy | ModeName::None => {
            "Unauthorized: malformed. Expected: Authorization: Bearer <token>"
        }
        ModeName::Zscaler => {
            "Unauthorized: malformed. Expected: Authorization: Basic \
             base64(<client-id>:<client-secret>), UTF-8, without control characters"
        }
    }
}

const REPEATED: &str = "Unauthorized: a credential header must occur once and hold one value";
const WRONG_KEY: &str = "Unauthorized: the API key is not accepted";
const MALFORMED_TOKEN: &str = "Unauthorized: the token is not a well-formed signed JWT";
const TOO_LARGE: &str = "Unauthorized: the token is too large";
const ALGORITHM: &str = "Unauthorized: the token's signature algorithm is not accepted";
const TOKEN_HEADER: &str = "Unauthorized: the token's header has members that are not accepted";
const SIGNATURE: &str = "Unauthorized: the token's signature cannot be verified";
const NO_EXPIRY: &str = "Unauthorized: the token has no expiry time";
const EXPIRED: &str = "Unauthorized: the token has expired";
const NOT_YET: &str = "Unauthorized: the token is not valid yet";
const ISSUER: &str = "Unauthorized: the token's issuer is not accepted";
const AUDIENCE: &str = "Unauthorized: the token was not issued for this server";
const CLAIMS: &str = "Unauthorized: the token's claims are malformed";
const UNKNOWN_TOKEN: &str = "Unauthorized: the access token was not issued here, or has expired";
const WITHDRAWN: &str = "Unauthorized: the access was withdrawn";
const SCOPE: &str = "Forbidden: the token lacks a scope that this server requires";
const REFUSED: &str = "Unauthorized: the client credentials are not accepted";
const UNAVAILABLE: &str =
    "Service unavailable: the authorization server cannot be reached. Try again shortly";
const BUSY: &str = "Service unavailable: too many credentials are being checked. Try again shortly";
const GUESSED: &str = "Too many requests: too many client credentials that are not known were presented. \
    Try again later";
const HOST: &str = "Misdirected request: the Host header is not in the allowed list";
const ORIGIN: &str = "Forbidden: the Origin is not in the allowed list";
const ADDRESS: &str = "Forbidden: the source address is not in the allowed list";
