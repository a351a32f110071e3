//! Starts the proxies.

mod caddy;
mod envoy;
mod haproxy;
mod nginx;
mod traefik;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use portcullis_tests::Request;
use portcullis_tests::folder::Folder;
use portcullis_tests::process::Process;

const PATIENCE: Duration = Duration::from_secs(60);

/// A proxy that asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Proxy {
    Nginx,
    Haproxy,
    Caddy,
    Traefik,
    /// Envoy asks by HTTP.
    EnvoyHttp,
    /// Envoy asks by gRPC.
    EnvoyGrpc,
}

/// Who listens where.
pub(crate) struct Places {
    pub(crate) proxy: SocketAddr,
    pub(crate) portcullis: SocketAddr,
    pub(crate) mcp: SocketAddr,
    /// What Portcullis shows, where it speaks TLS.
    pub(crate) certificate: Option<PathBuf>,
}

/// A running proxy with its folder; both go when it is dropped.
pub(crate) struct Running {
    _process: Process,
    _folder: Folder,
}

/// Starts a proxy and waits until it leads to the gateway.
pub(crate) fn start(proxy: Proxy, places: &Places) -> Running {
    let folder = Folder::new();
    let mut command = match proxy {
        Proxy::Nginx => nginx::command(&folder, places),
        Proxy::Haproxy => haproxy::command(&folder, places),
        Proxy::Caddy => caddy::command(&folder, places),
        Proxy::Traefik => traefik::command(&folder, places),
        Proxy::EnvoyHttp => envoy::command(&folder, places, "envoy-http.yaml"),
        Proxy::EnvoyGrpc => envoy::command(&folder, places, "envoy-grpc.yaml"),
    };
    let mut process = Process::start(&format!("{proxy:?}"), &mut command);
    let deadline = Instant::now() + PATIENCE;
    let health = Request::get("/health");
    // Most do not say when they are ready, and some listen before they know their routes.
    while health.send(places.proxy).map_or(0, |answer| answer.status) != 200 {
        let waits = process.is_running() && Instant::now() < deadline;
        assert!(waits, "{proxy:?} does not start: {}", process.log());
        thread::sleep(Duration::from_millis(10));
    }
    Running {
        _process: process,
        _folder: folder,
    }
}

/// Copies a file of `deploy/beside/` into `folder`, with the ports of `places` in place of its own,
/// and the folder in place of those that packages have.
fn deploy(folder: &Folder, name: &str, places: &Places) -> PathBuf {
    let sample = fs::read_to_string(root().join("deploy/beside").join(name)).unwrap();
    let mut text = sample.clone();
    for (own, here) in [
        (8000, places.portcullis),
        (8080, places.proxy),
        (9000, places.mcp),
    ] {
        for before in [":", "port_value: "] {
            let own = format!("{before}{own}");
            text = text.replace(&own, &format!("{before}{}", here.port()));
        }
    }
    for package in ["/etc/haproxy", "/etc/traefik"] {
        text = text.replace(package, &folder.path().display().to_string());
    }
    assert_ne!(text, sample, "{name} names no port");
    folder.write(name, text)
}

/// Returns the folder of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Finds a program by `scripts/tools.py`, which installs it where need be.
fn tool(words: &[&str]) -> PathBuf {
    let output = Command::new("python3")
        .arg(root().join("scripts/tools.py"))
        .args(words)
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tools.py {words:?}: {log}");
    String::from_utf8_lossy(&output.stdout).trim().into()
}

/// Makes a command of a Debian package's program, which may be unpacked anywhere.
fn debian(name: &str) -> Command {
    let program = tool(&["debian", name, name]);
    let libraries = format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let mut command = Command::new(&program);
    let unpacked = program.ancestors().nth(3);
    if let Some(root) = unpacked.filter(|root| *root != Path::new("/")) {
        command.env("LD_LIBRARY_PATH", root.join(libraries));
    }
    command
}
