//! nginx: the file is included where packages include `/etc/nginx/conf.d/`.

use std::process::Command;

use portcullis_tests::folder::Folder;

use super::{Places, debian, deploy};

pub(super) fn command(folder: &Folder, places: &Places) -> Command {
    let sample = deploy(folder, "nginx.conf", places);
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {}/{kind};\n", folder.path().display()))
        .concat();
    let main = format!(
        "daemon off;\nmaster_process off;\npid {}/pid;\nerror_log stderr warn;\n\
         events {{}}\nhttp {{\naccess_log off;\n{temporary}include {};\n}}\n",
        folder.path().display(),
        sample.display(),
    );
    let main = folder.write("main.conf", main);
    let mut command = debian("nginx");
    command.arg("-p").arg(folder.path()).arg("-c").arg(main);
    command
}
