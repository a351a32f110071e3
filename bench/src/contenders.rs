//! The list of contenders.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use portcullis_tests::Connection;

use crate::contender::Contender;
use crate::credentials::{API_KEY, AUDIENCE, ISSUER};
use crate::envoy::{Envoy, Shape};
use crate::filters::{self, Filter};
use crate::load::{Requests, Until, drive};
use crate::native::Native;
use crate::ours::{Row, checked_in_the_vm, ours};
use crate::peers;
use crate::spawn::Place;
use crate::usage::resident_memory;
use crate::world::{World, different, same, same_on};

/// How long a contender may take to answer its first request with 200.
const PATIENCE: Duration = Duration::from_secs(20);

/// Contenders, and why others are absent.
pub(crate) struct Field {
    /// Who is there.
    pub(crate) contenders: Vec<Contender>,
    /// Who is not, with the reason.
    pub(crate) absent: Vec<(String, String)>,
}

/// Starts every contender whose id contains `only`.
pub(crate) fn start(world: &World, only: &str) -> Field {
    let mut contenders = Vec::new();
    let wanted = |id: &str| id.contains(only) || ["envoy-bare", "native-none"].contains(&id);
    for entry in envoys(world) {
        if wanted(entry.id) {
            contenders.push(start_envoy(world, entry));
        }
    }
    for row in ours("native", world) {
        if wanted(row.id) {
            contenders.push(start_native(world, row));
        }
    }
    let (others, absent) = peers::start(world, &wanted);
    contenders.extend(others);
    for contender in &mut contenders {
        wait_until_it_answers(contender);
        if contender.id.ends_with("-session") {
            contender.requests = in_session(world, contender.address);
        }
    }
    Field { contenders, absent }
}

/// An Envoy that is to be started.
pub(crate) struct EnvoyEntry {
    /// See [`Contender`].
    pub(crate) id: &'static str,
    /// See [`Contender`].
    pub(crate) title: String,
    /// What stands in its chain.
    pub(crate) filter: Filter,
    /// See [`Contender`].
    pub(crate) requests: Requests,
    /// See [`Contender`].
    pub(crate) service: Option<u32>,
}

fn envoys(world: &World) -> Vec<EnvoyEntry> {
    let mut all = others_of_envoy(world);
    all.extend(ours_in_envoy(world));
    all
}

/// Returns Envoy with filters of its own.
pub(crate) fn others_of_envoy(world: &World) -> Vec<EnvoyEntry> {
    let jwks = world.keys.jwks();
    let authn = |cache| filters::jwt_authn(ISSUER, AUDIENCE, &jwks, cache);
    let entry = |id, title: &str, filter, requests| EnvoyEntry {
        id,
        title: title.to_owned(),
        filter,
        requests,
        service: None,
    };
    vec![
        entry(
            "envoy-bare",
            "Envoy bare",
            Filter::None,
            same(world, "none"),
        ),
        entry(
            "envoy-empty",
            "Envoy, empty Wasm filter",
            filters::empty_filter(),
            same(world, "none"),
        ),
        entry(
            "envoy-jwt-authn-rs256",
            "Envoy jwt_authn, RS256, uncached",
            authn(false),
            different(&world.rs256),
        ),
        entry(
            "envoy-jwt-authn-es256",
            "Envoy jwt_authn, ES256, uncached",
            authn(false),
            different(&world.es256),
        ),
        entry(
            "envoy-jwt-authn-cached",
            "Envoy jwt_authn, RS256, cached",
            authn(true),
            same(world, "jwt"),
        ),
        entry(
            "envoy-api-key-auth",
            "Envoy api_key_auth",
            filters::api_key_auth(API_KEY),
            same(world, "api-key"),
        ),
        EnvoyEntry {
            service: Some(world.service.id()),
            ..entry(
                "envoy-ext-authz",
                "Envoy ext_authz, trivial HTTP service (its CPU counted)",
                filters::ext_authz(world.service.address()),
                same(world, "api-key"),
            )
        },
    ]
}

fn ours_in_envoy(world: &World) -> Vec<EnvoyEntry> {
    let rows = ours("filter", world)
        .into_iter()
        .chain(checked_in_the_vm(world));
    rows.map(|row| EnvoyEntry {
        id: row.id,
        title: row.title,
        filter: Filter::Portcullis(world.settings(row.mode)),
        requests: row.requests,
        service: None,
    })
    .chain(without_host_function(world))
    .collect()
}

fn without_host_function(world: &World) -> [EnvoyEntry; 2] {
    let entry = |id, name: &str, tokens: &[String]| EnvoyEntry {
        id,
        title: format!("filter without the host function, each token new, {name}"),
        filter: Filter::Portable(world.settings("jwt")),
        requests: different(tokens),
        service: None,
    };
    [
        entry("filter-portable-cold-rs256", "RS256", &world.rs256),
        entry("filter-portable-cold-es256", "ES256", &world.es256),
    ]
}

/// Starts one.
pub(crate) fn start_envoy(world: &World, entry: EnvoyEntry) -> Contender {
    let folder = world.folder(entry.id);
    let upstream = world.resource.address();
    let envoy = Envoy::start(&folder, upstream, &entry.filter, Shape::CONTENDER);
    Contender {
        id: entry.id,
        title: entry.title,
        bare: (entry.id != "envoy-bare").then_some("envoy-bare"),
        address: envoy.address,
        process: envoy.id(),
        service: entry.service,
        requests: entry.requests,
        idle_memory: resident_memory(envoy.id()),
        _owned: Box::new(envoy),
        samples: Vec::new(),
    }
}

fn start_native(world: &World, entry: Row) -> Contender {
    let folder = world.folder(entry.id);
    let settings = world.settings(entry.mode);
    let native = Native::start(
        &folder,
        world.resource.address(),
        &settings,
        Place::Contender,
    );
    Contender {
        id: entry.id,
        title: entry.title,
        bare: (entry.id != "native-none").then_some("native-none"),
        address: native.address,
        process: native.id(),
        service: None,
        requests: entry.requests,
        idle_memory: resident_memory(native.id()),
        _owned: Box::new(native),
        samples: Vec::new(),
    }
}

/// Opens a session, and makes requests of it.
fn in_session(world: &World, address: SocketAddr) -> Requests {
    let mut connection = Connection::open(address).unwrap();
    connection
        .write(same_on(world, "jwt", "/initialize", "").first())
        .unwrap();
    let session = connection
        .read_response(false)
        .unwrap()
        .value("mcp-session-id");
    assert_ne!(session, "", "no session");
    same_on(
        world,
        "jwt",
        "/mcp",
        &format!("mcp-session-id: {session}\r\n"),
    )
}

/// Waits for the first 200: what is fetched at the start is there then.
pub(crate) fn wait_until_it_answers(contender: &Contender) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut requests = Requests::new(vec![contender.requests.first().to_vec()]);
        let outcome = drive(contender.address, 1, &mut requests, Until::Sent(1));
        if outcome.failed == 0 {
            return;
        }
        let status = outcome.last_failure;
        assert!(
            Instant::now() < deadline,
            "{} answers {status}",
            contender.id
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
