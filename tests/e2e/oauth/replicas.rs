//! Replicas that share nothing but settings answer as one, while they are killed and started
//! again and while their keys are changed.

use std::thread;

use portcullis_tests::oauth_flow::Site;
use portcullis_tests::{EchoResource, Settings, free_address};

use super::fleet::Fleet;
use super::install::oidc_proxy;
use super::traveller::Traveller;
use crate::programs::IdentityProvider;

const OLD: &str = "b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZC0";
const NEW: &str = "bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0";

/// How many people sign in at the same time.
const LANES: usize = 4;

#[test]
fn a_restart_loses_no_sign_in() {
    let world = World::start();
    let settings = world.settings(&[OLD]);
    let fleet = Fleet::start(&settings, &world.resource.url());
    for number in fleet.numbers() {
        world.sign_in(&fleet, 50, || fleet.replace(number, &settings));
    }
    world.sign_in(&fleet, 50, || {
        for number in fleet.numbers() {
            fleet.replace(number, &settings);
        }
    });
}

#[test]
fn a_new_key_loses_no_sign_in() {
    let world = World::start();
    let fleet = Fleet::start(&world.settings(&[OLD]), &world.resource.url());
    let rotated = world.settings(&[NEW, OLD]);
    world.sign_in(&fleet, 200, || {
        for number in fleet.numbers() {
            fleet.replace(number, &rotated);
        }
    });
}

/// One replica after the other: each must open what a later one seals, so all learn the new key
/// before the first seals with it.
#[test]
fn a_new_key_can_be_rolled_out_by_replica() {
    let world = World::start();
    let fleet = Fleet::start(&world.settings(&[OLD]), &world.resource.url());
    for keys in [[OLD, NEW], [NEW, OLD]] {
        let settings = world.settings(&keys);
        for number in fleet.numbers() {
            world.sign_in(&fleet, 16, || fleet.replace(number, &settings));
        }
    }
}

/// What stands around the replicas.
struct World {
    provider: IdentityProvider,
    resource: EchoResource,
    settings: Settings,
    origin: String,
}

impl World {
    fn start() -> Self {
        // Nothing listens there: whoever asks meets one of the replicas.
        let origin = Site::origin_at(free_address());
        let (provider, settings) = oidc_proxy(&origin);
        Self {
            provider,
            resource: EchoResource::start(),
            settings,
            origin,
        }
    }

    fn settings(&self, keys: &[&str]) -> Settings {
        let settings = self.settings.clone();
        settings.with("PORTCULLIS_STATE_KEYS", keys.join(","))
    }

    /// Signs `people` in, who are stopped after different steps when `change` happens.
    fn sign_in(&self, fleet: &Fleet, people: usize, change: impl FnOnce()) {
        let spent = || self.provider.counted("/token/authorization_code");
        let before = spent();
        let site = Site::new(self.origin.clone(), |request| fleet.send(request));
        let mut travellers: Vec<Traveller> = (0..people).map(|_| Traveller::default()).collect();
        let first_part = |number: usize| number % (Traveller::STEPS + 1);
        in_lanes(&mut travellers, |number, traveller| {
            traveller.walk(&site, first_part(number));
        });
        change();
        in_lanes(&mut travellers, |number, traveller| {
            traveller.walk(&site, Traveller::STEPS - first_part(number));
        });
        assert!(travellers.iter().all(Traveller::has_arrived));
        let codes = u64::try_from(people).unwrap();
        assert_eq!(spent(), before + codes, "each spends one code");
    }
}

fn in_lanes(travellers: &mut [Traveller], walk: impl Fn(usize, &mut Traveller) + Sync) {
    let size = travellers.len().div_ceil(LANES);
    let walk = &walk;
    thread::scope(|scope| {
        for (lane, members) in travellers.chunks_mut(size).enumerate() {
            scope.spawn(move || {
                for (place, traveller) in members.iter_mut().enumerate() {
                    walk(lane * size + place, traveller);
                }
            });
        }
    });
}
