//! Which Envoy cluster a call goes to.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use crate::config::{ConfigError, Setting};
use crate::url::HttpUrl;

/// The clusters of hosts that are not named as Istio names them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Clusters(BTreeMap<String, String>);

impl Clusters {
    /// Parses a comma list of `host:port=cluster`.
    ///
    /// # Errors
    ///
    /// Refuses an entry that has no host, port or cluster, or names a host again.
    pub fn parse(list: &str) -> Result<Self, ConfigError> {
        let mut clusters = BTreeMap::new();
        for entry in crate::rules::items(list) {
            let problem = || {
                let message =
                    format!("must be a list of host:port=cluster, and \"{entry}\" is not");
                ConfigError::at(Setting::Clusters, message)
            };
            let (address, cluster) = pair(entry).ok_or_else(problem)?;
            if clusters.insert(address, cluster.to_owned()).is_some() {
                return Err(problem());
            }
        }
        Ok(Self(clusters))
    }

    /// Returns the cluster of `url`: the configured one, else Istio's name for its host and port.
    #[must_use]
    pub fn of(&self, url: &HttpUrl) -> String {
        let (host, port) = (url.host(), url.port());
        self.0
            .get(&format!("{host}:{port}"))
            .map_or_else(|| format!("outbound|{port}||{host}"), String::clone)
    }
}

fn pair(entry: &str) -> Option<(String, &str)> {
    let (address, cluster) = entry.split_once('=')?;
    let (host, port) = address.trim().rsplit_once(':')?;
    let (port, cluster): (u16, _) = (port.parse().ok()?, cluster.trim());
    let whole = !host.is_empty() && !cluster.is_empty();
    whole.then(|| (format!("{}:{port}", host.to_ascii_lowercase()), cluster))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &str, url: &str, expected: &str) {
        let clusters = Clusters::parse(list).expect(list);
        assert_eq!(clusters.of(&HttpUrl::parse(url).expect(url)), expected);
    }

    #[test]
    fn cluster_is_the_configured_one_or_istios() {
        check(
            "",
            "https://idp.example.com/jwks",
            "outbound|443||idp.example.com",
        );
        check("", "http://[::1]:8080/", "outbound|8080||[::1]");
        let list = "IDP.example.com:443 = idp, [::1]:8080=a=b,";
        check(list, "https://idp.example.com/jwks", "idp");
        check(list, "http://[::1]:8080/", "a=b");
        check(
            list,
            "https://idp.example.com:8443/",
            "outbound|8443||idp.example.com",
        );
    }

    #[test]
    fn list_with_a_broken_entry_is_refused() {
        for bad in [
            "idp",
            "idp=x",
            "idp:port=x",
            ":1=x",
            "idp:1=",
            "a:1=x,A:1=y",
        ] {
            let error = Clusters::parse(bad).expect_err(bad);
            assert_eq!(error.setting(), Some(Setting::Clusters), "{bad}");
        }
    }
}
