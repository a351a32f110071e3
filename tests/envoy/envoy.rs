//! Envoy on a bootstrap of the test's own, for what `portcullis render envoy` does not print.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use portcullis_tests::process::Process;
use portcullis_tests::{Request, Response};
use serde_json::{Value, json};

use crate::tools;

/// How long Envoy may take to come up; a loaded machine compiles the module slowly.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Envoy; it ends when dropped.
pub(crate) struct Envoy {
    /// Where the listeners are, in their order.
    pub(crate) listeners: Vec<SocketAddr>,
    pub(crate) admin: SocketAddr,
    process: Process,
    folder: PathBuf,
}

/// Makes a folder of this test's own.
pub(crate) fn folder() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("portcullis-envoy-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

impl Envoy {
    /// Starts Envoy with these HTTP filters in front of the first of these clusters.
    pub(crate) fn start(filters: Vec<Value>, clusters: Vec<Value>) -> Self {
        Self::start_bootstrap(folder(), &bootstrap(filters, clusters))
    }

    /// Starts Envoy on a bootstrap, at work in `folder`.
    pub(crate) fn start_bootstrap(folder: PathBuf, bootstrap: &Value) -> Self {
        Self::try_start(folder, bootstrap)
            .unwrap_or_else(|log| panic!("Envoy did not start:\n{log}"))
    }

    /// Starts Envoy on a bootstrap that it may refuse; the error is its log.
    pub(crate) fn try_start(folder: PathBuf, bootstrap: &Value) -> Result<Self, String> {
        Self::try_start_text(folder, &bootstrap.to_string())
    }

    /// Starts Envoy on a bootstrap with this many workers.
    pub(crate) fn start_with_workers(folder: PathBuf, bootstrap: &Value, workers: usize) -> Self {
        Self::try_start_with(folder, &bootstrap.to_string(), workers)
            .unwrap_or_else(|log| panic!("Envoy did not start:\n{log}"))
    }

    /// Starts Envoy on a bootstrap in YAML or JSON; the error is its log.
    pub(crate) fn try_start_text(folder: PathBuf, bootstrap: &str) -> Result<Self, String> {
        Self::try_start_with(folder, bootstrap, 1)
    }

    fn try_start_with(folder: PathBuf, bootstrap: &str, workers: usize) -> Result<Self, String> {
        Self::run(folder, bootstrap, workers, &[])
    }

    /// Starts Envoy with these variables in its environment; the error is its log.
    pub(crate) fn run(
        folder: PathBuf,
        bootstrap: &str,
        workers: usize,
        variables: &[(&str, &str)],
    ) -> Result<Self, String> {
        let file = folder.join("envoy.yaml");
        fs::write(&file, bootstrap).unwrap();
        let admin_path = folder.join("admin-address");
        let mut command = Command::new(tools::envoy());
        command
            .current_dir(&folder)
            .envs(variables.iter().copied())
            .arg("-c")
            .arg(file)
            .args([
                "--use-dynamic-base-id",
                "--concurrency",
                &workers.to_string(),
            ])
            .args(["-l", "warning", "--component-log-level", "wasm:debug"])
            .arg("--admin-address-path")
            .arg(&admin_path);
        let mut process = Process::start("envoy", &mut command);
        let deadline = Instant::now() + PATIENCE;
        while process.is_running() && Instant::now() < deadline {
            if let Some((admin, listeners)) = addresses(&admin_path) {
                return Ok(Self {
                    listeners,
                    admin,
                    process,
                    folder,
                });
            }
            // Envoy tells nobody that it is up; the admin interface has to be asked.
            thread::sleep(Duration::from_millis(20));
        }
        Err(process.log())
    }

    /// Sends one request to the first listener, on a connection of its own.
    pub(crate) fn send(&self, request: &Request) -> Response {
        request.send(self.listeners[0]).unwrap()
    }

    /// Returns the value of a counter or gauge, zero when there is none.
    pub(crate) fn stat(&self, name: &str) -> u64 {
        stat(self.admin, name)
    }

    /// Waits until a counter or gauge has at least this value.
    pub(crate) fn wait_for_stat(&self, name: &str, value: u64) {
        until(
            || self.stat(name) >= value,
            || format!("{name} is {}", self.stat(name)),
        );
    }

    /// Returns all that it has logged.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// Returns its resident memory, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Returns the folder it works in.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Waits until something is so; Envoy tells of its counters only when asked.
pub(crate) fn until(is_so: impl Fn() -> bool, complaint: impl Fn() -> String) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{}", complaint());
        thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the value of a counter or gauge of the Envoy with this admin interface.
pub(crate) fn stat(admin: SocketAddr, name: &str) -> u64 {
    let stats = Request::get("/stats").send(admin).unwrap().text();
    let line = stats
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.map_or(0, |value| value.parse().unwrap())
}

fn addresses(admin_path: &Path) -> Option<(SocketAddr, Vec<SocketAddr>)> {
    let admin = fs::read_to_string(admin_path).ok()?.trim().parse().ok()?;
    let ready = Request::get("/ready").send(admin).ok()?;
    let status = Request::get("/listeners?format=json")
        .send(admin)
        .ok()?
        .json();
    let listeners = status["listener_statuses"].as_array()?;
    let port =
        |listener: &Value| listener["local_address"]["socket_address"]["port_value"].as_u64();
    let address = |port| {
        Some(SocketAddr::from((
            [127, 0, 0, 1],
            u16::try_from(port).ok()?,
        )))
    };
    let listeners: Option<Vec<_>> = listeners.iter().map(|l| address(port(l)?)).collect();
    (ready.status == 200).then_some((admin, listeners?))
}

/// Makes a bootstrap with these HTTP filters in front of the first of these clusters.
pub(crate) fn bootstrap(filters: Vec<Value>, clusters: Vec<Value>) -> Value {
    bootstrap_of(vec![listener("test", filters, &clusters[0])], clusters)
}

/// Makes a bootstrap with these listeners and clusters.
pub(crate) fn bootstrap_of(listeners: Vec<Value>, clusters: Vec<Value>) -> Value {
    json!({
        "node": {"id": "test", "cluster": "test"},
        "admin": {"address": any_port()},
        "static_resources": {"listeners": listeners, "clusters": clusters},
    })
}

/// Makes a listener with these HTTP filters in front of `cluster`.
pub(crate) fn listener(name: &str, filters: Vec<Value>, cluster: &Value) -> Value {
    let router = typed(
        "envoy.filters.http.router",
        "filters.http.router.v3.Router",
        json!({}),
    );
    let filters: Vec<Value> = filters.into_iter().chain([router]).collect();
    let route =
        json!({"match": {"prefix": "/"}, "route": {"cluster": cluster["name"], "timeout": "0s"}});
    let manager = json!({
        "stat_prefix": name,
        "use_remote_address": true,
        "stream_idle_timeout": "0s",
        "http_filters": filters,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
    });
    let kind = "filters.network.http_connection_manager.v3.HttpConnectionManager";
    let manager = typed(
        "envoy.filters.network.http_connection_manager",
        kind,
        manager,
    );
    json!({"name": name, "address": any_port(), "filter_chains": [{"filters": [manager]}]})
}

fn any_port() -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}})
}

/// Makes the filter with these settings.
pub(crate) fn filter(name: &str, settings: &Value) -> Value {
    typed(
        name,
        "filters.http.wasm.v3.Wasm",
        json!({"config": plugin(name, settings)}),
    )
}

/// Makes the configuration of a plugin, as an install on Istio has it: no name of its own for the
/// VM, and closed on failure.
pub(crate) fn plugin(name: &str, settings: &Value) -> Value {
    json!({
        "name": name,
        "failure_policy": "FAIL_CLOSED",
        "configuration": {
            "@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": settings.to_string(),
        },
        "vm_config": {
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": tools::wasm()}},
        },
    })
}

/// Makes the cluster of an address, named as Istio names it.
pub(crate) fn cluster(url: &str) -> Value {
    let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
    let name = format!("outbound|{}||{}", address.port(), address.ip());
    let address = json!({"address": address.ip().to_string(), "port_value": address.port()});
    let endpoint = json!({"endpoint": {"address": {"socket_address": address}}});
    json!({
        "name": name,
        "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    })
}

/// Wraps an extension's configuration.
pub(crate) fn typed(name: &str, kind: &str, mut config: Value) -> Value {
    config["@type"] = json!(format!("type.googleapis.com/envoy.extensions.{kind}"));
    json!({"name": name, "typed_config": config})
}
