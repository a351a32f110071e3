//! The thread that writes records.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};

use super::Counts;

/// What the thread is told.
pub(super) enum Message {
    Line(String),
    /// Open the file anew.
    Reopen,
    /// Write all, then say so.
    Flush(SyncSender<()>),
}

/// Writes to a file, or to standard output.
pub(super) struct Writer {
    /// `None` for standard output.
    path: Option<PathBuf>,
    out: BufWriter<Box<dyn Write + Send>>,
}

impl Writer {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let path = (path != Path::new("-")).then(|| path.to_owned());
        let out: Box<dyn Write + Send> = match &path {
            Some(path) => Box::new(append_to(path)?),
            None => Box::new(io::stdout()),
        };
        let out = BufWriter::new(out);
        Ok(Self { path, out })
    }

    /// Writes until nobody has anything to say.
    pub(super) fn run(mut self, messages: &Receiver<Message>, counts: &Counts) {
        loop {
            let message = match messages.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Disconnected) => return,
                // Before it waits, all is where others can read it.
                Err(TryRecvError::Empty) => {
                    self.flush();
                    match messages.recv() {
                        Ok(message) => message,
                        Err(_) => return,
                    }
                }
            };
            match message {
                Message::Line(line) => {
                    let count = match self.out.write_all(line.as_bytes()) {
                        Ok(()) => &counts.written,
                        Err(_) => &counts.dropped,
                    };
                    count.fetch_add(1, Ordering::Relaxed);
                }
                Message::Reopen => self.reopen(),
                Message::Flush(done) => {
                    self.flush();
                    // Who does not wait any more needs no answer.
                    let _ = done.try_send(());
                }
            }
        }
    }

    fn flush(&mut self) {
        if let Err(error) = self.out.flush() {
            tracing::error!(%error, "cannot write the audit log");
        }
    }

    fn reopen(&mut self) {
        let Some(path) = &self.path else { return };
        let opened = append_to(path);
        self.flush();
        match opened {
            Ok(file) => self.out = BufWriter::new(Box::new(file)),
            Err(error) => {
                tracing::error!(%error, "cannot open the audit log anew, the old file stays");
            }
        }
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
