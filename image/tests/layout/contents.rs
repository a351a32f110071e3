//! What is in the images, and that it is the same each time.

use std::fs;
use std::path::Path;

use portcullis_image::{Image, filter, native};
use serde_json::Value;

use crate::fetcher::tar;
use crate::folder::Folder;

/// Writes an image, and returns its config and what `tar` says of its only layer.
fn written(image: &Image, folder: &Path) -> (Value, String) {
    image.write(folder, "test").unwrap();
    let read = |reference: &Value| {
        let digest = reference["digest"].as_str().unwrap();
        fs::read(folder.join("blobs").join(digest.replace(':', "/"))).unwrap()
    };
    let parse = |octets: Vec<u8>| -> Value { serde_json::from_slice(&octets).unwrap() };
    let index = parse(fs::read(folder.join("index.json")).unwrap());
    let manifest = parse(read(&index["manifests"][0]));
    let layer = read(&manifest["layers"][0]);
    let list = [
        "--list",
        "--verbose",
        "--numeric-owner",
        "--utc",
        "--full-time",
    ];
    let list = String::from_utf8(tar(&list, &layer).unwrap()).unwrap();
    // Columns are as wide as their contents.
    let lines = list.lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.join(" ")
    });
    let list = lines.collect::<Vec<_>>().join("\n");
    (parse(read(&manifest["config"])), list)
}

/// The head of a program without libraries.
fn program() -> Vec<u8> {
    let mut program = vec![0; 64];
    program[..6].copy_from_slice(b"\x7fELF\x02\x01");
    program[18] = 62;
    program[54] = 56;
    program
}

#[test]
fn the_filter_image_holds_the_module_alone() {
    let folder = Folder::new("filter");
    let (config, list) = written(&filter(b"\0asm\x01\0\0\0", None).unwrap(), folder.path());
    assert_eq!(list, "-rw-r--r-- 0/0 8 1970-01-01 00:00:00 plugin.wasm");
    assert_eq!(config["os"], "linux");
    let labels = &config["config"]["Labels"];
    assert_eq!(
        labels["org.opencontainers.image.title"],
        "portcullis-filter"
    );
    assert_eq!(labels["org.opencontainers.image.licenses"], "Apache-2.0");
}

#[test]
fn the_native_image_has_no_shell_and_runs_as_nobody_in_particular() {
    let folder = Folder::new("native");
    let (config, list) = written(&native(&program(), None).unwrap(), folder.path());
    let lines: Vec<(&str, &str)> = list
        .lines()
        .map(|line| {
            let mut words = line.split(' ');
            let (mode, owner) = (words.next().unwrap(), words.next().unwrap());
            assert!(line.contains("1970-01-01 00:00:00"), "{line}");
            assert_eq!(
                owner == "65532/65532",
                line.ends_with("/portcullis/"),
                "{line}"
            );
            (mode, words.next_back().unwrap())
        })
        .collect();
    let expected = [
        ("drwxr-xr-x", "etc/"),
        ("-rw-r--r--", "etc/group"),
        ("-rw-r--r--", "etc/passwd"),
        ("drwxr-xr-x", "etc/ssl/"),
        ("drwxr-xr-x", "etc/ssl/certs/"),
        ("-rw-r--r--", "etc/ssl/certs/ca-certificates.crt"),
        ("-rwxr-xr-x", "portcullis"),
        ("drwxr-xr-x", "var/"),
        ("drwxr-xr-x", "var/lib/"),
        ("drwx------", "var/lib/portcullis/"),
    ];
    assert_eq!(lines, expected);
    let run = &config["config"];
    assert_eq!(run["User"], "65532:65532");
    assert_eq!(run["Entrypoint"][0], "/portcullis");
    assert_eq!(config["architecture"], "amd64");
}

#[test]
fn two_builds_give_one_digest_and_the_same_files() {
    let [first, second] = ["first", "second"].map(|name| {
        let folder = Folder::new(name);
        let image = native(&program(), Some("0123abc")).unwrap();
        let digest = image.write(folder.path(), "test").unwrap();
        // A layout is written over.
        assert_eq!(image.write(folder.path(), "test").unwrap(), digest);
        (digest, folder.files())
    });
    assert_eq!(first, second);
}

/// The digest of a known image does not depend on the machine, the day or the user.
#[test]
fn the_digest_is_the_same_on_every_machine() {
    let folder = Folder::new("known");
    let image = Image {
        annotations: [].into(),
        ..filter(b"\0asm\x01\0\0\0", None).unwrap()
    };
    let digest = image.write(folder.path(), "test").unwrap();
    assert_eq!(digest, KNOWN_DIGEST);
}

const KNOWN_DIGEST: &str =
    "sha256:b8767580af9d267dddb2d72c4820d45f4479b7d8c906f298488e98011fa37ff0";

#[test]
fn what_is_no_layout_is_not_written_over() {
    let folder = Folder::new("precious");
    let file = folder.path().join("precious");
    fs::write(&file, "precious").unwrap();
    let image = filter(b"\0asm\x01\0\0\0", None).unwrap();
    let problem = image.write(folder.path(), "test").unwrap_err().to_string();
    assert!(problem.contains("name another folder"), "{problem}");
    assert_eq!(fs::read(&file).unwrap(), b"precious");
}
