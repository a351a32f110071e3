//! nginx: the file is included where packages include `/etc/nginx/conf.d/`.

use std::process::Command;

use super::{Folder, Places, debian};

pub(super) fn command(folder: &Folder, places: &Places) -> Command {
    let sample = folder.deploy("nginx.conf", places);
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {}/{kind};\n", folder.0.display()))
        .concat();
    let main = format!(
        "daemon off;\nmaster_process off;\npid {}/pid;\nerror_log stderr warn;\n\
         events {{}}\nhttp {{\naccess_log off;\n{temporary}include {};\n}}\n",
        folder.0.display(),
        sample.display(),
    );
    let main = folder.write("main.conf", main);
    let mut command = debian("nginx");
    command.arg("-p").arg(&folder.0).arg("-c").arg(main);
    command
}
