//! Just enough YAML to write a configuration that people like to read.

use std::fmt::Write as _;

/// A value; maps keep their order.
#[derive(Clone, Debug)]
pub(crate) enum Yaml {
    /// `true` or `false`.
    Flag(bool),
    /// A number without sign.
    Number(u64),
    /// A text, always written in double quotes.
    Text(String),
    /// A text of several lines, written as it is.
    Block(String),
    /// A list.
    List(Vec<Self>),
    /// A map.
    Map(Vec<(String, Self)>),
    /// A value with a remark for people, which is written above it.
    Noted(String, Box<Self>),
}

impl Yaml {
    /// Makes a map.
    pub(crate) fn map<const N: usize>(fields: [(&str, Self); N]) -> Self {
        let fields = fields.into_iter();
        Self::Map(
            fields
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }

    /// Makes a list.
    pub(crate) fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// Adds a field to a map.
    pub(crate) fn with(mut self, name: &str, value: Self) -> Self {
        if let Self::Map(fields) = &mut self {
            fields.push((name.to_owned(), value));
        }
        self
    }

    /// Adds a remark.
    pub(crate) fn noted(self, remark: impl Into<String>) -> Self {
        Self::Noted(remark.into(), Box::new(self))
    }

    /// Writes the value as a document.
    pub(crate) fn document(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, 0);
        text
    }

    fn write(&self, out: &mut String, indent: usize) {
        match self {
            Self::Noted(remark, value) => {
                write_remark(out, remark, indent);
                value.write(out, indent);
            }
            Self::Map(fields) => {
                for (name, value) in fields {
                    let value = value.write_own_remark(out, indent);
                    let _ = write!(out, "{:indent$}{}:", "", key(name));
                    value.write_after_key(out, indent);
                }
            }
            Self::List(items) => {
                for item in items {
                    let item = item.write_own_remark(out, indent);
                    let mut text = String::new();
                    item.write(&mut text, indent + 2);
                    let _ = write!(out, "{:indent$}- {}", "", text.trim_start());
                }
            }
            Self::Flag(_) | Self::Number(_) | Self::Text(_) | Self::Block(_) => {
                let _ = writeln!(out, "{}", self.scalar());
            }
        }
    }

    /// Writes the remark, if there is one, and returns the value without it.
    fn write_own_remark(&self, out: &mut String, indent: usize) -> &Self {
        if let Self::Noted(remark, value) = self {
            write_remark(out, remark, indent);
            value
        } else {
            self
        }
    }

    fn write_after_key(&self, out: &mut String, indent: usize) {
        match self {
            Self::Map(fields) if fields.is_empty() => out.push_str(" {}\n"),
            Self::List(items) if items.is_empty() => out.push_str(" []\n"),
            Self::Map(_) => {
                out.push('\n');
                self.write(out, indent + 2);
            }
            Self::List(_) => {
                out.push('\n');
                self.write(out, indent);
            }
            Self::Block(text) => {
                out.push_str(" |\n");
                for line in text.lines() {
                    let _ = writeln!(out, "{:1$}{line}", "", indent + 2);
                }
            }
            Self::Noted(_, value) => value.write_after_key(out, indent),
            Self::Flag(_) | Self::Number(_) | Self::Text(_) => {
                let _ = writeln!(out, " {}", self.scalar());
            }
        }
    }

    fn scalar(&self) -> String {
        match self {
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) | Self::Block(text) => quoted(text),
            Self::List(_) | Self::Map(_) | Self::Noted(..) => String::new(),
        }
    }
}

impl From<&str> for Yaml {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Yaml {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Yaml {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<u32> for Yaml {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

fn write_remark(out: &mut String, remark: &str, indent: usize) {
    for line in remark.lines() {
        let _ = writeln!(out, "{:indent$}# {line}", "");
    }
}

/// A JSON string is a YAML string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn key(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !name.is_empty() && name.bytes().all(plain) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_and_lists_nest() {
        let inner = Yaml::map([("a", 1.into()), ("b", Yaml::list([]))]);
        let yaml = Yaml::map([
            ("@type", "x: \"y\"\n".into()),
            (
                "list",
                Yaml::list([
                    inner.clone(),
                    "z".into(),
                    Yaml::list([2.into(), true.into()]),
                ]),
            ),
            ("map", inner),
            ("empty", Yaml::map([])),
        ]);
        let expected = "\"@type\": \"x: \\\"y\\\"\\n\"\nlist:\n- a: 1\n  b: []\n- \"z\"\n- - 2\n  - true\n\
             map:\n  a: 1\n  b: []\nempty: {}\n";
        assert_eq!(yaml.document(), expected);
    }

    #[test]
    fn remarks_stand_above_what_they_are_about() {
        let yaml = Yaml::map([
            ("a", Yaml::from(1).noted("why\nso")),
            (
                "list",
                Yaml::list([Yaml::map([("b", 2.into())]).noted("one")]),
            ),
            ("text", Yaml::Block("{\n  1\n}\n".to_owned())),
        ]);
        let expected = "# all\n# why\n# so\na: 1\nlist:\n# one\n- b: 2\ntext: |\n  {\n    1\n  }\n";
        assert_eq!(yaml.noted("all").document(), expected);
    }
}
