//! Caddy.

use std::process::Command;

use portcullis_tests::folder::Folder;

use super::{Places, deploy, tool};

pub(super) fn command(folder: &Folder, places: &Places) -> Command {
    let config = deploy(folder, "Caddyfile", places);
    let mut command = Command::new(tool(&["caddy"]));
    command
        // Where it keeps what it makes.
        .env("XDG_DATA_HOME", folder.path())
        .env("XDG_CONFIG_HOME", folder.path())
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(config);
    command
}
