//! What the fuzz targets try, each a function of bytes from outside that panics when a law of the
//! gateway is broken. The core's tests run the same functions over the seeds.

mod api_keys;
mod exchange;
mod gate;
mod jwks;
mod oauth;
mod request;
mod session;
mod settings;
mod token;
mod token_endpoint;

pub use api_keys::api_keys;
pub use exchange::exchange;
pub use jwks::{freshness, jwks};
pub use oauth::oauth;
pub use request::{authorization, request};
pub use session::session;
pub use settings::{lists, settings, url};
pub use token::{claims, header, token};
pub use token_endpoint::token_endpoint;

/// A function that tries one kind of bytes.
pub type Target = fn(&[u8]);

/// Every target, by the name of its folder of seeds.
pub const TARGETS: [(&str, Target); 15] = [
    ("api_keys", api_keys),
    ("authorization", authorization),
    ("claims", claims),
    ("exchange", exchange),
    ("freshness", freshness),
    ("header", header),
    ("jwks", jwks),
    ("lists", lists),
    ("oauth", oauth),
    ("request", request),
    ("session", session),
    ("settings", settings),
    ("token", token),
    ("token_endpoint", token_endpoint),
    ("url", url),
];
