//! Signing in by OAuth with a real provider and real clients.

mod fleet;
mod install;
mod pages;
mod person;
mod replicas;
mod sign_in;
mod traveller;
