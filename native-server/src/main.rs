//! The native reverse proxy.

fn main() {}
