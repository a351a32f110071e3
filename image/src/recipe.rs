//! What is in the images.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use serde_json::json;

use crate::archive::Entry;
use crate::layout::{Image, Layer};
use crate::roots::trust_roots;

/// The name of the filter's image.
pub const FILTER: &str = "portcullis-filter";
/// The name of the native binary's image.
pub const NATIVE: &str = "portcullis";
/// The name by which fetchers look for the module.
pub const PLUGIN: &str = "plugin.wasm";

/// Nobody in particular, as other images without root have it.
const USER: u32 = 65532;

/// Makes the image of the filter: nothing but the module, by the name that fetchers look for.
///
/// # Errors
///
/// Refuses what is no WebAssembly module.
pub fn filter(module: &[u8], revision: Option<&str>) -> Result<Image> {
    ensure!(
        module.starts_with(b"\0asm\x01\0\0\0"),
        "the filter is no WebAssembly module: build it with `make filter`"
    );
    Ok(Image {
        layers: vec![Layer::of(&[Entry::file(PLUGIN, 0o644, module)])?],
        // It runs everywhere; fetchers that choose from a list ask for this.
        architecture: "amd64",
        run: json!({}),
        annotations: annotations(
            FILTER,
            "Client authentication for MCP servers, as a proxy-wasm filter for Envoy, Istio and \
             Envoy Gateway",
            revision,
        ),
    })
}

/// Makes the image of the native binary: the binary, the trust roots for its calls, a folder for
/// its state, and a user that is not root. There is no shell and no library.
///
/// # Errors
///
/// Refuses what is no program for Linux, or needs libraries that the image does not have.
pub fn native(binary: &[u8], revision: Option<&str>) -> Result<Image> {
    let architecture = architecture(binary)?;
    let roots = trust_roots();
    let passwd = format!("portcullis:x:{USER}:{USER}::/var/lib/portcullis:/none\n");
    let group = format!("portcullis:x:{USER}:\n");
    let layer = Layer::of(&[
        Entry::folder("etc/", 0o755, 0),
        Entry::file("etc/group", 0o644, group.as_bytes()),
        Entry::file("etc/passwd", 0o644, passwd.as_bytes()),
        Entry::folder("etc/ssl/", 0o755, 0),
        Entry::folder("etc/ssl/certs/", 0o755, 0),
        Entry::file(ROOTS, 0o644, roots.as_bytes()),
        Entry::file("portcullis", 0o755, binary),
        Entry::folder("var/", 0o755, 0),
        Entry::folder("var/lib/", 0o755, 0),
        Entry::folder("var/lib/portcullis/", 0o700, USER),
    ])?;
    Ok(Image {
        layers: vec![layer],
        architecture,
        run: json!({
            "User": format!("{USER}:{USER}"),
            "Entrypoint": ["/portcullis"],
            "Cmd": ["serve"],
            "Env": [
                // Inside a container, loopback addresses are reached by nobody.
                "ZSCALER_MCP_HOST=0.0.0.0",
                "PORTCULLIS_STATE_DIR=/var/lib/portcullis",
                format!("SSL_CERT_FILE=/{ROOTS}"),
            ],
            "ExposedPorts": {"8000/tcp": {}},
            "WorkingDir": "/",
        }),
        annotations: annotations(
            NATIVE,
            "Client authentication for MCP servers, as a reverse proxy",
            revision,
        ),
    })
}

/// Where the system's trust roots are on Debian, the first place that is looked at.
const ROOTS: &str = "etc/ssl/certs/ca-certificates.crt";

fn annotations(title: &str, description: &str, revision: Option<&str>) -> BTreeMap<String, String> {
    let known = [
        ("title", Some(title)),
        ("description", Some(description)),
        ("version", Some(env!("CARGO_PKG_VERSION"))),
        ("licenses", Some(env!("CARGO_PKG_LICENSE"))),
        ("revision", revision),
    ];
    known
        .into_iter()
        .filter_map(|(name, value)| {
            Some((
                format!("org.opencontainers.image.{name}"),
                value?.to_owned(),
            ))
        })
        .collect()
}

/// Returns the machine that a program is for, once it is known to need nothing but the kernel.
fn architecture(binary: &[u8]) -> Result<&'static str> {
    let half = |at: usize| read(binary, at, 2);
    let (Some(b"\x7fELF\x02\x01"), Some(machine), Some(table), Some(size), Some(count)) = (
        binary.get(..6),
        half(18),
        read(binary, 32, 8),
        half(54),
        half(56),
    ) else {
        bail!("the binary is no program for Linux on a machine of 64 bits");
    };
    let interpreted = (0..count).any(|number| {
        let header = table.saturating_add(number.saturating_mul(size));
        read(binary, header, 4) == Some(INTERPRETER)
    });
    ensure!(
        !interpreted,
        "the binary needs libraries of the system: build it with `make native-static`"
    );
    match machine {
        62 => Ok("amd64"),
        183 => Ok("arm64"),
        other => {
            bail!("the binary is for a machine with the number {other}, which has no name here")
        }
    }
}

/// The kind of program header that names a dynamic linker (ELF, `PT_INTERP`).
const INTERPRETER: usize = 3;

/// Reads a number, lowest octet first.
fn read(octets: &[u8], at: usize, length: usize) -> Option<usize> {
    let octets = octets.get(at..at.checked_add(length)?)?;
    let number = octets.iter().rev();
    number
        .map(|octet| usize::from(*octet))
        .try_fold(0, |number: usize, octet| {
            number.checked_mul(256)?.checked_add(octet)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a program with one program header.
    fn program(machine: u8, kind: u8) -> Vec<u8> {
        let mut program = vec![0; 120];
        program[..6].copy_from_slice(b"\x7fELF\x02\x01");
        program[18] = machine;
        program[32] = 64;
        program[54] = 56;
        program[56] = 1;
        program[64] = kind;
        program
    }

    #[test]
    fn a_program_must_need_nothing_but_the_kernel() {
        assert_eq!(architecture(&program(62, 1)).unwrap(), "amd64");
        assert_eq!(architecture(&program(183, 1)).unwrap(), "arm64");
        let problem = architecture(&program(62, 3)).unwrap_err().to_string();
        assert!(problem.contains("make native-static"), "{problem}");
        architecture(&program(40, 1)).unwrap_err();
        architecture(b"#!/bin/sh").unwrap_err();
        architecture(&[]).unwrap_err();
    }

    #[test]
    fn what_is_no_module_is_no_filter() {
        filter(b"\0asm\x01\0\0\0", None).unwrap();
        // A component is no module.
        filter(b"\0asm\x0d\0\x01\0", None).unwrap_err();
        filter(b"", None).unwrap_err();
    }

    #[test]
    fn the_revision_is_told_where_it_is_known() {
        let module = b"\0asm\x01\0\0\0";
        let name = "org.opencontainers.image.revision";
        let known = filter(module, Some("abc")).unwrap();
        assert_eq!(known.annotations.get(name).map(String::as_str), Some("abc"));
        let unknown = filter(module, None).unwrap();
        assert!(!unknown.annotations.contains_key(name));
    }
}
