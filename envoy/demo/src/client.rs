//! An MCP client on the official Rust SDK: lists the tools of a server and calls one.
//!
//! Prints one JSON object: `{"tools": [names], "text": what the tool said}`. Exit code 0 when the
//! call worked, 3 when the server refused the client with 401 or 403, 1 for all else.

use std::collections::HashMap;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use http::{HeaderName, HeaderValue};
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

const USAGE: &str =
    "usage: portcullis-demo-client URL TOOL JSON-ARGUMENTS [--header 'NAME: VALUE']...";

/// The exit code of a refusal.
const REFUSED: u8 = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let (line, code) = match run(std::env::args().skip(1).collect()).await {
        Ok(line) => (line, ExitCode::SUCCESS),
        Err(error) => {
            let text = format!("{error:#}");
            let refused = ["401", "403", "Auth required", "nsufficient"]
                .iter()
                .any(|mark| text.contains(mark));
            let code = if refused {
                ExitCode::from(REFUSED)
            } else {
                ExitCode::FAILURE
            };
            (serde_json::json!({ "error": text }), code)
        }
    };
    match writeln!(std::io::stdout(), "{line}") {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn run(arguments: Vec<String>) -> anyhow::Result<serde_json::Value> {
    let [url, tool, json, rest @ ..] = arguments.as_slice() else {
        anyhow::bail!(USAGE);
    };
    let arguments = serde_json::from_str(json).context("the arguments must be a JSON object")?;
    let config =
        StreamableHttpClientTransportConfig::with_uri(url.as_str()).custom_headers(headers(rest)?);
    let client = ().serve(StreamableHttpClientTransport::from_config(config)).await?;
    let tools = client.list_all_tools().await?;
    let names: Vec<_> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    let call = CallToolRequestParams::new(tool.clone()).with_arguments(arguments);
    let result = client.call_tool(call).await?;
    let text: String = result
        .content
        .iter()
        .filter_map(|content| content.as_text().map(|text| text.text.as_str()))
        .collect();
    let line = serde_json::json!({ "tools": names, "text": text });
    client.cancel().await?;
    Ok(line)
}

fn headers(arguments: &[String]) -> anyhow::Result<HashMap<HeaderName, HeaderValue>> {
    let mut headers = HashMap::new();
    for pair in arguments.chunks(2) {
        let [flag, field] = pair else {
            anyhow::bail!(USAGE);
        };
        anyhow::ensure!(flag == "--header", USAGE);
        let (name, value) = field.split_once(':').context(USAGE)?;
        headers.insert(name.trim().parse()?, value.trim().parse()?);
    }
    Ok(headers)
}
