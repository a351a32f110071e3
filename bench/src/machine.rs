//! The machine and the versions of what ran on it.

use std::fs;
use std::process::Command;

use crate::envoy;
use crate::spawn::target;
use crate::world::own_file;

/// Facts by name.
pub(crate) type Facts = Vec<(&'static str, String)>;

/// Returns how busy the machine is, as the kernel says.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Returns what a reader needs to judge the numbers, `load` being that before the start; the other
/// gateways must be installed by then.
pub(crate) fn facts(load: String) -> Facts {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = value_of(&cpuinfo, "model name");
    let cores = cpuinfo.matches("processor\t").count();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = value_of(&memory, "MemTotal");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    vec![
        ("date", date()),
        ("processor", format!("{model}, {cores} cores")),
        ("memory", memory),
        ("kernel", format!("Linux {}", kernel.trim())),
        ("load average at the start", load),
        ("portcullis", revision()),
        (
            "compiler",
            first_line(Command::new("rustc").arg("--version")),
        ),
        ("Envoy", envoy_version()),
        ("nginx", tool("nginx", "-v")),
        ("HAProxy", tool("haproxy", "-v")),
        ("zscaler-mcp", zscaler_versions()),
    ]
}

fn value_of(text: &str, name: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once(':'));
    value.map_or_else(
        || "unknown".to_owned(),
        |(_, value)| value.trim().to_owned(),
    )
}

fn revision() -> String {
    let git = |arguments: &[&str]| {
        first_line(
            Command::new("git")
                .args(arguments)
                .current_dir(own_file("..")),
        )
    };
    let dirty = git(&["status", "--porcelain", "--untracked-files=no"]);
    let changed = if dirty == "unknown" {
        ""
    } else {
        ", with changes"
    };
    format!("{}{changed}", git(&["rev-parse", "--short", "HEAD"]))
}

fn envoy_version() -> String {
    let text = first_line(Command::new(envoy::binary()).arg("--version"));
    // `…/envoy  version: <revision>/1.40.0/Clean/RELEASE/BoringSSL`
    text.rsplit("version: ").next().unwrap_or(&text).to_owned()
}

fn tool(name: &str, argument: &str) -> String {
    let root = target().join("tools").join(name);
    let own = root.join("usr/sbin").join(name);
    let program = if own.exists() { own } else { name.into() };
    let architecture = std::env::consts::ARCH;
    let libraries = root.join(format!("usr/lib/{architecture}-linux-gnu"));
    first_line(
        Command::new(program)
            .arg(argument)
            .env("LD_LIBRARY_PATH", libraries),
    )
}

fn zscaler_versions() -> String {
    let lock = fs::read_to_string(own_file("../tests/e2e/requirements.txt")).unwrap_or_default();
    let wanted = ["zscaler-mcp==", "uvicorn==", "h11==", "PyJWT=="];
    let versions: Vec<&str> = lock
        .lines()
        .filter(|line| wanted.iter().any(|name| line.starts_with(name)))
        .collect();
    versions.join(", ").replace("==", " ")
}

fn first_line(command: &mut Command) -> String {
    let Ok(output) = command.output() else {
        return "unknown".to_owned();
    };
    let all = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&all);
    let line = text.lines().find(|line| !line.trim().is_empty());
    line.unwrap_or("unknown").trim().to_owned()
}

/// Returns today's date, UTC.
fn date() -> String {
    first_line(Command::new("date").args(["-u", "+%Y-%m-%d"]))
}
