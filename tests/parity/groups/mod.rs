//! The rows, grouped by settings. Every group is one test.

mod api_key;
mod endpoints;
mod http_libraries;
pub(crate) mod jwt;
mod jwt_claims;
mod jwt_header;
mod oidc;
pub(crate) mod oidc_proxy;
mod open;
mod outage;
mod rules;
pub(crate) mod zscaler;

use portcullis_tests::Protocol;

/// Makes a test of every group, and the list of all groups.
macro_rules! groups {
    ($($name:ident: $group:path,)*) => {
        $(
            #[test]
            fn $name() {
                crate::table::run($group, Protocol::Http1);
            }
        )*

        const GROUPS: &[fn(&crate::table::World) -> crate::table::Group] = &[$($group,)*];
    };
}

groups! {
    api_key_takes_both_forms_and_no_other: api_key::credentials,
    api_key_scheme_has_no_case_and_one_blank: api_key::scheme,
    api_key_counts_in_no_other_place: api_key::other_places,
    api_key_guards_every_method_and_path: api_key::methods_and_paths,
    api_key_survives_hostile_bytes: api_key::hostile_bytes,
    api_key_hands_on_identity_and_nothing_forged: api_key::identity,
    api_key_may_be_configured_as_a_digest: api_key::digest,
    jwt_takes_every_algorithm_and_no_forged_signature: jwt::algorithms,
    jwt_comes_as_a_bearer_token_only: jwt::credentials,
    jwt_without_kid_passes_where_one_key_fits: jwt::without_kid,
    jwt_without_kid_is_invalid_where_two_keys_fit: jwt::ambiguous_kid,
    jwt_takes_only_the_configured_algorithms: jwt::allowed_algorithms,
    jwt_issuer_and_audience_may_be_lists: jwt::lists,
    jwt_issuer_and_audience_are_optional: jwt::unrestricted,
    jwt_keys_that_do_not_fit_are_skipped: jwt::odd_keys,
    jwt_times_are_checked_with_leeway: jwt_claims::times,
    jwt_issuer_and_audience_match_exactly: jwt_claims::issuer_and_audience,
    jwt_identity_goes_on_sanitised: jwt_claims::identity,
    jwt_claims_are_strict_json: jwt_claims::odd_json,
    jwt_algorithm_must_fit_the_key: jwt_header::algorithm,
    jwt_header_brings_no_keys_and_no_extensions: jwt_header::fields,
    jwt_structure_is_exact: jwt_header::structure,
    jwt_is_unavailable_while_the_jwks_fails: outage::failing,
    jwt_is_unavailable_while_the_jwks_is_missing: outage::missing_document,
    jwt_is_unavailable_while_the_jwks_is_a_page: outage::page,
    jwt_follows_no_redirect_to_a_jwks: outage::redirect,
    jwt_is_unavailable_while_the_jwks_is_cut: outage::cut,
    jwt_is_unavailable_while_the_jwks_is_huge: outage::huge,
    jwt_is_unavailable_while_the_jwks_connection_closes: outage::closed,
    jwt_is_unavailable_while_the_jwks_nests_without_end: outage::nested,
    oidc_takes_tokens_of_the_discovered_issuer_for_this_resource: oidc::tokens,
    oidc_tells_clients_where_to_sign_in: oidc::metadata,
    oidc_metadata_is_kept_from_other_origins_where_they_are_listed: oidc::origins,
    oidc_is_unavailable_while_the_document_names_another_issuer: oidc::lying_document,
    oidc_is_unavailable_while_the_document_is_missing: oidc::missing_document,
    jwt_tells_clients_where_to_sign_in_when_asked_to: oidc::jwt_with_metadata,
    oidcproxy_registers_clients_within_limits: oidc_proxy::registrations,
    oidcproxy_reads_bodies_in_chunks: oidc_proxy::chunks,
    oidcproxy_tells_all_of_its_server: oidc_proxy::metadata,
    oidcproxy_endpoints_take_their_methods_only: oidc_proxy::methods,
    oidcproxy_refuses_forms_as_oauth_does: oidc_proxy::forms,
    oidcproxy_takes_no_garbage_for_a_token: oidc_proxy::tokens,
    zscaler_takes_both_forms_and_no_other: zscaler::credentials,
    zscaler_basic_is_decoded_strictly: zscaler::encoding,
    zscaler_outage_is_503_and_refusal_is_401: zscaler::token_endpoint,
    zscaler_without_a_token_endpoint_is_503: zscaler::unreachable_token_endpoint,
    zscaler_entitlements_go_on_when_asked_for: zscaler::entitlements,
    none_lets_everything_pass: open::none,
    none_on_loopback_lets_local_names_in_only: open::on_loopback,
    auth_enabled_false_wins_over_the_mode: open::switched_off,
    an_api_key_alone_selects_its_mode: open::detected,
    gateway_answers_health_and_well_known_paths: endpoints::paths,
    gateway_answers_preflights_of_allowed_origins: endpoints::origins,
    gateway_leaves_cors_alone_without_origins: endpoints::no_origins,
    gateway_is_ready_with_a_jwks: endpoints::ready,
    gateway_is_not_ready_without_a_jwks: endpoints::not_ready,
    http_libraries_differ_without_harm: http_libraries::messages,
    http_libraries_differ_in_an_open_gate: http_libraries::open_gate,
    http_libraries_differ_on_odd_hosts_without_harm: http_libraries::hosts,
    host_rule_is_exact: rules::hosts,
    host_rule_comes_before_credentials: rules::hosts_first,
    host_rule_may_be_open: rules::any_host,
    source_rule_believes_no_stranger: rules::strangers,
    source_rule_takes_the_peer_address: rules::neighbours,
    source_rule_believes_trusted_proxies: rules::trusted_proxy,
}

#[test]
fn the_table_has_at_least_220_rows() {
    let rows = crate::table::count(GROUPS);
    assert!(rows >= 220, "{rows} rows");
}

/// Makes a test of a group over HTTP/2; its rows are counted already.
macro_rules! over_http2 {
    ($($name:ident: $group:path,)*) => {
        $(
            #[test]
            fn $name() {
                crate::table::run($group, Protocol::Http2);
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
