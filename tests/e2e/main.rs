//! Real MCP clients call tools of real MCP servers through both gateways, in every mode, and
//! without a good credential they are refused.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod admin_page;
mod clients;
mod configured;
mod differential;
mod modes;
mod oauth;
mod programs;
mod zscaler_server;

use portcullis_tests::{Gateway, Kind};

use crate::clients::{Client, Outcome};
use crate::modes::Mode;
use crate::programs::{Demo, EverythingServer};

/// Every client over streamable HTTP calls a tool behind `kind` in this mode.
fn streamable(kind: Kind, mode: fn() -> Mode) {
    let mode = mode();
    let demo = Demo::start();
    let gateway = Gateway::start(kind, &mode.settings, demo.origin());
    let url = format!("http://{}/mcp", gateway.address());
    for client in [Client::Rust, Client::Node, Client::Python] {
        for headers in &mode.good {
            let seen = client.call(&url, "whoami", "{}", headers).answer();
            assert!(seen.tools.contains(&"echo".to_owned()), "{seen:?}");
            let whoami: serde_json::Value = serde_json::from_str(&seen.text).unwrap();
            assert_eq!(whoami["identity"]["x-mcp-auth-mode"], mode.name, "{whoami}");
            let products = &whoami["identity"]["x-mcp-auth-entitlements"];
            assert_eq!(*products == "ZIA,ZPA", mode.name == "zscaler", "{whoami}");
            assert_eq!(whoami["leaked"], serde_json::json!([]), "{whoami}");
        }
        for headers in &mode.bad {
            let outcome = client.call(&url, "whoami", "{}", headers);
            assert!(
                matches!(outcome, Outcome::Refused),
                "{client:?} with {headers:?}: {outcome:?}"
            );
        }
    }
}

/// The Node SDK calls a tool behind `kind` over the older transport, server-sent events.
fn server_sent_events(kind: Kind, mode: fn() -> Mode) {
    let mode = mode();
    let server = EverythingServer::start();
    let gateway = Gateway::start(kind, &mode.settings, server.origin());
    let url = format!("http://{}/sse", gateway.address());
    let arguments = r#"{"message":"portcullis"}"#;
    for headers in &mode.good {
        let seen = Client::NodeEvents
            .call(&url, "echo", arguments, headers)
            .answer();
        assert_eq!(seen.text, "Echo: portcullis");
        assert!(seen.tools.len() > 5, "{seen:?}");
    }
    for headers in &mode.bad {
        let outcome = Client::NodeEvents.call(&url, "echo", arguments, headers);
        assert!(
            matches!(outcome, Outcome::Refused),
            "{headers:?}: {outcome:?}"
        );
    }
}

macro_rules! in_every_mode {
    ($($kind:ident $module:ident),*) => {$(
        mod $module {
            use portcullis_tests::Kind::$kind;

            use crate::modes::{api_key, jwt, none, oidc, zscaler};
            use crate::{server_sent_events, streamable};

            #[test]
            fn streamable_api_key() { streamable($kind, api_key); }
            #[test]
            fn streamable_jwt() { streamable($kind, jwt); }
            #[test]
            fn streamable_oidc() { streamable($kind, oidc); }
            #[test]
            fn streamable_zscaler() { streamable($kind, zscaler); }
            #[test]
            fn streamable_none() { streamable($kind, none); }
            #[test]
            fn events_api_key() { server_sent_events($kind, api_key); }
            #[test]
            fn events_jwt() { server_sent_events($kind, jwt); }
            #[test]
            fn events_oidc() { server_sent_events($kind, oidc); }
            #[test]
            fn events_zscaler() { server_sent_events($kind, zscaler); }
            #[test]
            fn events_none() { server_sent_events($kind, none); }
        }
    )*};
}

in_every_mode!(Envoy envoy, Native native);
