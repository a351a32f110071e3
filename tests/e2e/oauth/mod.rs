//! Signing in by OAuth with a real provider and real clients.

mod install;
mod person;
mod sign_in;
