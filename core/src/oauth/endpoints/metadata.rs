//! The metadata of the authorization server (RFC 8414 §2).

use alloc::format;
use alloc::vec::Vec;

use serde_json::json;

use super::super::server::AuthorizationServer;
use super::super::visit::Visit;
use crate::decision::LocalResponse;
use crate::denial::json_response;
use crate::reason::Reason;

impl AuthorizationServer {
    /// Writes the metadata, the same at every form of its path.
    pub(in super::super) fn metadata(&self, visit: &Visit) -> LocalResponse {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let scopes: Vec<&str> = self
            .scope
            .split(' ')
            .filter(|word| !word.is_empty())
            .collect();
        let mut metadata = json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "registration_endpoint": at("/register"),
            "revocation_endpoint": at("/revoke"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "client_id_metadata_document_supported": self.mode.documents.are_on(),
            "protected_resources": [self.resource],
        });
        if !scopes.is_empty()
            && let Some(members) = metadata.as_object_mut()
        {
            members.insert("scopes_supported".into(), json!(scopes));
        }
        let body = format!("{metadata}").into_bytes();
        let cors = visit.cors.as_ref();
        json_response(200, Vec::new(), body, Reason::ServerMetadata, cors)
    }
}
