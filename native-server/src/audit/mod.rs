//! One record for each decision, as lines of JSON: who asked what, what became of it, and why.
//!
//! Records leave through a bounded queue to a thread of their own, which alone touches the file: a
//! disk that is slow or stuck holds up no request, no signal and no end. What finds no room is
//! counted and left out.

mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use portcullis_core::Outcome;
use portcullis_core::audit::{AuditRecord, AuditShare};

use self::writer::{Message, Writer};
use crate::crypto::random_octets;

/// Records that wait to be written, at most: some megabytes.
const QUEUE: usize = 16 * 1024;

/// How long the start waits for the file to open, and the end for what is in the queue.
const LIMIT: Duration = Duration::from_secs(1);

/// How often the end looks for room in a full queue.
const STEP: Duration = Duration::from_millis(5);

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
    /// Opens the audit log, if there is to be one. A file that takes long to open, such as a pipe
    /// that nobody reads, gets its records later.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be written.
    pub(crate) fn open(&self) -> anyhow::Result<Option<AuditLog>> {
        let Some(path) = &self.audit else {
            return Ok(None);
        };
        let (sender, messages) = sync_channel(QUEUE);
        let (counts, reopen) = (
            Arc::new(Counts::default()),
            Arc::new(AtomicBool::new(false)),
        );
        let writer = Writer::new(path, Arc::clone(&counts), Arc::clone(&reopen));
        let (tell, opened) = sync_channel(1);
        thread::Builder::new()
            .name("audit".into())
            .spawn(move || writer.run(&messages, &tell))
            .context("cannot start threads")?;
        match opened.recv_timeout(LIMIT) {
            Ok(opened) => opened.with_context(|| format!("--audit {}", path.display()))?,
            Err(_) => tracing::warn!("the audit log does not open yet, records wait for it"),
        }
        let prefix = u64::from_be_bytes(random_octets().context("cannot draw random numbers")?);
        Ok(Some(AuditLog {
            sender,
            counts,
            reopen,
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
    /// Whether the file is to be opened anew.
    reopen: Arc<AtomicBool>,
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

    /// Has the file opened anew, after its old name was given to an older log; never waits.
    pub(crate) fn reopen(&self) {
        self.reopen.store(true, Ordering::Release);
        // A writer that has nothing to do looks when it is woken; in a full queue, it has.
        let _ = self.sender.try_send(Message::Wake);
    }

    /// Waits until what was taken is written, for a while.
    pub(crate) fn flush(&self) {
        let deadline = Instant::now() + LIMIT;
        let (done, flushed) = sync_channel(1);
        let mut message = Message::Flush(done);
        while let Err(TrySendError::Full(back)) = self.sender.try_send(message) {
            if Instant::now() >= deadline {
                break;
            }
            thread::sleep(STEP);
            message = back;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if flushed.recv_timeout(left).is_err() {
            tracing::error!("the audit log is stuck, its last records are lost");
        }
    }
}
