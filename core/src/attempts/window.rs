//! Attempts of the last minute.

use crate::ambient::UnixSeconds;
use crate::cache::CLOCK_SLACK;

/// A minute, and the slice that has just begun: whatever 60 seconds are looked at, they lie within
/// the slices, so that no minute sees more attempts than the limit.
const SLICES: usize = 7;

const SLICE_SECONDS: u64 = 10;

/// How soon to come again when only calls that are under way take up the room, in seconds.
const SOON: u64 = 1;

/// How many seconds it takes until there is room again, at least one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RetryAfter(pub u64);

/// Counts attempts over a sliding minute, in slices of ten seconds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Window {
    /// The number of the newest slice, counted from 1970.
    newest: u64,
    /// By age, the newest first.
    slices: [Slice; SLICES],
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Slice {
    /// Attempts that were made and not given back.
    taken: u16,
    /// Those among them that were wrong; the others are under way.
    wrong: u16,
}

impl Window {
    /// How long [`Self::to_octets`] is.
    pub const OCTETS: usize = 8 + 4 * SLICES;

    /// Moves on to `now`.
    pub fn advance(&mut self, now: UnixSeconds) {
        let slice = now.0 / SLICE_SECONDS;
        // A clock that was set back must not lock everybody out until it has caught up.
        let was_set_back = slice.saturating_add(CLOCK_SLACK / SLICE_SECONDS) < self.newest;
        if was_set_back {
            *self = Self::default();
        }
        let passed = usize::try_from(slice.saturating_sub(self.newest)).unwrap_or(SLICES);
        if passed > 0 {
            let passed = passed.min(SLICES);
            self.slices.rotate_right(passed);
            self.slices.iter_mut().take(passed).for_each(|slice| {
                *slice = Slice::default();
            });
            self.newest = slice;
        }
    }

    /// Tells whether there was no attempt. Like all that follow, it speaks of the time that the
    /// window was moved on to.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slices.iter().all(|slice| slice.taken == 0)
    }

    /// Checks that one more attempt stays within `limit` a minute.
    ///
    /// # Errors
    ///
    /// Says when there is room again.
    pub fn check(&self, limit: u16, now: UnixSeconds) -> Result<(), RetryAfter> {
        let limit = u32::from(limit);
        let sum = |count: fn(&Slice) -> u16| self.slices.iter().map(count).map(u32::from).sum();
        let (taken, wrong): (u32, u32) = (sum(|slice| slice.taken), sum(|slice| slice.wrong));
        if taken < limit {
            return Ok(());
        }
        if wrong < limit {
            return Err(RetryAfter(SOON));
        }
        let oldest = self.slices.iter().rposition(|slice| slice.wrong > 0);
        let left = SLICES.saturating_sub(oldest.unwrap_or_default());
        let left = u64::try_from(left).unwrap_or_default();
        let room_from = self
            .newest
            .saturating_add(left)
            .saturating_mul(SLICE_SECONDS);
        Err(RetryAfter(room_from.saturating_sub(now.0).max(SOON)))
    }

    /// Notes an attempt, and returns the slice that it belongs to.
    pub fn take(&mut self) -> u64 {
        let [newest, ..] = &mut self.slices;
        newest.taken = newest.taken.saturating_add(1);
        self.newest
    }

    /// Gives back an attempt of `slice`.
    pub fn give_back(&mut self, slice: u64) {
        if let Some(slice) = self.slice(slice) {
            slice.taken = slice.taken.saturating_sub(1).max(slice.wrong);
        }
    }

    /// Notes that an attempt of `slice` was wrong.
    pub fn note_wrong(&mut self, slice: u64) {
        if let Some(slice) = self.slice(slice) {
            slice.wrong = slice.wrong.saturating_add(1);
            slice.taken = slice.taken.max(slice.wrong);
        }
    }

    /// Writes the window for another process or thread.
    #[must_use]
    pub fn to_octets(&self) -> [u8; Self::OCTETS] {
        let mut octets = [0; Self::OCTETS];
        let counts = self.slices.iter().flat_map(|slice| {
            let [[a, b], [c, d]] = [slice.taken.to_be_bytes(), slice.wrong.to_be_bytes()];
            [a, b, c, d]
        });
        let all = self.newest.to_be_bytes().into_iter().chain(counts);
        octets
            .iter_mut()
            .zip(all)
            .for_each(|(octet, value)| *octet = value);
        octets
    }

    /// Reads what [`Self::to_octets`] wrote; `None` when it is of another length.
    #[must_use]
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        let octets: &[u8; Self::OCTETS] = octets.try_into().ok()?;
        let (newest, counts) = octets.split_first_chunk::<8>()?;
        let mut window = Self {
            newest: u64::from_be_bytes(*newest),
            slices: [Slice::default(); SLICES],
        };
        for (slice, count) in window.slices.iter_mut().zip(counts.chunks_exact(4)) {
            let [a, b, c, d] = count.try_into().ok()?;
            slice.wrong = u16::from_be_bytes([c, d]);
            slice.taken = u16::from_be_bytes([a, b]).max(slice.wrong);
        }
        Some(window)
    }

    fn slice(&mut self, slice: u64) -> Option<&mut Slice> {
        let age = usize::try_from(self.newest.checked_sub(slice)?).ok()?;
        self.slices.get_mut(age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Tries once; an attempt that is let through is wrong.
    fn guess(window: &mut Window, limit: u16, now: u64) -> Result<(), u64> {
        window.advance(UnixSeconds(now));
        window
            .check(limit, UnixSeconds(now))
            .map_err(|RetryAfter(seconds)| seconds)?;
        let slice = window.take();
        window.note_wrong(slice);
        Ok(())
    }

    #[test]
    fn no_minute_sees_more_than_the_limit() {
        for start in 0..10 {
            let mut window = Window::default();
            let mut let_through = Vec::new();
            for now in (start..start + 300).flat_map(|now| [now; 3]) {
                if guess(&mut window, 5, now).is_ok() {
                    let_through.push(now);
                }
            }
            let spread = let_through.windows(6).map(|six| six[5] - six[0]).min();
            assert!(spread > Some(59), "{let_through:?}");
            assert!(
                let_through.len() >= 20,
                "there is room again: {let_through:?}"
            );
        }
    }

    #[test]
    fn the_time_to_wait_is_right_to_the_second() {
        let mut window = Window::default();
        assert_eq!(guess(&mut window, 1, 1003), Ok(()));
        let wait = guess(&mut window, 1, 1008).unwrap_err();
        assert_eq!(guess(&mut window, 1, 1008 + wait - 1), Err(1));
        assert_eq!(guess(&mut window, 1, 1008 + wait), Ok(()));
    }

    #[test]
    fn what_is_under_way_takes_room_and_gives_it_back() {
        let now = UnixSeconds(1000);
        let mut window = Window::default();
        window.advance(now);
        let slice = window.take();
        assert_eq!(window.check(1, now), Err(RetryAfter(SOON)));
        window.give_back(slice);
        assert_eq!(window.check(1, now), Ok(()));
        window.give_back(slice);
        assert!(window.is_empty(), "giving back twice makes no room");
    }

    #[test]
    fn an_end_that_comes_late_changes_nothing() {
        let mut window = Window::default();
        window.advance(UnixSeconds(1000));
        let slice = window.take();
        window.advance(UnixSeconds(1070));
        let new = window.take();
        let before = window;
        window.give_back(slice);
        window.note_wrong(slice);
        assert_eq!(window, before);
        window.note_wrong(new);
        assert_ne!(window, before);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut window = Window::default();
        assert_eq!(guess(&mut window, 1, 100_000), Ok(()));
        assert!(
            guess(&mut window, 1, 99_950).is_err(),
            "a little is nothing"
        );
        assert_eq!(guess(&mut window, 1, 90_000), Ok(()));
    }

    #[test]
    fn octets_are_read_as_they_were_written() {
        let mut window = Window::default();
        for now in [1000, 1011, 1011, 1059] {
            assert_eq!(guess(&mut window, 9, now), Ok(()));
        }
        window.take();
        assert_eq!(Window::from_octets(&window.to_octets()), Some(window));
        assert_eq!(Window::from_octets(&[]), None);
        assert_eq!(Window::from_octets(&[0; Window::OCTETS + 1]), None);
        let full = Window::from_octets(&[255; Window::OCTETS]).unwrap();
        assert!(full.check(u16::MAX, UnixSeconds(0)).is_err());
    }
}
