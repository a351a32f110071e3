//! Envoy, asking by HTTP or by gRPC.

use std::process::Command;

use portcullis_tests::folder::Folder;

use super::{Places, deploy, tool};

pub(super) fn command(folder: &Folder, places: &Places, name: &str) -> Command {
    let config = deploy(folder, name, places);
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
