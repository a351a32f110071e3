//! Many checks in one test: all run, whichever fail, and each is named when it does.

use std::sync::Barrier;
use std::thread;

use portcullis_tests::Kind;

/// Runs the checks of both gateways, which return the names of those that failed.
///
/// # Panics
///
/// Panics when any failed.
pub(crate) fn at_both(run: impl Fn(Kind) -> Vec<String> + Sync) {
    let run = &run;
    let failed: Vec<String> = thread::scope(|scope| {
        let running = Kind::BOTH.map(|kind| (kind, scope.spawn(move || run(kind))));
        let failed = running.into_iter().flat_map(|(kind, running)| {
            let names = running.join().unwrap();
            names
                .into_iter()
                .map(move |name| format!("{kind:?}: {name}"))
        });
        failed.collect()
    });
    assert!(failed.is_empty(), "failed:\n{}", failed.join("\n"));
}

/// Tells whether a check fails, which then says so under `name`.
pub(crate) fn fails(name: &str, check: impl FnOnce() + Send) -> bool {
    thread::scope(|scope| {
        let named = thread::Builder::new().name(name.to_owned());
        named.spawn_scoped(scope, check).unwrap().join().is_err()
    })
}

/// Has `count` threads ask together, each with its number, and returns the answers in their order.
pub(crate) fn at_once<T: Send>(count: usize, ask: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (ask, start) = (&ask, &Barrier::new(count));
    thread::scope(|scope| {
        let asking: Vec<_> = (0..count)
            .map(|number| {
                scope.spawn(move || {
                    start.wait();
                    ask(number)
                })
            })
            .collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    })
}
