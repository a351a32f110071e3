//! The page for what cannot go back to a client.

use alloc::format;

use super::{Branding, Escaped, Page};

/// Tells a person why a sign-in cannot go on.
#[derive(Debug)]
pub(crate) struct ErrorPage<'a> {
    pub(crate) branding: &'a Branding,
    /// What happened, in a few words.
    pub(crate) title: &'a str,
    /// What to do about it. Nothing from the request belongs here: who made the request could
    /// speak to the person in our name.
    pub(crate) text: &'a str,
}

impl ErrorPage<'_> {
    /// Writes the page.
    pub(crate) fn render(&self) -> Page {
        let (title, text) = (Escaped(self.title), Escaped(self.text));
        let main = format!("<h1>{title}</h1>\n<p>{text}</p>\n");
        Page::new(self.branding, self.title, &main, &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_text_and_leads_nowhere() {
        let page = ErrorPage {
            branding: &Branding::default(),
            title: "Unknown <application>",
            text: "Start again & again.",
        }
        .render();
        assert!(page.html.contains("<h1>Unknown &lt;application&gt;</h1>\n"));
        assert!(page.html.contains("<p>Start again &amp; again.</p>"));
        assert!(!page.html.contains("<form") && !page.html.contains("href="));
        assert!(page.csp.contains("form-action 'self'; "));
    }
}
