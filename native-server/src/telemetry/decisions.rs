//! Counters of decisions by mode, outcome and reason.

use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_core::config::ModeName;
use portcullis_core::{Outcome, Reason};

/// The count of combinations: every mode with every outcome for every reason.
const CELLS: usize = ModeName::ALL.len() * Outcome::ALL.len() * Reason::ALL.len();

/// What was decided, of one mode.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Cell {
    /// The mode in force.
    pub(crate) mode: ModeName,
    /// What became of the request.
    pub(crate) outcome: Outcome,
    /// Why.
    pub(crate) reason: Reason,
}

impl Cell {
    const fn index(self) -> usize {
        let row = self.mode.index() * Outcome::ALL.len() + self.outcome.index();
        row * Reason::ALL.len() + self.reason.index()
    }

    fn at(index: usize) -> Option<Self> {
        let row = index / Reason::ALL.len();
        Some(Self {
            mode: *ModeName::ALL.get(row / Outcome::ALL.len())?,
            outcome: *Outcome::ALL.get(row % Outcome::ALL.len())?,
            reason: *Reason::ALL.get(index % Reason::ALL.len())?,
        })
    }
}

/// The counters of one worker.
pub(super) struct Decisions(Box<[AtomicU64]>);

impl Default for Decisions {
    fn default() -> Self {
        Self((0..CELLS).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Decisions {
    pub(super) fn count(&self, cell: Cell) {
        if let Some(count) = self.0.get(cell.index()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The counters of all workers at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tallied(Vec<u64>);

impl Tallied {
    pub(super) fn add(&mut self, decisions: &Decisions) {
        self.0.resize(CELLS, 0);
        for (sum, count) in self.0.iter_mut().zip(&decisions.0) {
            *sum = sum.saturating_add(count.load(Ordering::Relaxed));
        }
    }

    /// Returns what was decided at all, with its count.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Cell, u64)> {
        let counted = self.0.iter().enumerate().filter(|(_, count)| **count > 0);
        counted.filter_map(|(index, count)| Some((Cell::at(index)?, *count)))
    }

    /// Returns what was decided since `before`, with its count.
    pub(crate) fn since(&self, before: &Self) -> impl Iterator<Item = (Cell, u64)> {
        self.all().filter_map(move |(cell, count)| {
            let earlier = before.0.get(cell.index()).copied().unwrap_or(0);
            let more = count.saturating_sub(earlier);
            (more > 0).then_some((cell, more))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_has_a_place_of_its_own() {
        for index in 0..CELLS {
            assert_eq!(Cell::at(index).unwrap().index(), index);
        }
        assert_eq!(Cell::at(CELLS), None);
    }

    #[test]
    fn counts_add_up_over_workers_and_differ_by_what_came_between() {
        let cell = |reason| Cell {
            mode: ModeName::Jwt,
            outcome: Outcome::Refused,
            reason,
        };
        let workers = [Decisions::default(), Decisions::default()];
        let tallied = || {
            let mut all = Tallied::default();
            workers.iter().for_each(|worker| all.add(worker));
            all
        };
        let first = tallied();
        assert_eq!(first.all().count(), 0);
        workers
            .iter()
            .for_each(|worker| worker.count(cell(Reason::Expired)));
        let second = tallied();
        workers[0].count(cell(Reason::WrongIssuer));
        let third = tallied();
        assert_eq!(
            second.all().collect::<Vec<_>>(),
            [(cell(Reason::Expired), 2)]
        );
        assert_eq!(
            third.since(&second).collect::<Vec<_>>(),
            [(cell(Reason::WrongIssuer), 1)]
        );
        assert_eq!(third.since(&first).count(), 2);
    }
}
