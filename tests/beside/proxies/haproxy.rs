//! HAProxy, with its script beside its file.

use std::process::Command;

use portcullis_tests::folder::Folder;

use super::{Places, debian, deploy};

pub(super) fn command(folder: &Folder, places: &Places) -> Command {
    deploy(folder, "portcullis.lua", places);
    let config = deploy(folder, "haproxy.cfg", places);
    let mut command = debian("haproxy");
    command.arg("-db").arg("-f").arg(config);
    command
}
