//! The figures to reach, and whether they are.

mod beside;

use crate::results::Results;
use crate::statistics::Spread;

/// What a figure asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

/// One figure.
#[derive(Debug)]
pub(crate) struct Figure {
    /// What is measured.
    pub(crate) what: String,
    /// What is asked for.
    pub(crate) bound: Bound,
    /// The unit of bound and value; empty for a ratio.
    pub(crate) unit: &'static str,
    /// What was measured; `None` when something for it is absent.
    pub(crate) value: Option<Spread>,
}

impl Figure {
    /// Tells whether it is reached.
    pub(crate) fn reached(&self) -> Option<bool> {
        let value = self.value?.median;
        Some(match self.bound {
            Bound::AtMost(bound) => value <= bound,
            Bound::AtLeast(bound) => value >= bound,
        })
    }

    /// Returns the value as a part of the bound.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let (Bound::AtMost(bound) | Bound::AtLeast(bound)) = self.bound;
        Some(self.value?.median / bound)
    }
}

fn figure(
    what: impl Into<String>,
    bound: Bound,
    unit: &'static str,
    value: Option<Spread>,
) -> Figure {
    Figure {
        what: what.into(),
        bound,
        unit,
        value,
    }
}

/// Figures under the heading that they have in common.
pub(crate) type Group = (&'static str, Vec<Figure>);

/// Returns every figure.
pub(crate) fn all(results: &Results) -> Vec<Group> {
    let provider = results.calls.iter().flat_map(beside::identity_provider);
    vec![
        ("The filter in Envoy", in_envoy(results)),
        ("Signatures checked in the module", in_the_vm(results)),
        ("The native binary", native(results)),
        ("Latency", beside::latency(results)),
        ("Signing in", beside::sign_in(results)),
        ("Memory, size, start", beside::memory(results)),
        ("What an identity provider notices", provider.collect()),
    ]
}

const WARM: [(&str, &str); 3] = [
    ("api-key", "filter-api-key"),
    ("jwt", "filter-jwt-warm"),
    ("zscaler", "filter-zscaler-warm"),
];

fn in_envoy(results: &Results) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (mode, id) in WARM {
        let authn = results.added_ratio(id, "envoy-jwt-authn-rs256");
        let what = format!("filter, {mode}, warm: added CPU over that of uncached jwt_authn RS256");
        figures.push(figure(what, Bound::AtMost(0.30), "", authn));
        let rate = results.rate_kept(id);
        let what = format!("filter, {mode}, warm: requests/s over those of bare Envoy");
        figures.push(figure(what, Bound::AtLeast(0.85), "", rate));
        let authz = results.added_ratio(id, "envoy-ext-authz");
        let what = format!("filter, {mode}, warm: added CPU over that of ext_authz");
        figures.push(figure(what, Bound::AtMost(0.20), "", authz));
    }
    for (alg, name) in [("rs256", "RS256"), ("es256", "ES256")] {
        let own = format!("filter-jwt-cold-{alg}");
        let ratio = results.added_ratio(&own, &format!("envoy-jwt-authn-{alg}"));
        let what =
            format!("filter, first sight of a token, {name}: added CPU over that of jwt_authn");
        figures.push(figure(what, Bound::AtMost(1.25), "", ratio));
    }
    figures
}

/// First sight less warm: the check itself, with the parsing and the caching around it.
fn in_the_vm(results: &Results) -> Vec<Figure> {
    let one = |name: &str, id: &str, bound: f64| {
        let more = results.more_processor(id, "filter-jwt-warm");
        let what = format!("filter, {name} checked in the VM: first sight less warm");
        figure(what, Bound::AtMost(bound), "us", more.and_then(Spread::of))
    };
    vec![
        one("RS256", "filter-portable-cold-rs256", 200.0),
        one("PS256", "filter-jwt-cold-ps256", 200.0),
        one("ES256", "filter-portable-cold-es256", 200.0),
        one("EdDSA", "filter-jwt-cold-eddsa", 70.0),
    ]
}

/// Requests per second of one core of the native binary over those of another: least ratio, both
/// ids. It counts what a core could do, as the load may be what is too slow.
const RATES: [(f64, &str, &str); 3] = [
    (6.0, "native-api-key", "zscaler-mcp-api-key"),
    (12.0, "native-jwt-warm", "zscaler-mcp-jwt"),
    (1.0, "native-api-key", "nginx-auth-request"),
];

fn native(results: &Results) -> Vec<Figure> {
    let mut figures: Vec<Figure> = RATES
        .into_iter()
        .map(|(bound, id, other)| {
            let what = format!("{id}: requests/s and core over those of {other}");
            let ratio = results.core_ratio(id, other);
            figure(what, Bound::AtLeast(bound), "", ratio)
        })
        .collect();
    for id in ["native-api-key", "native-jwt-warm", "native-zscaler-warm"] {
        let what = format!("{id}: requests/s of a core over those with mode none");
        figures.push(figure(
            what,
            Bound::AtLeast(0.93),
            "",
            results.core_kept(id),
        ));
    }
    let [rs256, es256] = results.singles.verify;
    for (name, id, verify) in [
        ("RS256", "native-jwt-cold-rs256", rs256),
        ("ES256", "native-jwt-cold-es256", es256),
    ] {
        let more = results.more_processor(id, "native-jwt-warm");
        let ratios = more.map(|more| more.iter().map(|more| more / verify).collect());
        let what =
            format!("native, {name}, first sight of a token less warm: over the library's verify");
        let ratio = ratios.and_then(Spread::of);
        figures.push(figure(what, Bound::AtMost(1.3), "", ratio));
    }
    for (mode, time) in &results.singles.decisions {
        let what = format!("core, one warm decision, {mode}");
        let time = Some(Spread::once(*time));
        figures.push(figure(what, Bound::AtMost(1.0), "us", time));
    }
    figures.push(scale(results));
    figures
}

/// With two cores there is none left for the load, so requests per second say nothing; what a
/// request costs on two cores tells how far they get in each other's way.
fn scale(results: &Results) -> Figure {
    let [one, two] = &results.singles.cores;
    let ratios = one.iter().zip(two).map(|(one, two)| 2.0 * one / two);
    figure(
        "native, two cores over one (estimated by CPU per request)",
        Bound::AtLeast(1.85),
        "",
        Spread::of(ratios.collect()),
    )
}
