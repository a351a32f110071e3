//! Which Envoy cluster a call goes to.

use std::collections::BTreeMap;

use portcullis_core::HttpUrl;

/// The clusters of hosts that are not named as Istio names them.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Clusters(BTreeMap<String, String>);

impl Clusters {
    /// Parses a comma list of `host:port=cluster`.
    ///
    /// # Errors
    ///
    /// Returns the entry that has no host, port or cluster, or names a host again.
    pub(crate) fn parse(list: &str) -> Result<Self, &str> {
        let mut clusters = BTreeMap::new();
        for entry in list.split(',').map(str::trim).filter(|e| !e.is_empty()) {
            let (address, cluster) = entry.split_once('=').ok_or(entry)?;
            let (host, port) = address.trim().rsplit_once(':').ok_or(entry)?;
            let port: u16 = port.parse().map_err(|_| entry)?;
            if host.is_empty() || cluster.trim().is_empty() {
                return Err(entry);
            }
            let address = format!("{}:{port}", host.to_ascii_lowercase());
            if clusters
                .insert(address, cluster.trim().to_owned())
                .is_some()
            {
                return Err(entry);
            }
        }
        Ok(Self(clusters))
    }

    /// Returns the cluster of `url`: the configured one, else Istio's name for its host and port.
    pub(crate) fn of(&self, url: &HttpUrl) -> String {
        let (host, port) = (url.host(), url.port());
        let configured = self.0.get(&format!("{host}:{port}"));
        configured.map_or_else(|| format!("outbound|{port}||{host}"), String::clone)
    }
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
            assert!(Clusters::parse(bad).is_err(), "{bad}");
        }
    }
}
