//! The pages show the files that are booted here.

use std::fs;

use crate::proxies::root;

#[track_caller]
fn check(page: &str, files: &[&str]) {
    let text = fs::read_to_string(root().join("docs/beside").join(page)).unwrap();
    for file in files {
        let shown = fs::read_to_string(root().join("deploy/beside").join(file)).unwrap();
        let block = format!("\n{shown}```\n");
        assert!(
            text.contains(&block),
            "{page} shows another {file}: copy it there"
        );
    }
}

#[test]
fn each_page_shows_its_files() {
    check("nginx.md", &["nginx.conf"]);
    check("haproxy.md", &["haproxy.cfg", "portcullis.lua"]);
    check("caddy.md", &["Caddyfile"]);
    check("traefik.md", &["traefik.yaml", "traefik-portcullis.yaml"]);
    check(
        "envoy-ext-authz.md",
        &["envoy-grpc.yaml", "envoy-http.yaml"],
    );
}
