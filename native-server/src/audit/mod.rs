//! One record for each decision, as lines of JSON: who asked what, what became of it, and why.
//!
//! Records leave through a bounded queue to a thread of their own, so that a slow disk holds no
//! request up; what finds no room is counted and left out.

mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use anyhow::Context as _;
use portcullis_core::Outcome;
use portcullis_core::audit::{AuditRecord, AuditShare};

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
    audit_allowed: AuditShare,
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
    allowed: AuditShare,
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
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.allowed
            .wants(outcome, self.prefix.wrapping_add(number))
    }

    /// Makes up the id of a request that has none.
    pub(crate) fn request_id(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}{number:016x}", self.prefix)
    }

    /// Takes a record; never waits.
    pub(crate) fn write(&self, record: &AuditRecord<'_>) {
        let mut line = record.to_json();
        line.push('\n');
        match self.sender.try_send(Message::Line(line)) {
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
