//! Requests at the same time.

use std::sync::Barrier;
use std::thread;

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
