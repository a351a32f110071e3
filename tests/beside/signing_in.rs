//! Mode `oidcproxy`: the OAuth endpoints are the gateway's own, reached through the proxy.

use portcullis_tests::OpenIdProvider;
use portcullis_tests::oauth_flow::Site;
use portcullis_tests::openid_provider::Quirks;

use crate::proxies::Proxy;
use crate::world::World;

pub(crate) fn works(proxy: Proxy) {
    let provider = OpenIdProvider::start(Quirks::default());
    let world = World::start(proxy, |address| {
        provider.settings(&Site::origin_at(address))
    });
    let site = Site::new(Site::origin_at(world.address), |request| {
        request.send(world.address).unwrap()
    });

    // A client that knows nothing but the URL is led to the metadata.
    let challenged = site.send(&site.request("POST", "/mcp").body("{}"));
    assert_eq!(challenged.status, 401, "{}", challenged.text());
    let metadata = "/.well-known/oauth-protected-resource/mcp";
    let challenge = challenged.value("www-authenticate");
    let named = format!("resource_metadata=\"{}{metadata}\"", site.origin());
    assert!(challenge.contains(&named), "{challenge}");
    let metadata = site.send(&site.request("GET", metadata)).json();
    assert_eq!(metadata["authorization_servers"][0], site.origin());
    let server = site.request("GET", "/.well-known/oauth-authorization-server");
    let server = site.send(&server).json();
    assert_eq!(server["issuer"], site.origin());

    let (client, tokens) = site.sign_in();
    let called = site.call(&tokens.access);
    assert_eq!(called.status, 200, "{}", called.text());
    let seen = world.resource.take().pop().unwrap();
    assert_eq!(seen.value("x-mcp-auth-mode").unwrap(), "oidcproxy");
    assert!(seen.value("x-mcp-auth-subject").is_some(), "{seen:?}");
    assert_eq!(seen.value("authorization"), None);

    let renewed = site.refresh(&client, &tokens.refresh);
    assert_eq!(renewed.status, 200, "{}", renewed.text());
    let refused = site.refresh(&client, "no refresh token");
    assert_eq!(
        refused.json()["error"],
        "invalid_grant",
        "{}",
        refused.text()
    );
    assert_eq!(site.call("no access token").status, 401);
    assert_eq!(world.resource.count(), 0);
}
