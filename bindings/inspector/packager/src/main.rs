//! Makes the npm package of the inspector: `packager MODULE FILES LICENSE OUT` turns the module that
//! cargo built into JavaScript, types and WebAssembly in the folder OUT, with all that is in FILES.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use wasm_bindgen_cli_support::Bindgen;

const NAME: &str = "portcullis_inspector";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, files, licence, out] = arguments.as_slice() else {
        eprintln!("usage: packager MODULE FILES LICENSE OUT");
        return ExitCode::from(2);
    };
    match package(module.as_ref(), files.as_ref(), licence.as_ref(), out.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("packager: {error}");
            ExitCode::FAILURE
        }
    }
}

fn package(module: &Path, files: &Path, licence: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    if out.exists() {
        fs::remove_dir_all(out)?;
    }
    fs::create_dir_all(out)?;
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name(NAME).typescript(true).web(true)?;
    // Names of functions are for backtraces, and a tenth of the file.
    bindgen.remove_name_section(true).remove_producers_section(true);
    // Without an argument, `init` fetches the module from beside the script.
    bindgen.omit_default_module_path(false).generate(out)?;
    fs::copy(licence, out.join("LICENSE"))?;
    for file in fs::read_dir(files)? {
        let file = file?;
        fs::copy(file.path(), out.join(file.file_name()))?;
    }
    Ok(())
}
