//! Laws of the parsers, tried on values made at random.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test fails by panicking"
)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portcullis_core::attempts::AttemptLimits;
use portcullis_core::config::{Setting, Settings, Source};
use portcullis_core::jose::{
    Algorithm, PortableVerifier, PublicKey, SignatureVerifier, TokenPolicy,
};
use portcullis_core::modes::{ApiKeyMode, JwtMode, KeySource, Mode, ZscalerMode};
use portcullis_core::rules::AddressList;
use portcullis_core::{
    Ambient, Config, Decision, Engine, Finding, HttpUrl, Peer, RequestHead, Seed, Step,
    UnixSeconds, UpstreamResponse,
};
use proptest::prelude::*;
use proptest::test_runner::Config as ProptestConfig;

const AMBIENT: Ambient = Ambient {
    now: UnixSeconds(1_800_000_000),
};

fn few(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn ask(engine: &mut Engine, headers: &[(&str, &[u8])]) -> Step {
    let head = RequestHead {
        method: b"POST",
        authority: b"mcp.example",
        path: b"/mcp",
        headers,
        peer: Peer::Unknown,
    };
    engine.handle_request(&head, AMBIENT)
}

fn passes(step: &Step) -> bool {
    matches!(step, Step::Decide(Decision::Forward(_)))
}

proptest! {
    #![proptest_config(few(200))]

    #[test]
    fn a_network_holds_the_addresses_that_share_its_prefix(
        base: u32, prefix in 0_u32..=32, noise: u32,
    ) {
        // Half of the addresses share the prefix.
        let address = if noise & 1 == 0 { noise } else { base ^ (noise >> 1 >> prefix.min(31)) };
        let shared = (base ^ address).leading_zeros() >= prefix;
        let list = format!("{}/{prefix}", Ipv4Addr::from(base));
        let list = AddressList::parse(&list).unwrap();
        let address = Ipv4Addr::from(address);
        prop_assert_eq!(list.contains(IpAddr::V4(address)), shared);
        prop_assert_eq!(list.contains(IpAddr::V6(address.to_ipv6_mapped())), shared);
    }

    #[test]
    fn a_network_of_long_addresses_does_too(base: u128, prefix in 0_u32..=128, noise: u128) {
        // 2000::/3, so that no address is a mapped one.
        let base = base >> 3 | 1 << 125;
        let address = base ^ (noise >> 3 >> prefix.min(124));
        let shared = (base ^ address).leading_zeros() >= prefix;
        let list = format!("{}/{prefix}", Ipv6Addr::from(base));
        let list = AddressList::parse(&list).unwrap();
        prop_assert_eq!(list.contains(Ipv6Addr::from(address).into()), shared);
    }

    #[test]
    fn a_url_is_made_of_its_parts(
        https: bool, host in "[a-z0-9]{1,9}(\\.[A-Za-z0-9]{1,9}){0,3}", port in 1_u16..,
        path in "(/[!-\"$-~]{0,20})?",
    ) {
        let scheme = if https { "HTTPS" } else { "http" };
        let url = HttpUrl::parse(&format!("{scheme}://{host}:{port}{path}")).unwrap();
        prop_assert_eq!(url.is_https(), https);
        prop_assert_eq!(url.host(), host.to_ascii_lowercase());
        prop_assert_eq!(url.port(), port);
        prop_assert_eq!(url.path(), if path.is_empty() { "/" } else { path.as_str() });
        let written = url.to_string();
        prop_assert_eq!(HttpUrl::parse(&written), Ok(url), "{}", written);
    }

    #[test]
    fn settings_come_out_of_json_as_they_went_in(
        values in prop::collection::vec(any::<String>(), Setting::ALL.len()),
    ) {
        let members: serde_json::Map<String, serde_json::Value> = Setting::ALL
            .into_iter()
            .zip(&values)
            .map(|(setting, value)| (setting.name().to_owned(), value.as_str().into()))
            .collect();
        let mut settings = Settings::default();
        settings.set(Setting::Host, "flag", Source::Flag);
        settings.set(Setting::Port, "environment", Source::Environment);
        settings.read_json(serde_json::to_string(&members).unwrap().as_bytes()).unwrap();
        for (setting, value) in Setting::ALL.into_iter().zip(&values) {
            let expected = if setting == Setting::Host { "flag" } else { value };
            prop_assert_eq!(settings.get(setting), Some(expected));
        }
        let shown = format!("{settings:?}");
        let secret = values.iter().find(|value| value.len() > 30 && shown.contains(*value));
        prop_assert_eq!(secret, None);
    }

    #[test]
    fn a_finding_that_can_be_read_is_written_the_same(
        form in 0..3_u8,
        at in any::<[u8; 8]>(),
        kind in 0..8_u8,
        rest in prop::collection::vec(0..4_u8, 0..40),
    ) {
        let octets = [&[form][..], &at, &[kind], &rest].concat();
        if let Some(finding) = Finding::from_octets(&octets) {
            prop_assert_eq!(finding.to_octets(), Some(octets));
        }
    }

    #[test]
    fn a_key_admits_itself_and_nothing_else(key in "[!-+\\--~]{1,40}", other in "[ -~]{0,40}") {
        prop_assume!(!key.starts_with("sha256:"));
        let config = Config::new(Mode::ApiKey(ApiKeyMode::parse(&key).unwrap()));
        let mut engine = Engine::new(config, Box::new(PortableVerifier::new()), Seed::new([0; 32]));
        let mut admits = |value: &str| passes(&ask(&mut engine, &[("x-api-key", value.as_bytes())]));
        prop_assert!(admits(&key));
        prop_assert_eq!(admits(&other), other.trim() == key);
    }

    #[test]
    fn client_credentials_reach_the_token_endpoint_unchanged(
        id in "[^:\\p{C}]{1,30}", secret in "[^\\p{C}]{1,30}",
    ) {
        let basic = STANDARD.encode(format!("{id}:{secret}"));
        let basic = form(&[("authorization", format!("Basic {basic}").as_bytes())]);
        prop_assert_eq!(basic, [id.clone(), secret.clone()]);
        prop_assume!(id.trim() == id && secret.trim() == secret);
        let pair = form(&[
            ("x-zscaler-client-id", id.as_bytes()),
            ("x-zscaler-client-secret", secret.as_bytes()),
        ]);
        prop_assert_eq!(pair, [id, secret]);
    }

    #[test]
    fn subjects_reach_the_protected_resource_unambiguously(subject: String) {
        prop_assume!(subject.len() < 600);
        let claims = serde_json::json!({"exp": 1_900_000_000, "sub": subject});
        let sent = subject_field(&claims.to_string());
        prop_assert!(sent.iter().all(u8::is_ascii_graphic));
        prop_assert_eq!(percent_decoded(&sent), subject.as_bytes());
    }
}

/// Returns id and secret out of the form that is sent to the token endpoint.
fn form(headers: &[(&str, &[u8])]) -> [String; 2] {
    let mode = Mode::Zscaler(ZscalerMode {
        token_url: HttpUrl::parse("https://issuer.example/token").unwrap(),
        forward_entitlements: false,
        attempts: AttemptLimits::default(),
    });
    let mut engine = Engine::new(
        Config::new(mode),
        Box::new(PortableVerifier::new()),
        Seed::new([0; 32]),
    );
    let step = ask(&mut engine, headers);
    assert!(matches!(step, Step::Wait { .. }), "{step:?}");
    let (call, _) = engine.poll_call().unwrap();
    let body = String::from_utf8(call.body).unwrap();
    let fields: Vec<(&str, &str)> = body
        .split('&')
        .map(|field| field.split_once('=').unwrap())
        .collect();
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["grant_type", "client_id", "client_secret", "audience"]
    );
    [1, 2].map(|index| {
        let value = fields[index].1.replace('+', " ");
        String::from_utf8(percent_decoded(value.as_bytes())).unwrap()
    })
}

/// Returns the subject as the protected resource is told.
fn subject_field(claims: &str) -> Vec<u8> {
    let mode = Mode::Jwt(JwtMode {
        keys: KeySource::Jwks(HttpUrl::parse("https://issuer.example/jwks").unwrap()),
        policy: TokenPolicy::default(),
        algorithms: Algorithm::ALL.to_vec(),
    });
    let mut engine = Engine::new(Config::new(mode), Box::new(Credulous), Seed::new([0; 32]));
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA"}"#);
    let token = format!("Bearer {header}.{}.AA", URL_SAFE_NO_PAD.encode(claims));
    let step = ask(&mut engine, &[("authorization", token.as_bytes())]);
    let Step::Wait { pending, .. } = step else {
        panic!("{step:?}");
    };
    let (_, call) = engine.poll_call().unwrap();
    let key = URL_SAFE_NO_PAD.encode([7; 32]);
    let jwks = UpstreamResponse {
        status: 200,
        headers: Vec::new(),
        body: format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{key}"}}]}}"#).into(),
    };
    let wake = engine.handle_upstream(call, Ok(jwks), AMBIENT);
    let step = engine.handle_wake(pending, &wake.answer, AMBIENT);
    let Step::Decide(Decision::Forward(forward)) = step else {
        panic!("{step:?}");
    };
    let field = forward
        .request
        .fields()
        .find(|(name, _)| *name == "x-mcp-auth-subject");
    field.unwrap().1.to_vec()
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = if let ([b'%', high, low, ..], true) = (rest, *first == b'%') {
            let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap() as u8;
            decoded.push(digit(high) << 4 | digit(low));
            &rest[3..]
        } else {
            decoded.push(*first);
            tail
        };
    }
    decoded
}

/// Takes every signature for good.
struct Credulous;

impl SignatureVerifier for Credulous {
    fn verify(&self, _: Algorithm, _: &PublicKey, _: &[u8], _: &[u8]) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "credulous"
    }
}
