//! Says whether `make inspector` has built the page's inspector, so that the binary can hold it.

use std::path::Path;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(inspector)");
    // The folder is always there; what is in it is not.
    println!("cargo::rerun-if-changed=inspector");
    if Path::new("inspector/portcullis_inspector_bg.wasm").exists() {
        println!("cargo::rustc-cfg=inspector");
    }
}
