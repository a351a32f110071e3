//! One record for each decision, as lines of JSON: who asked what, what became of it, and why.
//!
//! Records leave through a bounded queue to a thread of their own, so that a slow disk holds no
//! request up; what finds no room is counted and left out.

mod record;
mod writer;

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use anyhow::Context as _;
use portcullis_core::Outcome;

pub(crate) use record::Record;

use self::writer::{Message, Writer};
use crate::crypto::random_octets;

/// Records that wait to be written, at most: some megabytes.
const QUEUE: usize = 16 * 1024;

/// How long the end waits for what is in the queue.
const END_LIMIT: Duration = Duration::from_secs(2);

/// Flags of the audit log.
#[derive(Clone, clap::Args)]
pub(crate) struct AuditArgs {
    /// Write a record for each decision to this file, or to standard output with -
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// Which requests that were let through have a record: all, none, or a share such as 0.01
    #[arg(long, value_name = "SHARE", default_value = "all", requires = "audit")]
    audit_allowed: Sampling,
}

/// Which of many records are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Sampling {
    /// Of 2^32.
    share: u64,
}

const WHOLE: u64 = 1 << 32;

impl FromStr for Sampling {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let share = match text {
            "all" => WHOLE,
            "none" => 0,
            number => parts(number).ok_or("must be all, none, or a number from 0 to 1")?,
        };
        Ok(Self { share })
    }
}

/// Reads a number from 0 to 1 as parts of 2^32.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a number from 0 to 1, of which the last digits do not matter"
)]
fn parts(number: &str) -> Option<u64> {
    let share: f64 = number.parse().ok()?;
    (0.0..=1.0)
        .contains(&share)
        .then_some((share * WHOLE as f64) as u64)
}

impl AuditArgs {
    /// Opens the audit log, if there is to be one.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be written.
    pub(crate) fn open(&self) -> anyhow::Result<Option<AuditLog>> {
        let Some(path) = &self.audit else {
            return Ok(None);
        };
        let writer = Writer::open(path).with_context(|| format!("--audit {}", path.display()))?;
        let (sender, receiver) = sync_channel(QUEUE);
        let counts = Arc::new(Counts::default());
        let written = Arc::clone(&counts);
        std::thread::Builder::new()
            .name("audit".into())
            .spawn(move || writer.run(&receiver, &written))
            .context("cannot start threads")?;
        let prefix = u64::from_be_bytes(random_octets().context("cannot draw random numbers")?);
        Ok(Some(AuditLog {
            sender,
            counts,
            allowed: self.audit_allowed,
            prefix,
            next: AtomicU64::new(0),
        }))
    }
}

/// How many records there were.
#[derive(Default)]
pub(crate) struct Counts {
    /// Records in the file.
    pub(crate) written: AtomicU64,
    /// Records that found no room, or could not be written.
    pub(crate) dropped: AtomicU64,
}

/// Takes records.
pub(crate) struct AuditLog {
    sender: SyncSender<Message>,
    counts: Arc<Counts>,
    allowed: Sampling,
    /// What tells our request ids from those of other processes.
    prefix: u64,
    next: AtomicU64,
}

impl AuditLog {
    /// Returns how many records there were.
    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Tells whether a decision has a record: all refusals have, the others as sampling says.
    pub(crate) fn wants(&self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Refused | Outcome::Failed => true,
            Outcome::Forwarded | Outcome::Answered => match self.allowed.share {
                0 => false,
                WHOLE => true,
                share => {
                    let number = self.next.fetch_add(1, Ordering::Relaxed);
                    spread(self.prefix.wrapping_add(number)) >> 32 < share
                }
            },
        }
    }

    /// Makes up the id of a request that has none.
    pub(crate) fn request_id(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}{number:016x}", self.prefix)
    }

    /// Takes a record; never waits.
    pub(crate) fn write(&self, record: &Record<'_>) {
        match self.sender.try_send(Message::Line(record.to_line())) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.counts.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Has the file opened anew, after its old name was given to an older log.
    pub(crate) fn reopen(&self) {
        // In a full queue the message would be lost, and somebody waits for the new file.
        drop(self.sender.send(Message::Reopen));
    }

    /// Waits until what was taken is written, for a while.
    pub(crate) fn flush(&self) {
        let (done, flushed) = sync_channel(1);
        if self.sender.send(Message::Flush(done)).is_ok() {
            let _ = flushed.recv_timeout(END_LIMIT);
        }
    }
}

/// Spreads successive numbers over all of 64 bits (SplitMix64).
const fn spread(number: u64) -> u64 {
    let number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_all_none_or_a_number_up_to_one() {
        let share = |text: &str| text.parse::<Sampling>().map(|sampling| sampling.share);
        assert_eq!(share("all"), Ok(WHOLE));
        assert_eq!(share("1"), Ok(WHOLE));
        assert_eq!(share("none"), Ok(0));
        assert_eq!(share("0.25"), Ok(WHOLE / 4));
        for bad in ["", "1.1", "-0.1", "NaN", "some"] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_share_of_many_is_about_that_share() {
        let taken = (0..10_000_u64).filter(|number| spread(7 + number) >> 32 < WHOLE / 100);
        let taken = taken.count();
        assert!(
            (60..160).contains(&taken),
            "{taken} of 10000 for one in a hundred"
        );
    }
}
