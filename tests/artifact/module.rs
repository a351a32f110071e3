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
/// `filter-wasm/release.toml`; a build of the profile `release` alone does not. It is 762 KB, and 2 for the paths
/// of another machine that panics name.
const MAX_BYTES: usize = 764_000;

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

/// Returns the module and name of every import, all of which must be functions.
fn imports(module: &[u8]) -> BTreeSet<(&str, &str)> {
    let mut module = Reader(module.strip_prefix(b"\0asm\x01\0\0\0").expect("a module"));
    let mut imports = BTreeSet::new();
    while !module.0.is_empty() {
        let id = module.byte();
        let length = module.number();
        let mut section = Reader(module.take(length));
        if id != 2 {
            continue;
        }
        for _ in 0..section.number() {
            let import = (section.name(), section.name());
            assert_eq!(section.byte(), 0, "{import:?} is not a function");
            section.number();
            imports.insert(import);
        }
    }
    imports
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
