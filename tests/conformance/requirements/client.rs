//! How a client becomes known: by a document at its own address, or by registration.

use portcullis_tests::oauth_flow::{Attempt, Browser, Client, Tokens};
use portcullis_tests::{Gateway, Kind, Response};
use serde_json::json;

use crate::install::Mode;
use crate::world::{Front, PROXY, REDIRECT, SCOPE, World, check, site};

const SERVER: &str = "/.well-known/oauth-authorization-server";

#[test]
fn r16_a_client_is_known_by_the_document_at_its_address() {
    check(&PROXY, |front| {
        let advertised = "client_id_metadata_document_supported";
        assert_eq!(front.get(SERVER).json()[advertised], true);
        front.world.publisher.forget();
        let site = front.site();
        let attempt = attempt(front, "/client.json");
        for _ in 0..2 {
            let code = site.code(&mut Browser::default(), &attempt);
            let tokens = Tokens::read(&site.redeem(&attempt, &code));
            assert_eq!(site.call(&tokens.access).status, 200);
        }
        let asked = front.world.publisher.asked();
        assert_eq!(asked, ["/client.json"], "it may be kept");
    });
}

#[test]
fn r16_the_page_says_who_describes_the_client_and_that_any_program_could_ask() {
    const ANYBODY: &str = "Any program on this computer";
    check(&PROXY, |front| {
        let page = open(front, &attempt(front, "/local.json")).text();
        for words in ["Documented", "localhost", "127.0.0.1", ANYBODY] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let page = open(front, &attempt(front, "/web.json")).text();
        assert!(page.contains("app.example"), "{page}");
        assert!(!page.contains(ANYBODY), "{page}");
    });
}

#[test]
fn r16_a_document_that_is_not_the_clients_makes_no_client() {
    check(&PROXY, |front| {
        for path in [
            "/stolen.json",
            "/nameless.json",
            "/nowhere.json",
            "/absent.json",
        ] {
            let answer = open(front, &attempt(front, path));
            assert_eq!(answer.status, 401, "{path}");
            assert_eq!(answer.value("location"), "", "{path}");
        }
        let mut attempt = attempt(front, "/web.json");
        "https://evil.example/callback".clone_into(&mut attempt.client.redirect_uri);
        assert_eq!(open(front, &attempt).status, 400);
    });
}

#[test]
fn r16_no_address_that_strangers_name_leads_inside() {
    let (world, _others) = World::apart();
    let settings = world.settings(Mode::OidcProxy);
    let anybody = settings.with("OIDCPROXY_CLIENT_DOCUMENTS", "on");
    // The filter reaches only hosts that have a cluster, so there it cannot be switched on.
    let filter = Gateway::try_start(Kind::Envoy, &anybody, "http://127.0.0.1:9");
    assert!(filter.is_err());
    let native = Gateway::start(Kind::Native, &anybody, "http://127.0.0.1:9");
    let site = site(&native);
    let port = world.publisher.port();
    for host in [
        "localhost",
        "127.0.0.1",
        "[::1]",
        "127.1",
        "2130706433",
        "localhost.localdomain",
    ] {
        let attempt = site.attempt(&Client {
            id: format!("https://{host}:{port}/client.json"),
            redirect_uri: REDIRECT.to_owned(),
        });
        let answer = site.send(&site.request("GET", &attempt.target()));
        assert!(
            matches!(answer.status, 401 | 503),
            "{host}: {}",
            answer.status
        );
    }
    assert!(world.publisher.asked().is_empty());
}

#[test]
fn r17_a_client_may_register_itself() {
    check(&PROXY, |front| {
        let endpoint = &front.get(SERVER).json()["registration_endpoint"];
        assert_eq!(endpoint, "https://gw.example/register");
        let answer = front.register(REDIRECT);
        assert_eq!(answer.status, 201);
        let told = answer.json();
        assert_eq!(told["client_name"], "Flow");
        assert_eq!(told["redirect_uris"], json!([REDIRECT]));
        assert_eq!(told["token_endpoint_auth_method"], "none");
        assert_eq!(told["scope"], SCOPE);
        assert_eq!(told.get("client_secret"), None);
    });
}

/// Begins a sign-in of the client that is described at `path`.
fn attempt(front: &Front, path: &str) -> Attempt {
    front.site().attempt(&front.world.publisher.client(path))
}

fn open(front: &Front, attempt: &Attempt) -> Response {
    let site = front.site();
    let request = site.request("GET", &attempt.target());
    site.send(&request.field("Accept", "text/html"))
}
