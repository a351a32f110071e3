//! HAProxy, with its script beside its file.

use std::process::Command;

use super::{Folder, Places, debian};

pub(super) fn command(folder: &Folder, places: &Places) -> Command {
    folder.deploy("portcullis.lua", places);
    let config = folder.deploy("haproxy.cfg", places);
    let mut command = debian("haproxy");
    command.arg("-db").arg("-f").arg(config);
    command
}
