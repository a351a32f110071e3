//! A host that does not do its part: nobody gets in.

use serde_json::json;

use crate::filter::Filter;
use crate::host::Fields;

const API_KEY: &str = "k7Jc2uY0cTn4u4b9wq8v1Xz3Lr6Sd5Ff0Gh2Jk4Qm8A";

#[test]
fn a_request_that_the_host_does_not_show_is_refused_as_a_failure_of_the_host() {
    let settings = json!({
        "ZSCALER_MCP_AUTH_MODE": "api-key",
        "ZSCALER_MCP_AUTH_API_KEY": API_KEY,
        "PORTCULLIS_SESSION_BINDING": "off",
    });
    let mut filter = Filter::start(&settings, json!({}));
    let whole = request();
    assert_eq!(filter.request(&whole, &Fields::new()).status, 200);
    assert!(!filter.counted("host_failure"));
    let mut without_method = whole;
    without_method.retain(|(name, _)| name != b":method");
    for shown in [without_method, Fields::new()] {
        assert_eq!(filter.request(&shown, &Fields::new()).status, 503);
        assert!(filter.counted("host_failure"));
    }
}

#[test]
fn a_filter_without_settings_refuses_everything() {
    let mut filter = Filter::unconfigured();
    assert_eq!(filter.request(&request(), &Fields::new()).status, 503);
}

/// Makes a request with the right key.
fn request() -> Fields {
    let fields = [
        (":authority", "mcp.example.com"),
        (":path", "/mcp"),
        (":method", "POST"),
        ("x-api-key", API_KEY),
    ];
    let owned = |(name, value): (&str, &str)| (name.into(), value.into());
    fields.into_iter().map(owned).collect()
}
