//! A small MCP server.

fn main() {}
