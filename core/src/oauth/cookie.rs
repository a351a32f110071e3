//! Cookies: what a browser sends back, and what it is told to keep (RFC 6265).

use core::fmt;

/// Returns the value of the cookie of this name from the lines of `Cookie`; `None` when it is
/// absent, or occurs with different values.
///
/// Another host of the same domain can plant a second cookie of a name (RFC 6265 §8.6), and which
/// of them comes first is not ours to say: so neither is believed.
pub(crate) fn find<'a>(lines: impl Iterator<Item = &'a [u8]>, name: &str) -> Option<&'a str> {
    let mut found = None;
    for (cookie, value) in pairs(lines) {
        if cookie != name {
            continue;
        }
        if found.is_some_and(|earlier| earlier != value) {
            return None;
        }
        found = Some(value);
    }
    found
}

/// Returns the names of the cookies that begin with `prefix`, in the order of the lines.
pub(crate) fn names_with_prefix<'a>(
    lines: impl Iterator<Item = &'a [u8]>,
    prefix: &str,
) -> impl Iterator<Item = &'a str> {
    pairs(lines)
        .map(|(name, _)| name)
        .filter(move |name| name.starts_with(prefix))
}

/// A value of `Set-Cookie`: for the whole host, out of reach of scripts, not sent with requests
/// that other sites make but for navigations (`SameSite=Lax`: the way back from the authorization
/// server is one).
///
/// A name that begins with `__Host-` must be `secure`, or browsers drop the cookie.
pub(crate) struct SetCookie<'a> {
    /// A token (RFC 9110 §5.6.2).
    pub(crate) name: &'a str,
    /// Base64url text, or such text with full stops: nothing in it needs quoting.
    pub(crate) value: &'a str,
    /// After how many seconds the browser forgets it; 0 is at once.
    pub(crate) max_age_seconds: u64,
    /// Whether it is kept from plain http.
    pub(crate) secure: bool,
}

impl fmt::Display for SetCookie<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, value, seconds) = (self.name, self.value, self.max_age_seconds);
        write!(
            f,
            "{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"
        )?;
        if self.secure {
            f.write_str("; Secure")?;
        }
        Ok(())
    }
}

/// Splits lines at semicolons: HTTP/2 splits the field and Envoy joins it again (RFC 9113 §8.2.3),
/// so the number of lines means nothing. What is not UTF-8 or has no `=` is none of ours.
fn pairs<'a>(lines: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = (&'a str, &'a str)> {
    lines
        .flat_map(|line| line.split(|octet| *octet == b';'))
        .filter_map(|pair| core::str::from_utf8(pair).ok())
        .filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString as _;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[track_caller]
    fn check(lines: &[&[u8]], expected: Option<&str>) {
        assert_eq!(find(lines.iter().copied(), "__Host-f"), expected);
    }

    #[test]
    fn a_cookie_is_found_in_any_line_and_place() {
        check(&[b"__Host-f=v"], Some("v"));
        check(&[b"a=b; __Host-f=v; c=d"], Some("v"));
        check(&[b"a=b;__Host-f=v"], Some("v"));
        check(&[b"a=b", b"\t __Host-f=v "], Some("v"));
        check(&[b"__Host-f=a=b"], Some("a=b"));
        check(&[b"__Host-f="], Some(""));
        check(&[b"x=\xff; __Host-f=v"], Some("v"));
    }

    #[test]
    fn another_name_is_another_cookie() {
        for line in [
            &b""[..],
            b"__host-f=v",
            b"__Host-ff=v",
            b"x__Host-f=v",
            b"x=__Host-f=v",
            b"__Host-f",
            b"__Host-f =v",
            b"__Host-f=\xff",
        ] {
            check(&[line], None);
        }
    }

    #[test]
    fn a_cookie_with_two_values_is_not_believed() {
        check(&[b"__Host-f=v; __Host-f=w"], None);
        check(&[b"__Host-f=v", b"__Host-f=w", b"__Host-f=v"], None);
        check(&[b"__Host-f=v", b"__Host-f="], None);
        check(&[b"__Host-f=v", b"__Host-f=v"], Some("v"));
    }

    #[test]
    fn names_are_listed_by_their_prefix() {
        let lines: [&[u8]; 2] = [b"f_1=a; g=b; f_2=c", b"F_3=d; f_=e; xf_4=f"];
        let names: Vec<_> = names_with_prefix(lines.into_iter(), "f_").collect();
        assert_eq!(names, ["f_1", "f_2", "f_"]);
    }

    #[test]
    fn a_cookie_is_for_the_host_and_out_of_reach_of_scripts() {
        let cookie = |max_age_seconds, secure| SetCookie {
            name: "f",
            value: "v",
            max_age_seconds,
            secure,
        };
        assert_eq!(
            cookie(600, true).to_string(),
            "f=v; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            cookie(0, false).to_string(),
            "f=v; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        );
    }

    proptest! {
        /// Envoy joins what HTTP/2 has split, and another proxy may split what was joined.
        #[test]
        fn it_does_not_matter_how_cookies_are_put_into_lines(
            pairs in prop::collection::vec(("[a-c]", "[!-:<-~]{0,4}"), 0..8)
        ) {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let joined = pairs.join("; ");
            let parted = pairs.iter().map(|pair| pair.as_bytes());
            for name in ["a", "b", "c"] {
                let one = find([joined.as_bytes()].into_iter(), name);
                prop_assert_eq!(one, find(parted.clone(), name));
            }
        }
    }
}
