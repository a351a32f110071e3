//! A browser for one person: its cookies, and the provider's redirects.

use super::{MOST_REDIRECTS, Site, form, location};
use crate::client::{Request, Response};

/// Cookies of one host, whose ports share them as in every browser.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    cookies: Vec<Cookie>,
}

#[derive(Clone, Debug)]
struct Cookie {
    name: String,
    value: String,
    path: String,
}

impl Browser {
    /// Begins a navigation to the site, with the cookies for it.
    #[must_use]
    pub fn get(&self, site: &Site<'_>, target: &str) -> Request {
        self.with_cookies(site.request("GET", target), target)
    }

    /// Begins to send a form of the site to the site, with what browsers say of such requests.
    #[must_use]
    pub fn post(&self, site: &Site<'_>, target: &str) -> Request {
        self.post_from(site, target, site.origin(), "same-origin")
    }

    /// Begins to send a form to the site from a page of `origin`, which stands to the site as
    /// `relation` says (`Sec-Fetch-Site`).
    #[must_use]
    pub fn post_from(
        &self,
        site: &Site<'_>,
        target: &str,
        origin: &str,
        relation: &str,
    ) -> Request {
        self.with_cookies(site.request("POST", target), target)
            .field("Origin", origin)
            .field("Sec-Fetch-Site", relation)
    }

    /// Keeps the cookies that an answer sets for `path`, and gives the answer back.
    #[must_use]
    pub fn note(&mut self, path: &str, answer: Response) -> Response {
        for line in answer.values("set-cookie") {
            self.keep(path, &line);
        }
        answer
    }

    /// Signs in at the provider, which needs no page, and returns where it sends the browser.
    ///
    /// # Panics
    ///
    /// Panics when the provider refuses.
    #[must_use]
    pub fn sign_in(&mut self, url: &str) -> String {
        let (origin, first) = form::split(url);
        let authority = origin.strip_prefix("http://").unwrap();
        let mut target = first.to_owned();
        for _ in 0..MOST_REDIRECTS {
            let request = Request::bare("GET", &target).field("Host", authority);
            let request = self.with_cookies(request, &target);
            let answer = request.send(authority.parse().unwrap()).unwrap();
            let next = location(&self.note(form::path(&target), answer));
            target = match next.strip_prefix(origin) {
                Some(here) => here.to_owned(),
                None if next.starts_with('/') => next,
                None => return next,
            };
        }
        panic!("the provider does not come to an end: {target}");
    }

    /// Returns the value of a cookie.
    ///
    /// # Panics
    ///
    /// Panics when there is none of this name.
    #[must_use]
    pub fn cookie(&self, name: &str) -> &str {
        let mut found = self.cookies.iter().filter(|cookie| cookie.name == name);
        &found.next().unwrap().value
    }

    /// Adds a cookie for the whole host, beside others of its name.
    pub fn plant(&mut self, name: &str, value: &str) {
        self.cookies.push(Cookie {
            name: name.to_owned(),
            value: value.to_owned(),
            path: "/".to_owned(),
        });
    }

    /// Returns the names of the cookies that it holds.
    #[must_use]
    pub fn cookie_names(&self) -> Vec<&str> {
        self.cookies.iter().map(|cookie| &*cookie.name).collect()
    }

    fn with_cookies(&self, request: Request, target: &str) -> Request {
        let path = form::path(target);
        let sent: Vec<String> = self
            .cookies
            .iter()
            .filter(|cookie| covers(&cookie.path, path))
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        if sent.is_empty() {
            request
        } else {
            request.field("Cookie", sent.join("; "))
        }
    }

    fn keep(&mut self, path: &str, line: &str) {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let attributes: Vec<(&str, &str)> = parts
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .collect();
        let attribute = |wanted: &str| {
            let mut found = attributes.iter();
            found.find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        };
        let directory = &path[..path.rfind('/').unwrap().max(1)];
        let path = attribute("path").map_or(directory, |(_, path)| *path);
        self.cookies
            .retain(|cookie| (&*cookie.name, &*cookie.path) != (name, path));
        let gone = value.is_empty() || attribute("max-age").is_some_and(|(_, age)| *age == "0");
        if !gone {
            self.cookies.push(Cookie {
                name: name.to_owned(),
                value: value.to_owned(),
                path: path.to_owned(),
            });
        }
    }
}

/// RFC 6265 §5.1.4.
fn covers(cookie_path: &str, path: &str) -> bool {
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || cookie_path.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, target: &str, sent: bool) {
        let mut browser = Browser::default();
        browser.keep("/auth/callback", line);
        let request = browser.with_cookies(Request::bare("GET", target), target);
        let text = String::from_utf8(request.to_bytes()).unwrap();
        assert_eq!(text.contains("Cookie: a=1"), sent, "{line} at {target}");
    }

    #[test]
    fn a_cookie_goes_where_its_path_says() {
        check("a=1; Path=/; HttpOnly", "/token", true);
        check("a=1; path=/auth/callback", "/auth/callback?code=x", true);
        check("a=1; Path=/auth/callback", "/auth/callbacks", false);
        check("a=1", "/auth/other", true);
        check("a=1", "/token", false);
        check("a=; Path=/", "/token", false);
        check("a=1; Path=/; Max-Age=0", "/token", false);
    }
}
