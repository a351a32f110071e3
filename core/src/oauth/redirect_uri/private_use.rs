//! Redirect URIs with a scheme of a program's own (RFC 8252 §7.1).

use super::{RedirectFault, authority_parts};
use crate::url::is_host;

/// Checks what follows the scheme, in lower case, and its colon.
///
/// # Errors
///
/// Returns [`RedirectFault::ForbiddenScheme`] for a scheme that means more than a program's name,
/// and what is wrong with the path or the authority.
pub(super) fn check(scheme: &str, rest: &str) -> Result<(), RedirectFault> {
    let base = scheme.split(['+', '-']).next().unwrap_or_default();
    let prefixed = SCHEMES_THAT_RUN_PROGRAMS
        .iter()
        .any(|prefix| scheme.starts_with(prefix));
    if prefixed || FORBIDDEN_SCHEMES.contains(&scheme) || FORBIDDEN_SCHEMES.contains(&base) {
        return Err(RedirectFault::ForbiddenScheme);
    }
    // RFC 8252 §7.1 wants a path; without one, `scheme:text` has no place for parameters.
    if !rest.starts_with('/') {
        return Err(RedirectFault::NotAbsolute);
    }
    let Some(rest) = rest.strip_prefix("//") else {
        return Ok(());
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.is_empty() {
        return Ok(());
    }
    let (host, _) = authority_parts(authority)?;
    if is_host(host) {
        Ok(())
    } else {
        Err(RedirectFault::BadHost)
    }
}

/// Browsers and systems do more with these than give the URI to the program that a client is.
const FORBIDDEN_SCHEMES: [&str; 46] = [
    // They run a script or show content of their own.
    "javascript",
    "vbscript",
    "livescript",
    "data",
    "blob",
    "about",
    "view",
    "file",
    "filesystem",
    "jar",
    "mhtml",
    "mk",
    "cid",
    "mid",
    "wyciwyg",
    // They belong to a browser or its extensions.
    "chrome",
    "edge",
    "opera",
    "brave",
    "moz",
    "resource",
    "safari",
    "feed",
    // Other protocols.
    "ws",
    "wss",
    "ftp",
    "ftps",
    "sftp",
    "ssh",
    "telnet",
    "ldap",
    "ldaps",
    "smb",
    "gopher",
    "nntp",
    "news",
    "git",
    "svn",
    // They write, call or name something.
    "mailto",
    "tel",
    "sms",
    "geo",
    "urn",
    "intent",
    "search",
    "shell",
];

/// Handlers of Windows that take commands from a URI, such as `ms-msdt`.
const SCHEMES_THAT_RUN_PROGRAMS: [&str; 2] = ["ms-", "vnd.ms"];
