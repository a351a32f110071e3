//! Caddy.

use std::process::Command;

use super::{Folder, Places, tool};

pub(super) fn command(folder: &Folder, places: &Places) -> Command {
    let config = folder.deploy("Caddyfile", places);
    let mut command = Command::new(tool(&["caddy"]));
    command
        // Where it keeps what it makes.
        .env("XDG_DATA_HOME", &folder.0)
        .env("XDG_CONFIG_HOME", &folder.0)
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(config);
    command
}
