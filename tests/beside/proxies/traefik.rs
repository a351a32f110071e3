//! Traefik, with its routes in a file of their own.

use std::fs;
use std::process::Command;

use portcullis_tests::folder::Folder;

use super::{Places, deploy, tool};

pub(super) fn command(folder: &Folder, places: &Places) -> Command {
    let routes = deploy(folder, "traefik-portcullis.yaml", places);
    fs::rename(routes, folder.path().join("portcullis.yaml")).unwrap();
    let config = deploy(folder, "traefik.yaml", places);
    let mut command = Command::new(tool(&["traefik"]));
    command.arg("--configFile").arg(config);
    command
}
