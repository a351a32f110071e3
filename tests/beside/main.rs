//! Other proxies that ask the native binary what to pass on: each is booted on the file of
//! `deploy/beside/` that its page of `docs/beside/` shows, and carries the same rows.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod again;
mod pages;
mod proxies;
mod rows;
mod signing_in;
mod streams;
mod world;

use proxies::Proxy;

/// What holds beside each proxy.
macro_rules! beside {
    ($($name:ident: $proxy:expr;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn requests_are_decided_as_by_the_native_gateway() {
                rows::hold($proxy);
            }

            #[test]
            fn people_sign_in() {
                signing_in::works($proxy);
            }
        }
    )*};
}

beside! {
    nginx: Proxy::Nginx;
    haproxy: Proxy::Haproxy;
    caddy: Proxy::Caddy;
    traefik: Proxy::Traefik;
    envoy_by_http: Proxy::EnvoyHttp;
    envoy_by_grpc: Proxy::EnvoyGrpc;
}

#[test]
fn proxies_that_are_not_trusted_are_refused() {
    rows::strangers_are_refused(Proxy::EnvoyGrpc);
    rows::strangers_are_refused(Proxy::Caddy);
}

#[test]
fn envoy_asks_by_grpc_over_tls() {
    rows::are_decided_over_tls(Proxy::EnvoyGrpc);
}
