//! Traefik, with its routes in a file of their own.

use std::fs;
use std::process::Command;

use super::{Folder, Places, tool};

pub(super) fn command(folder: &Folder, places: &Places) -> Command {
    let routes = folder.deploy("traefik-portcullis.yaml", places);
    fs::rename(routes, folder.0.join("portcullis.yaml")).unwrap();
    let config = folder.deploy("traefik.yaml", places);
    let mut command = Command::new(tool(&["traefik"]));
    command.arg("--configFile").arg(config);
    command
}
