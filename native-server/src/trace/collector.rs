//! Where spans go, and how they are put there: OTLP over HTTP in JSON, which takes no library of
//! its own to write.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Uri};
use http_body_util::Full;
use serde_json::{Value, json};

use super::Span;

/// A collector of spans.
pub(crate) struct Collector {
    uri: Uri,
    headers: HeaderMap,
    service: String,
    /// What to tell people of the settings.
    pub(crate) warning: Option<String>,
}

impl Collector {
    /// Reads where spans go in OpenTelemetry's own variables; `None` where they go nowhere.
    ///
    /// # Errors
    ///
    /// Refuses an endpoint that is no URL, and headers that are none.
    pub(crate) fn from_environment() -> anyhow::Result<Option<Self>> {
        Self::from(|name| std::env::var(name).ok())
    }

    fn from(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Option<Self>> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        if set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let own = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        let all = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let (name, url) = match (set(own), set(all)) {
            (Some(url), _) => (own, url),
            (None, Some(base)) => (all, format!("{}/v1/traces", base.trim_end_matches('/'))),
            (None, None) => return Ok(None),
        };
        let protocols = [
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ];
        let protocol = protocols.into_iter().find_map(|of| Some((of, set(of)?)));
        let uri: Uri = url.parse().with_context(|| format!("{name} is no URL"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.authority().is_none() {
            bail!("{name} must be a URL such as http://127.0.0.1:4318");
        }
        let listed = set("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
        Ok(Some(Self {
            uri,
            headers: headers(&listed).context(
                "OTEL_EXPORTER_OTLP_HEADERS must be a list such as name=value,other=value",
            )?,
            service: set("OTEL_SERVICE_NAME").unwrap_or_else(|| "portcullis".into()),
            warning: protocol.and_then(|(of, protocol)| unspoken(of, &protocol, name)),
        }))
    }

    /// Returns where that is, without what may be a secret: user, path and query.
    pub(crate) fn place(&self) -> String {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        let host = self.uri.host().unwrap_or_default();
        let port = self.uri.port().map(|port| format!(":{port}"));
        format!("{scheme}://{host}{}", port.unwrap_or_default())
    }

    /// Tells whether it is reached by TLS.
    pub(super) fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// Makes the request that brings `spans` there.
    pub(super) fn request(&self, spans: &[Span]) -> http::Result<Request<Full<Bytes>>> {
        let document = Bytes::from(self.document(spans));
        let mut request = Request::post(self.uri.clone()).body(Full::new(document))?;
        *request.headers_mut() = self.headers.clone();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        Ok(request)
    }

    fn document(&self, spans: &[Span]) -> String {
        let spans: Vec<Value> = spans.iter().map(Span::to_json).collect();
        let attribute =
            |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
        let version = env!("CARGO_PKG_VERSION");
        let resource = [
            attribute("service.name", &self.service),
            attribute("service.version", version),
        ];
        let scope = json!({ "name": "portcullis", "version": version });
        json!({
            "resourceSpans": [{
                "resource": { "attributes": resource },
                "scopeSpans": [{ "scope": scope, "spans": spans }],
            }]
        })
        .to_string()
    }
}

/// Returns what to say of a protocol that is not spoken. The variable is often set for a whole
/// cluster, so it is no reason not to start.
fn unspoken(variable: &str, protocol: &str, endpoint: &str) -> Option<String> {
    let says = "spans leave as http/json all the same";
    match protocol.trim() {
        "http/json" => None,
        "http/protobuf" => Some(format!(
            "{variable}=http/protobuf is not spoken here: {says}, which the collector must take"
        )),
        other => Some(format!(
            "{variable}={other} is not spoken here: {says}, so give {endpoint} the port of the \
             collector's HTTP receiver, usually 4318"
        )),
    }
}

fn headers(listed: &str) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for item in listed.split(',').filter(|item| !item.trim().is_empty()) {
        let (name, value) = item.split_once('=')?;
        let name = HeaderName::try_from(name.trim()).ok()?;
        let mut value = HeaderValue::try_from(value.trim()).ok()?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collector(pairs: &[(&str, &str)]) -> Result<Option<Collector>, String> {
        let variable = |name: &str| {
            let found = pairs.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Collector::from(variable).map_err(|error| format!("{error:#}"))
    }

    fn uri(pairs: &[(&str, &str)]) -> Result<Option<String>, String> {
        Ok(collector(pairs)?.map(|collector| collector.uri.to_string()))
    }

    #[test]
    fn the_endpoint_is_where_opentelemetry_says() {
        assert_eq!(uri(&[]), Ok(None));
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/");
        assert_eq!(uri(&[base]), Ok(Some("http://c:4318/v1/traces".into())));
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://d:1/x");
        assert_eq!(uri(&[base, own]), Ok(Some("http://d:1/x".into())));
        assert_eq!(uri(&[base, ("OTEL_SDK_DISABLED", "true")]), Ok(None));
        for bad in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4318"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "no equals sign"),
        ] {
            let message = uri(&[bad, base]).expect_err("refused");
            assert!(message.contains("OTEL_EXPORTER_OTLP_"), "{message}");
        }
    }

    #[test]
    fn a_protocol_that_is_not_spoken_is_warned_of() {
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317");
        let warning = |more: &[(&str, &str)]| {
            let collector = collector(&[&[base], more].concat()).unwrap();
            collector.unwrap().warning.unwrap_or_default()
        };
        let all = |protocol| ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        let own = |protocol| ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", protocol);
        assert_eq!(warning(&[]), "");
        assert_eq!(warning(&[all("http/json")]), "");
        assert_eq!(warning(&[all("grpc"), own("http/json")]), "");
        let protobuf = warning(&[all("http/protobuf")]);
        assert!(protobuf.contains("http/json"), "{protobuf}");
        assert!(!protobuf.contains("4318"), "{protobuf}");
        for protocol in ["grpc", "other"] {
            let said = warning(&[all("http/json"), own(protocol)]);
            let names = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=";
            assert!(said.starts_with(names) && said.contains("4318"), "{said}");
        }
    }

    #[test]
    fn the_place_holds_no_secret() {
        let place = |url| {
            let collector = collector(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url)]).unwrap();
            collector.unwrap().place()
        };
        assert_eq!(place("https://u:secret@c:1/secret?secret"), "https://c:1");
        assert_eq!(place("http://[::1]/v1/traces"), "http://[::1]");
    }
}
