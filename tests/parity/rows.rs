//! The rows through both gateways. Every group is one test.

use portcullis_tests::Protocol;

use crate::groups::{api_key, endpoints, for_each_group, jwt, oidc, oidc_proxy, rules, zscaler};
use crate::pair::Pair;
use crate::table::{Group, Wanted, World};

/// Runs every row of a group through both gateways and reports all that failed.
fn run(group: fn(&World) -> Group, protocol: Protocol) {
    let world = World::start();
    let Group { settings, rows } = group(&world);
    let pair = Pair::start_for(&world, &settings, protocol);
    let failures: Vec<String> = rows
        .iter()
        .flat_map(|row| {
            let problems = match &row.wanted {
                Wanted::Alike(expect) => pair.exchange(&row.request, expect).err(),
                Wanted::Apart { envoy, native } => {
                    pair.exchange_apart(&row.request, [envoy, native]).err()
                }
            };
            problems.map(|problems| {
                format!(
                    "* {}\n  {:?}\n  {}",
                    row.rule,
                    row.request,
                    problems.join("\n  ")
                )
            })
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} rows failed:\n{}",
        failures.len(),
        rows.len(),
        failures.join("\n")
    );
}

/// Counts the rows of groups without running them.
fn count(groups: &[fn(&World) -> Group]) -> usize {
    let world = World::start();
    groups.iter().map(|group| group(&world).rows.len()).sum()
}

/// Makes a test of every group, and the list of all groups.
macro_rules! over_http1 {
    ($($name:ident: $group:path,)*) => {
        $(
            #[test]
            fn $name() {
                run($group, Protocol::Http1);
            }
        )*

        const GROUPS: &[fn(&World) -> Group] = &[$($group,)*];
    };
}

for_each_group!(over_http1);

#[test]
fn the_table_has_at_least_220_rows() {
    let rows = count(GROUPS);
    assert!(rows >= 220, "{rows} rows");
}

/// Makes a test of a group over HTTP/2; its rows are counted already.
macro_rules! over_http2 {
    ($($name:ident: $group:path,)*) => {
        $(
            #[test]
            fn $name() {
                run($group, Protocol::Http2);
            }
        )*
    };
}

over_http2! {
    http2_api_key_takes_both_forms_and_no_other: api_key::credentials,
    http2_api_key_hands_on_identity_and_nothing_forged: api_key::identity,
    http2_api_key_guards_every_method_and_path: api_key::methods_and_paths,
    http2_jwt_comes_as_a_bearer_token_only: jwt::credentials,
    http2_oidc_tells_clients_where_to_sign_in: oidc::metadata,
    http2_oidcproxy_registers_clients_within_limits: oidc_proxy::registrations,
    http2_oidcproxy_endpoints_take_their_methods_only: oidc_proxy::methods,
    http2_oidcproxy_refuses_forms_as_oauth_does: oidc_proxy::forms,
    http2_zscaler_takes_both_forms_and_no_other: zscaler::credentials,
    http2_gateway_answers_health_and_well_known_paths: endpoints::paths,
    http2_gateway_answers_preflights_of_allowed_origins: endpoints::origins,
    http2_host_rule_comes_before_credentials: rules::hosts_first,
    http2_source_rule_believes_trusted_proxies: rules::trusted_proxy,
}
