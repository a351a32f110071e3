//! JSON with comments and commas before closing brackets, as VS Code keeps it, with the place of
//! every value, so that a file can be changed without being written anew.

use serde_json::Value;

/// A value and where it is.
#[derive(Debug)]
pub(super) struct Node {
    /// The octets of the text that it takes.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar(Value),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    /// Where the name begins.
    pub(super) start: usize,
    pub(super) value: Node,
}

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// Parses a whole text.
///
/// # Errors
///
/// Says in which line the text is not JSON, or names a member that an object has twice.
pub(super) fn parse(text: &str) -> Result<Node, String> {
    let mut parser = Parser { text, at: 0 };
    let node = parser.value(0)?;
    parser.skip()?;
    if parser.peek().is_some() {
        return Err(parser.wrong("nothing more"));
    }
    Ok(node)
}

impl Node {
    /// Returns the value without comments.
    pub(super) fn value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::Array(items) => items.iter().map(Self::value).collect(),
            Kind::Object(members) => {
                let members = members.iter();
                members
                    .map(|member| (member.name.clone(), member.value.value()))
                    .collect()
            }
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn value(&mut self, depth: usize) -> Result<Node, String> {
        if depth > MAX_DEPTH {
            return Err(self.wrong("less nesting"));
        }
        self.skip()?;
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(_) => Kind::Scalar(self.scalar()?),
            None => return Err(self.wrong("a value")),
        };
        let end = self.at;
        Ok(Node { start, end, kind })
    }

    fn object(&mut self, depth: usize) -> Result<Kind, String> {
        let mut members: Vec<Member> = Vec::new();
        self.items(b'}', |parser| {
            let start = parser.at;
            let Value::String(name) = parser.scalar()? else {
                parser.at = start;
                return Err(parser.wrong("a name in quotes"));
            };
            if members.iter().any(|member| member.name == name) {
                return Err(parser.wrong(&format!("{name:?} only once")));
            }
            parser.skip()?;
            if !parser.take(b':') {
                return Err(parser.wrong("a colon"));
            }
            let value = parser.value(depth + 1)?;
            members.push(Member { name, start, value });
            Ok(())
        })?;
        Ok(Kind::Object(members))
    }

    fn array(&mut self, depth: usize) -> Result<Kind, String> {
        let mut items = Vec::new();
        self.items(b']', |parser| {
            items.push(parser.value(depth + 1)?);
            Ok(())
        })?;
        Ok(Kind::Array(items))
    }

    /// Reads what is between brackets, the opening one being next.
    fn items(
        &mut self,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        self.at += 1;
        loop {
            self.skip()?;
            if self.take(close) {
                return Ok(());
            }
            item(self)?;
            self.skip()?;
            if !self.take(b',') && self.peek() != Some(close) {
                return Err(self.wrong("a comma, or the closing bracket"));
            }
        }
    }

    fn scalar(&mut self) -> Result<Value, String> {
        let rest = self.rest();
        let length = if rest.starts_with('"') {
            string_length(rest)
        } else {
            let ends = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
            Some(rest.find(ends).unwrap_or(rest.len()))
        };
        let token = length.and_then(|length| rest.get(..length));
        let value = token.and_then(|token| serde_json::from_str(token).ok());
        match (token, value) {
            (Some(token), Some(value)) => {
                self.at += token.len();
                Ok(value)
            }
            _ => Err(self.wrong("a value")),
        }
    }

    /// Skips blanks and comments.
    fn skip(&mut self) -> Result<(), String> {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            self.at += blank;
            let rest = self.rest();
            if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if let Some(comment) = rest.strip_prefix("/*") {
                let length = comment
                    .find("*/")
                    .ok_or_else(|| self.wrong("the end of this comment"))?;
                self.at += length + 4;
            } else {
                return Ok(());
            }
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().bytes().next()
    }

    fn take(&mut self, octet: u8) -> bool {
        let is_next = self.peek() == Some(octet);
        self.at += usize::from(is_next);
        is_next
    }

    fn wrong(&self, expected: &str) -> String {
        let before = self.text.get(..self.at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        format!("line {line}, column {column}: expected {expected}")
    }
}

/// Returns how long the string is with which a text begins, quotes included.
fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (index, octet) in text.bytes().enumerate().skip(1) {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(index + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn comments_and_last_commas_are_read_over() {
        let text = "// a\n{ /* b */ \"a\": [1, -2.5e3, null,], // c\n \"b\\\"\": {\"//\": true,},\n}\n/* d */";
        let expected = json!({"a": [1, -2500.0, null], "b\"": {"//": true}});
        assert_eq!(parse(text).map(|node| node.value()), Ok(expected));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_line() {
        for (text, line) in [
            ("", "line 1, column 1: expected a value"),
            ("{\n \"a\": }", "line 2, column 7: expected a value"),
            ("{\"a\": 1 \"b\": 2}", "line 1, column 9: expected a comma"),
            ("{a: 1}", "line 1, column 2: expected a value"),
            ("{1: 1}", "line 1, column 2: expected a name"),
            ("{\"a\" 1}", "line 1, column 6: expected a colon"),
            ("{} x", "line 1, column 4: expected nothing more"),
            ("{\"a\": \"x", "line 1, column 7: expected a value"),
            ("[,]", "line 1, column 2: expected a value"),
            ("/* {}", "expected the end of this comment"),
            ("{\"a\": 1, \"a\": 2}", "\"a\" only once"),
            ("[NaN]", "expected a value"),
        ] {
            let problem = parse(text).expect_err(text);
            assert!(problem.contains(line), "{text}: {problem}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn no_cut_text_is_taken_for_a_whole_one() {
        let text = "{\"ä\": [\"ö\\u0041\", {}], // ü\n}";
        for (cut, _) in text.char_indices() {
            assert!(parse(&text[..cut]).is_err(), "{cut}");
        }
    }
}
