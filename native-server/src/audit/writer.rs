//! The thread that writes records.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError};

use super::Counts;

/// Lines that may be in the file and are not counted yet, at most: more than a buffer holds.
const UNCOUNTED: u64 = 256;

/// What the thread is told.
pub(super) enum Message {
    Line(String),
    /// Look whether the file is to be opened anew.
    Wake,
    /// Write all, then say so.
    Flush(SyncSender<()>),
}

/// What the thread works with.
pub(super) struct Writer {
    /// `None` for standard output.
    path: Option<PathBuf>,
    counts: Arc<Counts>,
    reopen: Arc<AtomicBool>,
}

impl Writer {
    /// Takes where to write, where to count, and what says that the file is to be opened anew.
    pub(super) fn new(path: &Path, counts: Arc<Counts>, reopen: Arc<AtomicBool>) -> Self {
        let path = (path != Path::new("-")).then(|| path.to_owned());
        Self {
            path,
            counts,
            reopen,
        }
    }

    /// Opens the file, tells how that went, and writes until nobody has anything to say.
    pub(super) fn run(self, messages: &Receiver<Message>, opened: &SyncSender<io::Result<()>>) {
        let out: Box<dyn Write + Send> = match self.path.as_deref().map(append_to) {
            Some(Ok(file)) => Box::new(file),
            None => Box::new(io::stdout()),
            Some(Err(error)) => {
                if let Err(TrySendError::Disconnected(Err(error))) = opened.try_send(Err(error)) {
                    tracing::error!(%error, "cannot open the audit log, all records are lost");
                }
                return;
            }
        };
        // Who does not wait any more needs no answer.
        let _ = opened.try_send(Ok(()));
        let mut sheet = Sheet {
            out: BufWriter::new(out),
            lines: 0,
            counts: &self.counts,
        };
        while let Some(message) = next(messages, &mut sheet) {
            if self.reopen.swap(false, Ordering::Acquire) {
                self.reopen(&mut sheet);
            }
            match message {
                Message::Line(line) => sheet.write(&line),
                Message::Wake => {}
                Message::Flush(done) => {
                    sheet.flush();
                    let _ = done.try_send(());
                }
            }
        }
    }

    fn reopen(&self, sheet: &mut Sheet<'_>) {
        let Some(path) = &self.path else { return };
        let opened = append_to(path);
        sheet.flush();
        match opened {
            Ok(file) => sheet.go_on_in(Box::new(file)),
            Err(error) => {
                tracing::error!(%error, "cannot open the audit log anew, the old file stays");
            }
        }
    }
}

/// Returns the next message, `None` when nobody has anything to say any more.
fn next(messages: &Receiver<Message>, sheet: &mut Sheet<'_>) -> Option<Message> {
    match messages.try_recv() {
        Ok(message) => Some(message),
        Err(TryRecvError::Disconnected) => None,
        // Before it waits, all is where others can read it.
        Err(TryRecvError::Empty) => {
            sheet.flush();
            messages.recv().ok()
        }
    }
}

/// What is being written.
struct Sheet<'a> {
    out: BufWriter<Box<dyn Write + Send>>,
    /// Lines that may not be in the file yet.
    lines: u64,
    counts: &'a Counts,
}

impl Sheet<'_> {
    fn write(&mut self, line: &str) {
        match self.out.write_all(line.as_bytes()) {
            Ok(()) => self.lines = self.lines.saturating_add(1),
            Err(_) => self.count_dropped(1),
        }
        if self.lines >= UNCOUNTED {
            self.flush();
        }
    }

    fn flush(&mut self) {
        match self.out.flush() {
            Ok(()) => {
                let lines = std::mem::take(&mut self.lines);
                self.counts.written.fetch_add(lines, Ordering::Relaxed);
            }
            Err(error) => tracing::error!(%error, "cannot write the audit log"),
        }
    }

    fn go_on_in(&mut self, out: Box<dyn Write + Send>) {
        let lines = std::mem::take(&mut self.lines);
        self.count_dropped(lines);
        self.out = BufWriter::new(out);
    }

    fn count_dropped(&self, lines: u64) {
        self.counts.dropped.fetch_add(lines, Ordering::Relaxed);
    }
}

/// Opens a file that its owner alone may read.
fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}
