//! Envoy, asking by HTTP or by gRPC.

use std::process::Command;

use super::{Folder, Places, tool};

pub(super) fn command(folder: &Folder, places: &Places, name: &str) -> Command {
    let config = folder.deploy(name, places);
    let mut command = Command::new(tool(&["envoy"]));
    command
        .args([
            "--use-dynamic-base-id",
            "--concurrency",
            "1",
            "-l",
            "warning",
            "-c",
        ])
        .arg(config);
    command
}
