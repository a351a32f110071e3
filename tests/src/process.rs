//! A child process whose output is kept, and which is ended by its pid when dropped.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a gateway may take to come up. A loaded machine compiles the module slowly.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running child process.
pub struct Process {
    name: String,
    child: Child,
    output: Arc<Output>,
    readers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Output {
    lines: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    closed: usize,
}

impl Process {
    /// Starts `command` and keeps what it writes.
    pub fn start(name: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let output = Arc::new(Output::default());
        let streams: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        let readers = streams
            .into_iter()
            .map(|stream| {
                let output = Arc::clone(&output);
                thread::spawn(move || output.read(stream))
            })
            .collect();
        Self {
            name: name.to_owned(),
            child,
            output,
            readers,
        }
    }

    /// Waits for what `find` finds in a line; the error is all that was written until the
    /// process ended.
    pub fn wait_for_line<T>(&self, find: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.output.lines.lock().unwrap();
        loop {
            if let Some(found) = lines.lines.iter().find_map(|line| find(line)) {
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if lines.closed == 2 || left.is_zero() {
                return Err(lines.lines.join("\n"));
            }
            lines = self.output.changed.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// Returns all that was written so far.
    pub fn log(&self) -> String {
        self.output.lines.lock().unwrap().lines.join("\n")
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells whether the process still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Output {
    fn read(&self, stream: impl Read) {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let mut lines = self.lines.lock().unwrap();
            lines
                .lines
                .push(String::from_utf8_lossy(&line).into_owned());
            self.changed.notify_all();
        }
        self.lines.lock().unwrap().closed += 1;
        self.changed.notify_all();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        for reader in self.readers.drain(..) {
            drop(reader.join());
        }
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(60)..];
            // The test harness shows this with the failure.
            #[expect(clippy::print_stderr, reason = "it explains a failed test")]
            {
                eprintln!("--- {} wrote, at last:\n{}", self.name, tail.join("\n"));
            }
        }
    }
}
