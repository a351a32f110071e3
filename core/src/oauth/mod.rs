//! The OAuth 2.1 authorization server of mode `oidcproxy`, which stores nothing.
//!
//! What one step learns, the next one is brought by the client or the browser, sealed:
//!
//! ```text
//! register ─▶ client_id ─▶ authorize ─▶ consent page ─▶ consent ─▶ flow cookie, provider
//!                                                                        │
//! access token, refresh token ◀─ token ◀─ code, wrapping the provider's ◀─ callback
//! ```

mod authorize;
mod callback;
mod client;
mod client_document;
mod cookie;
mod deny_list;
mod endpoints;
mod error;
mod form;
mod grant;
mod id_token;
mod lookup;
mod octets;
mod page;
mod pkce;
mod profile;
mod provider_client;
mod redeem;
mod redirect_patterns;
mod redirect_uri;
mod register;
mod seal;
mod server;
mod tokens;
mod visit;
mod waiting;

pub(crate) use client_document::{ClientDocuments, DocumentFinding, document_errand};
pub(crate) use deny_list::{DenyList, written};
pub(crate) use form::Form;
pub(crate) use grant::{AccessToken, Sealed};
pub(crate) use page::branding::{Branding, Logo};
pub(crate) use profile::Profile;
pub(crate) use provider_client::ProviderClient;
pub(crate) use redirect_patterns::RedirectPatterns;
pub(crate) use server::AuthorizationServer;
pub(crate) use tokens::{TokensFinding, revocation};
pub(crate) use visit::{OAuthEndpoint, Visit};
pub(crate) use waiting::{Arrived, Served, Tried, Waiting};
