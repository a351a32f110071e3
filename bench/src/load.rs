//! The load generator: many connections on one thread, each with one request under way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::http::{self, whole_message};
use crate::server::{read_all, write_all};

/// How long answers may be missing after the last request before they count as failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Requests that are sent one after the other, over and over.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    all: Arc<[Vec<u8>]>,
    next: usize,
}

impl Requests {
    /// Makes them; there must be at least one.
    pub(crate) fn new(all: Vec<Vec<u8>>) -> Self {
        Self {
            all: all.into(),
            next: 0,
        }
    }

    /// Returns the first one.
    pub(crate) fn first(&self) -> &[u8] {
        &self.all[0]
    }

    fn take(&mut self) -> &[u8] {
        let index = self.next;
        self.next = (index + 1) % self.all.len();
        &self.all[index]
    }
}

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After this time.
    Elapsed(Duration),
    /// After so many requests.
    Sent(usize),
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Answers with the status 200.
    pub(crate) succeeded: usize,
    /// Answers with another status, and broken connections.
    pub(crate) failed: usize,
    /// The status of the last failed answer; 0 when the connection broke.
    pub(crate) last_failure: u16,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// Latencies in nanoseconds, sorted.
    pub(crate) latencies: Vec<u64>,
}

impl Outcome {
    /// Returns the answers per second.
    pub(crate) fn rate(&self) -> f64 {
        self.succeeded as f64 / self.elapsed.as_secs_f64()
    }

    /// Returns a quantile of the latency in milliseconds.
    pub(crate) fn quantile(&self, quantile: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let index = (last as f64 * quantile).round() as usize;
        self.latencies
            .get(index)
            .map_or(f64::NAN, |ns| *ns as f64 / 1e6)
    }

    fn count(&mut self, status: u16, since: Instant) {
        if status == 200 {
            self.succeeded += 1;
        } else {
            self.failed += 1;
            self.last_failure = status;
        }
        self.latencies.push(since.elapsed().as_nanos() as u64);
    }
}

struct Lane {
    stream: TcpStream,
    output: Vec<u8>,
    input: Vec<u8>,
    since: Instant,
    busy: bool,
}

/// Sends `requests` over `lanes` connections as quickly as they are answered.
pub(crate) fn drive(
    address: SocketAddr,
    lanes: usize,
    requests: &mut Requests,
    until: Until,
) -> Outcome {
    let mut run = Run::start(address, lanes);
    let started = Instant::now();
    let mut events = Events::with_capacity(lanes.max(16));
    let mut sent = 0;
    let may_send = |sent: usize| match until {
        Until::Elapsed(limit) => started.elapsed() < limit,
        Until::Sent(limit) => sent < limit,
    };
    for index in 0..lanes {
        if may_send(sent) {
            run.send(index, requests);
            sent += 1;
        }
    }
    let mut last_news = Instant::now();
    while run.lanes.iter().any(|lane| lane.busy) && last_news.elapsed() < PATIENCE {
        run.poll
            .poll(&mut events, Some(Duration::from_millis(100)))
            .unwrap();
        for event in &events {
            let index = event.token().0;
            if run.advance(index) {
                last_news = Instant::now();
                if may_send(sent) {
                    run.send(index, requests);
                    sent += 1;
                }
            }
        }
    }
    let mut outcome = run.outcome;
    outcome.failed += run.lanes.iter().filter(|lane| lane.busy).count();
    outcome.elapsed = last_news - started;
    outcome.latencies.sort_unstable();
    outcome
}

struct Run {
    address: SocketAddr,
    poll: Poll,
    lanes: Vec<Lane>,
    outcome: Outcome,
}

impl Run {
    fn start(address: SocketAddr, lanes: usize) -> Self {
        let poll = Poll::new().unwrap();
        let lanes = (0..lanes)
            .map(|index| Lane {
                stream: connect(address, &poll, index),
                output: Vec::new(),
                input: Vec::new(),
                since: Instant::now(),
                busy: false,
            })
            .collect();
        Self {
            address,
            poll,
            lanes,
            outcome: Outcome::default(),
        }
    }

    fn send(&mut self, index: usize, requests: &mut Requests) {
        let lane = &mut self.lanes[index];
        lane.output.extend(requests.take());
        lane.since = Instant::now();
        lane.busy = true;
        write_all(&mut lane.stream, &mut lane.output);
    }

    /// Goes on with a lane; true when its answer is there, whatever it is.
    fn advance(&mut self, index: usize) -> bool {
        let lane = &mut self.lanes[index];
        let open = write_all(&mut lane.stream, &mut lane.output)
            && read_all(&mut lane.stream, &mut lane.input);
        let message = whole_message(&lane.input);
        let answered = lane.busy && (message.is_some() || !open);
        if answered {
            lane.busy = false;
            let status = message.map_or(0, |message| http::status(&lane.input[..message.head]));
            self.outcome.count(status, lane.since);
        }
        if let Some(message) = message {
            lane.input.drain(..message.total);
        }
        if !open || message.is_some_and(|message| message.closes) {
            lane.stream = connect(self.address, &self.poll, index);
            lane.output.clear();
            lane.input.clear();
        }
        answered
    }
}

fn connect(address: SocketAddr, poll: &Poll, index: usize) -> TcpStream {
    let stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_nonblocking(true).unwrap();
    let mut stream = TcpStream::from_std(stream);
    poll.registry()
        .register(
            &mut stream,
            Token(index),
            Interest::READABLE | Interest::WRITABLE,
        )
        .unwrap();
    stream
}
