//! Both eras of the transport, and the one before them, pass as they are.

use portcullis_tests::{Connection, Gateway, Kind, wire};

use crate::install::Mode;
use crate::programs::EverythingServer;
use crate::world::{BOTH, World, bearer, check, saw, site};

#[test]
fn r27_requests_of_the_era_with_sessions_pass_unchanged() {
    check(&BOTH, |front| {
        let token = front.token();
        for method in ["POST", "GET", "DELETE"] {
            let request = front
                .request_by(&token, method)
                .field("MCP-Protocol-Version", "2025-11-25")
                .field("Last-Event-ID", "event-7")
                .field("Accept", "application/json, text/event-stream");
            let answer = front.send(&request.body("{\"id\": 1}"));
            assert_eq!(answer.status, 200);
            assert_eq!(answer.json()["method"], method);
            assert_eq!(answer.json()["body"], "{\"id\": 1}");
            let version = saw(&answer, "mcp-protocol-version");
            assert_eq!(version.as_deref(), Some("2025-11-25"));
            assert_eq!(saw(&answer, "last-event-id").as_deref(), Some("event-7"));
        }
        for status in ["404", "405", "202"] {
            let request = front.request_by(&token, "GET");
            let answer = front.send(&request.field("X-Test-Status", status));
            assert_eq!(answer.status.to_string(), status);
        }
    });
}

#[test]
fn r27_the_head_of_a_stream_comes_before_its_first_event() {
    check(&BOTH, |front| {
        let request = front.request_by(&front.token(), "GET");
        let request = request.field("X-Test-Answer", "quiet-sse");
        let mut client = front.gateway.connect();
        client.write(&request.to_bytes()).unwrap();
        // The resource holds its only event back until then.
        assert_eq!(client.read_response_head().unwrap().0, 200);
        front.resource.send_second_event();
        let event = client.read_chunk().unwrap().unwrap();
        assert_eq!(event, b"data: second\n\n");
    });
}

#[test]
fn r28_requests_of_the_era_without_sessions_pass_unchanged() {
    check(&BOTH, |front| {
        let fields = [
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", "=?base64?w6ljaG8=?="),
            ("mcp-param-region", "eu"),
            ("mcp-param-x-y", "=?base64?4pyT?="),
        ];
        let body = "{ \"method\":\"tools/call\",\"params\":{\"name\":\"\u{e9}cho\"} }";
        let request = front.request_by(&front.token(), "POST");
        let request = fields
            .iter()
            .fold(request, |request, (name, value)| request.field(name, value));
        let answer = front.send(&request.body(body));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["body"], body);
        for (name, value) in fields {
            assert_eq!(saw(&answer, name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(answer.value("mcp-session-id"), "");
    });
}

#[test]
fn r29_what_keeps_a_stream_alive_passes_and_a_client_that_leaves_is_missed() {
    check(&BOTH, |front| {
        for method in ["POST", "GET"] {
            let request = front.request_by(&front.token(), method);
            let request = request.field("X-Test-Answer", "open");
            let mut client = front.gateway.connect();
            client.write(&request.body("").to_bytes()).unwrap();
            let (status, fields) = client.read_response_head().unwrap();
            assert_eq!(status, 200);
            let buffering = wire::value(&fields, "x-accel-buffering");
            assert_eq!(buffering, Some(&b"no"[..]));
            let comment = client.read_chunk().unwrap().unwrap();
            assert_eq!(comment, b": still here\n\n");
            drop(client);
            assert!(front.resource.is_left(), "{method} at {:?}", front.kind);
        }
    });
}

#[test]
fn r30_the_oldest_transport_is_guarded_on_both_its_ways() {
    let server = EverythingServer::start();
    let (world, _others) = World::apart();
    // How a token was come by makes no difference here.
    let settings = world.settings(Mode::Oidc);
    for kind in Kind::BOTH {
        let gateway = Gateway::start(kind, &settings, server.origin());
        let site = site(&gateway);
        let token = world.token(Mode::Oidc, &site);
        let get = || site.request("GET", "/sse");
        assert_eq!(site.send(&get()).status, 401);
        let mut stream = gateway.connect();
        stream.write(&bearer(get(), &token).to_bytes()).unwrap();
        let endpoint = endpoint(&mut stream);

        let ping = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}";
        let post = || {
            let request = site.request("POST", &endpoint);
            request.field("Content-Type", "application/json").body(ping)
        };
        assert_eq!(site.send(&post()).status, 401);
        assert_eq!(site.send(&bearer(post(), &token)).status, 202);
        let told = stream.read_chunk().unwrap().unwrap();
        assert!(String::from_utf8(told).unwrap().contains("\"id\":1"));
    }
}

/// Reads the event that says where messages are to be sent.
fn endpoint(stream: &mut Connection) -> String {
    assert_eq!(stream.read_response_head().unwrap().0, 200);
    let event = String::from_utf8(stream.read_chunk().unwrap().unwrap()).unwrap();
    let target = event.strip_prefix("event: endpoint\ndata: ").unwrap();
    // One on another origin would be refused by clients.
    assert!(target.starts_with('/'), "{event}");
    target.trim_end().to_owned()
}
