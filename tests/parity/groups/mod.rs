//! The rows, grouped by settings.

pub(crate) mod api_key;
pub(crate) mod endpoints;
pub(crate) mod http_libraries;
pub(crate) mod jwt;
pub(crate) mod jwt_claims;
pub(crate) mod jwt_header;
pub(crate) mod oidc;
pub(crate) mod oidc_proxy;
pub(crate) mod open;
pub(crate) mod outage;
pub(crate) mod rules;
pub(crate) mod zscaler;

/// Gives the list of all groups to a macro, each with the name of its test.
macro_rules! for_each_group {
    ($then:ident) => {
        $then! {
            api_key_takes_both_forms_and_no_other: $crate::groups::api_key::credentials,
            api_key_scheme_has_no_case_and_one_blank: $crate::groups::api_key::scheme,
            api_key_counts_in_no_other_place: $crate::groups::api_key::other_places,
            api_key_guards_every_method_and_path: $crate::groups::api_key::methods_and_paths,
            api_key_survives_hostile_bytes: $crate::groups::api_key::hostile_bytes,
            api_key_hands_on_identity_and_nothing_forged: $crate::groups::api_key::identity,
            api_key_may_be_configured_as_a_digest: $crate::groups::api_key::digest,
            api_key_may_be_one_of_a_list: $crate::groups::api_key::list,
            api_key_of_an_empty_list_is_nobodys: $crate::groups::api_key::empty_list,
            jwt_takes_every_algorithm_and_no_forged_signature: $crate::groups::jwt::algorithms,
            jwt_comes_as_a_bearer_token_only: $crate::groups::jwt::credentials,
            jwt_without_kid_passes_where_one_key_fits: $crate::groups::jwt::without_kid,
            jwt_without_kid_is_invalid_where_two_keys_fit: $crate::groups::jwt::ambiguous_kid,
            jwt_takes_only_the_configured_algorithms: $crate::groups::jwt::allowed_algorithms,
            jwt_issuer_and_audience_may_be_lists: $crate::groups::jwt::lists,
            jwt_issuer_and_audience_are_optional: $crate::groups::jwt::unrestricted,
            jwt_keys_that_do_not_fit_are_skipped: $crate::groups::jwt::odd_keys,
            jwt_times_are_checked_with_leeway: $crate::groups::jwt_claims::times,
            jwt_issuer_and_audience_match_exactly: $crate::groups::jwt_claims::issuer_and_audience,
            jwt_identity_goes_on_sanitised: $crate::groups::jwt_claims::identity,
            jwt_claims_are_strict_json: $crate::groups::jwt_claims::odd_json,
            jwt_algorithm_must_fit_the_key: $crate::groups::jwt_header::algorithm,
            jwt_header_brings_no_keys_and_no_extensions: $crate::groups::jwt_header::fields,
            jwt_structure_is_exact: $crate::groups::jwt_header::structure,
            jwt_is_unavailable_while_the_jwks_fails: $crate::groups::outage::failing,
            jwt_is_unavailable_while_the_jwks_is_missing: $crate::groups::outage::missing_document,
            jwt_is_unavailable_while_the_jwks_is_a_page: $crate::groups::outage::page,
            jwt_follows_no_redirect_to_a_jwks: $crate::groups::outage::redirect,
            jwt_is_unavailable_while_the_jwks_is_cut: $crate::groups::outage::cut,
            jwt_is_unavailable_while_the_jwks_is_huge: $crate::groups::outage::huge,
            jwt_is_unavailable_while_the_jwks_connection_closes: $crate::groups::outage::closed,
            jwt_is_unavailable_while_the_jwks_nests_without_end: $crate::groups::outage::nested,
            oidc_takes_tokens_of_the_discovered_issuer_for_this_resource: $crate::groups::oidc::tokens,
            oidc_tells_clients_where_to_sign_in: $crate::groups::oidc::metadata,
            oidc_metadata_is_kept_from_other_origins_where_they_are_listed: $crate::groups::oidc::origins,
            oidc_is_unavailable_while_the_document_names_another_issuer: $crate::groups::oidc::lying_document,
            oidc_is_unavailable_while_the_document_is_missing: $crate::groups::oidc::missing_document,
            jwt_tells_clients_where_to_sign_in_when_asked_to: $crate::groups::oidc::jwt_with_metadata,
            oidcproxy_registers_clients_within_limits: $crate::groups::oidc_proxy::registrations,
            oidcproxy_reads_bodies_in_chunks: $crate::groups::oidc_proxy::chunks,
            oidcproxy_tells_all_of_its_server: $crate::groups::oidc_proxy::metadata,
            oidcproxy_endpoints_take_their_methods_only: $crate::groups::oidc_proxy::methods,
            oidcproxy_refuses_forms_as_oauth_does: $crate::groups::oidc_proxy::forms,
            oidcproxy_takes_no_garbage_for_a_token: $crate::groups::oidc_proxy::tokens,
            zscaler_takes_both_forms_and_no_other: $crate::groups::zscaler::credentials,
            zscaler_basic_is_decoded_strictly: $crate::groups::zscaler::encoding,
            zscaler_outage_is_503_and_refusal_is_401: $crate::groups::zscaler::token_endpoint,
            zscaler_without_a_token_endpoint_is_503: $crate::groups::zscaler::unreachable_token_endpoint,
            zscaler_entitlements_go_on_when_asked_for: $crate::groups::zscaler::entitlements,
            none_lets_everything_pass: $crate::groups::open::none,
            none_on_loopback_lets_local_names_in_only: $crate::groups::open::on_loopback,
            auth_enabled_false_wins_over_the_mode: $crate::groups::open::switched_off,
            an_api_key_alone_selects_its_mode: $crate::groups::open::detected,
            gateway_answers_health_and_well_known_paths: $crate::groups::endpoints::paths,
            gateway_answers_preflights_of_allowed_origins: $crate::groups::endpoints::origins,
            gateway_leaves_cors_alone_without_origins: $crate::groups::endpoints::no_origins,
            gateway_is_ready_with_a_jwks: $crate::groups::endpoints::ready,
            gateway_is_not_ready_without_a_jwks: $crate::groups::endpoints::not_ready,
            http_libraries_differ_without_harm: $crate::groups::http_libraries::messages,
            http_libraries_differ_in_an_open_gate: $crate::groups::http_libraries::open_gate,
            http_libraries_differ_on_odd_hosts_without_harm: $crate::groups::http_libraries::hosts,
            host_rule_is_exact: $crate::groups::rules::hosts,
            host_rule_comes_before_credentials: $crate::groups::rules::hosts_first,
            host_rule_may_be_open: $crate::groups::rules::any_host,
            source_rule_believes_no_stranger: $crate::groups::rules::strangers,
            source_rule_takes_the_peer_address: $crate::groups::rules::neighbours,
            source_rule_believes_trusted_proxies: $crate::groups::rules::trusted_proxy,
        }
    };
}

pub(crate) use for_each_group;
