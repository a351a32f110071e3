//! Latency at a steady pace, and the time to the first event of a stream.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::http::{status, whole_message};

/// How long an answer may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections among which a pace is shared.
const LANES: u32 = 16;

/// Returns the 99th percentile of the latency at `rate` requests per second, in milliseconds.
///
/// A request that is due while the one before it is under way counts from when it was due.
pub(crate) fn steady_p99(
    address: SocketAddr,
    request: &[u8],
    rate: u32,
    duration: Duration,
) -> f64 {
    let pace = Duration::from_secs(1) / rate;
    let count = duration.as_nanos() / pace.as_nanos() / u128::from(LANES);
    let start = Instant::now() + Duration::from_millis(20);
    let mut latencies: Vec<Duration> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| {
                let first = start + pace * lane;
                scope.spawn(move || one_lane(address, request, first, pace * LANES, count))
            })
            .collect();
        lanes
            .into_iter()
            .flat_map(|lane| lane.join().unwrap())
            .collect()
    });
    milliseconds_at(&mut latencies, 0.99)
}

fn one_lane(
    address: SocketAddr,
    request: &[u8],
    first: Instant,
    pace: Duration,
    count: u128,
) -> Vec<Duration> {
    let mut stream = connect(address);
    let mut due = first;
    let mut latencies = Vec::new();
    for _ in 0..count {
        let wait = due.saturating_duration_since(Instant::now());
        // The kernel wakes a sleeper some 50 us late; that is nobody's latency.
        let since = if wait.is_zero() {
            due
        } else {
            thread::sleep(wait);
            Instant::now()
        };
        exchange(&mut stream, request);
        latencies.push(since.elapsed());
        due += pace;
    }
    latencies
}

/// Returns the median time from a request for a stream to its first event, in milliseconds; each
/// on a connection of its own.
pub(crate) fn first_event(address: SocketAddr, request: &[u8], count: usize) -> f64 {
    let mut times: Vec<Duration> = (0..count)
        .map(|_| {
            let since = Instant::now();
            drop(open_stream(address, request));
            since.elapsed()
        })
        .collect();
    milliseconds_at(&mut times, 0.5)
}

/// Opens a stream and reads its first event.
pub(crate) fn open_stream(address: SocketAddr, request: &[u8]) -> TcpStream {
    let mut stream = connect(address);
    stream.write_all(request).unwrap();
    let mut input = Vec::new();
    while !input.windows(5).any(|text| text == b"data:") {
        read_some(&mut stream, &mut input);
    }
    assert_eq!(status(&input), 200);
    stream
}

fn exchange(stream: &mut TcpStream, request: &[u8]) {
    stream.write_all(request).unwrap();
    let mut input = Vec::new();
    while whole_message(&input).is_none() {
        read_some(stream, &mut input);
    }
    assert_eq!(status(&input), 200);
}

fn read_some(stream: &mut TcpStream, input: &mut Vec<u8>) {
    let mut chunk = [0; 8192];
    let count = stream.read(&mut chunk).unwrap();
    assert_ne!(count, 0, "closed after {}", input.escape_ascii());
    input.extend(&chunk[..count]);
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn milliseconds_at(times: &mut [Duration], quantile: f64) -> f64 {
    times.sort_unstable();
    let index = ((times.len() - 1) as f64 * quantile).round() as usize;
    times[index].as_secs_f64() * 1e3
}
