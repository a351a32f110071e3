//! Replicas that share nothing but settings answer as one, while they are killed and started
//! again and while their keys are changed.

use std::thread;

use portcullis_tests::oauth_flow::Site;
use portcullis_tests::{EchoResource, Settings, free_address};

use super::fleet::Fleet;
use super::install::oidc_proxy;
use super::traveller::Traveller;
use crate::programs::IdentityProvider;

/// The newest last.
const KEYS: [&str; 5] = [
    "MXN0LjFzdC4xc3QuMXN0LjFzdC4xc3QuMXN0LjFzdC4",
    "Mm5kLjJuZC4ybmQuMm5kLjJuZC4ybmQuMm5kLjJuZC4",
    "M3JkLjNyZC4zcmQuM3JkLjNyZC4zcmQuM3JkLjNyZC4",
    "NHRoLjR0aC40dGguNHRoLjR0aC40dGguNHRoLjR0aC4",
    "NXRoLjV0aC41dGguNXRoLjV0aC41dGguNXRoLjV0aC4",
];

/// How many people sign in at the same time.
const LANES: usize = 4;

/// How many of them there are when something changes. More would take so long that the codes of
/// the first lapsed.
const CROWD: usize = 50;

#[test]
fn a_restart_loses_no_sign_in() {
    let world = World::start();
    let settings = world.settings(&[KEYS[0]]);
    let fleet = Fleet::start(&settings, &world.resource.url());
    for number in fleet.numbers() {
        world.sign_in(&fleet, || fleet.replace(number, &settings));
    }
    world.sign_in(&fleet, || fleet.replace_all(&settings));
}

#[test]
fn a_new_key_loses_no_sign_in() {
    let world = World::start();
    let mut keys = vec![KEYS[0]];
    let fleet = Fleet::start(&world.settings(&keys), &world.resource.url());
    for newest in &KEYS[1..] {
        keys.insert(0, newest);
        let settings = world.settings(&keys);
        world.sign_in(&fleet, || fleet.replace_all(&settings));
    }
}

/// One replica after the other: each must open what a later one seals, so all learn the new key
/// before the first seals with it.
#[test]
fn a_new_key_can_be_rolled_out_by_replica() {
    let [old, new, ..] = KEYS;
    let world = World::start();
    let fleet = Fleet::start(&world.settings(&[old]), &world.resource.url());
    for keys in [[old, new], [new, old]] {
        let settings = world.settings(&keys);
        for number in fleet.numbers() {
            world.sign_in(&fleet, || fleet.replace(number, &settings));
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

    /// Signs a crowd in, who are stopped after different steps when `change` happens.
    fn sign_in(&self, fleet: &Fleet, change: impl FnOnce()) {
        let spent = || self.provider.counted("/token/authorization_code");
        let before = spent();
        let site = Site::new(self.origin.clone(), |request| fleet.send(request));
        let mut travellers: Vec<Traveller> = (0..CROWD).map(|_| Traveller::default()).collect();
        let first_part = |number: usize| number % (Traveller::STEPS + 1);
        in_lanes(&mut travellers, |number, traveller| {
            traveller.walk(&site, first_part(number));
        });
        change();
        in_lanes(&mut travellers, |number, traveller| {
            traveller.walk(&site, Traveller::STEPS - first_part(number));
        });
        assert!(travellers.iter().all(Traveller::has_arrived));
        let codes = u64::try_from(CROWD).unwrap();
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
