//! Whose pages they are: name, logo and a word of the operator.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::client::is_hidden;
use super::Escaped;

/// The most characters of a name.
const MAX_NAME: usize = 60;
/// The most characters of a text.
const MAX_TEXT: usize = 600;
/// The most octets of a logo as text: it is in every page.
const MAX_LOGO: usize = 32 * 1024;

/// What an operator may change on the pages.
#[derive(Clone, Debug)]
pub(crate) struct Branding {
    name: String,
    logo: Option<Logo>,
    text: Option<String>,
}

impl Default for Branding {
    fn default() -> Self {
        Self {
            name: "Portcullis".to_owned(),
            logo: None,
            text: None,
        }
    }
}

impl Branding {
    /// Takes the name of who runs the gateway, of at most 60 characters.
    ///
    /// # Errors
    ///
    /// Returns what is wrong, in words that follow the name of a setting; so do the others.
    pub(crate) fn with_name(mut self, name: &str) -> Result<Self, &'static str> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME || !is_line(name) {
            return Err("must be a line of 1 to 60 characters");
        }
        self.name = name.to_owned();
        Ok(self)
    }

    /// Takes what stands below each page, such as whom to ask, of at most 600 characters.
    ///
    /// # Errors
    ///
    /// See [`Self::with_name`].
    pub(crate) fn with_text(mut self, text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > MAX_TEXT || !is_line(text) {
            return Err("must be a line of 1 to 600 characters");
        }
        self.text = Some(text.to_owned());
        Ok(self)
    }

    /// Takes a logo.
    pub(crate) fn with_logo(mut self, logo: Logo) -> Self {
        self.logo = Some(logo);
        self
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Returns the HTML of the logo. The name stands beside it, so it says nothing by itself.
    pub(super) fn mark(&self) -> String {
        match &self.logo {
            Some(logo) => {
                let source = Escaped(&logo.source);
                format!("<img src=\"{source}\" alt=\"\" height=\"36\">")
            }
            None => GATE.to_owned(),
        }
    }

    /// Returns the source that images come from.
    pub(super) fn image_source(&self) -> Option<&'static str> {
        self.logo.as_ref().map(|logo| match logo.place {
            Place::Inline => "data:",
            Place::SameHost => "'self'",
        })
    }
}

/// A logo: inside the page or on the same host, so that no third party learns who signs in.
#[derive(Clone, Debug)]
pub(crate) struct Logo {
    source: String,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Inline,
    SameHost,
}

impl Logo {
    /// Parses `data:image/TYPE;base64,…` of at most 32 KiB (types `png`, `jpeg`, `gif`, `webp` and
    /// `svg+xml`, in which browsers run no script), or an absolute path.
    ///
    /// # Errors
    ///
    /// Returns what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, LogoFault> {
        if text.len() > MAX_LOGO {
            return Err(LogoFault::TooLarge);
        }
        let place = if let Some(image) = text.strip_prefix("data:image/") {
            let (kind, octets) = image.split_once(";base64,").ok_or(LogoFault::NoImage)?;
            let known = matches!(kind, "png" | "jpeg" | "gif" | "webp" | "svg+xml");
            let octets = STANDARD.decode(octets).unwrap_or_default();
            if !known || octets.is_empty() {
                return Err(LogoFault::NoImage);
            }
            Place::Inline
        } else if text.starts_with('/') && is_plain_path(text) {
            Place::SameHost
        } else {
            return Err(LogoFault::NoImage);
        };
        let source = text.to_owned();
        Ok(Self { source, place })
    }
}

/// What is wrong with a logo.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LogoFault {
    /// It is longer than is put into a page.
    TooLarge,
    /// It is neither an image of a known type nor a path.
    NoImage,
}

impl LogoFault {
    /// Returns it in words that follow the name of a setting.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::TooLarge => "must have at most 32 KiB",
            Self::NoImage => {
                "must be data:image/TYPE;base64,… (png, jpeg, gif, webp, svg+xml) or a path on \
                 this host"
            }
        }
    }
}

/// Two slashes, or a slash and a backslash, would be another host.
fn is_plain_path(path: &str) -> bool {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"/-._~".contains(&octet);
    path.bytes().all(plain) && !path.contains("//")
}

/// Directions could make a page say something else than its settings show.
fn is_line(text: &str) -> bool {
    !text.chars().any(is_hidden)
}

/// The mark of pages without a logo.
const GATE: &str = "<svg viewBox=\"0 0 32 32\" width=\"32\" height=\"32\" aria-hidden=\"true\" \
    focusable=\"false\"><path class=\"gate\" d=\"M16 1.5 29 6v10c0 7-5.2 12.3-13 14.5C8.2 28.3 3 \
    23 3 16V6z\"/><path class=\"bars\" d=\"M10 10.5v11M16 9v15M22 10.5v11M8 13.5h16M8 18.5h16\"/>\
    </svg>";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, LogoFault>) {
        let logo = Logo::parse(text);
        let source = logo.map(|logo| Branding::default().with_logo(logo).image_source());
        assert_eq!(source, expected.map(Some), "{text}");
    }

    #[test]
    fn a_logo_asks_no_other_host() {
        check("data:image/png;base64,iVBORw0KGgo=", Ok("data:"));
        check("data:image/svg+xml;base64,PHN2Zy8+", Ok("data:"));
        check("/assets/logo.svg", Ok("'self'"));
        for other in [
            "",
            "logo.svg",
            "https://cdn.example/logo.svg",
            "//cdn.example/logo.svg",
            "/\\cdn.example/logo.svg",
            "/a b.svg",
            "/a.svg?x",
            "/\"onerror=\"x",
            "data:text/html;base64,PHA+",
            "data:image/svg+xml,<svg/>",
            "data:image/x;base64,PHA+",
            "data:image/png;base64,",
            "data:image/png;base64,?",
            "data:image/png;charset=x;base64,PHA+",
            "javascript:x",
        ] {
            check(other, Err(LogoFault::NoImage));
        }
    }

    #[test]
    fn what_is_in_every_page_is_limited() {
        let logo = |length: usize| format!("data:image/png;base64,{}", "A".repeat(length));
        assert!(Logo::parse(&logo(32_000)).is_ok());
        check(&logo(32_768), Err(LogoFault::TooLarge));
        let name = |length: usize| Branding::default().with_name(&"é".repeat(length));
        assert!(name(60).is_ok() && name(61).is_err() && name(0).is_err());
        let text = |length: usize| Branding::default().with_text(&"é".repeat(length));
        assert!(text(600).is_ok() && text(601).is_err() && text(0).is_err());
        assert!(Branding::default().with_name("a\nb").is_err());
    }

    #[test]
    fn a_logo_is_beside_the_name_and_silent() {
        let mark = |branding: Branding| branding.mark();
        assert!(mark(Branding::default()).contains("aria-hidden=\"true\""));
        let logo = Logo::parse("/logo.svg").unwrap();
        let mark = mark(Branding::default().with_logo(logo));
        assert_eq!(mark, "<img src=\"/logo.svg\" alt=\"\" height=\"36\">");
    }
}
