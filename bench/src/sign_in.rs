//! What one sign-in costs the gateway, from the registration of the client to its first request.

use portcullis_tests::OpenIdProvider;
use portcullis_tests::oauth_flow::Site;
use portcullis_tests::openid_provider::Quirks;
use serde_json::Value;

use crate::envoy::{Envoy, Shape};
use crate::filters::{Filter, Settings};
use crate::native::Native;
use crate::spawn::Place;
use crate::usage::processor_time;
use crate::world::World;

/// Where browsers and clients believe the gateways to be.
const ORIGIN: &str = "http://127.0.0.1:7";

/// Sign-ins of a round: one alone takes little more than what the clock of a process can tell.
const SIGN_INS: u32 = 10;

/// Returns the processor time that each host takes for one sign-in in each of `rounds` rounds, in
/// milliseconds. Client, person and provider are always the same programs, on the other core; each
/// sign-in is one of a client and a browser that the gateway has not met.
pub(crate) fn sign_ins(world: &World, rounds: usize) -> [(&'static str, Vec<f64>); 2] {
    let provider = OpenIdProvider::start(Quirks::default());
    let settings = settings(&provider);
    let upstream = world.resource.address();
    let folder = |host: &str| world.folder(&format!("sign-in-{host}"));
    let filter = Filter::Portcullis(settings.clone());
    let envoy = Envoy::start(&folder("filter"), upstream, &filter, Shape::CONTENDER);
    let native = Native::start(&folder("native"), upstream, &settings, Place::Contender);
    [
        ("filter", envoy.address, envoy.id()),
        ("native", native.address, native.id()),
    ]
    .map(|(host, address, process)| {
        let site = Site::new(ORIGIN.to_owned(), move |request| {
            request.send(address).unwrap()
        });
        let sign_in = || {
            let (_, tokens) = site.sign_in();
            let answer = site.call(&tokens.access);
            assert_eq!(answer.status, 200, "{host}: {}", answer.text());
        };
        // The first fetches what the provider says of itself.
        sign_in();
        let one_round = |_| {
            let before = processor_time(&[process]);
            (0..SIGN_INS).for_each(|_| sign_in());
            let took = processor_time(&[process]).saturating_sub(before);
            took.as_secs_f64() * 1e3 / f64::from(SIGN_INS)
        };
        (host, (0..rounds).map(one_round).collect())
    })
}

fn settings(provider: &OpenIdProvider) -> Settings {
    let json = provider.settings(ORIGIN).to_json();
    match serde_json::from_str(&json) {
        Ok(Value::Object(settings)) => settings,
        other => panic!("{other:?}"),
    }
}
