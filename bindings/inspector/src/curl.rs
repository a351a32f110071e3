//! A curl command, as documentation has it and as browsers copy it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::pasted::{Form, Pasted};

/// Short options with a value that is of no interest here.
const SHORT_WITH_VALUE: &str = "oewmxcCEFTKrtYyzQPD";

/// The same for long ones.
const LONG_WITH_VALUE: &[&str] = &[
    "output",
    "write-out",
    "max-time",
    "connect-timeout",
    "cacert",
    "capath",
    "cert",
    "key",
    "resolve",
    "connect-to",
    "proxy",
    "retry",
    "cookie-jar",
    "config",
    "interface",
    "referer",
];

/// Reads a command.
///
/// # Errors
///
/// Refuses one with an open quotation mark, or without a URL.
pub(crate) fn parse(command: &str) -> Result<Pasted, String> {
    let mut words = words(command)?.into_iter().skip(1);
    let mut request = Request::default();
    while let Some(word) = words.next() {
        let mut value = || {
            let problem = || "the last option of the curl command lacks its value".to_owned();
            words.next().ok_or_else(problem)
        };
        if let Some(long) = word.strip_prefix("--") {
            let (name, inline) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            if let Some(option) = CurlOption::of_long(name) {
                let value = inline.map_or_else(&mut value, Ok)?;
                request.take(option, value);
            } else if LONG_WITH_VALUE.contains(&name) && inline.is_none() {
                value()?;
            } else if name == "head" {
                request.method = Some("HEAD".to_owned());
            } else if name == "get" {
                request.method = Some("GET".to_owned());
            }
        } else if let Some(cluster) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            request.take_cluster(cluster, &mut value)?;
        } else {
            request.url = Some(word);
        }
    }
    request.into_pasted()
}

/// What a command asks for.
#[derive(Default)]
struct Request {
    method: Option<String>,
    url: Option<String>,
    has_body: bool,
    fields: Vec<String>,
}

/// An option with a value that makes the request what it is.
#[derive(Clone, Copy)]
enum CurlOption {
    Header,
    Method,
    User,
    Bearer,
    Body,
    Cookie,
    Agent,
    Url,
}

impl CurlOption {
    fn of_long(name: &str) -> Option<Self> {
        Some(match name {
            "header" => Self::Header,
            "request" => Self::Method,
            "user" => Self::User,
            "oauth2-bearer" => Self::Bearer,
            "data" | "data-raw" | "data-binary" | "data-ascii" | "data-urlencode" | "json"
            | "form" => Self::Body,
            "cookie" => Self::Cookie,
            "user-agent" => Self::Agent,
            "url" => Self::Url,
            _ => return None,
        })
    }

    const fn of_short(letter: char) -> Option<Self> {
        Some(match letter {
            'H' => Self::Header,
            'X' => Self::Method,
            'u' => Self::User,
            'd' | 'F' => Self::Body,
            'b' => Self::Cookie,
            'A' => Self::Agent,
            _ => return None,
        })
    }
}

impl Request {
    fn take(&mut self, option: CurlOption, value: String) {
        match option {
            CurlOption::Header => self.fields.push(value),
            CurlOption::Method => self.method = Some(value),
            CurlOption::User => {
                let basic = STANDARD.encode(value);
                self.fields.push(format!("authorization: Basic {basic}"));
            }
            CurlOption::Bearer => self.fields.push(format!("authorization: Bearer {value}")),
            CurlOption::Body => self.has_body = true,
            CurlOption::Cookie => self.fields.push(format!("cookie: {value}")),
            CurlOption::Agent => self.fields.push(format!("user-agent: {value}")),
            CurlOption::Url => self.url = Some(value),
        }
    }

    /// Takes letters such as `-sSXPOST`: one with a value takes the rest, or the next word.
    fn take_cluster(
        &mut self,
        cluster: &str,
        next: &mut impl FnMut() -> Result<String, String>,
    ) -> Result<(), String> {
        let mut letters = cluster.chars();
        while let Some(letter) = letters.next() {
            let option = CurlOption::of_short(letter);
            if option.is_some() || SHORT_WITH_VALUE.contains(letter) {
                let rest = letters.as_str();
                let value = if rest.is_empty() {
                    next()?
                } else {
                    rest.to_owned()
                };
                if let Some(option) = option {
                    self.take(option, value);
                }
                return Ok(());
            }
            match letter {
                'I' => self.method = Some("HEAD".to_owned()),
                'G' => self.method = Some("GET".to_owned()),
                _ => {}
            }
        }
        Ok(())
    }

    fn into_pasted(self) -> Result<Pasted, String> {
        let url = self
            .url
            .ok_or_else(|| "the curl command has no URL".to_owned())?;
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let path = path.split('#').next().unwrap_or_default();
        let mut pasted = Pasted::new(Form::Curl);
        pasted.host = authority.rsplit('@').next().unwrap_or_default().to_owned();
        pasted.path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        let usual = if self.has_body { "POST" } else { "GET" };
        pasted.method = self.method.unwrap_or_else(|| usual.to_owned());
        for field in &self.fields {
            match field.split_once(':') {
                Some((name, value)) => pasted.push(name, value)?,
                // `-H "X-Empty;"` sends it without a value.
                None => pasted.push(field.trim_end_matches(';'), "")?,
            }
        }
        Ok(pasted)
    }
}

/// Splits a command as a POSIX shell does, or as Windows does where `^` quotes.
fn words(command: &str) -> Result<Vec<String>, String> {
    let command = if command.contains("^\"") || command.contains("^\n") {
        command
            .replace("^\r\n", " ")
            .replace("^\n", " ")
            .replace('^', "")
    } else {
        command.to_owned()
    };
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut chars = command.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('\n') | None => {}
                Some('\r') => drop(chars.next_if_eq(&'\n')),
                Some(other) => word.get_or_insert_default().push(other),
            },
            '\'' => quoted(
                &mut chars,
                '\'',
                Escapes::None,
                word.get_or_insert_default(),
            )?,
            '"' => quoted(
                &mut chars,
                '"',
                Escapes::Shell,
                word.get_or_insert_default(),
            )?,
            '$' if chars.next_if_eq(&'\'').is_some() => {
                quoted(&mut chars, '\'', Escapes::C, word.get_or_insert_default())?;
            }
            // What follows is another command.
            '|' | ';' | '&' | '>' if word.is_none() => break,
            blank if blank.is_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

/// What a backslash means between quotation marks.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Escapes {
    None,
    Shell,
    C,
}

fn quoted(
    chars: &mut impl Iterator<Item = char>,
    end: char,
    escapes: Escapes,
    word: &mut String,
) -> Result<(), String> {
    let open = || "a quotation mark of the curl command is not closed".to_owned();
    loop {
        match chars.next().ok_or_else(open)? {
            char if char == end => return Ok(()),
            '\\' if escapes != Escapes::None => {
                let next = chars.next().ok_or_else(open)?;
                match (escapes, next) {
                    (Escapes::C, 'n') => word.push('\n'),
                    (Escapes::C, 't') => word.push('\t'),
                    (Escapes::Shell, '\n') => {}
                    (Escapes::Shell, '"' | '\\' | '$' | '`') | (Escapes::C, _) => word.push(next),
                    (Escapes::Shell | Escapes::None, other) => word.extend(['\\', other]),
                }
            }
            other => word.push(other),
        }
    }
}
