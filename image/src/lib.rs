//! Container images of what is built here, as OCI image layouts, with a list of what is in each.
//!
//! The same artefact always gives the same octets, and so the same digest: no clock, no user, no
//! order of a file system, and no compressor of the machine goes into an image. Nothing needs a
//! daemon, a registry or the network. Pushing is left to `skopeo`, `oras` or `crane`.

mod archive;
mod bill;
mod crates;
mod gzip;
mod layout;
mod recipe;
mod roots;
mod sha256;

pub use archive::{Entry, archive};
pub use bill::{Bill, Subject};
pub use crates::{Crate, CrateId, Crates, checksums};
pub use gzip::gzip;
pub use layout::{Image, LAYER, Layer, MANIFEST};
pub use recipe::{FILTER, NATIVE, PLUGIN, filter, native};
pub use sha256::sha256;
