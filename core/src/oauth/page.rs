//! Pages that a person sees: plain HTML without scripts, with a policy that lets nothing else in.

pub(crate) mod branding;
pub(crate) mod consent;
pub(crate) mod error;

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::decision::LocalResponse;
use crate::reason::Reason;

use branding::Branding;

/// A page, and the content security policy that it needs.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) html: String,
    pub(crate) csp: String,
}

impl Page {
    /// Makes a page around `main`, which is HTML already. Its forms may lead to this server and
    /// `form_sources`.
    fn new(branding: &Branding, title: &str, main: &str, form_sources: &[String]) -> Self {
        let (title, name) = (Escaped(title), Escaped(branding.name()));
        let mark = branding.mark();
        let text = branding.text().map(Escaped);
        let footer = text.map_or_else(String::new, |text| format!("<footer>{text}</footer>\n"));
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"robots\" content=\"noindex\">\n\
             <title>{title} – {name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <header>{mark}<span>{name}</span></header>\n<main>\n{main}</main>\n{footer}</body>\n\
             </html>\n"
        );
        Self {
            html,
            csp: policy(branding.image_source(), form_sources),
        }
    }

    /// Makes the answer that shows the page.
    ///
    /// The referrer policy keeps the sealed query from other hosts; a stricter one would take
    /// `Origin` off the form's own request.
    pub(crate) fn into_response(self, status: u16, reason: Reason) -> LocalResponse {
        let fixed = [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("referrer-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ];
        let mut headers: Vec<_> = fixed
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .collect();
        headers.push(("content-security-policy", self.csp));
        LocalResponse {
            status,
            headers,
            body: self.html.into_bytes(),
            reason,
        }
    }
}

/// The only style of all pages: that the policy can name it, it is never put together.
const STYLE: &str = include_str!("page/style.css");

fn policy(image_source: Option<&str>, form_sources: &[String]) -> String {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let images = image_source.map_or_else(String::new, |source| format!("img-src {source}; "));
    let forms: String = form_sources
        .iter()
        // A source comes from a parsed URI; one that could begin another directive is left out.
        .filter(|source| !source.contains([';', ',', ' ']))
        .map(|source| format!(" {source}"))
        .collect();
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; {images}form-action 'self'{forms}; \
         frame-ancestors 'none'; base-uri 'none'"
    )
}

/// Text in HTML, within an element or a quoted attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => fmt::Write::write_char(f, other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    fn page(branding: &Branding) -> Page {
        let sources = ["https://login.example".to_owned(), "cursor:".to_owned()];
        Page::new(branding, "<T>", "<p>m</p>\n", &sources)
    }

    #[test]
    fn policy_lets_in_the_style_of_the_page_and_nothing_else() {
        let page = page(&Branding::default());
        let style = page.html.split("<style>").nth(1).unwrap();
        let style = style.split("</style>").next().unwrap();
        let hash = STANDARD.encode(Sha256::digest(style));
        assert_eq!(
            page.csp,
            format!(
                "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self' \
                 https://login.example cursor:; frame-ancestors 'none'; base-uri 'none'"
            )
        );
        assert!(STYLE.is_ascii() && !STYLE.contains("url("));
    }

    #[test]
    fn policy_is_widened_by_the_logo_and_by_no_odd_source() {
        let odd = ["a; script-src *".to_owned(), "b,c".to_owned()];
        let csp = policy(Some("data:"), &odd);
        assert!(csp.contains("; img-src data:; form-action 'self'; frame-ancestors"));
    }

    #[test]
    fn page_has_what_screen_readers_and_phones_need_and_no_script() {
        let html = page(&Branding::default()).html;
        for part in [
            "<html lang=\"en\">",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
            "<meta name=\"color-scheme\" content=\"light dark\">",
            "<title>&lt;T&gt; – Portcullis</title>",
            "<main>\n<p>m</p>\n</main>",
        ] {
            assert!(html.contains(part), "{part}");
        }
        for part in ["<script", "<link", "style=", " on", "http-equiv"] {
            let body = html.split("</style>").nth(1).unwrap();
            assert!(!body.contains(part), "{part}");
        }
    }

    #[test]
    fn page_is_neither_kept_nor_framed() {
        let response = page(&Branding::default()).into_response(200, Reason::ConsentAsked);
        let value = |name: &str| {
            let field = response.headers.iter().find(|(field, _)| *field == name);
            field.map(|(_, value)| value.as_str())
        };
        assert_eq!(value("cache-control"), Some("no-store"));
        assert_eq!(value("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(value("x-frame-options"), Some("DENY"));
        assert_eq!(value("x-content-type-options"), Some("nosniff"));
        assert_eq!(value("referrer-policy"), Some("same-origin"));
        assert!(value("content-security-policy").is_some());
    }

    #[test]
    fn text_ends_no_element_and_no_attribute() {
        let escaped = Escaped("a<b>&\"c'é").to_string();
        assert_eq!(escaped, "a&lt;b&gt;&amp;&quot;c&#39;é");
    }
}
