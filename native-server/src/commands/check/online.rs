//! The endpoints that `serve` would call, asked in the order in which it would.

use portcullis_core::HttpUrl;
use portcullis_core::config::Setting;
use portcullis_core::modes::{KeySource, Mode, OidcProxyMode};
use serde_json::Value;

use super::document::{discovery, introduction, keys, status, text, token_endpoint};
use super::endpoint::Asker;
use super::report::{Finding, Report};
use crate::commands::preview::Preview;
use crate::proxy::CallClient;
use crate::terminal::Progress;

/// The leeway of the modes in which there is no setting for it.
const LEEWAY_SECONDS: u64 = 30;

/// Asks everything that the mode needs, then the protected resource.
pub(super) async fn check(
    preview: &Preview,
    calls: &CallClient,
    timeout_seconds: u32,
    report: &mut Report,
) {
    let config = &preview.resolution.config;
    let mut asker = Asker {
        calls,
        timeout_seconds,
        report,
        progress: Progress::new(),
        leeway_seconds: match &config.mode {
            Mode::Jwt(mode) | Mode::Oidc(mode) => mode.policy.leeway_seconds,
            Mode::None | Mode::ApiKey(_) | Mode::OidcProxy(_) | Mode::Zscaler(_) => LEEWAY_SECONDS,
        },
    };
    match &config.mode {
        Mode::None | Mode::ApiKey(_) => {}
        Mode::Jwt(mode) | Mode::Oidc(mode) => drop(issuer(&mut asker, &mode.keys).await),
        Mode::OidcProxy(mode) => provider(&mut asker, mode).await,
        Mode::Zscaler(mode) => ask_token_endpoint(&mut asker, &mode.token_url).await,
    }
    if let Some(upstream) = config.upstream() {
        let resource = preview.settings.non_blank(Setting::OidcBaseUrl);
        protected_resource(&mut asker, upstream, resource).await;
    }
}

/// Asks for the keys of an issuer, and for its discovery document before; returns that.
async fn issuer(asker: &mut Asker<'_>, source: &KeySource) -> Option<Value> {
    let url = source.url();
    let response = asker.get(url).await?;
    asker.compare_clocks(url, &response);
    let KeySource::Discovery(_) = source else {
        asker.add(keys(url, &response));
        return None;
    };
    match discovery(source, &response) {
        Ok((document, keys_url)) => {
            asker.add(Finding::good(
                url.to_string(),
                "is the issuer's own document",
            ));
            if let Some(response) = asker.get(&keys_url).await {
                asker.add(keys(&keys_url, &response));
            }
            Some(document)
        }
        Err(finding) => {
            asker.add(finding);
            None
        }
    }
}

/// Asks the provider at which people sign in, or the gateway that does.
async fn provider(asker: &mut Asker<'_>, mode: &OidcProxyMode) {
    if let Some(elsewhere) = mode.elsewhere() {
        if let Some(response) = asker.get(elsewhere).await {
            let message = format!(
                "answers ({}); it is to serve the OAuth endpoints",
                response.status
            );
            asker.add(Finding::good(elsewhere.to_string(), message));
        }
        return;
    }
    let source = KeySource::Discovery(mode.document().clone());
    let Some(document) = issuer(asker, &source).await else {
        return;
    };
    for name in ["authorization_endpoint", "token_endpoint"] {
        let endpoint = text(&document, name).and_then(|url| HttpUrl::parse(url).ok());
        match endpoint {
            Some(url) if name == "token_endpoint" => introduce(asker, mode, &document, &url).await,
            Some(_) => {}
            None => {
                let message = format!("names no {name}: nobody can sign in there");
                asker.add(
                    Finding::problem(mode.document().to_string(), message)
                        .advise("mode oidcproxy needs a provider for people, with the code flow"),
                );
            }
        }
    }
}

/// Asks whether the provider takes the gateway for its client.
async fn introduce(asker: &mut Asker<'_>, mode: &OidcProxyMode, document: &Value, url: &HttpUrl) {
    let Some(call) = mode.introduction(document.to_string().as_bytes()) else {
        let message = "takes no way of authenticating clients that the gateway knows";
        asker.add(
            Finding::problem(url.to_string(), message)
                .advise("let the provider take client_secret_basic or client_secret_post"),
        );
        return;
    };
    if let Some(response) = asker.ask(call).await {
        asker.add(introduction(url, &response));
    }
}

async fn ask_token_endpoint(asker: &mut Asker<'_>, url: &HttpUrl) {
    if let Some(response) = asker.post_form(url, "grant_type=client_credentials").await {
        asker.compare_clocks(url, &response);
        asker.add(token_endpoint(url, &response));
    }
}

/// Sends a `ping`, which starts no session: any answer of an MCP server will do.
async fn protected_resource(asker: &mut Asker<'_>, upstream: &HttpUrl, resource: Option<&str>) {
    let path = resource
        .and_then(|url| HttpUrl::parse(url).ok())
        .map_or_else(|| "/mcp".to_owned(), |url| url.path().to_owned());
    let url = format!("{}{path}", upstream.to_string().trim_end_matches('/'));
    let Ok(url) = HttpUrl::parse(&url) else {
        return;
    };
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let Some(response) = asker.post_message(&url, ping).await else {
        return;
    };
    let subject = url.to_string();
    asker.add(match response.status {
        200..=299 | 400 | 405 | 406 | 415 => {
            Finding::good(subject, "the protected resource answers")
        }
        401 | 403 => Finding::problem(
            subject,
            format!(
                "the protected resource asks for credentials itself ({})",
                response.status
            ),
        )
        .advise("switch its own authentication off: it never sees the client's credentials"),
        404 => Finding::warning(
            subject,
            "the protected resource answers, but 404 at this path",
        )
        .advise("give clients the path at which it answers"),
        _ => status(&url, &response),
    });
}
