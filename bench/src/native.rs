//! Starts the native binary.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use portcullis_tests::process::Process;
use serde_json::Value;

use crate::envoy::native_binary;
use crate::filters::Settings;
use crate::spawn::{Place, command, listen_address};

/// The running native binary.
pub(crate) struct Native {
    process: Process,
    /// Where clients connect.
    pub(crate) address: SocketAddr,
}

impl Native {
    /// Starts it in front of `upstream`; its files go to `folder`.
    pub(crate) fn start(
        folder: &Path,
        upstream: SocketAddr,
        settings: &Settings,
        place: Place,
    ) -> Self {
        fs::create_dir_all(folder).unwrap();
        let config = folder.join("settings.json");
        fs::write(&config, Value::Object(settings.clone()).to_string()).unwrap();
        let mut command = command(&native_binary(), place);
        command
            .env("PORTCULLIS_STATE_DIR", folder)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(["--upstream", &format!("http://{upstream}")])
            .arg("--config")
            .arg(config);
        let process = Process::start("portcullis", &mut command);
        let address = process.wait_for_line(listen_address);
        Self {
            address: address
                .unwrap_or_else(|log| panic!("the native binary did not start:\n{log}")),
            process,
        }
    }

    /// Returns the process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}
