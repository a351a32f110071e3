//! What is measured beside the rounds: latency at a steady pace, streams, memory, start.

use std::net::SocketAddr;
use std::time::Duration;

use crate::contender::{Contender, LANES};
use crate::credentials::{API_KEY, bearer};
use crate::envoy::{Envoy, Shape, filter_module};
use crate::filters::Filter;
use crate::latency::{first_event, open_stream, steady_p99};
use crate::library;
use crate::load::{Until, drive};
use crate::native::Native;
use crate::results::{Singles, Start};
use crate::sign_in::sign_ins;
use crate::spawn::Place;
use crate::usage::{processor_time, resident_memory};
use crate::world::{World, different, same};

/// Requests per second of the steady pace.
const PACE: u32 = 3000;

/// Streams held at once.
const STREAMS: usize = 1000;

/// Tokens that a cache holds by default.
const CACHED: usize = 10_000;

/// Who is asked at a steady pace and for streams.
const ASKED: [&str; 5] = [
    "envoy-bare",
    "filter-api-key",
    "filter-jwt-warm",
    "native-none",
    "native-jwt-warm",
];

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// Rounds of latencies.
    pub(crate) rounds: usize,
    /// How long a steady pace is kept.
    pub(crate) steady: Duration,
    /// Streams opened one after the other.
    pub(crate) events: usize,
    /// Starts of Envoy.
    pub(crate) starts: usize,
}

/// Measures it all, with the contenders that are up.
pub(crate) fn measure(world: &World, contenders: &[Contender], size: Size) -> Singles {
    let asked = asked(world, contenders);
    let mut steady: Vec<(&'static str, Vec<f64>)> = Vec::new();
    let mut events: Vec<(&'static str, Vec<f64>)> = Vec::new();
    for _ in 0..size.rounds {
        for (id, address, request) in &asked {
            let p99 = steady_p99(*address, request, PACE, size.steady);
            push(&mut steady, id, p99);
            let stream = to_stream(request);
            push(&mut events, id, first_event(*address, &stream, size.events));
        }
    }
    Singles {
        verify: [library::verify_rs256(world), library::verify_es256(world)],
        decisions: decisions(world),
        steady,
        first_event: events,
        sign_ins: sign_ins(world, size.rounds).into(),
        stream_memory: stream_memory(contenders, &asked),
        worker_memory: worker_memory(world),
        cached_memory: cached_memory(world).into(),
        starts: starts(world, size.starts),
        module: std::fs::metadata(filter_module()).unwrap().len() as f64,
        cores: cores(world, size.rounds),
    }
}

type Asked = Vec<(&'static str, SocketAddr, Vec<u8>)>;

fn asked(world: &World, contenders: &[Contender]) -> Asked {
    let plain = same(world, "none").first().to_vec();
    let mut asked = vec![("direct", world.resource.address(), plain)];
    for id in ASKED {
        let found = contenders.iter().find(|contender| contender.id == id);
        asked.extend(found.map(|own| (own.id, own.address, own.requests.first().to_vec())));
    }
    asked
}

fn push(list: &mut Vec<(&'static str, Vec<f64>)>, id: &'static str, value: f64) {
    match list.iter_mut().find(|(name, _)| *name == id) {
        Some((_, values)) => values.push(value),
        None => list.push((id, vec![value])),
    }
}

/// Turns a call of a tool into a request for a stream with the same credential.
fn to_stream(request: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(request);
    let lines = text
        .split("\r\n")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let kept = lines.filter(|line| !line.starts_with("content-"));
    let fields: String = kept.map(|line| format!("{line}\r\n")).collect();
    format!("GET /sse HTTP/1.1\r\n{fields}\r\n").into_bytes()
}

fn decisions(world: &World) -> Vec<(&'static str, f64)> {
    let zscaler = crate::credentials::basic("client-1", "a-secret-of-usual-length-0123456789");
    [
        ("api-key", bearer(API_KEY)),
        ("jwt", bearer(&world.rs256[0])),
        ("zscaler", zscaler),
    ]
    .map(|(mode, credential)| (mode, library::decision(world, mode, &credential)))
    .into()
}

/// Returns the memory of one idle stream, less that of one at another gateway.
fn stream_memory(contenders: &[Contender], asked: &Asked) -> Vec<(&'static str, f64)> {
    let mut all = Vec::new();
    for (id, address, request) in asked {
        let Some(own) = contenders.iter().find(|contender| contender.id == *id) else {
            continue;
        };
        let before = resident_memory(own.process);
        let request = to_stream(request);
        let streams: Vec<_> = (0..STREAMS)
            .map(|_| open_stream(*address, &request))
            .collect();
        let more = resident_memory(own.process) - before;
        all.push((*id, more / streams.len() as f64));
    }
    all
}

/// Returns by how much a cache full of tokens enlarges each host: the same process first with one
/// token, then with all. Two processes of one kind differ by more than what is looked for.
fn cached_memory(world: &World) -> [(&'static str, f64); 2] {
    let settings = world.settings("jwt");
    let upstream = world.resource.address();
    let filter = Filter::Portcullis(settings.clone());
    let folder = |host: &str| world.folder(&format!("cached-{host}"));
    let envoy = Envoy::start(&folder("filter"), upstream, &filter, Shape::CONTENDER);
    let native = Native::start(&folder("native"), upstream, &settings, Place::Contender);
    [
        ("filter", envoy.address, envoy.id()),
        ("native", native.address, native.id()),
    ]
    .map(|(host, address, process)| {
        let memory_after = |mut requests| {
            let outcome = drive(address, LANES, &mut requests, Until::Sent(CACHED));
            assert_eq!(outcome.failed, 0, "{host}: {}", outcome.last_failure);
            resident_memory(process)
        };
        let one = memory_after(same(world, "jwt"));
        (host, memory_after(different(&world.rs256)) - one)
    })
}

/// Returns the memory of one further worker with the filter, less that of one without.
fn worker_memory(world: &World) -> f64 {
    let memory = |name: &str, filter: &Filter, workers: usize| {
        let shape = Shape {
            workers,
            ..Shape::CONTENDER
        };
        let upstream = world.resource.address();
        let envoy = Envoy::start(&world.folder(name), upstream, filter, shape);
        resident_memory(envoy.id())
    };
    let ours = Filter::Portcullis(world.settings("api-key"));
    let further =
        |name: &str, filter: &Filter| (memory(name, filter, 5) - memory(name, filter, 1)) / 4.0;
    further("workers", &ours) - further("workers-bare", &Filter::None)
}

/// Returns what it took Envoy to be ready, bare and with the filter. It may use both cores, as
/// V8 compiles on all that there are.
fn starts(world: &World, count: usize) -> [Vec<Start>; 2] {
    let mut all = [Vec::new(), Vec::new()];
    let filters = [Filter::None, Filter::Portcullis(world.settings("api-key"))];
    let shape = Shape {
        place: Place::Both,
        ..Shape::CONTENDER
    };
    for _ in 0..count {
        for (starts, filter) in all.iter_mut().zip(&filters) {
            let upstream = world.resource.address();
            let envoy = Envoy::start(&world.folder("ready"), upstream, filter, shape);
            starts.push(Start {
                ready_after: envoy.ready_after.as_secs_f64(),
                processor: processor_time(&[envoy.id()]).as_secs_f64(),
            });
        }
    }
    all
}

/// Returns what a request costs the native binary on one core and on two, in turns; nothing where
/// there is only one.
fn cores(world: &World, rounds: usize) -> [Vec<f64>; 2] {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    if cpuinfo.matches("processor\t").count() < 2 {
        return [Vec::new(), Vec::new()];
    }
    let start = |name: &str, place| {
        let settings = world.settings("jwt");
        let upstream = world.resource.address();
        Native::start(&world.folder(name), upstream, &settings, place)
    };
    let natives = [
        start("one-core", Place::Contender),
        start("two-cores", Place::Both),
    ];
    let mut requests = same(world, "jwt");
    let mut cost = |native: &Native| {
        let before = processor_time(&[native.id()]);
        let until = Until::Elapsed(Duration::from_millis(500));
        let outcome = drive(native.address, LANES, &mut requests, until);
        let time = processor_time(&[native.id()]).saturating_sub(before);
        time.as_secs_f64() * 1e6 / outcome.succeeded.max(1) as f64
    };
    // The first run fetches the keys and opens connections.
    for native in &natives {
        cost(native);
    }
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (costs, native) in costs.iter_mut().zip(&natives) {
            costs.push(cost(native));
        }
    }
    costs
}
