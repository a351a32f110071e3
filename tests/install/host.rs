//! Installs of the native binary: the unit, settings that it takes, and its end.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use portcullis_tests::{Gateway, Kind, Settings};
use serde_json::Value;

use crate::render::{API_KEY, Folder, MODES, STATE_KEY, documents, mode, render, rendered, tool};
use crate::tools;

const SECRETS: [(&str, &str); 3] = [
    ("ZSCALER_MCP_AUTH_API_KEY", API_KEY),
    ("PORTCULLIS_STATE_KEYS", STATE_KEY),
    ("OIDCPROXY_CLIENT_SECRET", "secret"),
];

/// Lets the binary explain these settings, with the secrets that an install refers to.
#[track_caller]
fn assert_taken(folder: &Folder, settings: &str, arguments: &[&str], expected_mode: &str) {
    let secrets = SECRETS.iter().filter(|(name, _)| match *name {
        "ZSCALER_MCP_AUTH_API_KEY" => expected_mode == "api-key",
        "OIDCPROXY_CLIENT_SECRET" => expected_mode == "oidcproxy",
        _ => true,
    });

    let file = folder.0.join("given.json");
    fs::write(&file, settings).unwrap();
    let listen = arguments
        .iter()
        .position(|argument| *argument == "--listen");
    let listen = arguments[listen.unwrap() + 1];
    let output = tools::portcullis()
        .args(["explain", "--listen", listen, "--config"])
        .arg(file)
        .envs(secrets.copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{settings}");
    assert!(text.contains(&format!("mode: {expected_mode}\n")), "{text}");
}

#[test]
fn binary_takes_the_settings_of_every_install_in_every_mode() {
    let folder = Folder::new();
    for (name, variables) in MODES {
        let objects = documents(&rendered(&["kubernetes"], variables));
        let find = |kind: &str| {
            objects
                .iter()
                .find(|object| object["kind"] == kind)
                .unwrap()
        };
        let settings = find("ConfigMap")["data"]["settings.json"].as_str().unwrap();
        let container = &find("Deployment")["spec"]["template"]["spec"]["containers"][0];
        assert_taken(&folder, settings, &words(&container["args"]), name);

        let compose = &documents(&rendered(&["compose"], variables))[0];
        let settings = compose["configs"]["settings"]["content"].as_str().unwrap();
        let command = &compose["services"]["portcullis"]["command"];
        assert_taken(&folder, settings, &words(command), name);

        let unit = install_unit(&folder, &[], variables);
        let settings = fs::read_to_string(folder.0.join("settings.json")).unwrap();
        let start = value(&unit, "ExecStart");
        let command: Vec<&str> = start.split(' ').collect();
        assert_taken(&folder, &settings, &command, name);
    }
}

fn words(list: &Value) -> Vec<&str> {
    let words = list.as_array().unwrap().iter();
    words.map(|word| word.as_str().unwrap()).collect()
}

/// Renders the unit into the folder, and returns it.
fn install_unit(folder: &Folder, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let directory = folder.0.to_str().unwrap();
    rendered(
        &[&["systemd", "--dir", directory], arguments].concat(),
        variables,
    );
    fs::read_to_string(folder.0.join("portcullis.service")).unwrap()
}

fn value<'a>(unit: &'a str, name: &str) -> &'a str {
    let mut lines = unit.lines();
    let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("no {name} in {unit}"))
}

/// Runs systemd's own checks.
fn analyze(arguments: &[&str], unit: &Path) -> Output {
    let program = tool(&["debian", "systemd", "systemd-analyze"]);
    let root = program.ancestors().nth(3).unwrap();
    let libraries = root.join(format!(
        "usr/lib/{}-linux-gnu/systemd",
        std::env::consts::ARCH
    ));
    let mut command = Command::new(&program);
    if root != Path::new("/") {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    command.args(arguments).arg(unit).output().unwrap()
}

#[test]
fn unit_is_one_that_systemd_takes_and_calls_well_enclosed() {
    let folder = Folder::new();
    let binary = std::env::current_exe().unwrap();
    let binary = ["--binary", binary.to_str().unwrap()];
    let tls = [
        ("ZSCALER_MCP_AUTH_MODE", "none"),
        ("ZSCALER_MCP_TLS_CERTFILE", "/etc/ssl/gate.pem"),
        ("ZSCALER_MCP_TLS_KEYFILE", "/etc/ssl/gate.key"),
    ];
    let low_port = [&binary[..], &["--listen", "0.0.0.0:443"]].concat();
    for (arguments, variables) in [(&binary[..], mode("jwt")), (&low_port, &tls)] {
        let unit = install_unit(&folder, arguments, variables);
        let file = folder.0.join("portcullis.service");
        let output = analyze(&["verify", "--man=no"], &file);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert!(output.status.success() && text.is_empty(), "{text}\n{unit}");
        // In tenths; a unit that says nothing of the kind has 9.6.
        let output = analyze(&["security", "--offline=true", "--threshold=20"], &file);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
    }
    let unit = fs::read_to_string(folder.0.join("portcullis.service")).unwrap();
    assert!(
        unit.contains("LoadCredential=tls.key:/etc/ssl/gate.key\n"),
        "{unit}"
    );
    assert!(
        unit.contains("Environment=ZSCALER_MCP_TLS_KEYFILE=%d/tls.key\n"),
        "{unit}"
    );
    assert!(
        unit.contains("AmbientCapabilities=CAP_NET_BIND_SERVICE\n"),
        "{unit}"
    );
}

#[test]
fn unit_does_not_open_what_serve_would_refuse() {
    let output = render(
        &[
            "systemd",
            "--upstream",
            "http://127.0.0.1:9000",
            "--listen",
            "0.0.0.0:8000",
        ],
        mode("jwt"),
    );
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("ZSCALER_MCP_ALLOW_HTTP"), "{errors}");
    assert!(!output.status.success());
}

#[test]
fn nobody_ends_the_binary_by_force_before_it_has_ended_by_itself() {
    let variables = mode("jwt");
    let objects = documents(&rendered(&["kubernetes"], variables));
    let deployment = objects.iter().find(|object| object["kind"] == "Deployment");
    let pod = &deployment.unwrap()["spec"]["template"]["spec"];
    let sleep = &pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"];
    let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
    let in_pod = grace - sleep.as_u64().unwrap();

    let compose = &documents(&rendered(&["compose"], variables))[0];
    let in_container = &compose["services"]["portcullis"]["stop_grace_period"];

    let folder = Folder::new();
    let unit = install_unit(&folder, &[], variables);
    let of_unit = value(&unit, "TimeoutStopSec");

    assert_eq!(*in_container, format!("{in_pod}s"));
    assert_eq!(of_unit, in_pod.to_string());
    let took = stop_with_a_stream_open();
    assert!(took < Duration::from_secs(in_pod), "{took:?}");
}

/// Has the binary stop while a client reads a stream that does not end, and returns how long it
/// took.
fn stop_with_a_stream_open() -> Duration {
    let resource = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = format!("http://{}", resource.local_addr().unwrap());
    let settings = Settings::new().with("ZSCALER_MCP_AUTH_MODE", "none");
    let gateway = Gateway::start(Kind::Native, &settings, &upstream);
    let mut client = TcpStream::connect(gateway.address()).unwrap();
    client
        .write_all(b"GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let (mut stream, _) = resource.accept().unwrap();
    stream.read_exact(&mut [0]).unwrap();
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: begun\n\n";
    stream.write_all(head).unwrap();
    let mut status = [0; 12];
    client.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    let begun = Instant::now();
    let id = gateway.process_id().to_string();
    assert!(Command::new("kill").arg(id).status().unwrap().success());
    drop(client.read_to_end(&mut Vec::new()));
    begun.elapsed()
}
