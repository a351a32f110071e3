//! The subcommands, one file each.

pub(crate) mod check;
pub(crate) mod client_config;
pub(crate) mod completions;
pub(crate) mod explain;
pub(crate) mod help;
pub(crate) mod keys;
pub(crate) mod man;
mod preview;
pub(crate) mod render;
pub(crate) mod serve;
pub(crate) mod token;
