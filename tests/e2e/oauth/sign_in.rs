//! Unmodified clients sign in, come back, refresh and lose their tokens, or what they were
//! registered as; and a person says no.

use portcullis_tests::Kind;

use super::install::{Install, Mode, PERSON};
use super::person::{Person, Program, Seen};

/// A client signs in once, and again only when its tokens are lost.
fn signs_in(kind: Kind, mode: Mode, program: Program) {
    let install = Install::start(kind, mode);
    let person = Person::new(program, &install.url(), "approve");

    check(&install, &person.call().unwrap());
    assert_eq!(person.opened(), 1, "a new client signs in");
    check(&install, &person.call().unwrap());
    assert_eq!(person.opened(), 1, "a client with a token is let in");

    let refreshed = install.provider.counted("/token/refresh_token");
    person.age_token();
    check(&install, &person.call().unwrap());
    assert_eq!(person.opened(), 1, "a lapsed token is refreshed");
    let again = install.provider.counted("/token/refresh_token");
    assert_eq!(again, refreshed + 1, "by the provider");

    let registration = person.registration();
    person.lose_tokens();
    check(&install, &person.call().unwrap());
    assert_eq!(person.opened(), 2, "a client without a token signs in");
    assert_eq!(person.registration(), registration, "as the same client");
    assert_eq!(install.provider.counted("/token/authorization_code"), 2);
    assert_eq!(install.provider.counted("/refused/authorization_code"), 0);
}

/// A client whose registration nobody can read registers again by itself, once the token endpoint
/// tells it so. The Python SDK does not.
fn registers_again(kind: Kind, program: Program) {
    let install = Install::start(kind, Mode::OidcProxy);
    let person = Person::new(program, &install.url(), "approve");
    check(&install, &person.call().unwrap());

    person.spoil_registration();
    person.age_token();
    check(&install, &person.call().unwrap());
    assert_ne!(person.registration()["client_id"], "unknown");
}

/// A person who refuses consent is signed in nowhere, and the client learns why.
fn is_denied(kind: Kind, program: Program) {
    let install = Install::start(kind, Mode::OidcProxy);
    let person = Person::new(program, &install.url(), "deny");

    let failure = person.call().unwrap_err();
    assert!(failure.client.contains("access_denied"), "{failure:?}");
    assert_eq!(install.provider.counted("/sign_ins"), 0);
}

#[track_caller]
fn check(install: &Install, seen: &Seen) {
    assert!(seen.tools.contains(&"echo".into()), "{seen:?}");
    let identity = &seen.whoami["identity"];
    assert_eq!(identity["x-mcp-auth-mode"], install.mode.name());
    assert_eq!(identity["x-mcp-auth-subject"], PERSON);
    assert_eq!(seen.whoami["leaked"], serde_json::json!([]));
}

macro_rules! with_every_client {
    ($($kind:ident $module:ident),*) => {$(
        mod $module {
            use portcullis_tests::Kind::$kind;

            use super::super::install::Mode::{Oidc, OidcProxy};
            use super::super::person::Program::{Node, Python, Remote};
            use super::{is_denied, registers_again, signs_in};

            #[test]
            fn remote_signs_in_at_the_provider() { signs_in($kind, Oidc, Remote); }
            #[test]
            fn node_signs_in_at_the_provider() { signs_in($kind, Oidc, Node); }
            #[test]
            fn python_signs_in_at_the_provider() { signs_in($kind, Oidc, Python); }

            #[test]
            fn remote_signs_in_through_the_gateway() { signs_in($kind, OidcProxy, Remote); }
            #[test]
            fn node_signs_in_through_the_gateway() { signs_in($kind, OidcProxy, Node); }
            #[test]
            fn python_signs_in_through_the_gateway() { signs_in($kind, OidcProxy, Python); }

            #[test]
            fn remote_registers_again() { registers_again($kind, Remote); }
            #[test]
            fn node_registers_again() { registers_again($kind, Node); }

            #[test]
            fn remote_is_told_of_a_denial() { is_denied($kind, Remote); }
            #[test]
            fn node_is_told_of_a_denial() { is_denied($kind, Node); }
            #[test]
            fn python_is_told_of_a_denial() { is_denied($kind, Python); }
        }
    )*};
}

with_every_client!(Envoy envoy, Native native);
