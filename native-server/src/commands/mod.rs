//! The subcommands, one file each.

pub(crate) mod explain;
pub(crate) mod render;
pub(crate) mod serve;
