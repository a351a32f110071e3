//! `portcullis-image`: writes the images and their bills of materials; `make image` runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use portcullis_image::{
    Bill, Crates, FILTER, Image, NATIVE, PLUGIN, Subject, checksums, filter, native,
};

const USAGE: &str = "\
usage: portcullis-image filter MODULE FOLDER [REVISION]
       portcullis-image native BINARY FOLDER [REVISION]

Writes an OCI image layout into FOLDER and a CycloneDX bill of materials beside it, into
FOLDER.cdx.json; prints the digest of the image. It is run in the folder of the project.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            #[expect(clippy::print_stderr, reason = "a command says what is wrong")]
            {
                eprintln!("portcullis-image: {problem:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    let (kind, artefact, folder, revision) = match arguments {
        [kind, artefact, folder] => (*kind, *artefact, *folder, None),
        // Where there is no repository there is no revision.
        [kind, artefact, folder, revision] => {
            let known = Some(*revision).filter(|revision| !revision.is_empty());
            (*kind, *artefact, *folder, known)
        }
        _ => bail!("{USAGE}"),
    };
    let octets = fs::read(artefact).with_context(|| format!("cannot read {artefact}"))?;
    let recipe = match kind {
        "filter" => Recipe {
            name: FILTER,
            image: filter(&octets, revision)?,
            package: "portcullis-filter",
            target: "wasm32-wasip1",
            file: PLUGIN,
            roots: None,
        },
        "native" => {
            let image = native(&octets, revision)?;
            Recipe {
                name: NATIVE,
                target: match image.architecture {
                    "arm64" => "aarch64-unknown-linux-musl",
                    _ => "x86_64-unknown-linux-musl",
                },
                image,
                package: "portcullis",
                file: "portcullis",
                roots: Some("webpki-root-certs"),
            }
        }
        _ => bail!("{USAGE}"),
    };
    recipe.write(&octets, Path::new(folder))
}

/// An image with what its bill of materials is made from.
struct Recipe {
    name: &'static str,
    image: Image,
    /// The crate that is linked to the artefact.
    package: &'static str,
    target: &'static str,
    /// Where the artefact is in the image.
    file: &'static str,
    /// The crate whose data are in the image besides.
    roots: Option<&'static str>,
}

impl Recipe {
    fn write(&self, octets: &[u8], folder: &Path) -> Result<()> {
        let digest = self.image.write(folder, env!("CARGO_PKG_VERSION"))?;
        let here = Path::new(".");
        let crates = Crates::linked(here, self.package, self.target)?;
        let lock = fs::read_to_string("Cargo.lock").context("there is no Cargo.lock here")?;
        let checksums = checksums(&lock);
        let mut others = vec![("rust-std", compiler_version()?)];
        let roots = checksums.keys().filter(|id| Some(&*id.name) == self.roots);
        others.extend(roots.map(|id| ("mozilla-trust-roots", id.version.clone())));
        let bill = Bill {
            subject: Subject {
                image: self.name,
                digest: &digest,
                file: self.file,
                octets,
            },
            crates: &crates,
            checksums: &checksums,
            others,
        };
        let file = beside(folder);
        fs::write(&file, bill.to_json())
            .with_context(|| format!("cannot write {}", file.display()))?;
        #[expect(clippy::print_stdout, reason = "this is the result of the command")]
        {
            println!("{} {digest} {}", self.name, folder.display());
        }
        Ok(())
    }
}

/// Returns the version of the compiler, which is that of its standard library.
fn compiler_version() -> Result<String> {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler)
        .arg("--version")
        .output()
        .context("cannot run rustc")?;
    let answer = String::from_utf8(output.stdout)?;
    let version = answer.split(' ').nth(1);
    Ok(version.context("rustc tells no version")?.to_owned())
}

fn beside(folder: &Path) -> PathBuf {
    let mut file = folder.as_os_str().to_owned();
    file.push(".cdx.json");
    file.into()
}
