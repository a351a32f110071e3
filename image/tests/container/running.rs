//! The native image runs: its layer is the root of a process without rights.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::folder::Folder;
use crate::images::{blob, layout, manifest};

/// A program in the root of its own; it ends with this.
struct Container {
    child: Child,
    address: String,
}

impl Container {
    /// Runs the image as its config says, with these variables besides.
    fn start(root: &Path, config: &Value, variables: &[(&str, &str)]) -> Self {
        let run = &config["config"];
        let strings = |list: &Value| -> Vec<String> {
            let list = list.as_array().unwrap().iter();
            list.map(|one| one.as_str().unwrap().to_owned()).collect()
        };
        let environment = strings(&run["Env"]);
        let environment = environment.iter().map(|line| line.split_once('=').unwrap());
        let mut command = Command::new("/usr/sbin/chroot");
        command
            .arg(format!("--userspec={}", run["User"].as_str().unwrap()))
            .arg(root)
            .args(strings(&run["Entrypoint"]))
            .args(strings(&run["Cmd"]))
            .args([
                "--listen",
                "127.0.0.1:0",
                "--upstream",
                "http://127.0.0.1:9",
            ])
            .env_clear()
            .envs(environment)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            if log.read_line(&mut line).unwrap() == 0 {
                drop(child.wait());
                panic!("it ended:\n{said}");
            }
            if let Some((_, rest)) = line.split_once("listening on ") {
                let address = rest.split_whitespace().next().unwrap();
                break address.trim_start_matches("http://").to_owned();
            }
            said += &line;
        };
        // It goes on writing, and must not be held up.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, address }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Unpacks the native image, as root: owners count.
fn unpack(folder: &Path) -> Value {
    let layout = layout("native");
    let (manifest, _) = manifest(&layout);
    let archive = folder.join("layer.tar.gz");
    fs::write(&archive, blob(&layout, &manifest["layers"][0])).unwrap();
    let root = folder.join("root");
    fs::create_dir(&root).unwrap();
    let mut tar = Command::new("tar");
    tar.args([
        "--extract",
        "--gunzip",
        "--same-owner",
        "--same-permissions",
        "--file",
    ]);
    let status = tar.arg(&archive).arg("--directory").arg(&root).status();
    assert!(status.unwrap().success(), "the tests of images run as root");
    serde_json::from_slice(&blob(&layout, &manifest["config"])).unwrap()
}

#[test]
fn the_binary_runs_without_root_in_an_image_without_anything_else() {
    let folder = Folder::new("root");
    let config = unpack(folder.path());
    let root = folder.path().join("root");
    // No key is given, so it makes one in the folder for its state.
    let mode = [("ZSCALER_MCP_AUTH_MODE", "api-key")];
    let container = Container::start(&root, &config, &mode);
    assert!(container.get("/health").starts_with("HTTP/1.1 200 "));
    assert!(container.get("/mcp").starts_with("HTTP/1.1 401 "));
    let status = format!("/proc/{}/status", container.child.id());
    let status = fs::read_to_string(status).unwrap();
    let line = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(line("Uid:"), "65532 65532 65532 65532");
    assert_eq!(line("CapEff:"), "0000000000000000");
    let key = fs::metadata(root.join("var/lib/portcullis/api-key")).unwrap();
    assert_eq!((key.uid(), key.mode() & 0o777), (65532, 0o600));
}

#[test]
fn the_trust_roots_are_found() {
    let folder = Folder::new("roots");
    let config = unpack(folder.path());
    // The connection fails, as nobody is there, and not for want of trust roots.
    let variables = [
        ("ZSCALER_MCP_AUTH_MODE", "jwt"),
        ("ZSCALER_MCP_AUTH_JWKS_URI", "https://127.0.0.1:9/jwks"),
    ];
    let root = folder.path().join("root");
    let container = Container::start(&root, &config, &variables);
    assert!(container.get("/ready").starts_with("HTTP/1.1 503 "));
    drop(container);
    fs::remove_file(root.join("etc/ssl/certs/ca-certificates.crt")).unwrap();
    let refused = std::panic::catch_unwind(|| Container::start(&root, &config, &variables));
    assert!(refused.is_err(), "it started without trust roots");
}
