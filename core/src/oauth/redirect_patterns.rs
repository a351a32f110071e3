//! Which redirect URIs an operator lets clients register.

use alloc::string::String;
use alloc::vec::Vec;

use super::redirect_uri::RedirectUri;

/// The most patterns that are read.
const MAX_PATTERNS: usize = 64;

/// A list of redirect URIs, some of which stand for many.
#[derive(Clone, Debug)]
pub(crate) struct RedirectPatterns(Vec<Pattern>);

#[derive(Clone, Debug)]
enum Pattern {
    /// This one, and what [`RedirectUri::matches`] takes for it.
    Exact(RedirectUri),
    /// This one with any port, of the loopback interface: `http://localhost:*/callback`.
    AnyPort(RedirectUri),
    /// All that is below this folder of an `https` origin: `https://ide.example/oauth/*`.
    Below(RedirectUri),
}

impl RedirectPatterns {
    /// Parses a comma list.
    ///
    /// # Errors
    ///
    /// Returns what is wrong, in words that follow the name of a setting.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let patterns: Vec<Pattern> = crate::rules::items(text)
            .map(Pattern::parse)
            .collect::<Result<_, _>>()?;
        match patterns.len() {
            0 => Err("is set but holds no redirect URI"),
            1..=MAX_PATTERNS => Ok(Self(patterns)),
            _ => Err("holds more than 64 redirect URIs"),
        }
    }

    /// Tells whether a client may register `uri`.
    pub(crate) fn allows(&self, uri: &RedirectUri) -> bool {
        self.0.iter().any(|pattern| pattern.allows(uri))
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let uri = |text: &str| {
            if text.contains('*') {
                return Err("may have `*` only as a loopback port or at the end, after `/`");
            }
            RedirectUri::parse(text).map_err(|_| "holds what is no valid redirect URI")
        };
        if let Some(folder) = text.strip_suffix("/*") {
            let folder = uri(&alloc::format!("{folder}/"))?;
            let web = folder.web().filter(|web| web.https);
            // A folder whose `/` belongs to the authority or to a query is none.
            return match web {
                Some(web) if web.rest.starts_with('/') && !web.rest.contains('?') => {
                    Ok(Self::Below(folder))
                }
                Some(_) | None => Err("may end in `/*` only for the path of an https URI"),
            };
        }
        let Some((origin, rest)) = text.split_once(":*") else {
            return uri(text).map(Self::Exact);
        };
        let any_port = uri(&String::from_iter([origin, rest]))?;
        let bare_port = rest.is_empty() || rest.starts_with(['/', '?']);
        if bare_port && any_port.is_loopback() && !authority(origin).contains('/') {
            Ok(Self::AnyPort(any_port))
        } else {
            Err("may have the port `*` only for localhost, 127.0.0.1 and [::1]")
        }
    }

    fn allows(&self, uri: &RedirectUri) -> bool {
        match self {
            Self::Exact(pattern) => pattern.matches(uri.as_str()),
            Self::AnyPort(pattern) => match (pattern.web(), uri.web()) {
                (Some(pattern), Some(uri)) => pattern.differs_in_port_only(uri),
                (Some(_) | None, _) => false,
            },
            Self::Below(folder) => match (folder.web(), uri.web()) {
                (Some(folder), Some(uri)) => {
                    let same_origin = folder.https == uri.https
                        && folder.host == uri.host
                        && folder.port.unwrap_or(443) == uri.port.unwrap_or(443);
                    let below = uri.rest.strip_prefix(folder.rest.as_str());
                    same_origin && below.is_some_and(stays_below)
                }
                (Some(_) | None, _) => false,
            },
        }
    }
}

fn authority(origin: &str) -> &str {
    origin
        .split_once("://")
        .map_or("", |(_, authority)| authority)
}

/// Tells whether a path from a folder cannot leave it again: dots, their escapes and empty segments
/// mean different things to different servers.
fn stays_below(rest: &str) -> bool {
    let path = rest.split('?').next().unwrap_or_default();
    let climbs = |segment: &str| matches!(segment, "." | "..");
    !path.contains('%')
        && !path.contains("//")
        && !path.starts_with('/')
        && !path.split('/').any(climbs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(patterns: &str, allowed: &[&str], refused: &[&str]) {
        let patterns = RedirectPatterns::parse(patterns).unwrap();
        for (uris, expected) in [(allowed, true), (refused, false)] {
            for uri in uris {
                let uri = RedirectUri::parse(uri).unwrap();
                assert_eq!(patterns.allows(&uri), expected, "{}", uri.as_str());
            }
        }
    }

    #[test]
    fn an_exact_pattern_allows_what_its_registration_would() {
        check(
            "https://claude.ai/api/mcp/auth_callback, http://127.0.0.1/cb, cursor://a/b",
            &[
                "https://claude.ai/api/mcp/auth_callback",
                "http://127.0.0.1:4711/cb",
                "cursor://a/b",
            ],
            &[
                "https://claude.ai/api/mcp/auth_callback/",
                "https://claude.ai:444/api/mcp/auth_callback",
                "https://claude.ai.evil.example/api/mcp/auth_callback",
                "http://127.0.0.1:4711/cb/x",
                "http://localhost/cb",
                "cursor://a/c",
            ],
        );
    }

    #[test]
    fn any_port_is_for_one_loopback_host_and_path() {
        check(
            "http://localhost:*/oauth/callback,http://[::1]:*",
            &[
                "http://localhost:3335/oauth/callback",
                "http://localhost/oauth/callback",
                "http://[::1]:9",
            ],
            &[
                "http://localhost:3335/oauth/callback2",
                "http://localhost:3335/",
                "http://127.0.0.1:3335/oauth/callback",
                "https://localhost:3335/oauth/callback",
                "http://[::1]:9/x",
                "cursor://localhost:3335/oauth/callback",
            ],
        );
    }

    #[test]
    fn a_folder_allows_what_stays_below_it() {
        check(
            "https://ide.example/oauth/*",
            &[
                "https://ide.example/oauth/",
                "https://ide.example/oauth/cb",
                "https://ide.example:443/oauth/a/b?c=%2e%2e/d",
                "https://IDE.example/oauth/cb",
            ],
            &[
                "https://ide.example/oauth",
                "https://ide.example/oauthcb",
                "https://ide.example/oauth/../admin",
                "https://ide.example/oauth/./cb",
                "https://ide.example/oauth/%2e%2e/admin",
                "https://ide.example/oauth/%2E./admin",
                "https://ide.example/oauth/..%2fadmin",
                "https://ide.example/oauth//evil",
                "https://ide.example/oauth/..",
                "https://ide.example:444/oauth/cb",
                "https://evil.example/oauth/cb",
                "http://localhost/oauth/cb",
                "ide://ide.example/oauth/cb",
            ],
        );
    }

    #[test]
    fn what_would_allow_more_than_it_seems_is_no_pattern() {
        for bad in [
            "",
            " , ",
            "*",
            "https://*/cb",
            "https://*.example/cb",
            "https://ide.example:*/cb",
            "https://ide.example*",
            "https://ide.example/cb*",
            "https://ide.example/*/cb",
            "https://ide.example/cb?a=/*",
            "https://*",
            "https:///*",
            "http://localhost/*",
            "http://localhost:*/*",
            "http://localhost:*1/cb",
            "http://localhost:**/cb",
            "http://localhost:*.evil.example/cb",
            "http://localhost/:*",
            "http://ide.example:*/cb",
            "cursor://a/*",
            "cursor://a:*/b",
            "javascript:*",
            "http://ide.example/cb",
        ] {
            assert!(RedirectPatterns::parse(bad).is_err(), "{bad}");
        }
        assert!(RedirectPatterns::parse(&"https://a/b,".repeat(64)).is_ok());
        assert!(RedirectPatterns::parse(&"https://a/b,".repeat(65)).is_err());
    }
}
