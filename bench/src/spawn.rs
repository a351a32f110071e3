//! Starts processes on their core.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis_tests::process::Process;

/// Where a process runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// On the core of the contenders.
    Contender,
    /// On the core of load, upstream and services.
    Beside,
    /// On the cores of both.
    Both,
    /// Wherever the kernel likes.
    Anywhere,
}

impl Place {
    const fn cores(self) -> &'static str {
        match self {
            Self::Contender => "0",
            Self::Beside => "1",
            Self::Both => "0,1",
            Self::Anywhere => "0-1023",
        }
    }
}

/// Makes a command that runs `program` at `place`, without our own environment, and ends it with
/// this one. Each program becomes the next, so the process id is that of the last.
pub(crate) fn command(program: &Path, place: Place) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "taskset", "-c", place.cores()])
        .arg(program)
        .env_clear();
    for name in ["PATH", "HOME", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// A server that is part of this program.
pub(crate) struct Helper {
    process: Process,
    address: SocketAddr,
}

impl Helper {
    /// Starts it over `folder`.
    pub(crate) fn start(folder: &Path) -> Self {
        let own = std::env::current_exe().unwrap();
        let mut command = command(&own, Place::Beside);
        let process = Process::start("helper", command.arg("serve").arg(folder));
        let address = process.wait_for_line(listen_address).unwrap();
        Self { process, address }
    }

    /// Returns where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

/// Finds the address in a line `listening on ADDRESS`.
pub(crate) fn listen_address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening on ")?;
    let address = rest.split(|c: char| c.is_whitespace() || c == '"').next()?;
    address.parse().ok()
}

/// Returns a port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Returns the folder of the build.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    )
}

/// Returns a folder of this run, made anew.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let path = target().join("bench").join(name);
    drop(std::fs::remove_dir_all(&path));
    std::fs::create_dir_all(&path).unwrap();
    path.canonicalize().unwrap()
}
