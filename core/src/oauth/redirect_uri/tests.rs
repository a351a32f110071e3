use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(text: &str, expected: Result<&str, RedirectFault>) {
    let host = RedirectUri::parse(text).map(|uri| uri.display_host());
    assert_eq!(host.as_deref().map_err(|fault| *fault), expected, "{text}");
}

#[test]
fn https_leads_anywhere_and_http_to_this_computer() {
    check("https://claude.ai/api/mcp/auth_callback", Ok("claude.ai"));
    check("https://h:8443", Ok("h:8443"));
    check("https://h?a=b", Ok("h"));
    check("https://192.0.2.1/cb", Ok("192.0.2.1"));
    check("https://[2001:db8::1]:8443/cb", Ok("[2001:db8::1]:8443"));
    check(
        "https://xn--bcher-kva.example/",
        Ok("xn--bcher-kva.example"),
    );
    check("HTTPS://Ide.Example/CB", Ok("ide.example"));
    check("https://h/@scope/a:b/%20x", Ok("h"));
    check("http://localhost:3335/oauth/callback", Ok("localhost:3335"));
    check("http://LocalHost/cb", Ok("localhost"));
    check("http://127.0.0.1:6276/oauth/callback", Ok("127.0.0.1:6276"));
    check("http://[::1]/cb", Ok("[::1]"));
    for remote in [
        "http://ide.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://localhost.evil.example/cb",
        "http://evil-localhost/cb",
        "http://127.0.0.2/cb",
        "http://0.0.0.0/cb",
        "http://[::]/cb",
        "http://[0:0:0:0:0:0:0:1]/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "http://192.168.0.1/cb",
    ] {
        check(remote, Err(RedirectFault::PlainHttp));
    }
}

#[test]
fn a_program_is_reached_by_a_scheme_of_its_own() {
    check(
        "cursor://anysphere.cursor-mcp/oauth/callback",
        Ok("cursor:"),
    );
    check("com.example.app:/cb", Ok("com.example.app:"));
    check("Vscode://vendor.extension:8080/cb?a=b", Ok("vscode:"));
    check("app:///cb", Ok("app:"));
    check("my-app+x.y:/", Ok("my-app+x.y:"));
    check("app:cb", Err(RedirectFault::NotAbsolute));
    check("app:", Err(RedirectFault::NotAbsolute));
    check("localhost:8080/cb", Err(RedirectFault::NotAbsolute));
    check("app://a@b/cb", Err(RedirectFault::UserInformation));
    check("app://[zz]/cb", Err(RedirectFault::BadHost));
    check("app://a:b/cb", Err(RedirectFault::BadHost));
}

#[test]
fn a_scheme_that_means_more_than_a_program_is_refused() {
    for bad in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "javascript://h/%20alert(1)",
        "data:text/html,x",
        "data://x/",
        "vbscript:x",
        "file:///etc/passwd",
        "FILE://h/x",
        "blob:https://h/x",
        "about:blank",
        "view-source:https://h/",
        "filesystem:https://h/x",
        "ws://h/",
        "wss://h/",
        "ftp://h/",
        "mailto:a@h",
        "tel:1",
        "urn:ietf:wg:oauth:2.0:oob",
        "chrome-extension://x/cb",
        "moz-extension://x/cb",
        "intent://h/x",
        "search-ms:/x",
        "ms-msdt:/id",
        "ms-officecmd:/x",
        "git+ssh://h/x",
        "svn+ssh://h/x",
    ] {
        check(bad, Err(RedirectFault::ForbiddenScheme));
    }
}

#[test]
fn what_is_not_absolute_is_refused() {
    for bad in [
        "",
        "/cb",
        "//h/cb",
        "h/cb",
        ":/cb",
        "https",
        "https:h/cb",
        "https:/h/cb",
        "1app:/cb",
        "a_b:/cb",
        "ht%74ps://h/cb",
    ] {
        check(bad, Err(RedirectFault::NotAbsolute));
    }
}

#[test]
fn a_host_is_what_it_seems() {
    for bad in [
        "https://",
        "https:///evil.example",
        "https://:443/",
        "https://h:/",
        "https://h:0/",
        "https://h:65536/",
        "https://h:+1/",
        "https://h:8a/",
        "https://h:1:2/",
        "https://h./cb",
        "https://h../cb",
        "https://.h/cb",
        "https://-h/cb",
        "https://h%2eevil.example/cb",
        "https://h%00/cb",
        "https://[::1/cb",
        "https://::1/cb",
        "https://[::1]evil.example/cb",
        "https://[::1%25lo]/cb",
        "https://[127.0.0.1]/cb",
        "https://h,evil/cb",
        "https://h;evil/cb",
        "http://2130706433/cb",
        "http://0x7f000001/cb",
        "http://0177.0.0.1/cb",
        "http://127.1/cb",
        "http://127.0.0.1./cb",
        "http://127.0.0.0x1/cb",
        "http://127.0.0.01/cb",
        "http://localhost./cb",
    ] {
        let fault = RedirectUri::parse(bad).unwrap_err();
        let refused = [RedirectFault::BadHost, RedirectFault::ForbiddenCharacter];
        assert!(refused.contains(&fault), "{bad}: {fault:?}");
    }
    for bad in [
        "https://good.example@evil.example/cb",
        "https://a:b@evil.example/cb",
        "http://localhost:80@evil.example/cb",
        "http://127.0.0.1%40@evil.example/",
        "https://@h/cb",
    ] {
        check(bad, Err(RedirectFault::UserInformation));
    }
}

#[test]
fn a_character_that_browsers_change_or_drop_is_refused() {
    for bad in [
        "https:/\\evil.example/cb",
        "https:\\\\evil.example/cb",
        "https://good.example\\@evil.example/cb",
        "https://h/\\cb",
        "java\tscript:alert(1)",
        "https://h/\tcb",
        "https://h/\ncb",
        " https://h/cb",
        "https://h/cb ",
        "https://h/\0",
        "https://h/\u{7f}",
        "https://b\u{fc}cher.example/cb",
        "https://h\u{3002}example/cb",
        "https://h/\u{202e}",
        "https://h/<script>",
        "https://h/\"x",
        "https://h/{x}",
        "https://h/^`|",
        "https://h/%",
        "https://h/%4",
        "https://h/%zz",
        "https://h/%+1",
        "https://h/%0d%0aset-cookie:x",
        "https://h/%00",
        "https://h/%7f",
    ] {
        check(bad, Err(RedirectFault::ForbiddenCharacter));
    }
    check("https://h/cb#", Err(RedirectFault::Fragment));
    check("app:/cb#x", Err(RedirectFault::Fragment));
}

#[test]
fn a_description_names_the_rule_and_nothing_of_the_uri() {
    let fault = RedirectUri::parse("javascript:alert(1)").unwrap_err();
    assert_eq!(
        fault.description(),
        "a redirect URI has a scheme that is not allowed"
    );
}

#[test]
fn length_is_limited() {
    let long = |length: usize| format!("https://h/{}", "a".repeat(length - 10));
    check(&long(512), Ok("h"));
    check(&long(513), Err(RedirectFault::TooLong));
}

#[track_caller]
fn check_match(registered: &str, requested: &str, expected: bool) {
    let uri = RedirectUri::parse(registered).unwrap();
    assert_eq!(uri.matches(requested), expected, "{registered} {requested}");
}

#[test]
fn a_registered_uri_matches_its_own_text_only() {
    let registered = "https://h.example/cb";
    check_match(registered, registered, true);
    for other in [
        "https://h.example/cb/",
        "https://h.example/cb?",
        "https://h.example/cb?x=1",
        "https://h.example/CB",
        "https://H.example/cb",
        "HTTPS://h.example/cb",
        "https://h.example:443/cb",
        "https://h.example/./cb",
        "https://h.example/%63b",
        "http://h.example/cb",
        "https://h.example",
        "",
    ] {
        check_match(registered, other, false);
    }
    check_match("cursor://a/b", "cursor://a:1/b", false);
}

#[test]
fn a_loopback_address_matches_with_any_port_and_nothing_else_changed() {
    for (registered, requested) in [
        ("http://127.0.0.1/cb", "http://127.0.0.1:4711/cb"),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:4711/cb"),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1/cb"),
        ("http://[::1]:1/cb?a", "http://[::1]:2/cb?a"),
    ] {
        check_match(registered, requested, true);
    }
    for (registered, requested) in [
        ("http://localhost:1/cb", "http://localhost:2/cb"),
        ("http://127.0.0.1:1/cb", "http://localhost:1/cb"),
        ("http://127.0.0.1:1/cb", "http://[::1]:1/cb"),
        ("http://127.0.0.1:1/cb", "https://127.0.0.1:1/cb"),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb/"),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/CB"),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb?x"),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb#x"),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:0/cb"),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:@evil.example/cb"),
        (
            "http://127.0.0.1:1/cb",
            "http://127.0.0.1:2@evil.example/cb",
        ),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1.evil.example/cb"),
        ("http://127.0.0.1:1/cb", "http://127.1:2/cb"),
        ("http://[::1]:1/cb", "http://[0::1]:2/cb"),
    ] {
        check_match(registered, requested, false);
    }
}

#[test]
fn loopback_and_policy_source_are_told() {
    for (text, loopback, source) in [
        ("https://h.example/cb", false, "https://h.example"),
        ("https://h.example:8443/cb", false, "https://h.example:8443"),
        ("https://localhost/cb", true, "https://localhost"),
        ("http://localhost:3335/cb", true, "http://localhost:3335"),
        ("http://127.0.0.1:1/cb", true, "http://127.0.0.1:1"),
        ("http://[::1]:1/cb", true, "http:"),
        ("https://[2001:db8::1]/cb", false, "https:"),
        ("https://192.0.2.1/cb", false, "https:"),
        ("https://a_b.example/cb", false, "https:"),
        ("cursor://localhost/cb", false, "cursor:"),
    ] {
        let uri = RedirectUri::parse(text).unwrap();
        let told = (uri.is_loopback(), uri.csp_source());
        assert_eq!(told, (loopback, source.to_owned()), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_or_safe_in_a_header_and_a_policy(
        text in "(https?|app|[a-z]{1,4}):[/\\\\]{0,3}[ -~\u{fc}\t]{0,40}"
    ) {
        if let Ok(uri) = RedirectUri::parse(&text) {
            prop_assert_eq!(uri.as_str(), text.as_str());
            prop_assert!(text.bytes().all(|octet| octet.is_ascii_graphic()));
            let source = uri.csp_source();
            prop_assert!(!source.contains([';', ',', ' ', '\'', '*']), "{}", source);
            prop_assert!(uri.matches(&text));
        }
    }

    #[test]
    fn one_octet_changed_makes_another_uri_wherever_it_is(
        registered in "(https://app\\.example|http://localhost|cursor://cb)(/[a-z%?&=]{0,9})?",
        // No capitals: scheme and host of a loopback address are compared as those of a URI are.
        place: prop::sample::Index, octet in prop_oneof![0x20_u8..0x41, 0x5b_u8..0x7f],
    ) {
        if let Ok(uri) = RedirectUri::parse(&registered) {
            let mut changed = registered.clone().into_bytes();
            let place = place.index(changed.len());
            changed[place] = octet;
            let changed = String::from_utf8(changed).unwrap();
            prop_assert_eq!(uri.matches(&changed), changed == registered, "{}", changed);
            for longer in [format!("{registered} "), format!("{registered}/"), format!("x{registered}")] {
                prop_assert!(!uri.matches(&longer), "{}", longer);
            }
        }
    }

    #[test]
    fn of_a_loopback_address_the_port_alone_may_differ(
        port in 1_u16.., other in 1_u16.., path in "/[a-z]{0,9}", tail in "[a-z/?@:.]{1,4}",
    ) {
        for host in ["127.0.0.1", "[::1]"] {
            let uri = RedirectUri::parse(&format!("http://{host}:{port}{path}")).unwrap();
            let matched = format!("http://{host}:{}{}", other, path);
            prop_assert!(uri.matches(&matched), "{}", matched);
            let (worse, host) = (format!("{matched}{tail}"), format!("http://{host}{tail}:{other}{path}"));
            prop_assert!(!uri.matches(&worse), "{}", worse);
            prop_assert!(!uri.matches(&host), "{}", host);
        }
    }
}
