//! The errors of OAuth, as clients know them.

use alloc::format;
use alloc::string::String;

use crate::reason::Reason;

/// An error of the authorization server: what a client is told, and the reason for logs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct OAuthError {
    /// The value of `error`.
    pub(crate) code: &'static str,
    /// The status of a response that carries it as JSON; redirects carry `code` and `description`.
    pub(crate) status: u16,
    /// The value of `error_description`: fixed words, never a part of the request, and of the
    /// characters that RFC 6749 §5.2 allows.
    pub(crate) description: &'static str,
    /// The reason, for logs and metrics.
    pub(crate) reason: Reason,
}

impl OAuthError {
    /// A parameter is missing, repeated or malformed (RFC 6749 §4.1.2.1 and §5.2).
    pub(crate) const fn invalid_request(description: &'static str) -> Self {
        Self::new(Reason::InvalidRequest, 400, description)
    }

    /// The client is unknown (RFC 6749 §5.2). Clients drop their registration and register again,
    /// so it must not be said for any other reason.
    pub(crate) const fn invalid_client() -> Self {
        Self::new(
            Reason::InvalidClient,
            401,
            "the client is not known here, register again",
        )
    }

    /// The code or refresh token is not good, or not for this client (RFC 6749 §5.2). Clients drop
    /// their tokens and sign in again, so it must not be said of an outage.
    pub(crate) const fn invalid_grant(description: &'static str) -> Self {
        Self::new(Reason::InvalidGrant, 400, description)
    }

    /// The grant type is none of `authorization_code` and `refresh_token` (RFC 6749 §5.2).
    pub(crate) const fn unsupported_grant_type() -> Self {
        Self::new(
            Reason::UnsupportedGrantType,
            400,
            "grant_type must be authorization_code or refresh_token",
        )
    }

    /// The type of token to revoke is not known (RFC 7009 §2.2.1).
    pub(crate) const fn unsupported_token_type() -> Self {
        Self::new(
            Reason::UnsupportedTokenType,
            400,
            "tokens of this type cannot be revoked",
        )
    }

    /// The resource is not the one that is protected here (RFC 8707 §2).
    pub(crate) const fn invalid_target() -> Self {
        Self::new(
            Reason::InvalidTarget,
            400,
            "resource must be the one that is protected here",
        )
    }

    /// The authorization server cannot be asked (RFC 6749 §4.1.2.1, and as 503 at the token
    /// endpoint, where clients then keep what they have).
    pub(crate) const fn temporarily_unavailable() -> Self {
        Self::new(
            Reason::TemporarilyUnavailable,
            503,
            "the authorization server cannot be reached, try again later",
        )
    }

    /// A redirect URI cannot be registered (RFC 7591 §3.2.2).
    pub(crate) const fn invalid_redirect_uri(description: &'static str) -> Self {
        Self::new(Reason::InvalidRedirectUri, 400, description)
    }

    /// Something else of a registration is not acceptable (RFC 7591 §3.2.2).
    pub(crate) const fn invalid_client_metadata(description: &'static str) -> Self {
        Self::new(Reason::InvalidClientMetadata, 400, description)
    }

    /// Gives the reason a more precise name than the code.
    pub(crate) const fn because(self, reason: Reason) -> Self {
        Self { reason, ..self }
    }

    /// Writes the error as RFC 6749 §5.2 and RFC 7591 §3.2.2 have it.
    pub(crate) fn to_json(self) -> String {
        // Neither has characters that JSON escapes.
        format!(
            "{{\"error\":\"{}\",\"error_description\":\"{}\"}}",
            self.code, self.description
        )
    }

    const fn new(reason: Reason, status: u16, description: &'static str) -> Self {
        Self {
            code: reason.name(),
            status,
            description,
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: OAuthError, code: &str, status: u16) {
        assert_eq!((error.code, error.status), (code, status));
        assert_eq!(error.reason.name(), code);
        for text in [error.code, error.description] {
            let allowed = |octet: u8| matches!(octet, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(!text.is_empty() && text.bytes().all(allowed), "{text}");
        }
        let json: serde_json::Value = serde_json::from_str(&error.to_json()).unwrap();
        let expected = serde_json::json!({"error": code, "error_description": error.description});
        assert_eq!(json, expected);
    }

    #[test]
    fn every_error_has_the_code_and_status_of_its_rfc() {
        check(OAuthError::invalid_request("x"), "invalid_request", 400);
        check(OAuthError::invalid_client(), "invalid_client", 401);
        check(OAuthError::invalid_grant("x"), "invalid_grant", 400);
        check(
            OAuthError::unsupported_grant_type(),
            "unsupported_grant_type",
            400,
        );
        check(
            OAuthError::unsupported_token_type(),
            "unsupported_token_type",
            400,
        );
        check(OAuthError::invalid_target(), "invalid_target", 400);
        check(
            OAuthError::temporarily_unavailable(),
            "temporarily_unavailable",
            503,
        );
        check(
            OAuthError::invalid_redirect_uri("x"),
            "invalid_redirect_uri",
            400,
        );
        check(
            OAuthError::invalid_client_metadata("x"),
            "invalid_client_metadata",
            400,
        );
    }

    #[test]
    fn a_more_precise_reason_changes_nothing_on_the_wire() {
        let error = OAuthError::invalid_grant("x");
        let precise = error.because(Reason::Revoked);
        assert_eq!(precise.reason, Reason::Revoked);
        assert_eq!(precise.to_json(), error.to_json());
    }
}
