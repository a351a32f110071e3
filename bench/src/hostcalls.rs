//! Which calls between Envoy and the filter one warm request makes, as Envoy's own trace tells.

use std::collections::BTreeMap;

use crate::envoy::{Envoy, Shape};
use crate::filters::Filter;
use crate::load::{Until, drive};
use crate::spawn::Place;
use crate::world::{World, same};

/// Requests over which calls are counted.
const REQUESTS: usize = 50;

/// Calls per request by name, most frequent first; `host` calls the filter, or the other way.
#[derive(Debug)]
pub(crate) struct Hostcalls {
    /// From Envoy into the filter.
    pub(crate) into: Vec<(String, f64)>,
    /// From the filter to Envoy. Log lines are left out: tracing itself makes them.
    pub(crate) out: Vec<(String, f64)>,
}

/// Counts the calls of one warm request in `mode`.
pub(crate) fn count(world: &World, mode: &str) -> Hostcalls {
    let shape = Shape {
        workers: 1,
        place: Place::Anywhere,
        wasm_log: "trace",
    };
    let folder = world.folder(&format!("hostcalls-{mode}"));
    let filter = Filter::Portcullis(world.settings(mode));
    let envoy = Envoy::start(&folder, world.resource.address(), &filter, shape);
    let mut requests = same(world, mode);
    // The first ones may wait for a call to the authorization server.
    while drive(envoy.address, 1, &mut requests, Until::Sent(1)).failed > 0 {}
    let before = tally(&envoy.log());
    let outcome = drive(envoy.address, 1, &mut requests, Until::Sent(REQUESTS));
    assert_eq!(outcome.failed, 0);
    let after = tally(&envoy.log());
    let of = |arrow: &str| {
        let mut calls: Vec<(String, f64)> = after
            .iter()
            .filter_map(|(name, count)| {
                let own = name.strip_prefix(arrow)?;
                let new = count - before.get(name).unwrap_or(&0);
                let each = new as f64 / REQUESTS as f64;
                // Ticks fall in between now and then.
                (each > 0.5).then(|| (own.to_owned(), each))
            })
            .collect();
        calls.sort_by(|one, other| other.1.total_cmp(&one.1));
        calls
    };
    Hostcalls {
        into: of("[host->vm] "),
        out: of("[vm->host] "),
    }
}

fn tally(log: &str) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for line in log.lines() {
        let Some(at) = line
            .find("[host->vm] ")
            .or_else(|| line.find("[vm->host] "))
        else {
            continue;
        };
        let call = &line[at..];
        // The way back says `return`.
        if call.contains(" return") || call.contains("proxy_log") {
            continue;
        }
        let name = call.split('(').next().unwrap_or(call);
        *calls.entry(name.to_owned()).or_insert(0) += 1;
    }
    calls
}
