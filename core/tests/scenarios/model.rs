//! The engine against a reference without caches: with an authorization server that never changes
//! its mind, they decide alike.

use portcullis_core::Decision;
use serde_json::json;

use crate::request::Request;
use crate::signer::{Signer, claims_with};
use crate::support::{Begun, JWT_MODE, START, Scenario, ZSCALER_MODE, edited, field, verdict};

/// A generator of numbers (SplitMix64): every run is the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(sides).unwrap()).unwrap()
    }
}

/// A request whose right decision is known by how it was made.
#[derive(Clone)]
struct Known {
    request: Request,
    /// The principal to admit, or the reason to refuse, both for the time from `from` to `until`.
    expected: Result<String, &'static str>,
    from: u64,
    until: u64,
    before: &'static str,
    after: &'static str,
}

impl Known {
    fn always(request: Request, expected: Result<&str, &'static str>) -> Self {
        Self {
            request,
            expected: expected.map(Into::into),
            from: 0,
            until: u64::MAX,
            before: "",
            after: "",
        }
    }

    fn at(&self, now: u64) -> Result<String, &'static str> {
        match &self.expected {
            Ok(_) if now < self.from => Err(self.before),
            Ok(_) if now >= self.until => Err(self.after),
            expected => expected.clone(),
        }
    }
}

fn outcome(request: &Request, decision: Decision) -> Result<String, &'static str> {
    match decision {
        Decision::Respond(response) => Err(response.reason.name()),
        Decision::Forward(forward) => {
            let headers = edited(&request.headers, &forward.request);
            Ok(field(&headers, "x-mcp-auth-principal").unwrap().to_owned())
        }
    }
}

/// Plays `steps` random requests that overlap at random.
fn play(scenario: &mut Scenario, known: &[Known], dice: &mut Dice, steps: usize) {
    let mut waiting = Vec::new();
    for _ in 0..steps {
        let chosen = &known[dice.roll(known.len())];
        match scenario.begin(&chosen.request) {
            Begun::Decided(decision) => {
                assert_eq!(outcome(&chosen.request, decision), chosen.at(scenario.now));
            }
            Begun::Parked(ticket) => waiting.push((ticket, chosen)),
        }
        if dice.roll(10) == 0 && !waiting.is_empty() {
            let (ticket, chosen) = waiting.swap_remove(dice.roll(waiting.len()));
            if dice.roll(2) == 0 {
                scenario.leave(ticket);
            } else {
                let decision = scenario.give_up(ticket).decided();
                let unavailable = verdict(&decision).0 == 503;
                let found = outcome(&chosen.request, decision);
                assert!(unavailable || found == chosen.at(scenario.now), "{found:?}");
            }
        }
        if dice.roll(3) > 0 {
            let mut decided = scenario.finish_calls();
            for (ticket, chosen) in waiting.drain(..) {
                let decision = decided.remove(&ticket).unwrap();
                assert_eq!(outcome(&chosen.request, decision), chosen.at(scenario.now));
            }
            scenario.pass([0, 0, 1, 7, 60, 700, 4000][dice.roll(7)]);
        }
    }
    scenario.finish_calls();
}

fn tokens() -> (Vec<serde_json::Value>, Vec<Known>) {
    let signers = [
        Signer::ed_dsa("a", 1),
        Signer::ed_dsa("b", 2),
        Signer::es256("c", 3),
    ];
    let mut known = Vec::new();
    for signer in &signers {
        for number in 0..4_u64 {
            let subject = format!("{}-{number}", signer.kid);
            let (nbf, exp) = (START + number * 900, START + 3000 + number * 5000);
            let claims = claims_with(&json!({ "sub": subject, "nbf": nbf, "exp": exp }));
            known.push(Known {
                from: nbf - 30,
                until: exp + 30,
                before: "not_yet_valid",
                after: "expired",
                ..Known::always(Request::post().bearer(&signer.sign(&claims)), Ok(&subject))
            });
        }
        let token = signer.sign(&claims_with(&json!({ "aud": "x", "exp": u64::MAX })));
        known.push(Known::always(
            Request::post().bearer(&token),
            Err("wrong_audience"),
        ));
    }
    for (token, reason) in [
        (Signer::ed_dsa("a", 2).token(), "bad_signature"),
        (Signer::ed_dsa("z", 1).token(), "unknown_key"),
        (Signer::es256("a", 3).token(), "unacceptable_algorithm"),
        ("x.y.z".into(), "malformed_token"),
    ] {
        known.push(Known::always(Request::post().bearer(&token), Err(reason)));
    }
    known.push(Known::always(Request::post(), Err("missing_credentials")));
    (signers.iter().map(Signer::jwk).collect(), known)
}

#[test]
fn tokens_are_decided_as_without_caches() {
    let (keys, known) = tokens();
    for seed in 0..30 {
        let mut scenario = Scenario::new(JWT_MODE);
        scenario.server.keys = keys.clone();
        play(&mut scenario, &known, &mut Dice(seed), 200);
    }
}

#[test]
fn client_credentials_are_decided_as_without_caches() {
    const REFUSED: &str = "client_credentials_refused";
    let mut known = Vec::new();
    let mut scenario = Scenario::new(ZSCALER_MODE);
    for (number, life) in [0, 30, 61, 90, 600, 3600, 86_400].into_iter().enumerate() {
        let id = format!("id-{number}");
        scenario
            .server
            .register_for(&id, "secret", json!({ "expires_in": life }));
        known.push(Known::always(Request::post().pair(&id, "secret"), Ok(&id)));
        known.push(Known::always(
            Request::post().pair(&id, "wrong"),
            Err(REFUSED),
        ));
    }
    known.push(Known::always(
        Request::post().pair("nobody", "x"),
        Err(REFUSED),
    ));
    known.push(Known::always(Request::post(), Err("missing_credentials")));
    for seed in 0..50 {
        play(&mut scenario, &known, &mut Dice(seed), 300);
    }
}
