//! What a person is asked, and how the answer is held.

use portcullis_tests::oauth_flow::{Attempt, Browser, form, location};
use portcullis_tests::{Request, Response};

use crate::world::{Front, PROXY, REDIRECT, SCOPE, check};

const BROWSER: &str = "__Host-portcullis-browser";
const FLOW: &str = "__Host-portcullis-flow-";

#[test]
fn r21_a_person_is_asked_for_each_client_before_the_provider_is() {
    check(&PROXY, |front| {
        let before = front.world.provider.counted("/sign_ins");
        let mut browser = Browser::default();
        // What was agreed to counts for that sign-in only.
        for _ in 0..2 {
            let page = open(front, &mut browser, &front.attempt());
            assert_eq!(page.status, 200);
            assert_eq!(page.value("location"), "");
            for words in ["Flow", SCOPE, REDIRECT] {
                assert!(page.text().contains(words), "{words}: {}", page.text());
            }
            assert_eq!(front.world.provider.counted("/sign_ins"), before);
            let approved = decide(front, &browser, &page);
            assert!(location(&browser.note("/consent", approved)).contains("/auth?"));
        }
    });
}

#[test]
fn r21_the_page_is_in_no_frame_and_answered_from_nowhere_else() {
    check(&PROXY, |front| {
        let mut browser = Browser::default();
        let page = open(front, &mut browser, &front.attempt());
        assert_eq!(page.value("x-frame-options"), "DENY");
        let policy = page.value("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");

        let cookie = cookies(&page);
        let from = |origin: &str, site: &str| {
            let request = front.site().request("POST", "/consent");
            let request = request
                .field("Origin", origin)
                .field("Sec-Fetch-Site", site);
            request.field("Cookie", &cookie)
        };
        let pages = [
            ("https://evil.example", "cross-site"),
            ("https://gw.example", "cross-site"),
            ("https://gw.example", "same-site"),
            ("null", "same-origin"),
        ];
        for (origin, site) in pages {
            let answer = front.send(&approve(from(origin, site), &page));
            assert_eq!(answer.status, 403, "{origin} {site}");
            assert_eq!(answer.value("location"), "");
        }
        let own = from("https://gw.example", "same-origin");
        assert_eq!(front.send(&approve(own, &page)).status, 303);
    });
}

#[test]
fn r22_consent_is_bound_to_the_browser_by_a_cookie_of_this_host() {
    check(&PROXY, |front| {
        let mut browser = Browser::default();
        let page = open(front, &mut browser, &front.attempt());
        let [line] = &*page.values("set-cookie") else {
            panic!("{:?}", page.values("set-cookie"));
        };
        held(line, BROWSER);
        let mut other = Browser::default();
        let others = open(front, &mut other, &front.attempt());
        assert_eq!(others.status, 200);
        for stranger in [Browser::default(), other] {
            let answer = decide(front, &stranger, &page);
            assert!(matches!(answer.status, 400 | 403), "{}", answer.status);
            assert_eq!(answer.value("location"), "");
        }
        assert_eq!(decide(front, &browser, &page).status, 303);
    });
}

#[test]
fn r23_the_state_for_the_provider_is_held_from_the_approval_to_the_way_back() {
    check(&PROXY, |front| {
        let mut browser = Browser::default();
        let page = open(front, &mut browser, &front.attempt());
        assert!(!cookies(&page).contains(FLOW), "not before the approval");
        let [(first, line), (second, _)] = [(); 2].map(|()| {
            let approved = decide(front, &browser, &page);
            let state = form::value(&location(&approved), "state");
            let line = approved.value("set-cookie");
            (state, line)
        });
        assert_ne!(first, second);
        assert!(first.len() >= 22, "{first}");
        held(&line, &format!("{FLOW}{first}="));
        assert!(line.contains("Max-Age=600;"), "{line}");
    });
}

#[test]
fn r23_an_answer_with_another_state_or_once_more_is_not_believed() {
    check(&PROXY, |front| {
        let site = front.site();
        let mut browser = Browser::default();
        let attempt = front.attempt();
        let begin = |browser: &mut Browser| {
            let consent = site.authorize(browser, &attempt);
            let away = location(&site.decide(browser, &consent, "approve"));
            browser.sign_in(&away)
        };
        let (back, other) = (begin(&mut browser), begin(&mut browser));
        let [state, other] = [&back, &other].map(|url| form::value(url, "state"));
        let mixed = back.replace(&state, &format!("{other}x"));
        assert_eq!(site.come_back(&mut browser, &mixed).status, 400);
        assert_eq!(site.come_back(&mut Browser::default(), &back).status, 400);
        let home = location(&site.come_back(&mut browser, &back));
        assert_ne!(attempt.read(&home, site.origin()), "");
        assert_eq!(site.come_back(&mut browser, &back).status, 400, "once more");
    });
}

fn open(front: &Front, browser: &mut Browser, attempt: &Attempt) -> Response {
    let site = front.site();
    let page = site.send(&browser.get(&site, &attempt.target()));
    browser.note("/authorize", page)
}

fn decide(front: &Front, browser: &Browser, page: &Response) -> Response {
    front.send(&approve(browser.post(&front.site(), "/consent"), page))
}

fn approve(request: Request, page: &Response) -> Request {
    let sealed = form::hidden(&page.text(), "request");
    let fields = [("request", sealed.as_str()), ("decision", "approve")];
    request
        .field("Content-Type", "application/x-www-form-urlencoded")
        .body(form::encode(&fields))
}

/// Returns the cookies that an answer sets, as a browser sends them.
fn cookies(answer: &Response) -> String {
    let lines = answer.values("set-cookie");
    let pairs = lines.iter().filter_map(|line| line.split(';').next());
    pairs.collect::<Vec<_>>().join("; ")
}

/// Checks that a cookie is of this host alone and out of reach of scripts.
#[track_caller]
fn held(line: &str, name: &str) {
    assert!(line.starts_with(name), "{line}");
    for attribute in ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"] {
        let mut attributes = line.split("; ");
        assert!(
            attributes.any(|other| other == attribute),
            "{attribute}: {line}"
        );
    }
    assert!(!line.contains("Domain"), "{line}");
}
