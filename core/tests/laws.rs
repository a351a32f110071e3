//! Laws of what operators write and clients are told, tried on values made at random.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::net::{IpAddr, Ipv4Addr};

use portcullis_core::attempts::AttemptLimits;
use portcullis_core::jose::PortableVerifier;
use portcullis_core::modes::{ApiKeyMode, Mode, ZscalerMode, read_api_keys};
use portcullis_core::rules::AddressList;
use portcullis_core::{
    Ambient, Config, Decision, Digest, Engine, HttpUrl, LocalResponse, Peer, ProtectedResource,
    RequestHead, Seed, Step, Timestamp, UnixSeconds,
};
use proptest::prelude::*;
use proptest::test_runner::Config as ProptestConfig;
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;

/// One key as an operator writes it.
#[derive(Clone, Debug)]
struct Written {
    name: String,
    key: String,
    expires: Option<u64>,
    /// The network of one octet that it may come from.
    source: Option<u8>,
    note: Option<String>,
}

impl Written {
    fn entry(&self) -> Value {
        let digest = Digest::plain(self.key.as_bytes());
        let hex: String = digest
            .as_bytes()
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect();
        let mut entry = json!({ "name": self.name, "sha256": hex });
        if let Some(expires) = self.expires {
            entry["expires"] = Timestamp(UnixSeconds(expires)).to_string().into();
        }
        if let Some(source) = self.source {
            entry["sources"] = json!([format!("{source}.0.0.0/8")]);
        }
        if let Some(note) = &self.note {
            entry["note"] = note.as_str().into();
        }
        entry
    }
}

fn written() -> impl Strategy<Value = Written> {
    (
        "[A-Za-z0-9._@/+-]{1,64}",
        "[!-+\\--~]{1,40}",
        prop::option::of(NOW - 2..NOW + 3),
        prop::option::of(0_u8..3),
        prop::option::of("[^\\p{Cc}]{0,40}"),
    )
        .prop_map(|(name, key, expires, source, note)| Written {
            name,
            key,
            expires,
            source,
            note,
        })
}

fn few(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn engine(config: Config) -> Engine {
    Engine::new(
        config,
        Box::new(PortableVerifier::new()),
        Seed::new([0; 32]),
    )
}

fn ask(engine: &mut Engine, headers: &[(&str, &[u8])], peer: IpAddr) -> Decision {
    let head = RequestHead {
        method: b"POST",
        authority: b"mcp.example",
        path: b"/mcp",
        headers,
        peer: Peer::Address(peer),
    };
    let now = UnixSeconds(NOW);
    match engine.handle_request(&head, Ambient { now }) {
        Step::Decide(decision) => decision,
        Step::Wait { .. } | Step::ReadBody { .. } => unreachable!("nothing is asked here"),
    }
}

/// Reads a challenge as RFC 9110 §11.6.1 writes it: a scheme and parameters of quoted text.
fn parameters(challenge: &str) -> Option<Vec<(&str, &str)>> {
    let (scheme, mut rest) = challenge.split_once(' ')?;
    let mut all = Vec::new();
    let named =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if !matches!(scheme, "Bearer" | "Basic") {
        return None;
    }
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        if !named(name)
            || !value
                .bytes()
                .all(|b| matches!(b, b' '..=b'~') && b != b'\\')
        {
            return None;
        }
        all.push((name, value));
        rest = match after.strip_prefix(", ") {
            Some(more) => more,
            None if after.is_empty() => return Some(all),
            None => return None,
        };
    }
}

fn challenge(response: &LocalResponse) -> Option<&str> {
    let mut fields = response.headers.iter();
    let field = fields.find(|(name, _)| *name == "www-authenticate");
    field.map(|(_, value)| value.as_str())
}

proptest! {
    #![proptest_config(few(100))]

    #[test]
    fn a_list_of_keys_is_read_as_it_was_written(list in prop::collection::vec(written(), 0..5)) {
        let json = Value::from_iter(list.iter().map(Written::entry)).to_string();
        let mut read = Vec::new();
        read_api_keys(json.as_bytes(), &mut |record| {
            assert_eq!(record.sha256, Digest::plain(list[read.len()].key.as_bytes()));
            let octet = |octet| IpAddr::V4(Ipv4Addr::new(octet, 1, 2, 3));
            read.push((
                record.name.to_owned(),
                record.expires.map(|expires| expires.0),
                record.sources.map(|list| (0..=255).filter(|at| list.contains(octet(*at))).collect::<Vec<u8>>()),
                record.note.map(str::to_owned),
            ));
            Ok(())
        }).unwrap();
        let given: Vec<_> = list.iter().cloned().map(|key| {
            (key.name, key.expires, key.source.map(|octet| vec![octet]), key.note)
        }).collect();
        prop_assert_eq!(read, given);
    }

    #[test]
    fn a_named_key_counts_before_it_expires_and_from_its_addresses(
        key in written(), octet in 0_u8..3, presented in prop::option::of("[!-~]{1,40}"),
    ) {
        let list = json!([key.entry()]).to_string();
        let mode = ApiKeyMode::parse_list(list.as_bytes()).unwrap();
        let mut engine = engine(Config::new(Mode::ApiKey(mode)));
        let presented = presented.unwrap_or_else(|| key.key.clone());
        let peer = Ipv4Addr::new(octet, 9, 9, 9).into();
        let decision = ask(&mut engine, &[("x-api-key", presented.as_bytes())], peer);
        let expected = if presented != key.key {
            "wrong_api_key"
        } else if key.expires.is_some_and(|expires| expires <= NOW) {
            "api_key_expired"
        } else if key.source.is_some_and(|source| source != octet) {
            "api_key_source_not_allowed"
        } else {
            "allowed"
        };
        prop_assert_eq!(decision.reason().name(), expected);
    }

    #[test]
    fn one_octet_changed_in_a_list_of_keys_admits_nobody_else(
        key in written(), place: prop::sample::Index, octet: u8,
    ) {
        let mut list = json!([key.entry()]).to_string().into_bytes();
        let place = place.index(list.len());
        list[place] = octet;
        if let Ok(mode) = ApiKeyMode::parse_list(&list) {
            let mut engine = engine(Config::new(Mode::ApiKey(mode)));
            let peer = Ipv4Addr::LOCALHOST.into();
            let other = format!("{}x", key.key);
            let decision = ask(&mut engine, &[("x-api-key", other.as_bytes())], peer);
            prop_assert_eq!(decision.reason().name(), "wrong_api_key");
        }
    }

    #[test]
    fn a_list_of_addresses_holds_what_its_items_hold(
        networks in prop::collection::vec((any::<u32>(), 0_u32..=32), 1..5),
        separator in " {0,2},[ ,]{0,3}", address: u32, near: prop::sample::Index,
    ) {
        // Half of the addresses are near one of the networks.
        let (base, prefix) = networks[near.index(networks.len())];
        let address = if address & 1 == 0 { address } else { base ^ (address >> 1 >> prefix.min(31)) };
        let shared = networks.iter().any(|(base, prefix)| (base ^ address).leading_zeros() >= *prefix);
        let items: Vec<_> = networks.iter()
            .map(|(base, prefix)| format!("{}/{prefix}", Ipv4Addr::from(*base)))
            .collect();
        let list = AddressList::parse(&items.join(&separator)).unwrap();
        prop_assert_eq!(list.contains(Ipv4Addr::from(address).into()), shared);
    }

    #[test]
    fn an_address_that_is_none_or_a_prefix_that_is_too_long_spoils_the_list(
        junk in "[ -+.-~]{1,20}", prefix in 33_u32..,
    ) {
        let junk = junk.trim();
        if !junk.is_empty() && junk != "*" {
            let alone = AddressList::parse(junk).is_ok();
            let beside = AddressList::parse(&format!("10.0.0.0/8,{junk}")).is_ok();
            prop_assert_eq!(alone, beside, "{}", junk);
            let address = junk.split('/').next().unwrap();
            prop_assert!(!alone || address.parse::<IpAddr>().is_ok(), "{}", junk);
        }
        let network = format!("10.0.0.0/{prefix}");
        prop_assert!(AddressList::parse(&network).is_err());
        for odd in ["+8", "-1", " 8", "8 8", "", "0x8"] {
            let network = format!("10.0.0.0/{odd}");
            prop_assert!(AddressList::parse(&network).is_err(), "{}", network);
        }
    }

    #[test]
    fn a_challenge_has_the_parameters_that_were_meant_and_no_other(
        path in "(/[!-\"$-~]{0,20})?", scopes in prop::collection::vec("[ -~]{1,9}", 0..3),
        name in "authorization|x-api-key|host|origin|mcp-session-id|x-zscaler-client-id",
        value in prop::collection::vec(prop_oneof![0x20_u8..0x7f, 0x80_u8.., Just(b'\t')], 0..60),
        zscaler: bool,
    ) {
        let url = HttpUrl::parse(&format!("https://mcp.example{path}")).unwrap();
        let Ok(resource) = ProtectedResource::new(&url, scopes) else { return Ok(()) };
        let mode = if zscaler {
            Mode::Zscaler(ZscalerMode {
                token_url: HttpUrl::parse("https://issuer.example/token").unwrap(),
                forward_entitlements: false,
                attempts: AttemptLimits::default(),
            })
        } else {
            Mode::ApiKey(ApiKeyMode::parse("correct horse").unwrap())
        };
        let mut config = Config::new(mode);
        let identifier = resource.identifier().to_owned();
        config.resource = Some(resource);
        let mut engine = engine(config);
        let mut headers: Vec<(&str, &[u8])> = vec![(name.as_str(), &value)];
        if zscaler && name == "authorization" {
            // A pair would be asked for at the token endpoint.
            headers.clear();
        }
        let Decision::Respond(response) = ask(&mut engine, &headers, Ipv4Addr::LOCALHOST.into()) else {
            return Ok(());
        };
        for (_, value) in &response.headers {
            prop_assert!(value.bytes().all(|octet| matches!(octet, b' '..=b'~')), "{}", value);
        }
        if let Some(challenge) = challenge(&response) {
            let parameters = parameters(challenge);
            prop_assert!(parameters.is_some(), "{}", challenge);
            let parameters = parameters.unwrap();
            let (_, metadata) = parameters.iter().find(|(name, _)| *name == "resource_metadata").unwrap();
            let path = identifier.strip_prefix("https://mcp.example").unwrap();
            let expected = format!("https://mcp.example/.well-known/oauth-protected-resource{path}");
            prop_assert_eq!(*metadata, expected);
            for (name, _) in &parameters {
                let known = ["realm", "charset", "error", "error_description", "resource_metadata", "scope"];
                prop_assert!(known.contains(name), "{}", challenge);
            }
        }
    }
}
