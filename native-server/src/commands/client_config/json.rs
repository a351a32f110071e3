//! JSON that keeps the order of its members, for people to read.

/// How much of a list is kept on one line.
const LINE: usize = 64;

/// A value of a client's configuration.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    Text(String),
    Yes,
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    /// Makes a string.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Makes an object.
    pub(super) fn object<N: Into<String>>(members: impl IntoIterator<Item = (N, Self)>) -> Self {
        let members = members.into_iter();
        Self::Object(members.map(|(name, value)| (name.into(), value)).collect())
    }

    /// Writes it with a member on each line, as one that begins after `margin`; each level is
    /// indented by one more `unit`.
    pub(super) fn pretty(&self, margin: &str, unit: &str) -> String {
        let mut text = String::new();
        self.write(&mut text, margin, unit);
        text
    }

    /// Tells whether it is a list of few words, which fits on a line.
    fn is_short(&self) -> bool {
        let Self::List(items) = self else {
            return false;
        };
        let lengths = items.iter().map(|item| match item {
            Self::Text(text) => text.len() + 4,
            Self::Yes | Self::List(_) | Self::Object(_) => usize::MAX,
        });
        lengths.fold(0, usize::saturating_add) <= LINE
    }

    fn write(&self, text: &mut String, margin: &str, unit: &str) {
        let inner = format!("{margin}{unit}");
        match self {
            Self::Text(value) => text.push_str(&quoted(value)),
            Self::Yes => text.push_str("true"),
            Self::List(items) if self.is_short() => {
                let items: Vec<String> = items.iter().map(|item| item.pretty("", "")).collect();
                text.push_str(&format!("[{}]", items.join(", ")));
            }
            Self::List(items) => {
                text.push('[');
                for (index, item) in items.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    text.push_str(&format!("{comma}\n{inner}"));
                    item.write(text, &inner, unit);
                }
                text.push_str(&format!("\n{margin}]"));
            }
            Self::Object(members) => {
                text.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    text.push_str(&format!("{comma}\n{inner}{}: ", quoted(name)));
                    value.write(text, &inner, unit);
                }
                text.push_str(&format!("\n{margin}}}"));
            }
        }
    }
}

/// Writes a JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
