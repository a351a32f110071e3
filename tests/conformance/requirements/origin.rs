//! Pages of other sites.

use std::net::SocketAddr;

use portcullis_tests::{EchoResource, Gateway, Kind};

use crate::world::{BOTH, ORIGIN, PAGE, World, bearer, check, site};

#[test]
fn r09_a_page_of_another_site_is_forbidden_everything() {
    check(&BOTH, |front| {
        let token = front.token();
        let site = front.site();
        let ask = |method: &str, target: &str, origin: &str| {
            let request = bearer(site.request(method, target), &token);
            front.send(&request.field("Origin", origin).body("")).status
        };
        let metadata = "/.well-known/oauth-protected-resource/mcp";
        for origin in [
            "https://evil.example",
            "null",
            "",
            "https://inspector.example.evil.example",
        ] {
            for method in ["GET", "POST", "DELETE"] {
                assert_eq!(ask(method, "/mcp", origin), 403, "{method} from {origin}");
            }
            assert_eq!(ask("GET", metadata, origin), 403, "{origin}");
        }
        for target in ["/mcp", metadata] {
            assert_eq!(ask("GET", target, PAGE), 200, "{target}");
        }
    });
}

#[test]
fn r09_without_a_list_only_the_own_pages_may_ask() {
    let (world, _others) = World::apart();
    for mode in BOTH {
        let settings = world.settings_without_origins(mode);
        for kind in Kind::BOTH {
            let resource = EchoResource::start();
            let gateway = Gateway::start(kind, &settings, &resource.url());
            let site = site(&gateway);
            let token = world.token(mode, &site);
            let ask = |origin: &str| {
                let request = bearer(site.request("GET", "/mcp"), &token);
                site.send(&request.field("Origin", origin)).status
            };
            assert_eq!(ask(ORIGIN), 200, "{kind:?}");
            for origin in ["https://evil.example", "null", PAGE] {
                assert_eq!(ask(origin), 403, "{kind:?} {origin}");
            }
        }
    }
}

#[test]
fn r09_a_local_server_listens_on_loopback() {
    let (world, _others) = World::apart();
    for mode in BOTH {
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let settings = world.settings(mode).listening_on(everywhere);
        for kind in Kind::BOTH {
            let outcome = Gateway::try_start(kind, &settings, "http://127.0.0.1:9");
            assert!(outcome.is_err(), "{kind:?}");
        }
    }
}
