//! The figures that are measured beside the rounds.

use super::{Bound, Figure, figure};
use crate::calls::Calls;
use crate::results::{Results, Start};
use crate::statistics::Spread;

pub(super) fn latency(results: &Results) -> Vec<Figure> {
    let singles = &results.singles;
    let added = |list: &[(&str, Vec<f64>)], own: &str, than: &str| {
        let of = |id: &str| {
            list.iter()
                .find(|(name, _)| *name == id)
                .map(|(_, values)| values)
        };
        let (own, than) = (of(own)?, of(than)?);
        Spread::of(own.iter().zip(than).map(|(own, than)| own - than).collect())
    };
    let mut figures = Vec::new();
    for (name, own, than, without) in [
        ("filter", "filter-jwt-warm", "envoy-bare", "bare Envoy"),
        ("native", "native-jwt-warm", "direct", "no gateway at all"),
    ] {
        let steady = added(&singles.steady, own, than);
        let what = format!("{name}, jwt: p99 at 3,000 requests/s, more than {without}");
        figures.push(figure(what, Bound::AtMost(0.3), "ms", steady));
        let event = added(&singles.first_event, own, than);
        let what = format!("{name}, jwt: first event of a stream, later than with {without}");
        figures.push(figure(what, Bound::AtMost(1.0), "ms", event));
    }
    figures
}

pub(super) fn sign_in(results: &Results) -> Vec<Figure> {
    let hosts = results.singles.sign_ins.iter();
    hosts
        .map(|(host, times)| {
            let what = format!("{host}, oidcproxy: processor time of one sign-in in all");
            figure(what, Bound::AtMost(5.0), "ms", Spread::of(times.clone()))
        })
        .collect()
}

const KILO: f64 = 1e3;
const MEGA: f64 = 1e6;

pub(super) fn memory(results: &Results) -> Vec<Figure> {
    let singles = &results.singles;
    let idle = results.of("native-jwt-warm").map(|own| own.idle_memory);
    let mut streams = singles.stream_memory.iter();
    let stream = streams.find(|(id, _)| *id == "native-jwt-warm");
    let later = later(&singles.starts);
    let cached = |host: &str| {
        let mut all = singles.cached_memory.iter();
        all.find(|(name, _)| *name == host).map(|(_, more)| *more)
    };
    let row = |what: &str, bound: f64, unit, value: Option<f64>, one: f64| {
        let value = value.map(|value| Spread::once(value / one));
        figure(what, Bound::AtMost(bound), unit, value)
    };
    vec![
        row("native, idle", 20.0, "MB", idle, MEGA),
        row(
            "native, one of 1,000 idle SSE streams",
            48.0,
            "KB",
            stream.map(|(_, bytes)| *bytes),
            KILO,
        ),
        row(
            "filter, one further worker",
            1.0,
            "MB",
            Some(singles.worker_memory),
            MEGA,
        ),
        row(
            "filter, 10,000 cached tokens",
            2.5,
            "MB",
            cached("filter"),
            MEGA,
        ),
        row(
            "native, 10,000 cached tokens",
            2.5,
            "MB",
            cached("native"),
            MEGA,
        ),
        row(
            "module, all modes in",
            800.0,
            "KB",
            Some(singles.module),
            KILO,
        ),
        row(
            "Envoy ready, later than without the filter",
            0.5,
            "s",
            later,
            1.0,
        ),
    ]
}

/// Returns how much later Envoy is ready with the filter than without it, in seconds.
fn later(starts: &[Vec<Start>; 2]) -> Option<f64> {
    let [bare, filter] = starts.each_ref().map(|starts| {
        let times = starts.iter().map(|start| start.ready_after);
        Spread::of(times.collect())
    });
    Some(filter?.median - bare?.median)
}

pub(super) fn identity_provider(calls: &Calls) -> Vec<Figure> {
    let host = calls.host;
    let count = |what: String, bound: f64, value: usize| {
        figure(
            what,
            Bound::AtMost(bound),
            "",
            Some(Spread::once(value as f64)),
        )
    };
    let (unknown, fetches, time) = calls.unknown_keys;
    // One at once, then one for each ten seconds.
    let allowed = 1.0 + (time.as_secs_f64() / 10.0).floor();
    let (wrong, tries, wrong_time) = calls.wrong_secrets;
    let minutes = (wrong_time.as_secs_f64() / 60.0).ceil().max(1.0);
    let answered = |what: String, least: f64, value: usize| {
        let value = Some(Spread::once(value as f64));
        figure(what, Bound::AtLeast(least), "", value)
    };
    vec![
        count(
            format!("{host}: token calls for 1,000 first requests with one credential"),
            1.0,
            calls.crowd,
        ),
        answered(
            format!("{host}: of these requests, answered with 200"),
            1000.0,
            calls.crowd_answered,
        ),
        count(
            format!("{host}: JWKS fetches for a start and 1,000 requests"),
            1.0,
            calls.jwks,
        ),
        count(
            format!(
                "{host}: JWKS fetches for {unknown} tokens with unknown keys in {:.1} s",
                time.as_secs_f64()
            ),
            allowed,
            fetches,
        ),
        count(
            format!(
                "{host}: token calls for {wrong} wrong secrets from one address in {:.1} s",
                wrong_time.as_secs_f64()
            ),
            30.0 * minutes,
            tries,
        ),
        answered(
            format!("{host}: a right secret among them, known before, is let in"),
            1.0,
            usize::from(calls.right_one_in),
        ),
    ]
}
