//! Bodies pass through the proxy untouched, as they come.

use portcullis_tests::{Connection, Request};

use crate::world::World;

/// Large bodies go up whole, and events come down one by one.
pub(crate) fn pass(world: &World, allowed: impl Fn(Request) -> Request) {
    let body = "0123456789abcdef".repeat(64 * 1024);
    let request = allowed(Request::new("POST", "/mcp")).body(body.clone());
    let answer = request.send(world.address).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(world.resource.take().pop().unwrap().body, body.as_bytes());

    let request = allowed(Request::get("/mcp"))
        .field("Accept", "text/event-stream")
        .field("x-test-answer", "sse");
    let mut connection = Connection::open(world.address).unwrap();
    connection.write(&request.to_bytes()).unwrap();
    let (status, fields) = connection.read_response_head().unwrap();
    assert_eq!(status, 200);
    let chunked = fields
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value.eq_ignore_ascii_case(b"chunked"));
    assert!(chunked, "{fields:?}");
    let first = connection.read_chunk().unwrap().unwrap();
    assert!(first.escape_ascii().to_string().contains("first"));
    world.resource.send_second_event();
    let second = connection.read_chunk().unwrap().unwrap();
    assert!(second.escape_ascii().to_string().contains("second"));
    drop(world.resource.take());
}
