//! The page that asks a person before a client gets anything (the MCP specification's answer to
//! the confused deputy: the authorization server sees all clients as one).

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::super::redirect_uri::RedirectUri;
use super::{Branding, Escaped, Page};

/// Asks whether a client may have access.
///
/// Both buttons are named `decision`, with the values `approve` and `deny`; the field `request`
/// brings the sealed request back.
#[derive(Debug)]
pub(crate) struct ConsentPage<'a> {
    pub(crate) branding: &'a Branding,
    /// As it calls itself: nobody has checked it. Empty when it has none.
    pub(crate) client_name: &'a str,
    /// The host that describes it, which is checked; absent where it described itself.
    pub(crate) published_at: Option<&'a str>,
    /// Where it gets its code.
    pub(crate) redirect_uri: &'a RedirectUri,
    pub(crate) scopes: &'a [&'a str],
    /// The protected resource.
    pub(crate) resource: &'a str,
    /// The path that the form is sent to.
    pub(crate) form_action: &'a str,
    /// The sealed request.
    pub(crate) request: &'a str,
    /// Where the form may lead by plain http: the authorization server's origin, if it is one of
    /// the loopback interface.
    pub(crate) form_sources: &'a [String],
}

impl ConsentPage<'_> {
    /// Writes the page.
    pub(crate) fn render(&self) -> Page {
        let (question, about) = self.question();
        let facts = self.facts();
        let warning = self.warning();
        let action = Escaped(self.form_action);
        let request = Escaped(self.request);
        let main = format!(
            "<h1>{question}</h1>\n\
             <p id=\"about\">{about}</p>\n\
             <dl>\n{facts}</dl>\n\
             <div class=\"warning\" role=\"note\" id=\"warning\">{warning}</div>\n\
             <form method=\"post\" action=\"{action}\" aria-describedby=\"about warning\">\n\
             <input type=\"hidden\" name=\"request\" value=\"{request}\">\n\
             <button name=\"decision\" value=\"deny\">Deny</button>\n\
             <button name=\"decision\" value=\"approve\" class=\"primary\">Allow</button>\n\
             </form>\n"
        );
        Page::new(self.branding, "Allow access?", &main, &self.sources())
    }

    /// Returns where the form may lead. Browsers hold every redirect after a form against the
    /// policy (CSP3 §6.4.2), up to the client's own, and authorization servers lead through hosts
    /// that nobody can list: so it is all of https.
    fn sources(&self) -> Vec<String> {
        let mut sources = Vec::from(["https:".to_string()]);
        sources.extend_from_slice(self.form_sources);
        let client = self.redirect_uri.csp_source();
        if !client.starts_with("https:") {
            sources.push(client);
        }
        sources
    }

    fn question(&self) -> (String, &'static str) {
        if self.client_name.is_empty() {
            let question = "Allow an application without a name to connect?";
            return (
                question.to_string(),
                "It is asking for access in your name.",
            );
        }
        (
            format!("Allow <bdi>{}</bdi> to connect?", Escaped(self.client_name)),
            "It is asking for access in your name. Applications choose what they are called: \
             nobody has verified it.",
        )
    }

    fn facts(&self) -> String {
        let host = self.redirect_uri.display_host();
        let (host, whole) = (Escaped(&host), Escaped(self.redirect_uri.as_str()));
        let mut facts = fact(
            "Access is sent to",
            "place",
            &format!("<strong>{host}</strong><br><small>{whole}</small>"),
        );
        if let Some(host) = self.published_at {
            facts.push_str(&fact("Application of", "place", &Escaped(host).to_string()));
        }
        let resource = Escaped(self.resource).to_string();
        facts.push_str(&fact("Server", "place", &resource));
        if !self.scopes.is_empty() {
            let items: String = self.scopes.iter().map(|scope| permission(scope)).collect();
            let list = format!("<ul>{items}</ul>");
            facts.push_str(&fact("Permissions", "scopes", &list));
        }
        facts
    }

    fn warning(&self) -> String {
        if self.redirect_uri.is_loopback() {
            "<strong>Any program on this computer could be asking.</strong> \
             Allow this only if you have just started to sign in from an application that you \
             trust."
                .to_string()
        } else if self.redirect_uri.web().is_some() {
            "<strong>Do you know this address?</strong> \
             Allow this only if you have just started to sign in there yourself."
                .to_string()
        } else {
            let scheme = self.redirect_uri.display_host();
            let scheme = Escaped(&scheme);
            format!(
                "<strong>Whichever program opens <span class=\"place\">{scheme}</span> links gets \
                 access.</strong> Allow this only if you have just started to sign in from an \
                 application that you trust."
            )
        }
    }
}

/// Makes one line of the list of facts; `value` is HTML already.
fn fact(term: &str, class: &str, value: &str) -> String {
    format!("<div><dt>{term}</dt><dd class=\"{class}\">{value}</dd></div>\n")
}

fn permission(scope: &str) -> String {
    let word = Escaped(scope);
    // Scopes of OpenID Connect Core 1.0 §5.4 and §11; others have names that only their makers
    // could explain.
    let meaning = match scope {
        "openid" => "know who you are",
        "profile" => "read your name and profile",
        "email" => "read your email address",
        "offline_access" => "stay connected when you are away",
        _ => return format!("<li><code>{word}</code></li>"),
    };
    format!("<li><code>{word}</code> {meaning}</li>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned as _;

    fn render(name: &str, redirect_uri: &str, scopes: &[&str]) -> Page {
        ConsentPage {
            branding: &Branding::default(),
            published_at: None,
            client_name: name,
            redirect_uri: &RedirectUri::parse(redirect_uri).unwrap(),
            scopes,
            resource: "https://gw.example/mcp?a&b",
            form_action: "/consent",
            request: "sealed",
            form_sources: &["http://127.0.0.1:9".to_owned()],
        }
        .render()
    }

    #[test]
    fn it_names_the_client_where_its_code_goes_the_resource_and_the_scopes() {
        let html = render(
            "App",
            "https://app.example:8443/cb",
            &["mcp:tools", "openid"],
        )
        .html;
        for part in [
            "<h1>Allow <bdi>App</bdi> to connect?</h1>",
            "<strong>app.example:8443</strong><br><small>https://app.example:8443/cb</small>",
            "https://gw.example/mcp?a&amp;b",
            "<li><code>mcp:tools</code></li>",
            "<li><code>openid</code> know who you are</li>",
            "nobody has verified it",
        ] {
            assert!(html.contains(part), "{part}");
        }
        let html = render("App", "https://app.example/cb", &[]).html;
        assert!(!html.contains("Permissions"));
        let html = render("", "https://app.example/cb", &[]).html;
        assert!(html.contains("<h1>Allow an application without a name to connect?</h1>"));
    }

    #[test]
    fn both_answers_are_buttons_of_one_form_that_brings_the_request_back() {
        let page = render("App", "https://app.example/cb", &[]);
        for part in [
            "<form method=\"post\" action=\"/consent\"",
            "<input type=\"hidden\" name=\"request\" value=\"sealed\">",
            "<button name=\"decision\" value=\"approve\" class=\"primary\">Allow</button>",
            "<button name=\"decision\" value=\"deny\">Deny</button>",
        ] {
            assert!(page.html.contains(part), "{part}");
        }
    }

    #[test]
    fn the_form_leads_as_far_as_the_redirect_and_not_by_plain_http_elsewhere() {
        let check = |uri: &str, expected: &str| {
            let csp = render("App", uri, &[]).csp;
            let forms = csp.split("; ").find(|part| part.starts_with("form-action"));
            assert_eq!(forms, Some(expected), "{uri}");
        };
        let all = "form-action 'self' https: http://127.0.0.1:9";
        check("https://app.example/cb", all);
        check(
            "http://localhost:3335/cb",
            &format!("{all} http://localhost:3335"),
        );
        check("cursor://a/cb", &format!("{all} cursor:"));
    }

    #[test]
    fn it_warns_of_what_the_redirect_could_be() {
        let warns = |uri: &str, part: &str| {
            let html = render("App", uri, &[]).html;
            assert!(html.contains(part), "{uri}");
        };
        let anyone = "Any program on this computer could be asking.";
        warns("http://127.0.0.1:9/cb", anyone);
        warns("http://[::1]:9/cb", anyone);
        warns("http://localhost/cb", anyone);
        warns("https://app.example/cb", "Do you know this address?");
        warns(
            "cursor://anysphere/cb",
            "opens <span class=\"place\">cursor:</span> links",
        );
    }

    #[test]
    fn nothing_that_a_client_says_is_html() {
        let name = "</h1><script>alert(1)</script>\"'&";
        let page = render(name, "https://app.example/cb", &["<b>", "\"x"]);
        for part in ["<script", "<b>", "\"x<"] {
            assert!(!page.html.contains(part), "{part}");
        }
        assert!(
            page.html
                .contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;")
        );
    }
}
