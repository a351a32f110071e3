//! The tools.

use std::collections::BTreeMap;

use http::request::Parts;
use rmcp::handler::server::tool::Extension;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, schemars, tool, tool_handler, tool_router};

/// Header fields that a gateway must never let through to the protected resource.
const CREDENTIALS: [&str; 4] = [
    "authorization",
    "x-api-key",
    "x-zscaler-client-id",
    "x-zscaler-client-secret",
];

/// The server of one session.
pub(crate) struct Tools;

/// What `echo` is given.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct EchoArguments {
    /// The text to give back.
    message: String,
}

/// What `add` is given.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct AddArguments {
    /// The first summand.
    a: i64,
    /// The second summand.
    b: i64,
}

#[tool_router]
impl Tools {
    pub(crate) const fn new() -> Self {
        Self
    }

    #[tool(description = "Gives a text back")]
    fn echo(&self, Parameters(EchoArguments { message }): Parameters<EchoArguments>) -> String {
        message
    }

    #[tool(description = "Adds two whole numbers")]
    fn add(&self, Parameters(AddArguments { a, b }): Parameters<AddArguments>) -> String {
        a.saturating_add(b).to_string()
    }

    #[tool(
        description = "Tells, as JSON, who is calling by the gateway's word, and which credential headers came through"
    )]
    fn whoami(&self, Extension(parts): Extension<Parts>) -> String {
        let identity: BTreeMap<&str, String> = parts
            .headers
            .iter()
            .filter(|(name, _)| name.as_str().starts_with("x-mcp-auth-"))
            .map(|(name, value)| (name.as_str(), text(value.as_bytes())))
            .collect();
        // Names only: a credential that came through by mistake must not come back as well.
        let leaked: Vec<&str> = CREDENTIALS
            .into_iter()
            .filter(|name| parts.headers.contains_key(*name))
            .collect();
        let host = parts
            .headers
            .get("host")
            .map(|value| text(value.as_bytes()));
        serde_json::json!({ "identity": identity, "leaked": leaked, "host": host }).to_string()
    }
}

#[tool_handler]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_instructions("Call whoami to see what the gateway says about you.")
    }
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}
