//! What can be wrong when people sign in, in mode `oidcproxy`.

use super::Row;
use crate::reason::Reason;

pub(super) const ROWS: &[Row] = &[
    (
        &[Reason::InvalidClient],
        "The client is not one that was registered here, or the state keys changed since.",
        "Have the client register again: remove what it remembers of this server.",
    ),
    (
        &[
            Reason::InvalidRequest,
            Reason::UnsupportedGrantType,
            Reason::UnsupportedResponseType,
            Reason::UnsupportedTokenType,
        ],
        "A client asked in a way that OAuth 2.1 or this gateway does not know.",
        "Update the client; it must use the code flow with PKCE (S256).",
    ),
    (
        &[Reason::InvalidGrant],
        "A code or refresh token was not given out here, has expired, or is another client's.",
        "Sign in again. If all have to after a restart, set the state keys.",
    ),
    (
        &[Reason::CodeReplayed],
        "A code was used twice.",
        "Sign in again; if nobody pressed reload, find out who else has the code.",
    ),
    (
        &[Reason::InvalidTarget],
        "The client asked for access to another resource than this one.",
        "Give the client the URL of the base URL setting, to the letter.",
    ),
    (
        &[Reason::InvalidScope],
        "The client asked for scopes that are not given here.",
        "Have it ask for those of the metadata, or add them to the settings.",
    ),
    (
        &[
            Reason::InvalidRedirectUri,
            Reason::RedirectUriNotAllowed,
            Reason::InvalidClientMetadata,
        ],
        "A client wanted to register with something that is not allowed.",
        "Compare its redirect URI with the patterns of the settings; loopback and https pass.",
    ),
    (
        &[Reason::TemporarilyUnavailable],
        "The authorization server cannot answer now.",
        "Look for the refusals before this one, and try again.",
    ),
    (
        &[Reason::ConsentDenied],
        "The person said no on the consent page.",
        "Nothing: that is their choice.",
    ),
    (
        &[Reason::ConsentLapsed, Reason::ConsentForged],
        "The answer to the consent page came too late, or not from that page.",
        "Begin again at the client, in one browser and without an old tab.",
    ),
    (
        &[
            Reason::CallbackMalformed,
            Reason::CallbackOfNoFlow,
            Reason::CallbackOfOtherIssuer,
        ],
        "A browser came back from a sign-in that was not begun here or is too old.",
        "Begin again at the client; if it lasts, compare the provider's redirect URI and issuer.",
    ),
    (
        &[Reason::LocationTooLong],
        "What is sent back to the client does not fit into a URL.",
        "Have the client send a shorter state; fewer scopes and claims help too.",
    ),
    (
        &[Reason::IdpDenied],
        "The provider refused the sign-in, or the person gave up there.",
        "See the provider's sign-in log: the person may lack access to the application.",
    ),
    (
        &[Reason::IdpInvalidGrant],
        "The provider does not know its code or refresh token any more.",
        "Sign in again; the provider ends sessions by its own rules.",
    ),
    (
        &[
            Reason::IdpInvalidClient,
            Reason::IdpUnauthorizedClient,
            Reason::IdpClientAuthentication,
        ],
        "The provider does not accept the gateway's own client id and secret.",
        "Compare both with the provider's application; secrets expire there.",
    ),
    (
        &[
            Reason::IdpInvalidScope,
            Reason::IdpInvalidRequest,
            Reason::IdpUnsupportedGrantType,
            Reason::IdpOtherError,
        ],
        "The provider refused what the gateway asked for.",
        "Compare scopes, redirect URI and grant types with the provider's application.",
    ),
    (
        &[Reason::IdpTokensTooLarge],
        "The provider's tokens are too large to be sealed.",
        "Have the provider put fewer claims, such as groups, into them.",
    ),
    (
        &[Reason::IdTokenAbsent],
        "The provider sent no ID token.",
        "Ask for the scope openid.",
    ),
    (
        &[
            Reason::IdTokenMalformed,
            Reason::IdTokenSignature,
            Reason::IdTokenAlgorithm,
            Reason::IdTokenIssuer,
            Reason::IdTokenAudience,
            Reason::IdTokenAuthorizedParty,
            Reason::IdTokenTimes,
            Reason::IdTokenNonce,
            Reason::IdTokenSubject,
        ],
        "The provider's ID token does not pass its checks; the reason names the one.",
        "Compare issuer, client id and clock of the gateway with the provider's.",
    ),
];
