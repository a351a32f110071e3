//! Envoy's authorization service by gRPC: what is said of calls that are out of order.

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::handshake;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::support::{Gateway, OPEN, PATIENCE};

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
const PROPER: (&str, &str) = ("content-type", "application/grpc");
/// A message without a field.
const EMPTY: &[u8] = b"\0\0\0\0\0";
const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// What a client of gRPC gets to know.
struct Answer {
    http_status: u16,
    /// Headers and trailers: a refusal may be in either.
    all: HeaderMap,
}

impl Answer {
    fn value(&self, name: &str) -> &str {
        let value = self.all.get(name);
        value.map_or("", |value| value.to_str().expect("text"))
    }
}

/// Makes one call by HTTP/2 with prior knowledge.
fn call(gateway: &Gateway, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut request = Request::post(format!("http://{}{path}", gateway.address));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let body = Full::new(Bytes::copy_from_slice(body));
    let request = request.body(body).expect("a request");
    let exchange = async {
        let stream = TcpStream::connect(gateway.address).await.expect("accepts");
        let stream = TokioIo::new(stream);
        let opened = handshake(TokioExecutor::new(), stream).await;
        let (mut sender, connection) = opened.expect("HTTP/2");
        let driver = tokio::spawn(connection);
        let response = sender.send_request(request).await.expect("a head");
        let (head, body) = response.into_parts();
        let trailers = body.collect().await.expect("a body").trailers().cloned();
        driver.abort();
        let mut all = head.headers;
        all.extend(trailers.unwrap_or_default());
        Answer {
            http_status: head.status.as_u16(),
            all,
        }
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime
        .expect("a runtime")
        .block_on(async { timeout(PATIENCE, exchange).await.expect("in time") })
}

#[track_caller]
fn check(answer: &Answer, code: &str, says: &str) {
    assert_eq!(
        (answer.http_status, answer.value("grpc-status")),
        (200, code),
        "{:?}",
        answer.all
    );
    let message = answer.value("grpc-message");
    assert!(message.contains(says), "{message}");
    assert_eq!(answer.value("content-type"), "application/grpc");
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("small");
    [[flag].as_slice(), &length.to_be_bytes(), message].concat()
}

#[test]
fn call_out_of_order_ends_with_the_code_of_its_fault() {
    let gateway = Gateway::start_with(&[], &OPEN);
    let plain = |body: &[u8]| call(&gateway, CHECK, &[PROPER], body);
    check(&plain(EMPTY), "0", "");
    // A field that is cut, and half a number of a field.
    check(&plain(&framed(0, b"\x0a\xff")), "13", "protobuf");
    check(&plain(&framed(0, b"\xff")), "13", "protobuf");
    check(&plain(b"\0\0\0\0\x05ab"), "13", "cut");
    check(&plain(b"\0\0"), "13", "cut");
    check(&plain(&framed(2, b"")), "13", "flag");
    // Compressed, as it says, by nothing.
    check(&plain(&framed(1, b"ab")), "13", "grpc-encoding");
    // A call of one message has exactly one.
    check(&plain(b""), "12", "one message");
    check(&plain(&[EMPTY, EMPTY].concat()), "12", "one message");
}

#[test]
fn compressed_call_is_told_what_is_understood() {
    let gateway = Gateway::start_with(&[], &OPEN);
    for flag in [0, 1] {
        let fields = [PROPER, ("grpc-encoding", "gzip")];
        let answer = call(&gateway, CHECK, &fields, &framed(flag, b""));
        check(&answer, "12", "grpc-encoding");
        assert_eq!(answer.value("grpc-accept-encoding"), "identity");
    }
    let fields = [PROPER, ("grpc-encoding", "identity")];
    check(&call(&gateway, CHECK, &fields, EMPTY), "0", "");
}

#[test]
fn call_that_is_too_large_has_a_code_of_its_own() {
    let gateway = Gateway::start_with(&[], &OPEN);
    let plain = |body: &[u8]| call(&gateway, CHECK, &[PROPER], body);
    let too_large = framed(0, &vec![0; MAX_MESSAGE_BYTES + 1]);
    check(&plain(&too_large), "8", "262144");
    // What it says is enough to know.
    check(&plain(b"\0\xff\xff\xff\xff\0"), "8", "262144");
    // A field of number 15, as long as may be, which is passed over.
    let mut largest = b"\x7a\xfc\xff\x0f".to_vec();
    largest.resize(MAX_MESSAGE_BYTES, b'a');
    check(&plain(&framed(0, &largest)), "0", "");
}

#[test]
fn method_that_there_is_not_is_unimplemented() {
    let gateway = Gateway::start_with(&[], &OPEN);
    for method in ["Other", "check", "Check/"] {
        let path = format!("/envoy.service.auth.v3.Authorization/{method}");
        check(&call(&gateway, &path, &[PROPER], EMPTY), "12", "method");
    }
    // A proxy that asks at a path of its client must not take this for a permission.
    let elsewhere = call(&gateway, "/mcp", &[PROPER], EMPTY);
    assert!(elsewhere.http_status >= 400, "{:?}", elsewhere.all);
}

#[test]
fn content_of_another_type_is_no_call() {
    let gateway = Gateway::start_with(&[], &OPEN);
    let status = |content: &str| {
        let answer = call(&gateway, CHECK, &[("content-type", content)], EMPTY);
        (answer.http_status, answer.value("grpc-status").to_owned())
    };
    for content in [
        "application/grpc",
        "application/grpc+proto",
        "application/grpc;charset=utf-8",
        "application/grpc+proto ; a=b",
        "Application/gRPC",
    ] {
        assert_eq!(status(content), (200, "0".into()), "{content}");
    }
    for content in [
        "application/grpcx",
        "application/grpc+json",
        "application/grpc-web",
        "application/grpc+protox",
        "application/json",
        "",
    ] {
        assert_eq!(status(content), (415, String::new()), "{content}");
    }
    let twice = call(&gateway, CHECK, &[PROPER, PROPER], EMPTY);
    assert_eq!(twice.http_status, 415);
    let none = call(&gateway, CHECK, &[], EMPTY);
    assert_eq!(none.http_status, 415);
}
