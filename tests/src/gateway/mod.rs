//! The two gateways, started from the same settings.

mod envoy;
mod native;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::client::{Connection, Request, Response};
use crate::folder::Folder;
use crate::process::Process;

/// Settings by the name of their environment variable, and where to listen.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    values: BTreeMap<String, String>,
    listen: Option<SocketAddr>,
    authorities: Option<PathBuf>,
    admin_token: Option<String>,
}

/// Seals session ids in every test: replicas and hosts share it, as in a real install.
const STATE_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";

impl Settings {
    /// Begins with a state key and nothing else.
    #[must_use]
    pub fn new() -> Self {
        Self::default().with("PORTCULLIS_STATE_KEYS", STATE_KEY)
    }

    /// Sets one.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }

    /// Unsets one.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.values.remove(name);
        self
    }

    /// Says where to listen, which is otherwise a port that the kernel chooses.
    #[must_use]
    pub const fn listening_on(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// Says whose certificates are believed, which are otherwise those of the system.
    #[must_use]
    pub fn trusting(mut self, authorities: &Path) -> Self {
        self.authorities = Some(authorities.to_owned());
        self
    }

    /// Has the native binary serve its admin page, for whoever has this token.
    #[must_use]
    pub fn with_admin(mut self, token: &str) -> Self {
        self.admin_token = Some(token.to_owned());
        self
    }

    /// Writes them as the configuration of a gateway.
    ///
    /// # Panics
    ///
    /// Does not: names and values are strings.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.values).unwrap()
    }
}

/// One of the two gateways.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Envoy with the filter.
    Envoy,
    /// The native binary.
    Native,
}

impl Kind {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Envoy, Self::Native];
}

/// A running gateway; it ends when dropped.
pub struct Gateway {
    kind: Kind,
    process: Process,
    address: SocketAddr,
    admin: Option<SocketAddr>,
    _folder: Folder,
}

impl Gateway {
    /// Starts a gateway in front of `upstream`; Envoy gets one worker.
    ///
    /// # Panics
    ///
    /// Panics when it does not come up, and when a built artifact or Envoy is missing.
    #[must_use]
    pub fn start(kind: Kind, settings: &Settings, upstream: &str) -> Self {
        Self::try_start(kind, settings, upstream)
            .unwrap_or_else(|log| panic!("{kind:?} did not start:\n{log}"))
    }

    /// Starts a gateway that may refuse its settings.
    ///
    /// # Errors
    ///
    /// The error is all that it wrote.
    ///
    /// # Panics
    ///
    /// Panics when a built artifact or Envoy is missing.
    pub fn try_start(kind: Kind, settings: &Settings, upstream: &str) -> Result<Self, String> {
        match kind {
            Kind::Envoy => envoy::start(settings, upstream, 1),
            Kind::Native => native::start(settings, Some(upstream)),
        }
    }

    /// Starts the native binary without a protected resource: it decides for other proxies.
    ///
    /// # Panics
    ///
    /// As [`Self::start`].
    #[must_use]
    pub fn for_questions(settings: &Settings) -> Self {
        native::start(settings, None).unwrap_or_else(|log| panic!("it did not start:\n{log}"))
    }

    /// Starts Envoy with this many workers.
    ///
    /// # Panics
    ///
    /// As [`Self::start`].
    #[must_use]
    pub fn envoy_with_workers(settings: &Settings, upstream: &str, workers: usize) -> Self {
        envoy::start(settings, upstream, workers)
            .unwrap_or_else(|log| panic!("Envoy did not start:\n{log}"))
    }

    /// Returns which one it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the address it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of the admin interface: Envoy's, or the native binary's own.
    #[must_use]
    pub const fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Returns the process id.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Returns all that it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Sends one request on a connection of its own.
    ///
    /// # Panics
    ///
    /// Panics when there is no whole answer.
    #[must_use]
    pub fn send(&self, request: &Request) -> Response {
        self.try_send(request)
            .unwrap_or_else(|error| panic!("{:?}, {error}: {request:?}", self.kind))
    }

    /// Sends one request on a connection of its own.
    ///
    /// # Errors
    ///
    /// Fails when there is no whole answer.
    pub fn try_send(&self, request: &Request) -> io::Result<Response> {
        request.send(self.address)
    }

    /// Opens a connection.
    ///
    /// # Panics
    ///
    /// Panics when it is refused.
    #[must_use]
    pub fn connect(&self) -> Connection {
        Connection::open(self.address)
            .unwrap_or_else(|error| panic!("{:?} refused a connection: {error}", self.kind))
    }
}

/// Returns a loopback address where nothing listens, for what must be known before it starts.
///
/// It is below the ports that the kernel gives to those who do not choose, and no two test
/// processes begin their search in the same place.
///
/// # Panics
///
/// Panics when every port is taken.
#[must_use]
pub fn free_address() -> SocketAddr {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    let place = u16::try_from(std::process::id() % 1000).unwrap() * 12;
    (0..12_000)
        .map(|_| {
            let offset = place + COUNT.fetch_add(1, Ordering::Relaxed) % 12_000;
            SocketAddr::from(([127, 0, 0, 1], 20_000 + offset % 12_000))
        })
        .find(|address| TcpListener::bind(address).is_ok())
        .unwrap()
}

/// Makes a command of the native binary that reads `settings` and nothing of our own environment.
fn portcullis(
    subcommand: &[&str],
    folder: &Folder,
    settings: &Settings,
    upstream: Option<&str>,
) -> Command {
    let config = folder.write("settings.json", settings.to_json());
    let any_port = || "127.0.0.1:0".to_owned();
    let listen = settings.listen.map_or_else(any_port, |at| at.to_string());
    let mut command = Command::new(artifact(
        "PORTCULLIS_BIN",
        &["release/portcullis", "debug/portcullis"],
        "make native",
    ));
    command
        .env_clear()
        .envs(inherited())
        .env("PORTCULLIS_STATE_DIR", folder.path())
        .envs(
            settings
                .authorities
                .iter()
                .map(|file| ("SSL_CERT_FILE", file)),
        )
        .args(subcommand)
        .arg("--config")
        .arg(config)
        .args(["--listen", &listen])
        .args(
            upstream
                .iter()
                .flat_map(|upstream| ["--upstream", upstream]),
        );
    command
}

/// Returns what every program needs of the environment.
fn inherited() -> impl Iterator<Item = (&'static str, OsString)> {
    ["PATH", "HOME", "TMPDIR", "LLVM_PROFILE_FILE"]
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// Finds a built artifact: named by an environment variable, or else the newest in the target
/// folder.
fn artifact(variable: &str, places: &[&str], command: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return path.into();
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    );
    places
        .iter()
        .map(|place| target.join(place))
        .filter(|path| path.exists())
        .max_by_key(|path| fs::metadata(path).and_then(|about| about.modified()).ok())
        .unwrap_or_else(|| {
            panic!(
                "{} is missing in {}: run `{command}` or set {variable}",
                places[0],
                target.display()
            )
        })
}
