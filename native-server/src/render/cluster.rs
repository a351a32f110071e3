//! What installs in a Kubernetes cluster have in common.

use std::net::IpAddr;

use anyhow::bail;
use portcullis_core::HttpUrl;
use portcullis_core::config::Setting;

use crate::render::Install;

/// Where the install is to be, and what things are called there.
pub(crate) struct Place {
    /// The name of every object.
    pub(crate) name: String,
    /// Their namespace.
    pub(crate) namespace: String,
    /// The host names of clients' URLs; none stands for all.
    pub(crate) hosts: Vec<String>,
    /// The image of the native binary.
    pub(crate) image: String,
}

/// A service of the cluster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Service {
    /// Its name.
    pub(crate) name: String,
    /// Its namespace.
    pub(crate) namespace: String,
}

impl Service {
    /// Understands `name`, `name.namespace.svc` and `name.namespace.svc.cluster.local`; `None` for
    /// all other hosts, which are outside of the cluster.
    pub(crate) fn parse(host: &str, namespace: &str) -> Option<Self> {
        let host = host.strip_suffix(".cluster.local").unwrap_or(host);
        let (name, namespace) = match host.strip_suffix(".svc") {
            Some(host) => host.split_once('.')?,
            None if host.contains('.') => return None,
            None => (host, namespace),
        };
        Some(Self {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
        })
    }

    /// Returns its name for the whole cluster.
    pub(crate) fn host(&self) -> String {
        format!("{}.{}.svc.cluster.local", self.name, self.namespace)
    }
}

impl Place {
    /// Returns the URL at which the native binary of this install is in the cluster.
    pub(crate) fn native_url(&self, port: u16) -> String {
        let service = Service {
            name: self.name.clone(),
            namespace: self.namespace.clone(),
        };
        format!("http://{}:{port}", service.host())
    }

    /// Returns the command that makes the Secret which the objects refer to.
    pub(crate) fn secret_command(&self, secrets: &[Setting], namespace: &str) -> String {
        let mut command = format!("kubectl -n {namespace} create secret generic {}", self.name);
        for setting in secrets {
            let name = setting.name();
            let value = if *setting == Setting::StateKeys {
                "$(portcullis --generate-auth-token)".to_owned()
            } else {
                format!("${name}")
            };
            command.push_str(&format!(" \\\n    --from-literal={name}=\"{value}\""));
        }
        command
    }
}

/// Checks that whatever the gateway connects to can be reached from a cluster.
///
/// # Errors
///
/// Refuses loopback addresses, which are the gateway's own pod.
pub(crate) fn check_reachable(install: &Install) -> anyhow::Result<()> {
    for url in install.calls.iter().chain([&install.upstream]) {
        if url.is_loopback() {
            bail!(
                "{url} is the gateway's own pod in a cluster: name the service, as http://mcp.tools.svc:8000"
            );
        }
    }
    Ok(())
}

/// Checks that a mesh can be told of whatever the gateway connects to.
///
/// # Errors
///
/// Refuses what [`check_reachable`] does, and addresses, as meshes know hosts by their names;
/// `calls_too` says whether that goes for the gateway's own calls.
pub(crate) fn check_named(install: &Install, calls_too: bool) -> anyhow::Result<()> {
    check_reachable(install)?;
    let calls = install.calls.iter().filter(|_| calls_too);
    if let Some(url) = calls.chain([&install.upstream]).find(|url| is_address(url)) {
        bail!("{url} is an address, and a mesh needs the name of the host");
    }
    Ok(())
}

/// Tells whether the host of `url` is an address.
pub(crate) fn is_address(url: &HttpUrl) -> bool {
    let host = url.host().trim_start_matches('[').trim_end_matches(']');
    host.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(host: &str, expected: Option<(&str, &str)>) {
        let service = Service::parse(host, "here");
        let service = service.as_ref();
        let found = service.map(|s| (s.name.as_str(), s.namespace.as_str()));
        assert_eq!(found, expected, "{host}");
    }

    #[test]
    fn service_is_a_name_or_what_ends_in_svc() {
        check("mcp", Some(("mcp", "here")));
        check("mcp.tools.svc", Some(("mcp", "tools")));
        check("mcp.tools.svc.cluster.local", Some(("mcp", "tools")));
        check("idp.example.com", None);
        check("mcp.tools", None);
    }
}
