//! Other gateways, where they can be installed.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use portcullis_tests::process::Process;

use crate::contender::Contender;
use crate::credentials::{API_KEY, AUDIENCE, ISSUER};
use crate::load::Requests;
use crate::pem::public_key_pem;
use crate::spawn::{Place, command, free_port, target};
use crate::usage::resident_memory;
use crate::world::{World, own_file, same};

/// How long a peer may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Absent peers with the reason.
type Absent = Vec<(String, String)>;

/// Starts the contenders of one family; the error says why it cannot be had.
type Make = fn(&World) -> Result<Vec<Contender>, String>;

/// Starts the peers that are wanted and can be had.
pub(crate) fn start(world: &World, wanted: &dyn Fn(&str) -> bool) -> (Vec<Contender>, Absent) {
    let mut contenders = Vec::new();
    let mut absent = Vec::new();
    let families: [(&str, Make, &[&str]); 3] = [
        ("nginx", nginx, &["nginx-bare", "nginx-auth-request"]),
        ("HAProxy", haproxy, &["haproxy-jwt-verify"]),
        (
            "zscaler-mcp",
            zscaler,
            &["zscaler-mcp-api-key", "zscaler-mcp-jwt"],
        ),
    ];
    for (name, make, ids) in families {
        if !ids.iter().any(|id| wanted(id)) {
            continue;
        }
        match make(world) {
            Ok(made) => contenders.extend(made),
            Err(reason) => absent.push((name.to_owned(), reason)),
        }
    }
    (contenders, absent)
}

fn nginx(world: &World) -> Result<Vec<Contender>, String> {
    let root = debian("nginx")?;
    let bare = one_nginx(world, &root, "nginx-bare", "nginx bare", false)?;
    let title = "nginx auth_request, trivial HTTP service (its CPU counted)";
    let mut asking = one_nginx(world, &root, "nginx-auth-request", title, true)?;
    asking.service = Some(world.service.id());
    asking.bare = Some(bare.id);
    Ok(vec![bare, asking])
}

fn one_nginx(
    world: &World,
    root: &Path,
    id: &'static str,
    title: &str,
    protected: bool,
) -> Result<Contender, String> {
    let folder = world.folder(id);
    fs::create_dir_all(&folder).unwrap();
    let port = free_port();
    let config = folder.join("nginx.conf");
    fs::write(&config, nginx_config(world, &folder, port, protected)).unwrap();
    let mut command = unpacked(root, "nginx");
    command.arg("-p").arg(&folder).arg("-c").arg(config);
    let process = Process::start("nginx", &mut command);
    contender(id, title, process, port, same(world, "api-key"))
}

fn nginx_config(world: &World, folder: &Path, port: u16, protected: bool) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path {}/{kind};\n", folder.display()))
        .concat();
    let upstream = |name: &str, address: SocketAddr| {
        format!(
            "  upstream {name} {{ server {address}; keepalive 64; \
             keepalive_requests 1000000000; }}\n"
        )
    };
    let pass = "proxy_http_version 1.1; proxy_set_header Connection \"\";";
    let question = if protected {
        "auth_request /question;"
    } else {
        ""
    };
    format!(
        "daemon off;\nmaster_process off;\npid {0}/pid;\nerror_log stderr error;\n\
         events {{ worker_connections 4096; }}\nhttp {{\n  access_log off;\n  \
         keepalive_requests 1000000000;\n{temporary}{1}{2}  server {{\n    \
         listen 127.0.0.1:{port};\n    location / {{ {question} {pass} \
         proxy_pass http://resource; }}\n    location = /question {{ internal; {pass} \
         proxy_pass_request_body off; proxy_set_header Content-Length \"\"; \
         proxy_pass http://service; }}\n  }}\n}}\n",
        folder.display(),
        upstream("resource", world.resource.address()),
        upstream("service", world.service.address()),
    )
}

fn haproxy(world: &World) -> Result<Vec<Contender>, String> {
    let root = debian("haproxy")?;
    let folder = world.folder("haproxy");
    fs::create_dir_all(&folder).unwrap();
    let key = folder.join("key.pem");
    fs::write(&key, public_key_pem(&world.keys)).unwrap();
    let port = free_port();
    let config = format!(
        "global\n  nbthread 1\n  maxconn 4096\ndefaults\n  mode http\n  timeout connect 5s\n  \
         timeout client 1h\n  timeout server 1h\nfrontend clients\n  bind 127.0.0.1:{port}\n  \
         http-request set-var(txn.alg) http_auth_bearer,jwt_header_query('$.alg')\n  \
         http-request set-var(txn.iss) http_auth_bearer,jwt_payload_query('$.iss')\n  \
         http-request set-var(txn.aud) http_auth_bearer,jwt_payload_query('$.aud')\n  \
         http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int')\n  \
         http-request set-var(txn.now) date()\n  \
         http-request deny deny_status 401 unless {{ var(txn.alg) -m str RS256 }}\n  \
         http-request deny deny_status 401 unless {{ var(txn.iss) -m str {ISSUER} }}\n  \
         http-request deny deny_status 401 unless {{ var(txn.aud) -m str {AUDIENCE} }}\n  \
         http-request deny deny_status 401 if {{ var(txn.exp),sub(txn.now) -m int lt 0 }}\n  \
         http-request deny deny_status 401 unless {{ http_auth_bearer,jwt_verify(txn.alg,\"{}\") 1 }}\n  \
         http-request del-header authorization\n  default_backend resource\nbackend resource\n  \
         http-reuse always\n  server resource {}\n",
        key.display(),
        world.resource.address(),
    );
    fs::write(folder.join("haproxy.cfg"), config).unwrap();
    let mut command = unpacked(&root, "haproxy");
    command.arg("-db").arg("-f").arg(folder.join("haproxy.cfg"));
    let process = Process::start("haproxy", &mut command);
    let title = "HAProxy jwt_verify, RS256";
    Ok(vec![contender(
        "haproxy-jwt-verify",
        title,
        process,
        port,
        same(world, "jwt"),
    )?])
}

fn zscaler(world: &World) -> Result<Vec<Contender>, String> {
    let script = own_file("../scripts/tools.py");
    let python = output(Command::new("python3").arg(script).arg("python"))?;
    let program = Path::new(&python);
    let contender = |id, mode: &str| {
        let port = free_port();
        let mut command = command(program, Place::Contender);
        command
            .arg(own_file("peers/zscaler_app.py"))
            .arg(port.to_string());
        for (name, value) in zscaler_settings(world, mode) {
            command.env(name, value);
        }
        let process = Process::start(id, &mut command);
        let title = format!("zscaler-mcp middleware on uvicorn, {mode} (no proxying)");
        contender(id, &title, process, port, same(world, mode))
    };
    Ok(vec![
        contender("zscaler-mcp-api-key", "api-key")?,
        contender("zscaler-mcp-jwt", "jwt")?,
    ])
}

fn zscaler_settings(world: &World, mode: &str) -> Vec<(&'static str, String)> {
    let jwks = format!("http://{}/jwks", world.resource.address());
    vec![
        ("ZSCALER_MCP_AUTH_MODE", mode.to_owned()),
        ("ZSCALER_MCP_AUTH_API_KEY", API_KEY.to_owned()),
        ("ZSCALER_MCP_AUTH_JWKS_URI", jwks),
        ("ZSCALER_MCP_AUTH_ISSUER", ISSUER.to_owned()),
        ("ZSCALER_MCP_AUTH_AUDIENCE", AUDIENCE.to_owned()),
    ]
}

fn contender(
    id: &'static str,
    title: &str,
    mut process: Process,
    port: u16,
    requests: Requests,
) -> Result<Contender, String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let deadline = Instant::now() + PATIENCE;
    // These programs do not say when they listen.
    while TcpStream::connect(address).is_err() {
        if !process.is_running() || Instant::now() > deadline {
            return Err(format!("does not start: {}", process.log()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let id_of_process = process.id();
    Ok(Contender {
        id,
        title: title.to_owned(),
        bare: None,
        address,
        process: id_of_process,
        service: None,
        requests,
        idle_memory: resident_memory(id_of_process),
        _owned: Box::new(process),
        samples: Vec::new(),
    })
}

/// Returns the folder in which a Debian package is unpacked.
fn debian(package: &str) -> Result<PathBuf, String> {
    let folder = target().join("tools").join(package);
    let script = own_file("peers/debian.py");
    let words = [package, package];
    output(Command::new("python3").arg(script).arg(folder).args(words)).map(PathBuf::from)
}

/// Makes a command of an unpacked program.
fn unpacked(root: &Path, program: &str) -> Command {
    let places = ["usr/sbin", "usr/bin"].map(|place| root.join(place).join(program));
    let found = places.iter().find(|place| place.exists());
    let mut command = command(found.unwrap_or(&places[0]), Place::Contender);
    if root != Path::new("/") {
        let architecture = std::env::consts::ARCH;
        command.env(
            "LD_LIBRARY_PATH",
            root.join(format!("usr/lib/{architecture}-linux-gnu")),
        );
    }
    command
}

/// Runs a command and returns what it printed; the error is the last line of its errors.
fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(errors.trim().lines().last().unwrap_or("failed").to_owned())
    }
}
