//! The parts of an OAuth 2.1 authorization server that stores nothing.

mod entropy;
mod octets;
mod seal;
