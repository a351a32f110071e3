//! What can be wrong with a credential, and with where it comes from.

use super::Row;
use crate::reason::Reason;

pub(super) const ROWS: &[Row] = &[
    (
        &[Reason::MissingCredentials],
        "The request carries no credential that this mode accepts.",
        "Have the client send the header that the mode asks for; a proxy in between may remove it.",
    ),
    (
        &[Reason::UnsupportedScheme],
        "The Authorization header is of another scheme than the mode accepts.",
        "Send Bearer for keys and tokens, and Basic or the X-Zscaler headers in mode zscaler.",
    ),
    (
        &[Reason::RepeatedCredential],
        "A credential header occurs twice, or holds a comma.",
        "Send it once; look for a proxy or a client setting that adds a second one.",
    ),
    (
        &[Reason::MalformedCredential],
        "The credential header is not well-formed.",
        "Send the scheme, one blank and the value, without quotation marks or line breaks.",
    ),
    (
        &[Reason::WrongApiKey],
        "The API key is none of those in the settings.",
        "Give the client the present key; after a change every client needs the new one.",
    ),
    (
        &[Reason::ApiKeyExpired],
        "The API key has expired.",
        "Give the client the key that came after it, or make one with portcullis keys rotate.",
    ),
    (
        &[Reason::ApiKeySourceNotAllowed],
        "The API key may not come from this address.",
        "Add the address to the key's sources, or the proxy in between to the trusted ones.",
    ),
    (
        &[Reason::MalformedToken],
        "The bearer token is not a signed JWT.",
        "Ask the authorization server for a JWT access token for this server: opaque tokens and \
         API keys are of no use in this mode.",
    ),
    (
        &[Reason::TokenTooLarge],
        "The token is longer than 16 KB.",
        "Have the authorization server put fewer claims, such as groups, into it.",
    ),
    (
        &[Reason::UnacceptableAlgorithm],
        "The token is signed with an algorithm that is not accepted, or not with that of its key.",
        "Have the authorization server sign with RS256 or ES256, or widen the list of algorithms.",
    ),
    (
        &[Reason::UnacceptableHeader],
        "The token's header brings a key along or asks for an extension.",
        "Use another kind of token: keys come from the issuer's JWKS only.",
    ),
    (
        &[Reason::UnknownKey],
        "No key of the JWKS has the token's key id.",
        "See whether the token is of this issuer; after a rotation of keys wait ten seconds.",
    ),
    (
        &[Reason::BadSignature],
        "The signature is not that of the key which the token names.",
        "The token was changed or is of another issuer: get a new one from the right place.",
    ),
    (
        &[Reason::MissingExpiry],
        "The token has no exp claim.",
        "Have the authorization server issue tokens that expire.",
    ),
    (
        &[Reason::Expired],
        "The token has expired.",
        "Get a new one. If new ones are refused too, compare the clocks of both hosts.",
    ),
    (
        &[Reason::NotYetValid, Reason::IssuedInFuture],
        "The token is from the future, by the gateway's clock.",
        "Set the clocks of the gateway and the authorization server by NTP.",
    ),
    (
        &[Reason::WrongIssuer],
        "The token was issued by somebody else than the settings accept.",
        "Compare the token's iss with the accepted issuers, to the letter and the last slash.",
    ),
    (
        &[Reason::WrongAudience],
        "The token was issued for another service.",
        "Ask for a token with this server's audience, or add the token's aud to the settings.",
    ),
    (
        &[Reason::MalformedClaims],
        "The token's claims are not of the types that they must have.",
        "Look at the token: exp, nbf and iat are numbers, iss and sub are texts.",
    ),
    (
        &[Reason::UnknownAccessToken],
        "The access token was not given out by this gateway, or has expired.",
        "Sign in again. If all are refused after a restart, the state keys changed: set them.",
    ),
    (
        &[Reason::Revoked, Reason::ClientDenied],
        "The client, the person or the time of the sign-in is on the list of those denied.",
        "Take it off the list, or sign in again where only older sign-ins are denied.",
    ),
    (
        &[Reason::InsufficientScope],
        "The token lacks a scope that the settings require.",
        "Have the client ask for the scope, or the authorization server grant it.",
    ),
    (
        &[Reason::ClientCredentialsRefused],
        "The token endpoint refused the client credentials.",
        "Check client id and secret at the identity provider; a new secret takes effect at once.",
    ),
    (
        &[Reason::TooManyWrongSecrets],
        "Too many wrong client credentials came from there within a minute.",
        "Find the client with the old secret and wait a minute; raise the budget if many share \
         one address.",
    ),
    (
        &[Reason::TooManyCalls],
        "Too many different credentials or clients are being looked up at the same time.",
        "Try again; if it lasts, see how long the authorization server takes to answer.",
    ),
    (
        &[Reason::SessionNotFound],
        "The MCP session id is not one that this caller was given.",
        "The client starts a new session; if all do after a restart, set the state keys.",
    ),
    (
        &[Reason::HostNotAllowed],
        "The Host header is not on the list of accepted hosts.",
        "Use the public name of the gateway, or add the host to the list.",
    ),
    (
        &[Reason::OriginNotAllowed],
        "A web page of an origin that is not accepted made the request.",
        "Add the page's origin to the list if it is yours.",
    ),
    (
        &[Reason::AddressNotAllowed],
        "The client's address is not in an accepted range.",
        "Add the range; behind a proxy, name that proxy as trusted so that its word counts.",
    ),
];
