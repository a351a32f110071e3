//! Answers leave as they come.

use portcullis_tests::wire;
use portcullis_tests::{Kind, Request, Settings};

use crate::pair::Pair;
use crate::table::World;

#[test]
fn events_reach_the_client_one_by_one() {
    for kind in Kind::BOTH {
        let world = World::start();
        let settings = Settings::new()
            .with("ZSCALER_MCP_AUTH_MODE", "none")
            .with("ZSCALER_MCP_ALLOWED_HOSTS", "*");
        let pair = Pair::start(&world, &settings);
        let gateway = pair.gateway(kind);
        let mut connection = gateway.connect();
        let request = Request::get("/mcp")
            .field("Accept", "text/event-stream")
            .field("X-Test-Answer", "sse");
        connection.write(&request.to_bytes()).unwrap();
        let (status, fields) = connection.read_response_head().unwrap();
        assert_eq!(status, 200);
        assert_eq!(
            wire::value(&fields, "content-type"),
            Some(&b"text/event-stream"[..])
        );
        // The resource holds the second event back until the first was read.
        assert_eq!(
            connection.read_chunk().unwrap().unwrap(),
            b"data: first\n\n"
        );
        world.resource.send_second_event();
        assert_eq!(
            connection.read_chunk().unwrap().unwrap(),
            b"data: second\n\n"
        );
        assert_eq!(connection.read_chunk().unwrap(), None);
    }
}
