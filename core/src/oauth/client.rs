//! A client as it registered itself: small enough to be its own identifier when it is sealed.

use alloc::string::String;
use alloc::vec::Vec;

use super::octets::{Reader, Writer};
use super::redirect_patterns::RedirectPatterns;
use super::redirect_uri::RedirectUri;

/// The first octet of what [`Client::to_octets`] writes, changed with its form.
const FORM: u8 = 1;

/// The most redirect URIs of a client.
pub(crate) const MAX_REDIRECT_URIS: usize = 10;

/// The most characters of a name.
const MAX_NAME_CHARACTERS: usize = 120;

/// The most octets of a client. Sealed, they are 1.5 kB of base64url: 45 octets more, of which
/// three become four characters. An identifier travels in URLs, so it must stay short.
const MAX_OCTETS: usize = 1536 / 4 * 3 - 45;

/// What a client said of itself; nothing of it is proven.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Client {
    name: String,
    redirect_uris: Vec<RedirectUri>,
}

impl Client {
    /// Takes what a client says of itself. Of the name, characters that do not show, or that turn
    /// others around, are left out: a consent page would show something else than it says.
    ///
    /// # Errors
    ///
    /// Returns which limit is passed. Nothing is cut: half a name can be another's.
    pub(crate) fn new(name: &str, redirect_uris: Vec<RedirectUri>) -> Result<Self, ClientFault> {
        if !(1..=MAX_REDIRECT_URIS).contains(&redirect_uris.len()) {
            return Err(ClientFault::NumberOfRedirectUris);
        }
        let name = shown(name);
        if name.chars().count() > MAX_NAME_CHARACTERS {
            return Err(ClientFault::LongName);
        }
        let client = Self {
            name,
            redirect_uris,
        };
        if client.to_octets().len() > MAX_OCTETS {
            return Err(ClientFault::TooLarge);
        }
        Ok(client)
    }

    /// Returns the name, empty when the client gave none that shows.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the redirect URIs, at least one.
    pub(crate) fn redirect_uris(&self) -> &[RedirectUri] {
        &self.redirect_uris
    }

    /// Leaves out the redirect URIs that an operator does not allow, or not any more.
    pub(crate) fn keeping(mut self, allowed: &RedirectPatterns) -> Self {
        self.redirect_uris.retain(|uri| allowed.allows(uri));
        self
    }

    /// Writes the client, to be sealed.
    pub(crate) fn to_octets(&self) -> Vec<u8> {
        let texts = self.redirect_uris.iter().map(RedirectUri::as_str);
        let count = u8::try_from(self.redirect_uris.len()).unwrap_or(u8::MAX);
        let writer = Writer::default().fixed(&[FORM, count]).text(&self.name);
        texts
            .fold(writer, |writer, text| writer?.text(text))
            .map_or_else(Vec::new, Writer::finish)
    }

    /// Reads what [`Self::to_octets`] wrote; `None` when it is anything else, or passes a limit.
    pub(crate) fn from_octets(octets: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(octets);
        let [FORM, count] = reader.fixed()? else {
            return None;
        };
        let name = reader.text()?;
        let mut redirect_uris = Vec::new();
        for _ in 0..count {
            redirect_uris.push(RedirectUri::parse(&reader.text()?).ok()?);
        }
        let client = Self::new(&name, redirect_uris).ok();
        reader.finish(client)?
    }
}

/// Which limit a client passes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ClientFault {
    /// It has no redirect URI, or too many.
    NumberOfRedirectUris,
    /// Its name is too long.
    LongName,
    /// All of it is too large to be an identifier.
    TooLarge,
}

impl ClientFault {
    /// Returns the limit, for the maker of a client.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::NumberOfRedirectUris => "redirect_uris must hold 1 to 10 URIs",
            Self::LongName => "client_name must have at most 120 characters",
            Self::TooLarge => "client_name and redirect_uris must have at most 1000 octets in all",
        }
    }
}

/// Leaves out what does not show, and blanks but for single ones inside.
fn shown(name: &str) -> String {
    let mut out = String::new();
    for word in name.split(char::is_whitespace) {
        let mut visible = word
            .chars()
            .filter(|character| !is_hidden(*character))
            .peekable();
        if visible.peek().is_some() && !out.is_empty() {
            out.push(' ');
        }
        out.extend(visible);
    }
    out
}

/// Tells whether a character does not show or changes how others do: controls, the directions of
/// Unicode's bidirectional algorithm (UAX #9), joiners, fillers and tags.
pub(super) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffc}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec;

    fn uris(texts: &[&str]) -> Vec<RedirectUri> {
        let parse = |text: &&str| RedirectUri::parse(text).unwrap();
        texts.iter().map(parse).collect()
    }

    fn name(name: &str) -> Result<String, ClientFault> {
        Client::new(name, uris(&["app:/cb"])).map(|client| client.name)
    }

    #[test]
    fn octets_are_read_as_they_were_written_and_not_when_they_are_cut_or_more() {
        for client in [
            Client::new("", uris(&["app:/cb"])).unwrap(),
            Client::new("B\u{fc}ro", uris(&["app:/cb", "https://h/cb", "app:/cb"])).unwrap(),
        ] {
            let mut octets = client.to_octets();
            assert_eq!(Client::from_octets(&octets), Some(client));
            for length in 0..octets.len() {
                assert_eq!(Client::from_octets(&octets[..length]), None);
            }
            octets.push(0);
            assert_eq!(Client::from_octets(&octets), None);
            octets.pop();
            octets[0] = FORM + 1;
            assert_eq!(Client::from_octets(&octets), None);
        }
    }

    #[test]
    fn sealed_octets_keep_the_rules_of_a_registration() {
        let octets = |uri: &str| {
            let writer = Writer::default().fixed(&[FORM, 1]).text("n").unwrap();
            writer.text(uri).unwrap().finish()
        };
        assert!(Client::from_octets(&octets("app:/cb")).is_some());
        assert_eq!(Client::from_octets(&octets("javascript:/cb")), None);
        let none = Writer::default().fixed(&[FORM, 0]).text("n").unwrap();
        assert_eq!(Client::from_octets(&none.finish()), None);
    }

    #[test]
    fn a_name_shows_as_it_is() {
        assert_eq!(name("MCP CLI Proxy").unwrap(), "MCP CLI Proxy");
        assert_eq!(name("  B\u{fc}ro\t\n  日本 ").unwrap(), "B\u{fc}ro 日本");
        assert_eq!(name("a\u{202e}b\u{0}c\u{1b}d\u{2066}e").unwrap(), "abcde");
        assert_eq!(name("a \u{200b} b\u{feff}\u{e0041}").unwrap(), "a b");
        assert_eq!(name("\u{3164}\u{ad}").unwrap(), "");
        assert_eq!(name("").unwrap(), "");
    }

    #[test]
    fn a_name_is_refused_rather_than_cut() {
        assert_eq!(name(&"\u{fc}".repeat(120)).unwrap().chars().count(), 120);
        assert_eq!(name(&"a".repeat(121)), Err(ClientFault::LongName));
        assert!(name(&"a\u{200b}".repeat(120)).is_ok(), "what shows counts");
    }

    #[test]
    fn a_client_has_one_to_ten_redirect_uris() {
        for (count, right) in [(0, false), (1, true), (10, true), (11, false)] {
            let made = Client::new("n", uris(&vec!["app:/cb"; count]));
            let expected = if right {
                None
            } else {
                Some(ClientFault::NumberOfRedirectUris)
            };
            assert_eq!(made.err(), expected, "{count}");
        }
    }

    #[test]
    fn a_sealed_client_fits_an_identifier() {
        let long = |length: usize| format!("https://h/{}", "a".repeat(length));
        let client = |length: usize| {
            let texts = [long(490), long(490), long(length)];
            Client::new("n", uris(&[&texts[0], &texts[1], &texts[2]]))
        };
        let largest = (0..490)
            .rev()
            .find_map(|length| client(length).ok())
            .unwrap();
        let octets = largest.to_octets().len();
        assert_eq!(octets, MAX_OCTETS);
        assert_eq!((octets + 45).div_ceil(3) * 4, 1536);
        assert_eq!(client(489), Err(ClientFault::TooLarge));
        assert_eq!(
            ClientFault::TooLarge.description(),
            "client_name and redirect_uris must have at most 1000 octets in all"
        );
    }
}
