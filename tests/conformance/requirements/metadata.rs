//! What clients are told before they have a token: by the resource, and by the server that gives
//! tokens.

use portcullis_tests::{Gateway, Request, Response};
use serde_json::{Value, json};

use crate::install::Mode;
use crate::world::{
    BOTH, Front, ORIGIN, PROXY, RESOURCE, SCOPE, challenged, check, parameter, site,
};

const AT_PATH: &str = "/.well-known/oauth-protected-resource/mcp";
const AT_ROOT: &str = "/.well-known/oauth-protected-resource";
const SERVER: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

#[test]
fn r01_the_metadata_names_the_resource_and_its_authorization_server() {
    check(&BOTH, |front| {
        let told = front.get(AT_PATH);
        assert_eq!(told.status, 200);
        assert_eq!(told.value("content-type"), "application/json");
        let told = told.json();
        assert_eq!(told["resource"], RESOURCE);
        assert_eq!(told["authorization_servers"], json!([issuer(front)]));
    });
}

#[test]
fn r02_the_challenge_and_both_well_known_paths_lead_to_the_metadata() {
    check(&BOTH, |front| {
        let challenge = unauthorized(front);
        let url = parameter(&challenge, "resource_metadata");
        assert_eq!(url, format!("{ORIGIN}{AT_PATH}"));
        let at_path = front.get(AT_PATH);
        assert_eq!(at_path.status, 200);
        assert_eq!(at_path.json(), front.get(AT_ROOT).json());
    });
}

#[test]
fn r03_the_challenge_names_the_scope() {
    check(&BOTH, |front| {
        assert_eq!(parameter(&unauthorized(front), "scope"), SCOPE);
        assert_eq!(
            front.get(AT_PATH).json()["scopes_supported"],
            json!([SCOPE])
        );
    });
}

#[test]
fn r04_a_client_is_not_told_to_ask_for_offline_access() {
    check(&BOTH, |front| {
        let asking = "mcp:tools,offline_access";
        let settings = front.world.settings(front.mode);
        let settings = settings.with("OIDCPROXY_REQUIRED_SCOPES", asking);
        let asking = Gateway::start(front.kind, &settings, &front.resource.url());
        for site in [front.site(), site(&asking)] {
            let get = |target: &str| site.send(&site.request("GET", target));
            assert_eq!(parameter(&get("/mcp"), "scope"), SCOPE);
            assert_eq!(get(AT_PATH).json()["scopes_supported"], json!([SCOPE]));
        }
    });
}

#[test]
fn r11_tokens_and_codes_travel_by_https_or_stay_on_the_computer() {
    check(&PROXY, |front| {
        let told = front.get(SERVER).json();
        let endpoints = ["authorization", "token", "registration", "revocation"];
        for endpoint in endpoints {
            let url = &told[format!("{endpoint}_endpoint")];
            let url = url.as_str().unwrap();
            assert!(url.starts_with("https://gw.example/"), "{url}");
        }
        for (uri, status) in [
            ("https://app.example/callback", 201),
            ("http://127.0.0.1:7/callback", 201),
            ("http://localhost/callback", 201),
            ("http://[::1]:7/callback", 201),
            ("http://app.example/callback", 400),
            ("http://localhost.evil.example/callback", 400),
            ("http://10.0.0.1/callback", 400),
        ] {
            assert_eq!(front.register(uri).status, status, "{uri}");
        }
    });
}

#[test]
fn r11_a_gateway_without_https_does_not_start() {
    let (world, _others) = crate::world::World::apart();
    for mode in BOTH {
        for kind in portcullis_tests::Kind::BOTH {
            let open = "http://gw.example/mcp";
            let settings = world.settings(mode).with("OIDCPROXY_BASE_URL", open);
            let log = Gateway::try_start(kind, &settings, "http://127.0.0.1:9").err();
            let log = log.unwrap_or_default();
            assert!(log.contains("OIDCPROXY_BASE_URL"), "{kind:?}: {log}");
        }
    }
}

#[test]
fn r12_the_server_describes_itself_at_every_well_known_path() {
    check(&PROXY, |front| {
        let told = front.get(SERVER);
        assert_eq!(told.status, 200);
        let forms = [
            format!("{SERVER}/mcp"),
            OPENID.to_owned(),
            format!("{OPENID}/mcp"),
            format!("/mcp{OPENID}"),
        ];
        for form in forms {
            assert_eq!(front.get(&form).json(), told.json(), "{form}");
        }
    });
}

#[test]
fn r13_the_issuer_is_to_the_letter_the_one_that_the_resource_names() {
    check(&BOTH, |front| {
        let named = front.get(AT_PATH).json()["authorization_servers"][0].clone();
        assert_eq!(server_metadata(front)["issuer"], named);
    });
}

/// Returns what the authorization server says of itself: the gateway, or the provider.
fn server_metadata(front: &Front) -> Value {
    match front.mode {
        Mode::OidcProxy => front.get(SERVER).json(),
        Mode::Oidc => {
            let provider = front.world.provider.fact("issuer");
            let address = provider.trim_start_matches("http://").parse().unwrap();
            Request::get(OPENID).send(address).unwrap().json()
        }
    }
}

fn issuer(front: &Front) -> &str {
    match front.mode {
        Mode::OidcProxy => ORIGIN,
        Mode::Oidc => front.world.provider.fact("issuer"),
    }
}

fn unauthorized(front: &Front) -> Response {
    let answer = front.send(&front.request("GET"));
    challenged(&answer, 401, "");
    answer
}
