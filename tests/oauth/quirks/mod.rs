//! What comes of each flow at a provider with one quirk, through both gateways.
//!
//! A provider fails before it looks at the request, so that the same request may be sent again.

mod flows;
mod row;

use std::time::Duration;

use portcullis_tests::Alg;
use portcullis_tests::openid_provider::{
    AccessToken, Fault, Quirks, REVOCATION_PATH, Rotation, TOKEN_PATH,
};

use self::flows::Outcome::{Impossible, NoToken, Refused, Unavailable};
use self::flows::Revocation::{Later, NothingToRevoke, Unheard};
use self::flows::{Expect, WELL};
use self::row::{Row, failing, row, run};

/// What comes of the flows while the token endpoint is out of order: clients keep what they have,
/// and try again.
const LATER: Expect = Expect {
    sign_in: Unavailable,
    refresh: Unavailable,
    parallel_refresh: Unavailable,
    ..WELL
};

#[test]
fn tokens_and_grants() {
    let refused = Expect {
        refresh: Refused,
        parallel_refresh: Refused,
        ..WELL
    };
    let no_refresh = Expect {
        refresh: NoToken,
        parallel_refresh: NoToken,
        revocation: NothingToRevoke,
        ..WELL
    };
    run(&[
        row("no quirk", |_| {}, WELL),
        row(
            "opaque access tokens",
            |q| q.access_token = AccessToken::Opaque,
            WELL,
        ),
        row(
            "`aud` is the client",
            |q| q.access_token = AccessToken::ForTheClient,
            WELL,
        ),
        row("no rotation", |q| q.rotation = Rotation::None, WELL),
        row(
            "rotation, lenient",
            |q| q.rotation = Rotation::Lenient,
            WELL,
        ),
        row(
            "rotation, reuse detected",
            |q| q.rotation = Rotation::Strict,
            WELL,
        ),
        row("no refresh token", |q| q.refresh_tokens = false, no_refresh),
        row(
            "a refresh without ID token",
            |q| q.id_token_on_refresh = false,
            WELL,
        ),
        row(
            "a refresh of somebody else",
            |q| q.renewed_subject = "mallory",
            refused,
        ),
        row("`resource` is refused", |q| q.refuses_resource = true, WELL),
        row(
            "scopes renamed",
            |q| q.scope = Some("api://the-gateway/mcp.tools"),
            WELL,
        ),
        row("ID tokens with ES256", |q| q.algorithm = Alg::Es256, WELL),
        row("ID tokens with PS256", |q| q.algorithm = Alg::Ps256, WELL),
        row(
            "members that nobody asked for",
            |q| q.says_more = true,
            WELL,
        ),
        row("refusals with 401", |q| q.refusal_status = 401, WELL),
        row("refusals with 403", |q| q.refusal_status = 403, WELL),
        row("2,000 characters a token", |q| q.length = 2000, WELL),
    ]);
}

#[test]
fn endpoints_out_of_order() {
    let token = |fault, expect| failing(TOKEN_PATH, fault, expect);
    let revocation = |fault, revocation| {
        let expect = Expect { revocation, ..WELL };
        failing(REVOCATION_PATH, fault, expect)
    };
    let slow = Fault::Late(Duration::from_secs(3));
    run(&[
        token(slow, WELL),
        token(Fault::Status(500), LATER),
        token(Fault::Error(502, "invalid_grant"), LATER),
        token(Fault::Status(429), LATER),
        token(Fault::Error(429, "invalid_grant"), LATER),
        token(Fault::Status(404), LATER),
        token(Fault::Status(400), LATER),
        token(Fault::Redirect, LATER),
        token(Fault::Html, LATER),
        token(Fault::Cut, LATER),
        token(Fault::Close, LATER),
        // The gateway is not known there: no client's grant is to blame.
        token(Fault::Error(401, "invalid_client"), LATER),
        token(Fault::Error(400, "unauthorized_client"), LATER),
        token(Fault::Error(400, "server_error"), LATER),
        revocation(Fault::Status(503), Later),
        revocation(Fault::Status(429), Later),
        revocation(Fault::Cut, Later),
        revocation(Fault::Close, Later),
    ]);
}

/// A gateway keeps a document for an hour, so each has a gateway of its own.
macro_rules! documents {
    ($($rule:ident: $change:expr => $expect:expr;)*) => {$(
        #[test]
        fn $rule() {
            run(&[row(stringify!($rule), $change, $expect)]);
        }
    )*};
}

documents! {
    no_issuer_on_the_way_back: |q| q.names_itself = false => WELL;
    an_issuer_with_a_trailing_slash: |q| q.issuer_has_slash = true => WELL;
    endpoints_with_a_query: |q| q.has_queries = true => WELL;
    no_revocation_endpoint: |q| q.revokes = false => Expect { revocation: Unheard, ..WELL };
    client_secret_post_only: |q| q.authentication = Some(&["client_secret_post"]) => WELL;
    client_secret_basic_only: |q| q.authentication = Some(&["client_secret_basic"]) => WELL;
    no_word_of_client_authentication: |q| q.authentication = None => WELL;
    no_client_authentication_by_secret: |q| q.authentication = Some(&["private_key_jwt"]) =>
        Expect {
            sign_in: Impossible,
            refresh: NoToken,
            parallel_refresh: NoToken,
            revocation: NothingToRevoke,
        };
}

/// Workers of Envoy that share calls take the keys that another found in the last seconds, and a key
/// that is newer still is not among them: here each asks for itself.
#[test]
fn a_key_newer_than_the_document() {
    let new_key = |quirks: &mut Quirks| {
        quirks.algorithm = Alg::Es256;
        quirks.new_key_each_time = true;
    };
    run(&[Row {
        settings: &[("PORTCULLIS_WORKER_LEASE", "off")],
        ..row("a key newer than the document", new_key, WELL)
    }]);
}
