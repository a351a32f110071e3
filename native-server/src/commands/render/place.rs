//! Flags that say where in a cluster an install is to be.

use portcullis_core::HttpUrl;
use portcullis_core::config::{Setting, Settings, Source};

use crate::render::Place;

/// The image of the native binary, where nothing else is said.
pub(crate) const IMAGE: &str = concat!(
    "registry.example.com/portcullis:",
    env!("CARGO_PKG_VERSION")
);

/// Where in a cluster, under which names.
#[derive(clap::Args)]
pub(crate) struct PlaceArgs {
    /// Name of every object
    #[arg(long, value_name = "NAME", default_value = "portcullis", value_parser = label)]
    name: String,
    /// Namespace of every object [default: that of the gateway, or mcp]
    #[arg(long, value_name = "NAMESPACE", value_parser = label)]
    namespace: Option<String>,
    /// Host name of the URL that clients use; may be given again [default: that of
    /// OIDCPROXY_BASE_URL, or all]
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// Image of the native binary
    #[arg(long, value_name = "IMAGE", default_value = IMAGE)]
    image: String,
}

impl PlaceArgs {
    /// Returns the place; `namespace` is the default of the target.
    pub(crate) fn place(&self, settings: &Settings, namespace: &str) -> Place {
        Place {
            name: self.name.clone(),
            namespace: self.namespace.as_deref().unwrap_or(namespace).to_owned(),
            hosts: hosts_of(settings, &self.hosts),
            image: self.image.clone(),
        }
    }
}

/// Returns the host names of clients' URLs: those that are given, else that of the public URL.
pub(crate) fn hosts_of(settings: &Settings, given: &[String]) -> Vec<String> {
    let public = settings.non_blank(Setting::OidcBaseUrl);
    let public = public.and_then(|url| HttpUrl::parse(url).ok());
    match (given, public) {
        ([], Some(url)) => vec![url.host().to_owned()],
        (hosts, _) => hosts.to_vec(),
    }
}

/// Returns the settings as they are in a container, which listens on all of its addresses.
pub(crate) fn in_container(mut settings: Settings) -> Settings {
    settings.set(Setting::Host, "0.0.0.0", Source::Flag);
    settings.set(Setting::AllowHttp, "true", Source::Flag);
    settings
}

/// RFC 1123 §2.1, as Kubernetes takes it.
fn label(text: &str) -> Result<String, String> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = text.bytes().next().is_some_and(inner) && text.bytes().last().is_some_and(inner);
    let whole = text.bytes().all(|byte| inner(byte) || byte == b'-');
    if ends && whole && text.len() <= 40 {
        Ok(text.to_owned())
    } else {
        Err("must be at most 40 small letters, digits and inner hyphens".to_owned())
    }
}
