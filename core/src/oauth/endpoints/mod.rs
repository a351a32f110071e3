//! The endpoints, one a file.

mod authorize;
mod callback;
mod consent;
mod issuance;
mod metadata;
mod redirect;
mod registration;
mod revoke;
mod token;
