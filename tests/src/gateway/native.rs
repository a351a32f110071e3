//! Starts the native binary.

use std::net::SocketAddr;

use super::{Gateway, Kind, Settings, portcullis};
use crate::folder::Folder;
use crate::process::Process;

pub(super) fn start(settings: &Settings, upstream: Option<&str>) -> Result<Gateway, String> {
    let folder = Folder::new();
    let process = Process::start(
        "portcullis",
        &mut portcullis(&["serve"], &folder, settings, upstream),
    );
    let address = process.wait_for_line(listen_address)?;
    Ok(Gateway {
        kind: Kind::Native,
        process,
        address,
        admin: None,
        _folder: folder,
    })
}

/// Finds `listening on ADDR` in a line, whatever stands around it.
fn listen_address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening on ")?;
    let address: String = rest
        .trim_start_matches("http://")
        .trim_start_matches("https://")
        .chars()
        .take_while(|char| char.is_ascii_hexdigit() || ".:[]".contains(*char))
        .collect();
    address.parse().ok()
}
