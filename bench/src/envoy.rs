//! Starts Envoy with one filter or none, all else being as `portcullis render envoy` has it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

use portcullis_tests::Request;
use portcullis_tests::process::Process;

use crate::bootstrap::bootstrap_text;
use crate::filters::Filter;
use crate::spawn::{Place, command, target};

/// How long Envoy may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Envoy.
pub(crate) struct Envoy {
    process: Process,
    /// Where clients connect.
    pub(crate) address: SocketAddr,
    /// From its start until it was ready.
    pub(crate) ready_after: Duration,
}

/// How Envoy is started.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Number of workers.
    pub(crate) workers: usize,
    /// The core.
    pub(crate) place: Place,
    /// The log level of what is about Wasm.
    pub(crate) wasm_log: &'static str,
}

impl Shape {
    /// One worker on the core of the contenders.
    pub(crate) const CONTENDER: Self = Self {
        workers: 1,
        place: Place::Contender,
        wasm_log: "error",
    };
}

impl Envoy {
    /// Starts it in front of `upstream`; its files go to `folder`.
    pub(crate) fn start(
        folder: &Path,
        upstream: SocketAddr,
        filter: &Filter,
        shape: Shape,
    ) -> Self {
        fs::create_dir_all(folder).unwrap();
        let bootstrap = folder.join("envoy.yaml");
        fs::write(&bootstrap, bootstrap_text(folder, upstream, filter)).unwrap();
        let admin_path = folder.join("admin");
        drop(fs::remove_file(&admin_path));
        let mut command = command(&binary(), shape.place);
        command
            .arg("-c")
            .arg(bootstrap)
            .args(["--use-dynamic-base-id", "-l", "error"])
            .args(["--concurrency", &shape.workers.to_string()])
            .args(["--component-log-level", &format!("wasm:{}", shape.wasm_log)])
            .arg("--admin-address-path")
            .arg(&admin_path);
        let started = Instant::now();
        let mut process = Process::start("envoy", &mut command);
        let address = wait_until_ready(&mut process, &admin_path);
        Self {
            process,
            address,
            ready_after: started.elapsed(),
        }
    }

    /// Returns the process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Returns all that it has logged.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }
}

fn wait_until_ready(process: &mut Process, admin_path: &Path) -> SocketAddr {
    let deadline = Instant::now() + PATIENCE;
    while process.is_running() && Instant::now() < deadline {
        let admin = fs::read_to_string(admin_path).ok();
        if let Some(admin) = admin.and_then(|text| text.trim().parse().ok())
            && let Some(address) = listener(admin)
        {
            return address;
        }
        // Envoy tells nobody that it is up; the admin interface has to be asked.
        thread::sleep(Duration::from_millis(5));
    }
    panic!("Envoy did not start:\n{}", process.log());
}

fn listener(admin: SocketAddr) -> Option<SocketAddr> {
    let ready = Request::get("/ready").send(admin).ok()?;
    if ready.status != 200 {
        return None;
    }
    let listeners = Request::get("/listeners?format=json").send(admin).ok()?;
    let address = &listeners.json()["listener_statuses"][0]["local_address"]["socket_address"];
    let port = u16::try_from(address["port_value"].as_u64()?).ok()?;
    Some(SocketAddr::new(
        address["address"].as_str()?.parse().ok()?,
        port,
    ))
}

/// Returns our module.
pub(crate) fn filter_module() -> PathBuf {
    let file = target().join("wasm32-wasip1/release/portcullis_filter.wasm");
    file.canonicalize()
        .unwrap_or_else(|_| panic!("{} is missing: run `make filter`", file.display()))
}

/// Returns our native binary.
pub(crate) fn native_binary() -> PathBuf {
    let file = target().join("release/portcullis");
    file.canonicalize()
        .unwrap_or_else(|_| panic!("{} is missing: run `make native`", file.display()))
}

/// Returns Envoy, installed first if need be.
pub(crate) fn binary() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/tools.py");
    let found = Command::new("python3")
        .arg(script)
        .arg("envoy")
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&found.stderr);
    assert!(found.status.success(), "{log}");
    String::from_utf8(found.stdout).unwrap().trim().into()
}
