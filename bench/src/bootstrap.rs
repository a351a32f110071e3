//! Envoy's configuration for a contender: what `portcullis render envoy` prints, with the filter
//! taken out or another in its place.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::envoy::{filter_module, native_binary};
use crate::filters::{Filter, SERVICE, Settings};
use crate::spawn::{Place, command};

/// Writes the configuration; what it is made of goes to `folder`.
pub(crate) fn bootstrap_text(folder: &Path, upstream: SocketAddr, filter: &Filter) -> String {
    match filter {
        Filter::Portcullis(settings) => render(folder, upstream, settings),
        Filter::Build(settings, module) => {
            let usual = filter_module().display().to_string();
            let rendered = render(folder, upstream, settings);
            replace(&rendered, &usual, &module.display().to_string())
        }
        Filter::Portable(settings) => {
            let rendered = render(folder, upstream, settings);
            let line = "                root_id: \"portcullis\"\n";
            let restriction = format!(
                "{line}                capability_restriction_config: {}\n",
                without_foreign_functions()
            );
            replace(&rendered, line, &restriction)
        }
        Filter::None => without_filter(&render(folder, upstream, &open())),
        Filter::Other(other, service) => {
            let rendered = without_filter(&render(folder, upstream, &open()));
            let list = "          http_filters:\n";
            let rendered = replace(&rendered, list, &format!("{list}          - {other}\n"));
            let Some(service) = service else {
                return rendered;
            };
            let clusters = "  clusters:\n";
            let cluster = format!("{clusters}  - {}\n", cluster(*service));
            replace(&rendered, clusters, &cluster)
        }
    }
}

fn open() -> Settings {
    json!({"ZSCALER_MCP_AUTH_MODE": "none"})
        .as_object()
        .unwrap()
        .clone()
}

fn render(folder: &Path, upstream: SocketAddr, settings: &Settings) -> String {
    let config = folder.join("settings.json");
    fs::write(&config, Value::Object(settings.clone()).to_string()).unwrap();
    let rendered = command(&native_binary(), Place::Anywhere)
        .args([
            "render",
            "envoy",
            "--listen",
            "127.0.0.1:0",
            "--admin",
            "127.0.0.1:0",
        ])
        .arg("--config")
        .arg(config)
        .args(["--upstream", &format!("http://{upstream}")])
        .arg("--filter")
        .arg(filter_module())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&rendered.stderr);
    assert!(rendered.status.success(), "{errors}");
    String::from_utf8(rendered.stdout).unwrap()
}

/// Takes our filter out of a rendered bootstrap.
fn without_filter(rendered: &str) -> String {
    let from = rendered.find("          - name: \"portcullis\"\n");
    let to = rendered.find("          - name: \"envoy.filters.http.router\"\n");
    let (Some(from), Some(to)) = (from, to) else {
        panic!("the rendered bootstrap has another form:\n{rendered}")
    };
    format!("{}{}", &rendered[..from], &rendered[to..])
}

fn replace(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from} in:\n{text}");
    text.replace(from, to)
}

fn cluster(address: SocketAddr) -> Value {
    let socket = json!({"address": address.ip().to_string(), "port_value": address.port()});
    let endpoint = json!({"endpoint": {"address": {"socket_address": socket}}});
    json!({
        "name": SERVICE,
        "type": "STATIC",
        "load_assignment": {"cluster_name": SERVICE, "endpoints": [{"lb_endpoints": [endpoint]}]},
    })
}

/// Allows every function of host and module but the one that calls Envoy's own functions, as a
/// host without them would.
fn without_foreign_functions() -> Value {
    let module = fs::read(filter_module()).unwrap();
    let text = String::from_utf8_lossy(&module);
    let wasi = [
        "environ_get",
        "environ_sizes_get",
        "fd_write",
        "proc_exit",
        "random_get",
        "clock_time_get",
    ];
    let proxy = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("proxy_") && *word != "proxy_call_foreign_function");
    let allowed: Map<String, Value> = proxy
        .chain(wasi)
        .map(|name| (name.to_owned(), json!({})))
        .collect();
    json!({"allowed_capabilities": allowed})
}
