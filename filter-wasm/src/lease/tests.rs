use super::*;
use crate::store::tests::{Memory, Versioned, space};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// A finding as a token endpoint's refusal makes it: form, time, kind.
fn finding(at: UnixSeconds) -> Finding {
    let octets = [&[1][..], &at.0.to_be_bytes(), &[2]].concat();
    Finding::from_octets(&octets).expect("a finding")
}

fn worker(memory: &Memory, number: u32) -> Lease<Memory> {
    Lease::new(space(memory), number, u64::from(number))
}

fn name() -> Digest {
    Digest::plain(b"a credential")
}

/// Looks as one that accepts what it waited for and nothing else.
fn look(worker: &mut Lease<Memory>, waiting: Option<Waiting>, now: UnixSeconds) -> Look {
    worker.look(&name(), waiting, now, |_, waited| waited)
}

#[track_caller]
fn lead(look: Look) -> Promise {
    let Look::Lead(promise) = look else {
        panic!("{look:?}");
    };
    promise
}

#[track_caller]
fn follow(look: Look) -> Option<Waiting> {
    let Look::Follow(waiting) = look else {
        panic!("{look:?}");
    };
    Some(waiting)
}

#[test]
fn one_worker_makes_the_call_and_the_others_take_what_came_of_it() {
    let memory = Memory::default();
    let mut workers = [1, 2, 3, 4].map(|number| worker(&memory, number));
    let promise = lead(look(&mut workers[0], None, NOW));
    let waiting = [1, 2, 3].map(|index| follow(look(&mut workers[index], None, NOW)));
    let again = follow(look(&mut workers[1], waiting[0], NOW));
    workers[0].give(&promise, &finding(NOW));
    assert_eq!(*memory.notified.borrow(), [2, 3, 4]);
    for (index, waiting) in [(1, again), (2, waiting[1]), (3, waiting[2])] {
        let taken = look(&mut workers[index], waiting, NOW);
        assert!(matches!(taken, Look::Take(taken) if taken == finding(NOW)));
    }
}

#[test]
fn who_comes_later_takes_an_outcome_only_if_it_will_do() {
    let memory = Memory::default();
    let mut workers = [1, 2, 3].map(|number| worker(&memory, number));
    let promise = lead(look(&mut workers[0], None, NOW));
    workers[0].give(&promise, &finding(NOW));
    let taken = workers[1].look(&name(), None, NOW, |_, waited| !waited);
    assert!(matches!(taken, Look::Take(_)));
    let again = workers[1].look(&name(), None, NOW, |_, _| true);
    assert!(matches!(again, Look::Lead(_)), "it has that one already");
    let own = worker(&memory, 1).look(&name(), None, NOW.plus(9), |_, _| false);
    assert!(matches!(own, Look::Lead(_)));
}

#[test]
fn a_promise_that_is_not_kept_is_taken_over_by_exactly_one() {
    let memory = Memory::default();
    let mut workers = [1, 2, 3, 4].map(|number| worker(&memory, number));
    let broken = lead(look(&mut workers[0], None, NOW));
    let waiting = [1, 2, 3].map(|index| follow(look(&mut workers[index], None, NOW)));
    let in_time = NOW.plus(PROMISE_SECONDS - 1);
    follow(look(&mut workers[1], waiting[0], in_time));
    let late = NOW.plus(PROMISE_SECONDS);
    let promise = lead(look(&mut workers[2], waiting[1], late));
    follow(look(&mut workers[1], waiting[0], late));
    workers[0].give(&broken, &finding(NOW));
    assert!(memory.notified.borrow().is_empty(), "it was too late");
    workers[2].give(&promise, &finding(late));
    let told = memory.notified.borrow().clone();
    assert!([2, 4].iter().all(|queue| told.contains(queue)), "{told:?}");
    for (index, waiting) in [(1, waiting[0]), (3, waiting[2])] {
        let taken = look(&mut workers[index], waiting, late);
        assert!(matches!(taken, Look::Take(taken) if taken == finding(late)));
    }
}

/// The same of one that lets a client in for a while: form, time, kind, until, no entitlements.
fn admission(at: UnixSeconds) -> Finding {
    let until = at.plus(600).0.to_be_bytes();
    let octets = [&[1][..], &at.0.to_be_bytes(), &[1], &until, &[0xff; 2]].concat();
    Finding::from_octets(&octets).expect("a finding")
}

#[test]
fn no_number_of_guesses_makes_workers_forget_who_may_come_in() {
    let memory = Memory::default();
    let mut guesser = worker(&memory, 1);
    guesser.remember(&name(), &admission(NOW));
    for guess in 0..2000_u32 {
        let guess = Digest::plain(&guess.to_be_bytes());
        let promise = lead(guesser.look(&guess, None, NOW, |_, _| false));
        guesser.give(&promise, &finding(NOW));
    }
    let recalled = Outcomes(space(&memory)).recall(&name());
    assert_eq!(recalled, Some(admission(NOW)));
    let other = Digest::plain(b"another credential");
    assert_eq!(Outcomes(space(&memory)).recall(&other), None);
}

#[test]
fn odd_records_cost_a_call_and_nothing_else() {
    let odd: [&[u8]; 5] = [b"", b"x", b"p", &[b'p'; 59], &[b'q'; 200]];
    for record in odd {
        let memory = Memory::default();
        lead(look(&mut worker(&memory, 1), None, NOW));
        for Versioned(octets, _) in memory.records.borrow_mut().values_mut() {
            if octets.len() != 32 {
                *octets = record.to_vec();
            }
        }
        let alone = look(&mut worker(&memory, 2), None, NOW);
        assert!(matches!(alone, Look::Alone), "{record:?}");
    }
}

#[test]
fn a_promise_without_end_counts_as_lapsed() {
    let memory = Memory::default();
    lead(look(&mut worker(&memory, 1), None, NOW.plus(1_000_000)));
    lead(look(&mut worker(&memory, 2), None, NOW));
}

#[test]
fn an_outcome_that_cannot_be_read_is_none() {
    let memory = Memory::default();
    let promise = lead(look(&mut worker(&memory, 1), None, NOW));
    worker(&memory, 1).give(&promise, &finding(NOW));
    for Versioned(octets, _) in memory.records.borrow_mut().values_mut() {
        if octets.len() != 32 {
            octets.push(0);
        }
    }
    let own = worker(&memory, 2).look(&name(), None, NOW, |_, _| true);
    assert!(matches!(own, Look::Lead(_)));
}

#[test]
fn no_record_shows_the_name_of_a_call() {
    let memory = Memory::default();
    lead(look(&mut worker(&memory, 1), None, NOW));
    for Versioned(octets, _) in memory.records.borrow().values() {
        let mut parts = octets.windows(32);
        assert!(!parts.any(|part| part == name().as_bytes()));
    }
}

/// A worker of the walk below: what it does about the one call, and how it ended.
enum State {
    New,
    Leading(Promise),
    Waiting(Option<Waiting>),
    Done,
    Dead,
}

/// Looks as one that accepts whatever is new.
fn any(worker: &mut Lease<Memory>, waiting: Option<Waiting>, now: UnixSeconds) -> Look {
    worker.look(&name(), waiting, now, |_, _| true)
}

/// Many orders of events: workers look, answer, die, and time passes. Whatever happens, everybody
/// who lives is answered, and there is one call and one more for each promise that may have lapsed.
#[test]
fn in_every_order_all_are_answered_and_calls_are_few() {
    for seed in 0..2000_u64 {
        let mut random = seed;
        let mut draw = |below: u64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (random >> 33) % below
        };
        let memory = Memory::default();
        let mut workers: Vec<_> = (1..6)
            .map(|number| (worker(&memory, number), State::New))
            .collect();
        let (mut now, mut calls, mut deaths) = (NOW, 0, 0);
        for _ in 0..60 {
            let index = usize::try_from(draw(5)).expect("small");
            let (lease, state) = &mut workers[index];
            *state = match (std::mem::replace(state, State::Dead), draw(12)) {
                (State::Leading(_), 0) => {
                    deaths += 1;
                    State::Dead
                }
                (State::Leading(promise), 1..6) => {
                    lease.give(&promise, &finding(now));
                    State::Done
                }
                (State::New, _) => looked(any(lease, None, now), None, &mut calls),
                (State::Waiting(since), 0..9) => looked(any(lease, since, now), since, &mut calls),
                (state, 11) => {
                    now = now.plus(2);
                    state
                }
                (state, _) => state,
            };
        }
        let quick = now.plus(1) < NOW.plus(PROMISE_SECONDS);
        for _ in 0..20 {
            now = now.plus(1);
            settle(&mut workers, now, &mut calls);
        }
        let live = workers
            .iter()
            .filter(|(_, state)| !matches!(state, State::Dead));
        assert!(
            live.clone().all(|(_, state)| matches!(state, State::Done)),
            "{seed}"
        );
        assert_eq!(live.count(), 5 - deaths, "{seed}");
        let lapses = now.since(NOW) / PROMISE_SECONDS;
        assert!(calls <= 1 + lapses, "{seed}: {calls}");
        assert!(calls == 1 || deaths > 0 || !quick, "{seed}: {calls}");
    }
}

/// Lets everybody who lives go on: leaders answer, the others look.
fn settle(workers: &mut [(Lease<Memory>, State)], now: UnixSeconds, calls: &mut u64) {
    for (lease, state) in workers {
        *state = match std::mem::replace(state, State::Dead) {
            State::New => looked(any(lease, None, now), None, calls),
            State::Waiting(since) => looked(any(lease, since, now), since, calls),
            State::Leading(promise) => {
                lease.give(&promise, &finding(now));
                State::Done
            }
            state @ (State::Done | State::Dead) => state,
        };
    }
}

fn looked(look: Look, since: Option<Waiting>, calls: &mut u64) -> State {
    match look {
        Look::Lead(promise) => {
            *calls += 1;
            State::Leading(promise)
        }
        Look::Follow(waiting) => State::Waiting(since.or(Some(waiting))),
        Look::Take(_) => State::Done,
        Look::Alone => {
            *calls += 1;
            State::Done
        }
    }
}
