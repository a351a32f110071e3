//! The settings, as their page in the documentation has them: it is the one place where they are
//! described.

const PAGE: &str = include_str!("../../../../docs/settings.md");

/// Settings that belong together.
pub(in crate::commands) struct Section {
    pub(in crate::commands) title: String,
    pub(in crate::commands) entries: Vec<Entry>,
}

/// One setting.
pub(in crate::commands) struct Entry {
    pub(in crate::commands) name: String,
    meaning: String,
    default: String,
}

impl Entry {
    /// Returns meaning and default, in plain text.
    pub(in crate::commands) fn words(&self) -> String {
        match self.default.as_str() {
            "" => self.meaning.clone(),
            default => format!("{} [default: {default}]", self.meaning),
        }
    }
}

/// Returns all settings, in the order of the page.
pub(in crate::commands) fn sections() -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in PAGE.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            let title = plain(title);
            let entries = Vec::new();
            sections.push(Section { title, entries });
        }
        if let (Some(entry), Some(section)) = (row(line), sections.last_mut()) {
            section.entries.push(entry);
        }
    }
    sections.retain(|section| !section.entries.is_empty());
    sections
}

/// Reads a row of a table of settings.
fn row(line: &str) -> Option<Entry> {
    // A bar that parts no cells is escaped.
    let line = line.strip_prefix("| `")?.replace("\\|", "\u{0}");
    let mut cells = line
        .split('|')
        .map(|cell| plain(&cell.replace('\u{0}', "|")));
    Some(Entry {
        name: cells.next()?,
        meaning: cells.next()?,
        default: cells.next()?,
    })
}

/// Takes the marks of Markdown off: code, and links, of which the text stays.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.trim();
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        let link = after.split_once("](").and_then(|(text, after)| {
            let (_, after) = after.split_once(')')?;
            Some((text, after))
        });
        match link {
            Some((text, after)) => {
                plain.push_str(text);
                rest = after;
            }
            None => {
                plain.push('[');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain.replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::config::Setting;

    #[test]
    fn every_setting_is_described() {
        let sections = sections();
        let entries: Vec<&Entry> = sections
            .iter()
            .flat_map(|section| &section.entries)
            .collect();
        for setting in Setting::ALL {
            let found = entries.iter().filter(|entry| entry.name == setting.name());
            assert_eq!(found.count(), 1, "{}", setting.name());
        }
        assert_eq!(entries.len(), Setting::ALL.len());
        for entry in entries {
            let words = entry.words();
            assert!(
                !entry.meaning.is_empty() && !words.contains(['`', '\u{0}']),
                "{words}"
            );
        }
    }

    #[test]
    fn marks_of_markdown_are_taken_off() {
        for (text, expected) in [
            (
                " `a`, see [In Envoy](oauth.md#in-envoy) ",
                "a, see In Envoy",
            ),
            ("[x] y", "[x] y"),
            ("", ""),
        ] {
            assert_eq!(plain(text), expected);
        }
    }
}
