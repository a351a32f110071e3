//! The parts of an OAuth 2.1 authorization server that stores nothing.

mod authorize;
mod callback;
mod client;
mod cookie;
mod entropy;
mod error;
mod form;
mod grant;
mod octets;
mod page;
mod pkce;
mod profile;
mod redeem;
mod redirect_patterns;
mod redirect_uri;
mod register;
mod seal;
