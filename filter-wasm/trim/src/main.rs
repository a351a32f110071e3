//! Trims the built filter: `trim MODULE` takes out the callbacks that do nothing, and what only they
//! reach.
//!
//! The SDK exports every callback of the ABI. Envoy calls each that is there, and looks a callback
//! up once that is not: for a request these were four calls into the VM out of ten.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use walrus::Module;

/// The callbacks that the filter has code for, and what else Envoy needs.
const KEPT: [&str; 15] = [
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

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module] = arguments.as_slice() else {
        eprintln!("usage: trim MODULE");
        return ExitCode::from(2);
    };
    match trim(module.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trim: {module}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn trim(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut module = Module::from_file(path)?;
    for name in KEPT {
        if !module.exports.iter().any(|export| export.name == name) {
            return Err(format!("it exports no {name}").into());
        }
    }
    let exports = module.exports.iter();
    let idle: Vec<_> = exports
        .filter(|export| !KEPT.contains(&export.name.as_str()))
        .map(|export| export.id())
        .collect();
    for export in idle {
        module.exports.delete(export);
    }
    walrus::passes::gc::run(&mut module);
    // Cargo has a second name for the file, which must stay what the compiler wrote.
    let trimmed = path.with_extension("trimmed");
    fs::write(&trimmed, module.emit_wasm())?;
    fs::rename(trimmed, path)?;
    Ok(())
}
