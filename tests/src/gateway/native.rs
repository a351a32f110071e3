//! Starts the native binary.

use std::net::SocketAddr;

use super::{Gateway, Kind, Settings, portcullis};
use crate::folder::Folder;
use crate::process::Process;

pub(super) fn start(settings: &Settings, upstream: Option<&str>) -> Result<Gateway, String> {
    let folder = Folder::new();
    let mut command = portcullis(&["serve"], &folder, settings, upstream);
    if let Some(token) = &settings.admin_token {
        let file = folder.write("admin-token", token);
        command.args(["--admin", "127.0.0.1:0", "--admin-token-file"]);
        command.arg(file);
    }
    let process = Process::start("portcullis", &mut command);
    let address = process.wait_for_line(|line| address_after(line, "listening on "))?;
    let admin = settings.admin_token.as_ref().map(|_| {
        let find = |line: &str| address_after(line, "metrics on ");
        process.wait_for_line(find)
    });
    Ok(Gateway {
        kind: Kind::Native,
        process,
        address,
        admin: admin.transpose()?,
        _folder: folder,
    })
}

/// Finds the address after `words` in a line, whatever stands around it.
fn address_after(line: &str, words: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(words)?;
    let address: String = rest
        .trim_start_matches("http://")
        .trim_start_matches("https://")
        .chars()
        .take_while(|char| char.is_ascii_hexdigit() || ".:[]".contains(*char))
        .collect();
    address.parse().ok()
}
