//! A copy of the project in which the commands of a page are run, with what they would build.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::markdown::root;

/// A copy of the project, without what is built or fetched, which is linked into it.
pub(crate) struct Checkout {
    folder: PathBuf,
}

impl Checkout {
    /// Makes one in a folder of its own.
    pub(crate) fn make(folder: PathBuf) -> Self {
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        let checkout = Self { folder };
        copy_files(&checkout.top());
        checkout.link_what_is_built();
        checkout.link_tools();
        let home = checkout.folder.join("home");
        fs::create_dir(&home).unwrap();
        // On a terminal there is no progress meter.
        fs::write(home.join(".curlrc"), "no-progress-meter\n").unwrap();
        checkout
    }

    /// Returns the top of the copy.
    pub(crate) fn top(&self) -> PathBuf {
        self.folder.join("portcullis")
    }

    /// Returns the folder for the page's blocks.
    pub(crate) fn blocks(&self) -> PathBuf {
        let blocks = self.folder.join("blocks");
        fs::create_dir_all(&blocks).unwrap();
        blocks
    }

    /// Gives a command the environment of a person who has just cloned the project.
    pub(crate) fn prepare(&self, command: &mut Command) {
        let mut path = OsString::from(self.folder.join("bin"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.folder.join("home"))
            .env("LANG", "C.UTF-8")
            .current_dir(self.top());
    }

    /// Removes it; where a page has failed, it stays for a look.
    pub(crate) fn remove(self) {
        fs::remove_dir_all(&self.folder).unwrap();
    }

    fn link_what_is_built(&self) {
        let built = target();
        let target = self.top().join("target");
        let debug = built.join("debug");
        let binary = artifact("PORTCULLIS_BIN", &debug.join("portcullis"));
        link(&binary, &target.join("release/portcullis"));
        for program in programs(&debug) {
            let original = match program.file_name() {
                Some(name) if name == "portcullis" => &binary,
                _ => &program,
            };
            let place = target.join("debug").join(program.file_name().unwrap());
            link(original, &place);
        }
        let filter = artifact("PORTCULLIS_WASM", &built.join(FILTER));
        link(&filter, &target.join(FILTER));
        link(&built.join("tools"), &target.join("tools"));
        self.link_npm_packages(root());
    }

    /// Links what is installed for a `package.json`, in a folder of the project and below.
    fn link_npm_packages(&self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            if name == "node_modules" {
                let place = path.strip_prefix(root()).unwrap();
                link(&path, &self.top().join(place));
            } else if path.is_dir() && name != "target" && !name.starts_with('.') {
                self.link_npm_packages(&path);
            }
        }
    }

    /// Puts stand-ins and the tools of `scripts/tools.py` on the path.
    fn link_tools(&self) {
        let bin = self.folder.join("bin");
        let ours = self.top().join("tests/docs/bin");
        for name in ["cargo", "make", "npx"] {
            link(&ours.join(name), &bin.join(name));
        }
        for name in tools() {
            link(&ours.join("tool"), &bin.join(name));
        }
    }
}

/// Copies the project's own files. The copies are as old as the originals, so that what is
/// installed counts as up to date.
fn copy_files(top: &Path) {
    fs::create_dir(top).unwrap();
    let mut reader = Command::new("tar")
        .arg("-C")
        .arg(root())
        .args([
            "--exclude=./target",
            "--exclude=./.git",
            "--exclude=node_modules",
        ])
        .args([
            "--exclude=./core/fuzz",
            "--exclude=./core/tests",
            "-cf",
            "-",
            ".",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let archive = reader.stdout.take().unwrap();
    let written = Command::new("tar")
        .arg("-C")
        .arg(top)
        .args(["-xf", "-"])
        .stdin(archive)
        .status();
    assert!(written.unwrap().success() && reader.wait().unwrap().success());
}

/// Returns the programs that are built in a folder.
fn programs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.is_file() && path.extension().is_none())
        .filter(|path| path.metadata().unwrap().permissions().mode() & 0o100 != 0)
        .collect()
}

fn link(original: &Path, place: &Path) {
    let there = original.exists();
    assert!(there, "{} is missing: run `make test`", original.display());
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    symlink(original.canonicalize().unwrap(), place).unwrap();
}

fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    target.map_or_else(|| root().join("target"), PathBuf::from)
}

fn artifact(variable: &str, built: &Path) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| built.to_owned(), PathBuf::from)
}

/// Returns the names of the programs that `scripts/tools.py` finds, as it lists them itself.
fn tools() -> Vec<String> {
    let output = Command::new("python3")
        .arg(root().join("scripts/tools.py"))
        .output();
    let usage = String::from_utf8(output.unwrap().stderr).unwrap();
    let names: Vec<String> = usage
        .lines()
        .filter_map(|line| {
            line.trim_start()
                .trim_start_matches("usage: ")
                .strip_prefix("tools.py ")
        })
        .filter_map(|rest| rest.split_whitespace().next())
        .filter(|name| !NO_PROGRAMS.contains(name))
        .map(ToOwned::to_owned)
        .collect();
    assert!(names.iter().any(|name| name == "envoy"), "{usage}");
    names
}

const FILTER: &str = "wasm32-wasip1/release/portcullis_filter.wasm";
/// What the script finds that is not run under its name, or only where it was unpacked.
const NO_PROGRAMS: &[&str] = &[
    "npm",
    "python",
    "manifests",
    "musl",
    "debian",
    "all",
    "valgrind",
];
