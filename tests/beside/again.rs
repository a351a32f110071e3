//! nginx has a refusal decided again, for its words.

use portcullis_tests::authorization_server::{CLIENT_ID, TOKEN_PATH, WRONG_SECRET};
use portcullis_tests::{AuthorizationServer, Request, Settings};

use crate::proxies::Proxy;
use crate::world::World;

#[test]
fn a_wrong_secret_counts_once() {
    let server = AuthorizationServer::start();
    let settings = Settings::new()
        .with("ZSCALER_MCP_AUTH_MODE", "zscaler")
        .with("PORTCULLIS_TOKEN_URL", server.url(TOKEN_PATH))
        .with("PORTCULLIS_WRONG_SECRETS_PER_ADDRESS", "2");
    let world = World::start(Proxy::Nginx, |_| settings);
    let guess = |secret: &str| {
        let request = Request::get("/mcp")
            .field("X-Zscaler-Client-ID", CLIENT_ID)
            .field("X-Zscaler-Client-Secret", secret);
        request.send(world.address).unwrap()
    };
    assert_eq!(guess(WRONG_SECRET).status, 401);
    assert_eq!(server.count(TOKEN_PATH), 1);
    // The second of two, and refused by the server as well.
    assert_eq!(guess(WRONG_SECRET).status, 401);
    assert_eq!(server.count(TOKEN_PATH), 1);
    assert_eq!(world.resource.count(), 0);
}
