//! Compares builds of the filter: what each adds to bare Envoy, all in the same rounds.

use std::path::Path;
use std::time::Duration;

use crate::contender::Contender;
use crate::contenders::{EnvoyEntry, others_of_envoy, start_envoy, wait_until_it_answers};
use crate::filters::Filter;
use crate::one_round;
use crate::results::Results;
use crate::statistics::Spread;
use crate::world::{World, same};

const ROUNDS: usize = 60;
const SLICE: Duration = Duration::from_millis(50);

/// For Envoy's own check, which remembers none.
const TOKENS: usize = 500;

/// The builds are measured beside these.
const BESIDE: [&str; 3] = ["envoy-bare", "envoy-empty", "envoy-jwt-authn-rs256"];

/// Measures the builds in `modules` and prints what they add.
pub(crate) fn compare(modules: &[&str]) {
    let world = World::with_tokens(TOKENS);
    let others = others_of_envoy(&world).into_iter();
    let contenders: Vec<Contender> = others
        .filter(|entry| BESIDE.contains(&entry.id))
        .chain(modules.iter().flat_map(|module| builds(&world, module)))
        .map(|entry| start_envoy(&world, entry))
        .collect();
    contenders.iter().for_each(wait_until_it_answers);
    let mut results = Results {
        contenders,
        ..Results::default()
    };
    for round in 0..=ROUNDS {
        one_round(&mut results.contenders, round, SLICE);
    }
    println!("      added  of jwt_authn");
    for contender in &results.contenders {
        let added = results.added(contender.id).and_then(Spread::of);
        let ratio = results.added_ratio(contender.id, "envoy-jwt-authn-rs256");
        if let (Some(added), Some(ratio)) = (added, ratio) {
            println!(
                "{:8.2} us {:9.3}     {}",
                added.median, ratio.median, contender.title
            );
        }
    }
}

fn builds(world: &World, module: &str) -> Vec<EnvoyEntry> {
    let path = Path::new(module).canonicalize().unwrap();
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let entry = |case: &str, mode: &str, requests| EnvoyEntry {
        id: format!("{name}-{case}").leak(),
        title: format!("{name} {case}"),
        filter: Filter::Build(world.settings(mode), path.clone()),
        requests,
        service: None,
    };
    vec![
        entry("api-key", "api-key", same(world, "api-key")),
        entry("jwt", "jwt", same(world, "jwt")),
        entry("zscaler", "zscaler", same(world, "zscaler")),
    ]
}
