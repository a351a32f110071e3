//! A request, in any form in which people have one.

use serde_json::Value;

use crate::curl;

/// A request as it was pasted.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Pasted {
    /// What it was taken for.
    pub(crate) form: Form,
    pub(crate) method: String,
    pub(crate) path: String,
    /// Empty where it is not said.
    pub(crate) host: String,
    /// Names in lower case.
    pub(crate) fields: Vec<(String, String)>,
}

/// What a pasted text was taken for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    Lines,
    Curl,
    Json,
    Credential,
}

impl Form {
    /// Returns the form in words for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lines => "header lines",
            Self::Curl => "a curl command",
            Self::Json => "a JSON object of header fields",
            Self::Credential => "a credential, sent as Authorization",
        }
    }
}

impl Pasted {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// Says which line cannot be understood, without quoting it: it may hold a secret.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let prompted = text.trim_start_matches(['$', '#', ' ']);
        if prompted.starts_with("curl ") || prompted.starts_with("curl.exe ") {
            return curl::parse(prompted);
        }
        if text.starts_with('{') {
            return Self::from_json(text);
        }
        match credential(text) {
            Some(value) => {
                let mut pasted = Self::new(Form::Credential);
                pasted.push("authorization", &value)?;
                Ok(pasted)
            }
            None => Self::from_lines(text),
        }
    }

    /// A message of an MCP client, without any field.
    pub(crate) fn new(form: Form) -> Self {
        Self {
            form,
            method: "POST".to_owned(),
            path: "/mcp".to_owned(),
            host: String::new(),
            fields: Vec::new(),
        }
    }

    /// Takes a field; what is not one of ours to HTTP goes to its own place.
    pub(crate) fn push(&mut self, name: &str, value: &str) -> Result<(), String> {
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        match name.as_str() {
            "host" | ":authority" => value.clone_into(&mut self.host),
            ":method" => value.clone_into(&mut self.method),
            ":path" => value.clone_into(&mut self.path),
            ":scheme" => {}
            _ if is_name(&name) => self.fields.push((name, value.to_owned())),
            _ => return Err("a header field has a name that HTTP does not allow".to_owned()),
        }
        Ok(())
    }

    /// Reads lines as a client sends them, or as curl and browsers show what was sent.
    fn from_lines(text: &str) -> Result<Self, String> {
        let mut pasted = Self::new(Form::Lines);
        for (index, line) in text.lines().enumerate() {
            // What `curl -v` says itself, and what it received.
            if line.starts_with("* ") || line.starts_with("< ") {
                continue;
            }
            let line = line.strip_prefix('>').unwrap_or(line).trim();
            if line.is_empty() {
                // The body follows.
                break;
            }
            if let Some((method, path)) = request_line(line) {
                method.clone_into(&mut pasted.method);
                path.clone_into(&mut pasted.path);
                continue;
            }
            let skip = usize::from(line.starts_with(':'));
            let colon = line
                .char_indices()
                .skip(skip)
                .find(|(_, char)| *char == ':');
            let parts = colon.and_then(|(colon, _)| line.split_at_checked(colon));
            let Some((name, value)) = parts else {
                let number = index.saturating_add(1);
                return Err(format!("line {number} of the request is not NAME: VALUE"));
            };
            pasted.push(name, value.trim_start_matches(':'))?;
        }
        Ok(pasted)
    }

    /// Reads an object of fields, also where it is the `headers` of another.
    fn from_json(text: &str) -> Result<Self, String> {
        let object: Value =
            serde_json::from_str(text).map_err(|_| "the request is not valid JSON".to_owned())?;
        let inner = object.get("headers").filter(|headers| headers.is_object());
        let fields = inner.unwrap_or(&object).as_object();
        let mut pasted = Self::new(Form::Json);
        for (name, value) in fields.into_iter().flatten() {
            let value = value.as_str().ok_or_else(|| {
                "the request is JSON, but not an object whose values are texts".to_owned()
            })?;
            pasted.push(name, value)?;
        }
        Ok(pasted)
    }
}

/// Returns the value of `Authorization` where the text is one, or a token to make one of.
fn credential(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let (first, second) = (words.next()?, words.next());
    if words.next().is_some() {
        return None;
    }
    match second {
        None if first.contains(':') => None,
        None => Some(format!("Bearer {first}")),
        Some(_) if ["bearer", "basic"].contains(&first.to_ascii_lowercase().as_str()) => {
            Some(text.to_owned())
        }
        Some(_) => None,
    }
}

/// Splits `METHOD /path HTTP/1.1`.
fn request_line(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let version = words
        .next()
        .is_none_or(|version| version.starts_with("HTTP/"));
    let shaped = method.bytes().all(|byte| byte.is_ascii_uppercase()) && path.starts_with('/');
    (version && shaped).then_some((method, path))
}

/// A token of RFC 9110 §5.6.2.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(allowed)
}
