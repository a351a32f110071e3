//! Configuration, and what its values are made of.

use portcullis_core::config::{Setting, Settings, Site, StateKeys, resolve};
use portcullis_core::jose::PortableVerifier;
use portcullis_core::modes::ApiKeyMode;
use portcullis_core::rules::{AddressList, HostList, OriginList};
use portcullis_core::{Config, Decision, HttpUrl, Peer, RequestHead};

use super::gate::{API_KEY, Gate, api_key, is_field_value, post};
use super::request::cut;

/// Reads a configuration document.
pub fn settings(data: &[u8]) {
    let mut settings = Settings::default();
    if let Err(error) = settings.read_json(data) {
        assert!(!error.to_string().is_empty());
        return;
    }
    for site in [
        Site::Filter,
        Site::Native { loopback: false },
        Site::Native { loopback: true },
    ] {
        match resolve(&settings, site) {
            Ok(resolution) => {
                let open = resolution.config.mode_name() == "none";
                let said = settings.get(Setting::AuthMode).is_some()
                    || settings.get(Setting::AuthEnabled).is_some();
                let loopback = site == Site::Native { loopback: true };
                assert!(!open || said || loopback, "open, and nobody said so");
                assert!(
                    !open || !resolution.warnings.is_empty(),
                    "open without a warning"
                );
                without_credentials(resolution.config, open);
            }
            Err(error) => {
                let shown = error.to_string();
                for setting in Setting::ALL
                    .into_iter()
                    .filter(|setting| setting.is_secret())
                {
                    let secret = settings.non_blank(setting).filter(|value| value.len() > 12);
                    assert!(
                        !secret.is_some_and(|secret| shown.contains(secret)),
                        "{shown}"
                    );
                }
            }
        }
    }
}

fn without_credentials(config: Config, open: bool) {
    let mut gate = Gate::new(config, Box::new(PortableVerifier::new()));
    let decision = gate.decide(&post(&[]));
    assert!(
        open || matches!(decision, Decision::Respond(_)),
        "admitted without credentials"
    );
}

/// Reads a line with a list, then a value to look up in it, in every grammar of lists.
pub fn lists(data: &[u8]) {
    let (list, value) = cut(data, b'\n');
    let Ok(list) = core::str::from_utf8(list) else {
        return;
    };
    let _ = (StateKeys::parse(list), ApiKeyMode::parse(list));
    if let Ok(addresses) = AddressList::parse(list) {
        for item in list.split(',').map(str::trim) {
            let address = item.split('/').next().and_then(|item| item.parse().ok());
            assert!(
                address.is_none_or(|address| addresses.contains(address)),
                "{item}"
            );
        }
    }
    if !is_field_value(value) {
        return;
    }
    let headers: [(&str, &[u8]); 3] = [
        ("authorization", &[b"Bearer ", API_KEY.as_bytes()].concat()),
        ("origin", value),
        ("x-forwarded-for", value),
    ];
    let peer = Peer::Address([192, 0, 2, 1].into());
    let head = RequestHead {
        authority: value,
        peer,
        ..post(&headers)
    };
    let guards: [fn(&mut Config, &str); 4] = [
        |config, list| config.access.hosts = HostList::parse(list).ok(),
        |config, list| config.access.origins = OriginList::parse(list).ok(),
        |config, list| config.access.sources = AddressList::parse(list).ok(),
        |config, list| {
            config.access.sources = AddressList::parse(list).ok();
            config.access.trusted_proxies = AddressList::parse("192.0.2.1").ok();
        },
    ];
    for guard in guards {
        let mut config = api_key();
        guard(&mut config, list);
        let _ = Gate::new(config, Box::new(PortableVerifier::new())).decide(&head);
    }
}

/// Reads a URL, whose written form is its only one.
pub fn url(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    if let Ok(url) = HttpUrl::parse(text) {
        let written = url.to_string();
        assert_eq!(HttpUrl::parse(&written).as_ref(), Ok(&url), "{written}");
        assert!(url.path().starts_with('/'));
        assert_eq!(url.host(), url.host().to_ascii_lowercase());
        assert!(is_field_value(written.as_bytes()));
    }
}
