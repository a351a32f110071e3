//! Why a request was decided as it was: the stable words of logs, metrics and audit records.

use core::fmt;

macro_rules! reasons {
    ($($variant:ident = $name:literal,)*) => {
        /// The reason of a decision, or of a host's failure to carry one out.
        ///
        /// Names are stable: they are values of metric labels, and `docs/reason-codes.md` has a
        /// line for each.
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        #[repr(u8)]
        pub enum Reason {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Reason {
            /// All of them, in the order of [`Self::index`].
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the stable name: lower case, words joined by underscores.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

reasons! {
    // Passed on.
    Allowed = "allowed",
    // Answered by the gateway, as asked.
    Health = "health",
    Ready = "ready",
    Preflight = "preflight",
    ResourceMetadata = "resource_metadata",
    NoOAuth = "no_oauth",
    // Credentials.
    MissingCredentials = "missing_credentials",
    UnsupportedScheme = "unsupported_scheme",
    RepeatedCredential = "repeated_credential",
    MalformedCredential = "malformed_credential",
    WrongApiKey = "wrong_api_key",
    ApiKeyExpired = "api_key_expired",
    ApiKeySourceNotAllowed = "api_key_source_not_allowed",
    // Access tokens.
    MalformedToken = "malformed_token",
    TokenTooLarge = "token_too_large",
    UnacceptableAlgorithm = "unacceptable_algorithm",
    UnacceptableHeader = "unacceptable_token_header",
    UnknownKey = "unknown_key",
    BadSignature = "bad_signature",
    MissingExpiry = "missing_expiry",
    Expired = "expired",
    NotYetValid = "not_yet_valid",
    IssuedInFuture = "issued_in_future",
    WrongIssuer = "wrong_issuer",
    WrongAudience = "wrong_audience",
    MalformedClaims = "malformed_claims",
    InsufficientScope = "insufficient_scope",
    UnknownAccessToken = "unknown_access_token",
    Revoked = "revoked",
    // Client credentials.
    ClientCredentialsRefused = "client_credentials_refused",
    TooManyWrongSecrets = "too_many_wrong_secrets",
    // Rules of access.
    SessionNotFound = "session_not_found",
    HostNotAllowed = "host_not_allowed",
    OriginNotAllowed = "origin_not_allowed",
    AddressNotAllowed = "address_not_allowed",
    // Calls to an authorization server.
    CallNotSent = "call_not_sent",
    CallUnreachable = "call_unreachable",
    CallTimedOut = "call_timed_out",
    CallCut = "call_cut",
    CallTooLarge = "call_too_large",
    CallStatus = "call_status",
    CallGarbage = "call_garbage",
    CallWaitedTooLong = "call_waited_too_long",
    TooManyCalls = "too_many_calls",
    // The gateway itself.
    NotReady = "not_ready",
    BodyNotDelivered = "body_not_delivered",
    HostFailure = "host_failure",
    // The authorization server of mode `oidcproxy`, as asked.
    ServerMetadata = "server_metadata",
    Registered = "registered",
    ConsentAsked = "consent_asked",
    ConsentGiven = "consent_given",
    ConsentDenied = "consent_denied",
    CodeIssued = "code_issued",
    TokensIssued = "tokens_issued",
    TokenRevoked = "token_revoked",
    NothingToRevoke = "nothing_to_revoke",
    // Its refusals: the words of OAuth, then more precise ones.
    InvalidRequest = "invalid_request",
    InvalidClient = "invalid_client",
    InvalidGrant = "invalid_grant",
    InvalidTarget = "invalid_target",
    InvalidScope = "invalid_scope",
    InvalidRedirectUri = "invalid_redirect_uri",
    InvalidClientMetadata = "invalid_client_metadata",
    UnsupportedGrantType = "unsupported_grant_type",
    UnsupportedResponseType = "unsupported_response_type",
    UnsupportedTokenType = "unsupported_token_type",
    TemporarilyUnavailable = "temporarily_unavailable",
    MethodNotAllowed = "method_not_allowed",
    BodyTooLarge = "body_too_large",
    RedirectUriNotAllowed = "redirect_uri_not_allowed",
    ClientDenied = "client_denied",
    ConsentLapsed = "consent_lapsed",
    ConsentForged = "consent_forged",
    CallbackMalformed = "callback_malformed",
    CallbackOfNoFlow = "callback_of_no_flow",
    CallbackOfOtherIssuer = "callback_of_other_issuer",
    CodeReplayed = "code_replayed",
    LocationTooLong = "location_too_long",
    // What the OpenID provider said.
    IdpDenied = "idp_denied",
    IdpInvalidGrant = "idp_invalid_grant",
    IdpInvalidClient = "idp_invalid_client",
    IdpUnauthorizedClient = "idp_unauthorized_client",
    IdpInvalidScope = "idp_invalid_scope",
    IdpInvalidRequest = "idp_invalid_request",
    IdpUnsupportedGrantType = "idp_unsupported_grant_type",
    IdpClientAuthentication = "idp_client_authentication",
    IdpOtherError = "idp_other_error",
    IdpTokensTooLarge = "idp_tokens_too_large",
    IdTokenAbsent = "id_token_absent",
    IdTokenMalformed = "id_token_malformed",
    IdTokenSignature = "id_token_signature",
    IdTokenAlgorithm = "id_token_algorithm",
    IdTokenIssuer = "id_token_issuer",
    IdTokenAudience = "id_token_audience",
    IdTokenAuthorizedParty = "id_token_authorized_party",
    IdTokenTimes = "id_token_times",
    IdTokenNonce = "id_token_nonce",
    IdTokenSubject = "id_token_subject",
    // What the native proxy cannot take or carry out.
    BadHost = "bad_host",
    BadMethod = "bad_method",
    TooManyFields = "too_many_fields",
    BodyStalled = "body_stalled",
    BodyCut = "body_cut",
    UpstreamUnreachable = "upstream_unreachable",
    UpstreamBadResponse = "upstream_bad_response",
    BadEdit = "bad_edit",
    // What it cannot tell other proxies that ask.
    AskerNotTrusted = "asker_not_trusted",
    NoOriginalRequest = "no_original_request",
    FieldStays = "field_stays",
    OwnAnswer = "own_answer",
    NoUpstream = "no_upstream",
}

impl Reason {
    /// Returns the place in [`Self::ALL`].
    #[must_use]
    #[expect(
        clippy::as_conversions,
        reason = "the number of a variant, which no conversion trait gives"
    )]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_of_their_own_and_indices_their_places() {
        let mut names = Reason::ALL
            .iter()
            .map(|reason| reason.name())
            .collect::<alloc::vec::Vec<_>>();
        for (place, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(reason.index(), place);
            let is_word = |octet: u8| octet.is_ascii_lowercase() || octet == b'_';
            assert!(reason.name().bytes().all(is_word), "{reason}");
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::ALL.len());
    }
}
