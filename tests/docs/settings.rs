//! The settings that pages name, and their reference.

use std::collections::BTreeMap;

use portcullis_core::config::Setting;

use crate::markdown::Page;

#[test]
fn every_setting_is_in_exactly_one_table() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for page in Page::all() {
        for (line, head, cells) in page.rows() {
            if head == "Setting" {
                let name = cells[0].trim_matches('`').to_owned();
                let place = format!("{}:{line}", page.name());
                places.entry(name).or_default().push(place);
            }
        }
    }
    let mut wrong = Vec::new();
    for setting in Setting::ALL {
        match places.remove(setting.name()).unwrap_or_default().as_slice() {
            [] => wrong.push(format!("{} is in no table", setting.name())),
            [_] => {}
            several => wrong.push(format!("{} is in {several:?}", setting.name())),
        }
    }
    wrong.extend(
        places
            .iter()
            .map(|(name, at)| format!("{at:?}: {name} is no setting")),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn settings_that_pages_name_exist() {
    let mut wrong = Vec::new();
    for page in Page::all() {
        for (number, line) in (1..).zip(page.text.lines()) {
            for name in names(line) {
                let known = Setting::from_name(name).is_some() || OTHERS.contains(&name);
                if !known {
                    wrong.push(format!("{}:{number}: {name}", page.name()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns what a line holds that is named like a setting.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let is_part = |char: char| char.is_ascii_uppercase() || char.is_ascii_digit() || char == '_';
    line.split(move |char| !is_part(char))
        .filter(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix)))
}

const PREFIXES: [&str; 3] = ["ZSCALER_", "PORTCULLIS_", "OIDCPROXY_"];
/// Named like a setting of the gateway without being one, each in the pages for a reason.
const OTHERS: &[&str] = &[
    // A prefix.
    "OIDCPROXY_",
    // The Zscaler MCP server's own.
    "ZSCALER_CLIENT_ID",
    "ZSCALER_CLIENT_SECRET",
    "ZSCALER_MCP_CONFIRMATION_TTL",
    "ZSCALER_MCP_DISABLE_ENTITLEMENT_FILTER",
    "ZSCALER_MCP_DISABLE_HOST_VALIDATION",
    "ZSCALER_MCP_GCP_SECRET_MANAGER",
    "ZSCALER_MCP_REQUEST_STATE_KEYS",
    "ZSCALER_MCP_TLS_KEYFILE_PASSWORD",
    "ZSCALER_MCP_TRANSPORT",
    "ZSCALER_MCP_TRUST_PLATFORM_AUTH",
    "ZSCALER_SECRET_NAME",
    // Where clients find what they send.
    "PORTCULLIS_API_KEY",
    "PORTCULLIS_TOKEN",
    // Variables of clients, made up by the demos and by `client-config`.
    "PORTCULLIS_HEADER_1",
    "PORTCULLIS_API_KEY",
];

#[test]
fn names_are_found_in_any_surroundings() {
    let line =
        "`ZSCALER_CLOUD`=x, --env=PORTCULLIS_UPSTREAM: \"${OIDCPROXY_CLIENT_ID}\" XPORTCULLIS_A";
    let found: Vec<&str> = names(line).collect();
    assert_eq!(
        found,
        [
            "ZSCALER_CLOUD",
            "PORTCULLIS_UPSTREAM",
            "OIDCPROXY_CLIENT_ID"
        ]
    );
}
