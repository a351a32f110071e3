//! Unmodified clients sign in, come back, refresh and lose their tokens.

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

            use super::super::install::Mode::Oidc;
            use super::super::person::Program::{Node, Python, Remote};
            use super::signs_in;

            #[test]
            fn remote_signs_in_at_the_provider() { signs_in($kind, Oidc, Remote); }
            #[test]
            fn node_signs_in_at_the_provider() { signs_in($kind, Oidc, Node); }
            #[test]
            fn python_signs_in_at_the_provider() { signs_in($kind, Oidc, Python); }
        }
    )*};
}

with_every_client!(Envoy envoy, Native native);
