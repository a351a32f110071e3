//! Measures the gateways: `make bench`, or `make bench QUICK=1`.
//!
//! Every contender stands in front of the same protected resource and runs on the first core; load,
//! protected resource and services share the second. Contenders take turns in each round, so that
//! what the machine does besides meets all of them alike; every figure is a ratio or a difference
//! within one round. The results go to `docs/benchmarks.md` and `docs/benchmarks.svg`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking, counts in floats, and prints"
)]

mod bootstrap;
mod calls;
mod compare;
mod contender;
mod contenders;
mod credentials;
mod envoy;
mod figures;
mod filters;
mod hostcalls;
mod http;
mod latency;
mod library;
mod load;
mod machine;
mod native;
mod ours;
mod peers;
mod pem;
mod plot;
mod report;
mod results;
mod server;
mod sign_in;
mod singles;
mod spawn;
mod statistics;
mod usage;
mod world;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::contender::Contender;
use crate::results::Results;
use crate::world::{World, own_file};

/// How long each contender is driven before it counts: V8 compiles what is used most for speed.
const WARM_UP: Duration = Duration::from_millis(1500);

/// How much is measured.
struct Plan {
    rounds: usize,
    slice: Duration,
    singles: singles::Size,
    calls: calls::Size,
}

impl Plan {
    /// The whole: some fifteen minutes.
    const FULL: Self = Self {
        rounds: 15,
        slice: Duration::from_millis(300),
        singles: singles::Size {
            rounds: 7,
            steady: Duration::from_secs(2),
            events: 300,
            starts: 5,
        },
        calls: calls::Size {
            unknown_keys: 100_000,
            wrong_secrets: 10_000,
        },
    };

    /// The quick one: less than three minutes.
    const QUICK: Self = Self {
        rounds: 7,
        slice: Duration::from_millis(120),
        singles: singles::Size {
            rounds: 3,
            steady: Duration::from_millis(500),
            events: 50,
            starts: 2,
        },
        calls: calls::Size {
            unknown_keys: 20_000,
            wrong_secrets: 1_000,
        },
    };
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", folder] => server::serve(Path::new(folder)),
        ["compare", ref modules @ ..] => compare::compare(modules),
        [] => bench(""),
        [only] => bench(only),
        _ => println!(
            "usage: portcullis-bench [PART OF THE NAMES OF CONTENDERS]\n       \
             portcullis-bench compare MODULE..."
        ),
    }
}

/// Measures the contenders whose name contains `only`, and writes the report; a part of them is
/// only printed.
fn bench(only: &str) {
    let quick = std::env::var("QUICK").is_ok_and(|value| !value.is_empty());
    let plan = if quick { Plan::QUICK } else { Plan::FULL };
    let load = machine::load();
    let started = Instant::now();
    let say = |what: &str| println!("{:5.0} s  {what}", started.elapsed().as_secs_f64());
    say("signing tokens");
    let world = World::new();
    say("starting contenders");
    let mut field = contenders::start(&world, only);
    let facts = machine::facts(load);
    for round in 0..=plan.rounds {
        say(&format!("round {round} of {}", plan.rounds));
        one_round(&mut field.contenders, round, plan.slice);
    }
    say("latencies, streams, memory");
    let singles = singles::measure(&world, &field.contenders, plan.singles);
    say("calls to the identity provider");
    let calls = ["filter", "native"].map(|host| calls::count(&world, host, &plan.calls));
    say("calls between Envoy and the filter");
    let hostcalls =
        ["api-key", "jwt", "zscaler"].map(|mode| (mode, hostcalls::count(&world, mode)));
    let results = Results {
        contenders: field.contenders,
        absent: field.absent,
        rounds: plan.rounds,
        slice: plan.slice,
        singles,
        calls: calls.into(),
        hostcalls: hostcalls.into(),
    };
    finish(&results, &facts, only.is_empty());
    say("done");
}

/// Drives every contender once, each right after the bare gateway with the same requests; what the first round shows counts for nothing. Every second round
/// goes backwards, so that nobody always comes after the same other one.
fn one_round(contenders: &mut [Contender], round: usize, slice: Duration) {
    let mut order: Vec<usize> = (0..contenders.len()).collect();
    if round % 2 == 1 {
        order.reverse();
    }
    for index in order {
        if round == 0 {
            contenders[index].warm_up(WARM_UP);
            continue;
        }
        let own = &contenders[index];
        let bare = contenders.iter().find(|other| Some(other.id) == own.bare);
        let bare = bare.map(|bare| bare.pace(own.requests.clone(), slice));
        contenders[index].measure(bare, slice);
    }
}

fn finish(results: &Results, facts: &machine::Facts, whole: bool) {
    let figures = figures::all(results);
    let report = report::markdown(results, &figures, facts);
    if whole {
        let docs = own_file("../docs");
        std::fs::write(docs.join("benchmarks.md"), &report).unwrap();
        std::fs::write(docs.join("benchmarks.svg"), plot::svg(results)).unwrap();
    } else {
        println!("{report}");
    }
    for figure in figures.iter().flat_map(|(_, figures)| figures) {
        let [what, asked, measured, share, verdict] = report::row(figure);
        println!(
            "{:13} {share:>5}  {what}: {measured}, {asked}",
            verdict.replace('*', "")
        );
    }
}
