//! HTTP/2 from those who mean harm: frames in numbers and sizes that no client has.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{Gateway, OPEN, PATIENCE, Wire, command};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
// Types and flags of frames (RFC 9113 §6).
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:method: POST`, `:scheme: http`, `:path: /`, `:authority: a`, by HPACK's static table.
const HEAD: &[u8] = b"\x83\x86\x84\x01\x01a";
/// Far more than the frames below need, far less than they would take if they were kept.
const MAX_GROWTH_KIB: u64 = 16 * 1024;
/// What is sent in all, where nothing of it is to be kept.
const FLOOD_BYTES: usize = 32 * 1024 * 1024;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("small").to_be_bytes();
    let stream = stream.to_be_bytes();
    [&length[1..], &[kind, flags], &stream, payload].concat()
}

/// Writes until the other end has had enough; returns whether it has. What it says is read along,
/// or else it would be held up by it.
fn flood(gateway: &Gateway, mut next: impl FnMut(u32) -> Vec<u8>) -> bool {
    let mut stream = TcpStream::connect(gateway.address).expect("accepts");
    stream.set_write_timeout(Some(PATIENCE)).expect("socket");
    let mut other = stream.try_clone().expect("socket");
    let reader = std::thread::spawn(move || {
        let mut answers = [0; 64 * 1024];
        while other.read(&mut answers).is_ok_and(|read| read > 0) {}
    });
    let begun = [PREFACE, &frame(SETTINGS, 0, 0, b"")].concat();
    stream.write_all(&begun).expect("accepts");
    let (mut sent, mut round, mut refused) = (0, 0, false);
    while sent < FLOOD_BYTES && !refused {
        let mut frames = Vec::new();
        while frames.len() < 64 * 1024 {
            frames.extend(next(round));
            round += 1;
        }
        sent += frames.len();
        refused = stream.write_all(&frames).is_err();
    }
    let _ = stream.shutdown(std::net::Shutdown::Both);
    reader.join().expect("reads");
    refused
}

/// Returns how much memory the gateway has taken at most, in KiB.
fn peak(gateway: &Gateway) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", gateway.child.id()));
    let status = status.expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let figure = line.and_then(|line| line.trim().strip_suffix(" kB"));
    figure
        .and_then(|figure| figure.parse().ok())
        .expect("a figure")
}

fn ask(wire: &mut Wire) {
    wire.send("GET /health HTTP/1.1\r\nhost: a\r\n\r\n");
    let answer = wire.response();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Floods a gateway beside a connection of somebody else, and checks what is left of it.
#[track_caller]
fn check(is_refused: bool, next: impl FnMut(u32) -> Vec<u8>) {
    // At its usual level the log says nothing of frames.
    let mut serve = command(&["serve", "--listen", "127.0.0.1:0"], &OPEN);
    let mut gateway = Gateway::start_command(&mut serve, &[]);
    let mut other = gateway.connect();
    ask(&mut other);
    let before = peak(&gateway);
    assert_eq!(flood(&gateway, next), is_refused);
    let grown = peak(&gateway) - before;
    assert!(grown < MAX_GROWTH_KIB, "it took {grown} KiB");
    ask(&mut other);
    ask(&mut gateway.connect());
    gateway.terminate();
    other.wait_for_end();
    assert_eq!(gateway.child.wait().expect("ends").code(), Some(0));
    let log = gateway.log_with("shutting down");
    assert!(!log.contains("panicked"), "{log}");
}

/// The number of the stream that a client opens in this round.
fn stream_of(round: u32) -> u32 {
    (round * 2 + 1) & 0x7fff_ffff
}

#[test]
fn streams_that_are_reset_at_once_end_the_connection() {
    check(true, |round| {
        let stream = stream_of(round);
        let open = frame(HEADERS, END_HEADERS, stream, HEAD);
        [open, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
    });
}

#[test]
fn streams_that_are_made_to_be_reset_end_the_connection() {
    check(true, |round| {
        let stream = stream_of(round);
        let open = frame(HEADERS, END_HEADERS, stream, HEAD);
        // An increment of zero has the server reset the stream.
        [open, frame(WINDOW_UPDATE, 0, stream, &[0; 4])].concat()
    });
}

#[test]
fn head_that_does_not_end_ends_the_connection() {
    let field = [b"\x40\x01x\x7f\xa1\x1f".as_slice(), &[b'a'; 4128]].concat();
    check(true, |round| match round {
        0 => frame(HEADERS, END_STREAM, 1, HEAD),
        _ => frame(CONTINUATION, 0, 1, &field),
    });
}

#[test]
fn empty_continuations_without_end_end_the_connection() {
    check(true, |round| match round {
        0 => frame(HEADERS, END_STREAM, 1, HEAD),
        _ => frame(CONTINUATION, 0, 1, b""),
    });
}

#[test]
fn heads_that_are_too_large_are_not_kept() {
    // The first has a field put into the table, which the others name 3000 times: 12 MB each.
    let put = [HEAD, b"\x40\x01x\x7f\xa1\x1e", &[b'a'; 4000]].concat();
    let named = [HEAD, &[0xbe; 3000]].concat();
    check(true, |round| {
        let head = if round == 0 { &put } else { &named };
        frame(HEADERS, END_HEADERS | END_STREAM, stream_of(round), head)
    });
}

#[test]
fn settings_and_pings_without_end_hold_nobody_up() {
    // Each has to be acknowledged. A window and a table of the largest size.
    let settings = [0, 4, 0x7f, 0xff, 0xff, 0xff, 0, 1, 0xff, 0xff, 0xff, 0xff];
    check(false, |_| frame(SETTINGS, 0, 0, &settings));
    check(false, |_| frame(PING, 0, 0, &[0; 8]));
}

#[test]
fn settings_pass_up_to_the_largest_frame() {
    let many = [0, 3, 0, 0, 0, 1].repeat(16_384 / 6);
    check(false, |_| frame(SETTINGS, 0, 0, &many));
    // One octet more than a frame may have.
    check(true, |_| frame(SETTINGS, 0, 0, &[0; 16_386]));
}

#[test]
fn streams_that_nobody_reads_are_bounded() {
    // Requests whose answers have no window to leave by.
    let mut gateway = Gateway::start_with(&[], &OPEN);
    let before = peak(&gateway);
    let mut stream = TcpStream::connect(gateway.address).expect("accepts");
    let second = Some(Duration::from_secs(1));
    stream.set_write_timeout(second).expect("socket");
    let no_window = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
    stream
        .write_all(&[PREFACE, &no_window].concat())
        .expect("accepts");
    for round in 0..100_000 {
        let open = frame(HEADERS, END_HEADERS | END_STREAM, stream_of(round), HEAD);
        if stream.write_all(&open).is_err() {
            break;
        }
    }
    ask(&mut gateway.connect());
    let grown = peak(&gateway) - before;
    assert!(grown < MAX_GROWTH_KIB, "it took {grown} KiB");
    drop(stream);
    gateway.terminate();
    assert_eq!(gateway.child.wait().expect("ends").code(), Some(0));
}
