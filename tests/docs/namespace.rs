//! A network and processes apart, so that pages may use the ports that they name and whatever
//! they start ends with them.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// How pages are kept apart.
pub(crate) enum Apart {
    /// In Linux namespaces.
    Namespaces(&'static [&'static str]),
    /// Not at all: one page at a time, on the machine's own ports. The file is locked.
    Turns { _turn: File },
}

impl Apart {
    /// Finds out what is possible here.
    pub(crate) fn find(folder: &Path) -> Self {
        for way in [NAMESPACES, NAMESPACES_OF_A_USER] {
            let tried = Command::new("unshare").args(way).arg("true").output();
            if tried.is_ok_and(|output| output.status.success()) {
                return Self::Namespaces(way);
            }
        }
        let turn = File::create(folder.join("turn")).unwrap();
        turn.lock().unwrap();
        Self::Turns { _turn: turn }
    }

    /// Returns how many pages can be run at the same time.
    pub(crate) const fn width(&self) -> usize {
        match self {
            Self::Namespaces(_) => 2,
            Self::Turns { .. } => 1,
        }
    }

    /// Makes the command that runs what is then added to it as arguments.
    pub(crate) fn command(&self) -> Command {
        match self {
            Self::Namespaces(way) => {
                let mut command = Command::new("unshare");
                command.args(*way);
                command
            }
            Self::Turns { .. } => {
                let mut command = Command::new("env");
                command.process_group(0);
                command
            }
        }
    }

    /// Ends what the command of this process has left behind.
    pub(crate) fn end(&self, process: u32) {
        // What is in namespaces ends with their first process.
        if let Self::Turns { .. } = self {
            let group = format!("-{process}");
            drop(Command::new("kill").args(["-KILL", "--", &group]).output());
        }
    }
}

const NAMESPACES: &[&str] = &["--net", "--pid", "--fork", "--mount-proc", "--kill-child"];
/// This needs no privileges.
const NAMESPACES_OF_A_USER: &[&str] = &[
    "--map-root-user",
    "--net",
    "--pid",
    "--fork",
    "--mount-proc",
    "--kill-child",
];
