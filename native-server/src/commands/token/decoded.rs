//! A token taken apart, unverified.

use anyhow::{anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::UnixSeconds;
use serde_json::{Map, Value};

use crate::moment::{civil, relative};
use crate::terminal::Palette;

/// Claims that are times (RFC 7519 §4.1, OpenID Connect Core 1.0 §2).
const TIMES: [(&str, &str); 4] = [
    ("exp", "expires"),
    ("nbf", "not before"),
    ("iat", "issued"),
    ("auth_time", "signed in"),
];

/// What a token says of itself.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    signature_bytes: usize,
}

impl Decoded {
    /// Takes a compact token apart (RFC 7515 §3.1).
    ///
    /// # Errors
    ///
    /// Says what the text is instead, as far as that can be seen.
    pub(super) fn of(token: &str) -> anyhow::Result<Self> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts.as_slice() else {
            match parts.len() {
                1 => bail!(
                    "this is no JWT: it has no dots. API keys, and the tokens of many providers \
                     and of mode oidcproxy, say nothing that can be read"
                ),
                5 => bail!("this token is encrypted (JWE): only its audience can read it"),
                parts => bail!("this is no JWT: it has {parts} parts, not 3"),
            }
        };
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| anyhow!("the signature is no base64url: was the token cut?"))?;
        Ok(Self {
            header: object(header, "header")?,
            claims: object(claims, "payload")?,
            signature_bytes: signature.len(),
        })
    }

    /// Returns the claims that are times, as dates.
    pub(super) fn times(&self) -> Map<String, Value> {
        let times = TIMES.iter().filter_map(|(name, _)| {
            let date = civil(seconds(self.claims.get(*name)?)?);
            Some(((*name).to_owned(), Value::from(date)))
        });
        times.collect()
    }

    /// Writes it for people.
    pub(super) fn text(&self, palette: Palette, now: UnixSeconds) -> String {
        let mut text = String::new();
        for (title, members) in [("header", &self.header), ("claims", &self.claims)] {
            text.push_str(&format!("{}\n", palette.heading(title)));
            for (name, value) in members {
                let shown = shown(value);
                text.push_str(&format!("  {:<10} {shown}\n", plain(name)));
                let time = TIMES.iter().find(|(time, _)| time == name);
                if let Some(((_, word), at)) = time.zip(seconds(value))
                    && title == "claims"
                {
                    let (date, distance) = (civil(at), relative(at, now));
                    text.push_str(&format!("  {:<10} {word} {date}, {distance}\n", ""));
                }
            }
        }
        let bytes = self.signature_bytes;
        text.push_str(&format!("{}\n", palette.heading("signature")));
        text.push_str(&format!("  {bytes} octets\n"));
        text.push_str(&format!("{}\n", palette.heading("clock")));
        text.push_str(&format!("  {}\n", civil(now)));
        text
    }
}

fn object(part: &str, what: &str) -> anyhow::Result<Map<String, Value>> {
    let octets = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| anyhow!("the {what} is no base64url: was the token cut?"))?;
    match serde_json::from_slice(&octets) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) | Err(_) => bail!("the {what} is no JSON object: was the token cut?"),
    }
}

fn seconds(value: &Value) -> Option<UnixSeconds> {
    let whole = value.as_u64().or_else(|| {
        let text = value.as_f64()?.trunc().to_string();
        text.parse().ok()
    });
    whole.map(UnixSeconds)
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            plain(&value.to_string())
        }
    }
}

/// Makes a stranger's text fit for a terminal, and leaves letters of all scripts.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        // Marks that turn the direction of writing hide what a text says.
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns {
            plain.extend(c.escape_unicode());
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.AAAA", part(header), part(claims))
    }

    #[test]
    fn times_are_said_in_words() {
        let token = token(
            r#"{"alg":"RS256"}"#,
            r#"{"exp":1000000060,"iat":999999000.5,"sub":"exp"}"#,
        );
        let decoded = Decoded::of(&token).expect("a token");
        let text = decoded.text(Palette::plain(), UnixSeconds(1_000_000_000));
        assert!(
            text.contains("expires 2001-09-09 01:47:40 UTC, in 1 minute"),
            "{text}"
        );
        assert!(
            text.contains("issued 2001-09-09 01:30:00 UTC, 16 minutes ago"),
            "{text}"
        );
        assert_eq!(decoded.times().len(), 2);
    }

    #[test]
    fn nothing_in_a_token_commands_the_terminal() {
        let token = token(
            r#"{"alg":"a\u001b[2J"}"#,
            "{\"s\u{202e}\":\"\\u009b1m\\u0007é\"}",
        );
        let text = Decoded::of(&token)
            .expect("a token")
            .text(Palette::plain(), UnixSeconds(0));
        assert!(
            !text.contains(['\u{1b}', '\u{9b}', '\u{7}', '\u{202e}']),
            "{text:?}"
        );
        assert!(text.contains('é'));
    }

    #[test]
    fn what_is_no_token_is_called_by_its_name() {
        for (text, part) in [
            ("abc", "no dots"),
            ("a.b", "2 parts"),
            ("a.b.c.d.e", "encrypted"),
            ("e30.e30.!", "signature"),
            ("!.e30.AA", "header"),
            ("e30.W10.AA", "payload"),
        ] {
            let problem = Decoded::of(text).expect_err(text);
            assert!(problem.to_string().contains(part), "{text}: {problem:#}");
        }
    }
}
