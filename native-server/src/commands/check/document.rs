//! Discovery documents, sets of keys and answers of token endpoints in plain words.

use portcullis_core::config::Setting;
use portcullis_core::jose::usable_keys;
use portcullis_core::modes::KeySource;
use portcullis_core::{HttpUrl, UpstreamResponse};
use serde_json::Value;

use super::report::Finding;

/// The longest piece of a stranger's text that is shown.
const SHOWN: usize = 200;

/// Parses an answer that should be a JSON object, or says what it is instead.
pub(super) fn object(url: &HttpUrl, response: &UpstreamResponse) -> Result<Value, Finding> {
    let problem = |message: String| Finding::problem(url.to_string(), message);
    if response.status != 200 {
        return Err(status(url, response));
    }
    match serde_json::from_slice(&response.body) {
        Ok(document @ Value::Object(_)) => Ok(document),
        Ok(_) => Err(problem("is JSON, but not a JSON object".to_owned())
            .advise("check the URL: something else answers there")),
        Err(_) => {
            let kind = header(response, "content-type").unwrap_or_else(|| "nothing".to_owned());
            let html = response.body.trim_ascii_start().starts_with(b"<");
            let what = if html { "a web page" } else { "no JSON" };
            Err(
                problem(format!("answers with {what} (content type {kind})"))
                    .advise("check the path of the URL: a sign-in page or a portal answers there"),
            )
        }
    }
}

/// Says what a status other than 200 means.
pub(super) fn status(url: &HttpUrl, response: &UpstreamResponse) -> Finding {
    let status = response.status;
    let problem = Finding::problem(url.to_string(), format!("answers with status {status}"));
    match status {
        300..=399 => {
            let place = header(response, "location").unwrap_or_else(|| "elsewhere".to_owned());
            Finding::problem(url.to_string(), format!("redirects ({status}) to {place}"))
                .advise("redirects are not followed: set the URL that it leads to")
        }
        401 | 403 => problem.advise("it must be open to this machine without credentials"),
        404 | 410 => problem.advise("check the path of the URL: nothing is there"),
        429 => problem.advise("it is asked too often: try again later"),
        500.. => problem.advise("the server is out of order, or a proxy before it"),
        _ => problem.advise("check the URL"),
    }
}

/// Reads a discovery document, and returns where the keys are.
pub(super) fn discovery(
    source: &KeySource,
    response: &UpstreamResponse,
) -> Result<(Value, HttpUrl), Finding> {
    let url = source.url();
    let document = object(url, response)?;
    let problem = |message: String| Finding::problem(url.to_string(), message);
    let expected = url.to_string();
    let expected = expected.trim_end_matches("/.well-known/openid-configuration");
    let issuer = text(&document, "issuer")
        .ok_or_else(|| problem("names no issuer".to_owned()).advise("check the URL"))?;
    if issuer.trim_end_matches('/') != expected {
        let message = format!("is of the issuer {}, not of {expected}", shown(issuer));
        return Err(problem(message).advise(
            "set OIDCPROXY_CONFIG_URL to that issuer's URL followed by \
             /.well-known/openid-configuration; shared ones such as Entra's common do not work",
        ));
    }
    let keys = text(&document, "jwks_uri")
        .ok_or_else(|| problem("names no jwks_uri".to_owned()).advise("ask the provider"))?;
    source
        .keys_by(&response.body)
        .ok_or_else(|| {
            let message = format!("names keys that are not fetched: {}", shown(keys));
            problem(message).advise("the keys must be at an https URL, as must the issuer")
        })
        .map(|keys| (document, keys))
}

/// Reads a set of keys.
pub(super) fn keys(url: &HttpUrl, response: &UpstreamResponse) -> Finding {
    let document = match object(url, response) {
        Ok(document) => document,
        Err(finding) => return finding,
    };
    let problem = |message: String| Finding::problem(url.to_string(), message);
    let all = document.get("keys").and_then(Value::as_array);
    let (Some(all), Some(usable)) = (all, usable_keys(&response.body)) else {
        return problem("is JSON, but not a set of keys (no list `keys`)".to_owned())
            .advise("set the jwks_uri of the provider, not its discovery document");
    };
    match (all.len(), usable) {
        (0, _) => problem("holds no keys".to_owned()).advise("ask the provider for its keys"),
        (many, 0) => problem(format!("none of its {many} keys can check signatures")).advise(
            "RSA from 2048 bits, P-256, P-384, P-521 and Ed25519 keys for signatures count",
        ),
        (many, _) if usable == many => {
            let plural = if many == 1 { "" } else { "s" };
            Finding::good(url.to_string(), format!("{many} usable key{plural}"))
        }
        (many, _) => Finding::good(url.to_string(), format!("{usable} of {many} keys usable")),
    }
}

/// Reads what a token endpoint says to a request without credentials: an error, in JSON.
pub(super) fn token_endpoint(url: &HttpUrl, response: &UpstreamResponse) -> Finding {
    let json = serde_json::from_slice::<Value>(&response.body).ok();
    let error = json.as_ref().and_then(|json| text(json, "error"));
    match (response.status, error) {
        (400 | 401 | 403, Some(error)) => {
            let error = shown(error);
            let message = format!("answers as a token endpoint does ({error}, as expected)");
            Finding::good(url.to_string(), message)
        }
        (400 | 401 | 403, None) => Finding::good(url.to_string(), "refuses what is no request"),
        (200, _) => Finding::problem(url.to_string(), "answers 200 to what is no request")
            .advise("check the URL: something else answers there"),
        _ => status(url, response),
    }
}

/// Reads what a token endpoint says to a known client with a refresh token that nobody has
/// (RFC 6749 §5.2).
pub(super) fn introduction(url: &HttpUrl, response: &UpstreamResponse) -> Finding {
    let json = serde_json::from_slice::<Value>(&response.body).ok();
    let error = json.as_ref().and_then(|json| text(json, "error"));
    match (response.status, error) {
        (400 | 401, Some("invalid_client" | "unauthorized_client")) | (401, None) => {
            let (id, secret) = (
                Setting::OidcClientId.name(),
                Setting::OidcClientSecret.name(),
            );
            let message = "does not take the gateway for its client: client id or secret is wrong";
            Finding::problem(url.to_string(), message).advise(format!(
                "compare {id} and {secret} with what the provider shows; secrets expire at some"
            ))
        }
        (400..500, Some("invalid_grant")) => {
            Finding::good(url.to_string(), "takes the gateway for its client")
        }
        (400..500, Some(error)) => {
            let message = format!(
                "answers {}: whether it knows the client is not told",
                shown(error)
            );
            Finding::warning(url.to_string(), message).advise("sign in once to see")
        }
        _ => status(url, response),
    }
}

/// Returns a member that is a string.
pub(super) fn text<'a>(document: &'a Value, name: &str) -> Option<&'a str> {
    document.get(name).and_then(Value::as_str)
}

/// Returns a field of a response, fit to be shown.
pub(super) fn header(response: &UpstreamResponse, name: &str) -> Option<String> {
    let (_, value) = response.headers.iter().find(|(field, _)| field == name)?;
    Some(shown(&String::from_utf8_lossy(value)))
}

/// Makes a stranger's text fit for a terminal.
fn shown(text: &str) -> String {
    text.chars()
        .take(SHOWN)
        .flat_map(char::escape_debug)
        .collect()
}
