//! The built module: what it may ask of its host, and how large it is.

use std::collections::BTreeSet;
use std::fs;

use crate::tools;

/// The functions of WASI that the module may import: environment, randomness, and what a panic
/// needs to leave a line in the log.
const WASI: [&str; 5] = [
    "environ_get",
    "environ_sizes_get",
    "fd_write",
    "proc_exit",
    "random_get",
];

/// Largest size, in bytes: every worker compiles and holds the module. `make filter` keeps to it, by
/// `filter-wasm/release.toml` and `filter-wasm/trim`; a build of the profile `release` alone does not.
const MAX_BYTES: usize = 800_000;

/// What the module may export: every callback that is there is called, so there are only those that
/// do something. `filter-wasm/trim` takes out the others.
const EXPORTS: [&str; 15] = [
    "memory",
    "_initialize",
    "proxy_abi_version_0_2_1",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_http_call_response",
    "proxy_on_memory_allocate",
    "proxy_on_queue_ready",
    "proxy_on_request_body",
    "proxy_on_request_headers",
    "proxy_on_request_trailers",
    "proxy_on_response_headers",
    "proxy_on_tick",
    "proxy_on_vm_start",
];

/// Reads a module (WebAssembly core specification, §5).
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn number(&mut self) -> usize {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            number |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return number;
            }
        }
    }

    fn name(&mut self) -> &'a str {
        let length = self.number();
        std::str::from_utf8(self.take(length)).unwrap()
    }
}

/// Returns the section `id` of a module.
fn section(module: &[u8], id: u8) -> Reader<'_> {
    let mut module = Reader(module.strip_prefix(b"\0asm\x01\0\0\0").expect("a module"));
    loop {
        let found = module.byte();
        let length = module.number();
        let section = module.take(length);
        if found == id {
            return Reader(section);
        }
    }
}

/// Returns the module and name of every import, all of which must be functions.
fn imports(module: &[u8]) -> BTreeSet<(&str, &str)> {
    let mut section = section(module, 2);
    let mut imports = BTreeSet::new();
    for _ in 0..section.number() {
        let import = (section.name(), section.name());
        assert_eq!(section.byte(), 0, "{import:?} is not a function");
        section.number();
        imports.insert(import);
    }
    imports
}

/// Returns the name of every export.
fn exports(module: &[u8]) -> BTreeSet<&str> {
    let mut section = section(module, 7);
    let mut exports = BTreeSet::new();
    for _ in 0..section.number() {
        exports.insert(section.name());
        section.byte();
        section.number();
    }
    exports
}

#[test]
fn module_exports_what_does_something() {
    let module = fs::read(tools::wasm()).unwrap();
    assert_eq!(exports(&module), BTreeSet::from(EXPORTS));
}

#[test]
#[expect(clippy::print_stdout, reason = "the size is to be seen")]
fn module_imports_nothing_but_proxy_wasm_and_a_little_wasi() {
    let module = fs::read(tools::wasm()).unwrap();
    let imports = imports(&module);
    for (from, name) in &imports {
        let known = match *from {
            "env" => name.starts_with("proxy_"),
            "wasi_snapshot_preview1" => WASI.contains(name),
            _ => false,
        };
        assert!(known, "the module imports {from}.{name}");
    }
    assert!(imports.contains(&("env", "proxy_log")), "{imports:?}");
    println!(
        "the filter has {} bytes and {} imports",
        module.len(),
        imports.len()
    );
    assert!(module.len() <= MAX_BYTES, "{} bytes", module.len());
}
