//! The subcommands, one file each.

pub(crate) mod check;
pub(crate) mod client_config;
pub(crate) mod explain;
mod preview;
pub(crate) mod render;
pub(crate) mod serve;
pub(crate) mod token;
