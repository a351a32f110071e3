//! Bodies that the gateways read themselves, on the wire of HTTP/1.1.

use portcullis_tests::{Connection, Kind, Request};

use crate::groups::oidc_proxy::{registration, settings};
use crate::pair::Pair;
use crate::table::World;

/// Runs `act` on a connection to each gateway.
fn on_both(act: impl Fn(&mut Connection, Kind)) {
    let world = World::start();
    let pair = Pair::start(&world, &settings(&world));
    for kind in Kind::BOTH {
        act(&mut pair.gateway(kind).connect(), kind);
    }
    assert_eq!(world.resource.count(), 0, "a body went on");
}

/// A registration in one piece, and where its body begins.
fn message() -> (Vec<u8>, usize) {
    let bytes = registration().to_bytes();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    (bytes, end.unwrap() + 4)
}

fn status(connection: &mut Connection) -> u16 {
    connection.read_response(false).unwrap().status
}

#[test]
fn body_may_come_octet_by_octet() {
    on_both(|connection, kind| {
        for octet in message().0 {
            connection.write(&[octet]).unwrap();
        }
        assert_eq!(status(connection), 201, "{kind:?}");
    });
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    on_both(|connection, kind| {
        let (bytes, _) = message();
        for _ in 0..2 {
            connection.write(&bytes).unwrap();
            assert_eq!(status(connection), 201, "{kind:?}");
        }
        // Envoy closes the connection where more than two answers wait to leave.
        let metadata = Request::get("/.well-known/oauth-authorization-server").to_bytes();
        connection.write(&[bytes, metadata].concat()).unwrap();
        let statuses = [(); 2].map(|()| status(connection));
        assert_eq!(statuses, [201, 200], "{kind:?}");
    });
}

#[test]
fn client_that_asks_first_is_told_to_go_on() {
    on_both(|connection, kind| {
        let (bytes, body) = message();
        let head = [&bytes[..body - 2], b"Expect: 100-continue\r\n\r\n"].concat();
        connection.write(&head).unwrap();
        assert_eq!(status(connection), 100, "{kind:?}");
        connection.write(&bytes[body..]).unwrap();
        assert_eq!(status(connection), 201, "{kind:?}");
    });
}

#[test]
fn client_that_leaves_in_the_middle_of_a_body_harms_nobody() {
    let world = World::start();
    let pair = Pair::start(&world, &settings(&world));
    for kind in Kind::BOTH {
        let gateway = pair.gateway(kind);
        let (bytes, body) = message();
        for count in 0..100 {
            let mut connection = gateway.connect();
            connection.write(&bytes[..body + count % 20]).unwrap();
        }
        assert_eq!(gateway.send(&registration()).status, 201, "{kind:?}");
    }
}
