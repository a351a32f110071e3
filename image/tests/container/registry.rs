//! A registry knows the images by the digests that were printed, and gives them back.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::fetcher::fetch;
use crate::folder::Folder;
use crate::images::{debian, layout, manifest};

const PATIENCE: Duration = Duration::from_secs(30);

/// Debian's registry on a loopback address.
struct Registry {
    child: Child,
    address: SocketAddr,
}

impl Registry {
    fn start(folder: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        let data = folder.join("data");
        let config = folder.join("registry.yml");
        let text = format!(
            "version: 0.1\nhttp: {{addr: {address}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n",
            data.display()
        );
        fs::write(&config, text).unwrap();
        let mut command = debian("docker-registry", "docker-registry");
        command.arg("serve").arg(config);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        drop(free);
        let mut child = command.spawn().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert!(
                child.try_wait().unwrap().is_none(),
                "the registry has ended"
            );
            assert!(Instant::now() < deadline, "the registry does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Self { child, address }
    }

    fn url(&self, image: &str) -> String {
        format!("docker://{}/{image}:test", self.address)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn skopeo(folder: &Path) -> Command {
    let mut command = debian("skopeo", "skopeo");
    command.args(["--insecure-policy", "--tmpdir"]).arg(folder);
    command
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_is_pushed_has_the_digest_that_was_printed_and_comes_back() {
    let folder = Folder::new("registry");
    let registry = Registry::start(folder.path());
    for name in ["filter", "native"] {
        let (layout, url) = (layout(name), registry.url(name));
        let source = format!("oci:{}", layout.display());
        let push = ["copy", "--dest-tls-verify=false", &source, &url];
        said(skopeo(folder.path()).args(push));
        let inspect = [
            "inspect",
            "--tls-verify=false",
            "--format",
            "{{.Digest}}",
            &url,
        ];
        let digest = said(skopeo(folder.path()).args(inspect));
        assert_eq!(digest.trim_end(), manifest(&layout).1);
        let pulled = folder.path().join(name);
        let pull = format!("oci:{}", pulled.display());
        said(skopeo(folder.path()).args(["copy", "--src-tls-verify=false", &url, &pull]));
        assert_eq!(manifest(&pulled), manifest(&layout));
    }
    let pulled = fetch(&folder.path().join("filter")).unwrap();
    assert_eq!(pulled, fetch(&layout("filter")).unwrap());
}

/// Registries that know Docker's format only: the digest is another, and the filter is found.
#[test]
fn the_filter_is_found_in_dockers_format_too() {
    let folder = Folder::new("docker-format");
    let registry = Registry::start(folder.path());
    let (layout, url) = (layout("filter"), registry.url("filter"));
    let source = format!("oci:{}", layout.display());
    let push = [
        "copy",
        "--format=v2s2",
        "--dest-tls-verify=false",
        &source,
        &url,
    ];
    said(skopeo(folder.path()).args(push));
    let pulled = folder.path().join("pulled");
    let pull = format!("dir:{}", pulled.display());
    said(skopeo(folder.path()).args(["copy", "--src-tls-verify=false", &url, &pull]));
    let manifest = fs::read(pulled.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let docker = "application/vnd.docker.distribution.manifest.v2+json";
    assert_eq!(manifest["mediaType"], docker);
    let last = manifest["layers"].as_array().unwrap().last().unwrap();
    let docker = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    assert_eq!(last["mediaType"], docker);
}
