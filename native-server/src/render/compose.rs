//! The native binary beside an MCP server in containers of one host.

use portcullis_core::config::Setting;

use crate::render::Install;
use crate::render::files::File;
use crate::render::stopping::{stop_remark, stop_seconds};
use crate::render::yaml::Yaml;

/// The name of the MCP server's service.
pub(crate) const SERVER: &str = "mcp";

/// Where in the container the settings are.
const SETTINGS: &str = "/etc/portcullis/settings.json";

/// Writes the file; `published` is the address of the host, and `server` the MCP server's image.
pub(crate) fn compose(install: &Install, image: &str, server: &str, published: &str) -> File {
    let services = Yaml::map([
        ("portcullis", gate(install, image, published)),
        (SERVER, protected_resource(install, server)),
    ]);
    let networks = Yaml::map([("outside", Yaml::map([])), ("tools", Yaml::map([]))]);
    let settings = install.written().with(Setting::AllowHttp, "true").json();
    // What begins with a dollar sign is a variable to compose.
    let json = format!("{settings:#}").replace('$', "$$");
    let content = Yaml::map([("content", Yaml::Block(json))]);
    let compose = Yaml::map([
        ("name", "portcullis".into()),
        ("services", services),
        ("networks", networks),
        (
            "configs",
            Yaml::map([("settings", content)]).noted("The settings, without secrets."),
        ),
    ]);
    let secrets = install.from_environment.iter();
    let secrets: Vec<String> = secrets
        .map(|setting| format!("{}=...", setting.name()))
        .collect();
    let remark = format!(
        "Its secrets are variables, from your shell or a file `.env` beside this one (mode 600):\n{}\n\
         PORTCULLIS_STATE_KEYS is made by `portcullis --generate-auth-token`.",
        secrets.join("\n")
    );
    File::of("compose", "compose.yaml", &remark, &compose)
}

fn gate(install: &Install, image: &str, published: &str) -> Yaml {
    let port = install.listen.port;
    let arguments = [
        "serve",
        "--config",
        SETTINGS,
        "--listen",
        &format!("0.0.0.0:{port}"),
    ];
    let variables = install.from_environment.iter().map(|setting| {
        let name = setting.name();
        (name.to_owned(), format!("${{{name}:?must be set}}").into())
    });
    let config = Yaml::map([("source", "settings".into()), ("target", SETTINGS.into())]);
    Yaml::map([
        ("image", image.into()),
        ("command", Yaml::list(arguments.map(Yaml::from))),
        ("environment", Yaml::Map(variables.collect())),
        ("configs", Yaml::list([config])),
        (
            "ports",
            Yaml::list([format!("{published}:{port}:{port}").into()])
                .noted("Where clients connect: plain HTTP, so something must end TLS before it leaves the host."),
        ),
        (
            "networks",
            Yaml::list(["outside".into(), "tools".into()]),
        ),
        ("depends_on", Yaml::list([SERVER.into()])),
        ("user", "65532:65532".into()),
        ("read_only", true.into()),
        ("cap_drop", Yaml::list(["ALL".into()])),
        (
            "security_opt",
            Yaml::list(["no-new-privileges:true".into()]),
        ),
        (
            "mem_limit",
            Yaml::from("256m").noted("No fault of the gate takes the memory or the cores of its neighbours."),
        ),
        ("cpus", "1".into()),
        ("pids_limit", 256.into()),
        (
            "healthcheck",
            health(port)
                .noted("Whether the JWKS, where there is one, and the MCP server can be reached."),
        ),
        (
            "stop_grace_period",
            Yaml::from(format!("{}s", stop_seconds())).noted(stop_remark()),
        ),
        ("restart", "unless-stopped".into()),
    ])
}

/// Asks by the binary itself: the image has no other program.
fn health(port: u16) -> Yaml {
    let listen = format!("0.0.0.0:{port}");
    let command = [
        "CMD",
        "/portcullis",
        "check",
        "--ready",
        "--config",
        SETTINGS,
        "--listen",
        &listen,
    ];
    Yaml::map([
        ("test", Yaml::list(command.map(Yaml::from))),
        ("interval", "10s".into()),
        ("timeout", "5s".into()),
        ("retries", 3.into()),
        ("start_period", "10s".into()),
    ])
}

fn protected_resource(install: &Install, image: &str) -> Yaml {
    Yaml::map([
        ("image", image.into()),
        (
            "expose",
            Yaml::list([install.upstream.port().to_string().into()])
                .noted("For the gate only: no port of the host leads here."),
        ),
        ("networks", Yaml::list(["tools".into()])),
        ("restart", "unless-stopped".into()),
    ])
    .noted("The MCP server. It has to listen on all addresses of its container.")
}
