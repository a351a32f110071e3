//! The real `zscaler-mcp` server, and as the protected resource, its own authentication off.

use std::process::Command;

use portcullis_tests::process::Process;
use portcullis_tests::{Gateway, Kind};

use crate::clients::{Client, Outcome};
use crate::modes::api_key;
use crate::programs::{folder, origin, tool};

/// The running server.
pub(crate) struct ZscalerServer {
    _process: Process,
    origin: String,
}

impl ZscalerServer {
    /// Starts it with these environment variables and no others of ours.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        static PID_FILE: &str = "portcullis-tests-zscaler-mcp";
        let pid_file = format!("{PID_FILE}-{}.pid", std::process::id());
        let mut command = Command::new(tool(&["python"]));
        command
            .arg(folder("tests/e2e").join("run_zscaler.py"))
            .args(["--transport", "streamable-http", "--port", "0"])
            // It would write one for the whole machine.
            .arg("--pid-file")
            .arg(std::env::temp_dir().join(pid_file))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            // These reach nothing: no tool is called, and the filter would ask a real tenant.
            .env("ZSCALER_CLIENT_ID", "unused")
            .env("ZSCALER_CLIENT_SECRET", "unused")
            .env("ZSCALER_CUSTOMER_ID", "unused")
            .env("ZSCALER_MCP_DISABLE_ENTITLEMENT_FILTER", "true")
            .envs(settings.iter().copied());
        let process = Process::start("zscaler-mcp", &mut command);
        let origin = process
            .wait_for_line(|line| line.contains("Uvicorn running").then(|| origin(line))?)
            .unwrap();
        Self {
            _process: process,
            origin,
        }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }
}

fn lists_its_tools(kind: Kind) {
    let mode = api_key();
    let server = ZscalerServer::start(&[("ZSCALER_MCP_AUTH_MODE", "none")]);
    let gateway = Gateway::start(kind, &mode.settings, server.origin());
    let url = format!("http://{}/mcp", gateway.address());
    let seen = Client::Python.call(&url, "-", "{}", &mode.good[0]).answer();
    assert!(seen.tools.len() > 100, "{} tools", seen.tools.len());
    assert!(seen.tools.iter().any(|tool| tool.starts_with("zia_")));
    for headers in &mode.bad {
        let outcome = Client::Python.call(&url, "-", "{}", headers);
        assert!(
            matches!(outcome, Outcome::Refused),
            "{headers:?}: {outcome:?}"
        );
    }
}

#[test]
fn zscaler_mcp_lists_its_tools_through_envoy() {
    lists_its_tools(Kind::Envoy);
}

#[test]
fn zscaler_mcp_lists_its_tools_through_native() {
    lists_its_tools(Kind::Native);
}
