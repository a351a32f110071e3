//! Adds to a configuration and leaves the rest of its text as it is.

use super::json::{Json, quoted};
use super::jsonc::{Kind, Member, Node, parse};

/// Sets a member of a section, which is made where there is none.
///
/// # Errors
///
/// Says why the text cannot be changed.
pub(super) fn set(text: &str, section: &str, name: &str, value: &Json) -> Result<String, String> {
    let text = or_empty(text);
    let root = parse(text)?;
    let Some(servers) = member(&root, section)? else {
        let value = Json::object([(name, value.clone())]);
        return Ok(Editor::new(text, &root).add(&root, Some(section), &value));
    };
    let Some(present) = member(&servers.value, name).map_err(|_| not_object(section))? else {
        return Ok(Editor::new(text, &root).add(&servers.value, Some(name), value));
    };
    Ok(Editor::new(text, &root).replace(present, value))
}

/// Adds an object to a list, unless the list has one of this `id`. The list is made where there is
/// none.
///
/// # Errors
///
/// Says why the text cannot be changed.
pub(super) fn append(text: &str, list: &str, id: &str, value: &Json) -> Result<String, String> {
    let text = or_empty(text);
    let root = parse(text)?;
    let Some(list_member) = member(&root, list)? else {
        let value = Json::List(vec![value.clone()]);
        return Ok(Editor::new(text, &root).add(&root, Some(list), &value));
    };
    let Kind::Array(items) = &list_member.value.kind else {
        return Err(format!("{list:?} is no list"));
    };
    let has_id = |item: &Node| {
        item.value()
            .get("id")
            .and_then(|id| id.as_str().map(str::to_owned))
    };
    if items.iter().any(|item| has_id(item).as_deref() == Some(id)) {
        return Ok(text.to_owned());
    }
    Ok(Editor::new(text, &root).add(&list_member.value, None, value))
}

/// An empty file is a configuration that says nothing.
fn or_empty(text: &str) -> &str {
    if text.trim().is_empty() { "{}\n" } else { text }
}

fn member<'a>(node: &'a Node, name: &str) -> Result<Option<&'a Member>, String> {
    match &node.kind {
        Kind::Object(members) => Ok(members.iter().find(|member| member.name == name)),
        Kind::Scalar(_) | Kind::Array(_) => Err("the file holds no JSON object".to_owned()),
    }
}

fn not_object(section: &str) -> String {
    format!("{section:?} is no object")
}

struct Editor<'a> {
    text: &'a str,
    /// What one level is indented by.
    unit: &'a str,
    newline: &'static str,
}

impl<'a> Editor<'a> {
    fn new(text: &'a str, root: &Node) -> Self {
        let first = match &root.kind {
            Kind::Object(members) => members.first().map(|member| member.start),
            Kind::Scalar(_) | Kind::Array(_) => None,
        };
        let unit = first.and_then(|start| margin(text, start));
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Self {
            text,
            unit: unit.filter(|unit| !unit.is_empty()).unwrap_or("  "),
            newline,
        }
    }

    /// Adds a last item to an object or a list.
    fn add(&self, container: &Node, name: Option<&str>, value: &Json) -> String {
        let (first, last) = match &container.kind {
            Kind::Object(members) => (
                members.first().map(|member| member.start),
                members.last().map(|member| member.value.end),
            ),
            Kind::Array(items) => (
                items.first().map(|item| item.start),
                items.last().map(|item| item.end),
            ),
            Kind::Scalar(_) => (None, None),
        };
        let close = container.end.saturating_sub(1);
        let outer = self.indentation(container.start);
        let inner = first.and_then(|start| margin(self.text, start));
        let inner = inner.map_or_else(|| format!("{outer}{}", self.unit), str::to_owned);
        // Comments behind the last item stay there.
        let inside = self.part(0, close);
        let content_end = inside.trim_end().len().max(container.start + 1);
        let comma = match last {
            Some(last) if !has_comma(self.part(last, close)) => ",",
            _ => "",
        };
        let last = last.unwrap_or(content_end);
        let name = name.map_or_else(String::new, |name| format!("{}: ", quoted(name)));
        let item = value.pretty(&inner, self.unit).replace('\n', self.newline);
        let gap = self.part(content_end, close);
        let tail = if gap.contains('\n') {
            gap.to_owned()
        } else {
            format!("{}{outer}", self.newline)
        };
        [
            self.part(0, last),
            comma,
            self.part(last, content_end),
            self.newline,
            &inner,
            &name,
            &item,
            &tail,
            self.part(close, self.text.len()),
        ]
        .concat()
    }

    /// Replaces the value of a member, unless it is the same.
    fn replace(&self, present: &Member, value: &Json) -> String {
        let item = value.pretty(self.indentation(present.start), self.unit);
        let same = parse(&item).is_ok_and(|wanted| wanted.value() == present.value.value());
        if same {
            return self.text.to_owned();
        }
        [
            self.part(0, present.value.start),
            &item.replace('\n', self.newline),
            self.part(present.value.end, self.text.len()),
        ]
        .concat()
    }

    /// Returns what the line of this place is indented by.
    fn indentation(&self, at: usize) -> &'a str {
        let before = self.part(0, at);
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.part(line, self.text.len());
        let length = line.len() - line.trim_start_matches([' ', '\t']).len();
        line.get(..length).unwrap_or_default()
    }

    fn part(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }
}

/// Returns what is before this place on its line, where that is nothing but blanks.
fn margin(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?;
    let margin = before.get(before.rfind('\n')? + 1..)?;
    margin
        .trim_matches([' ', '\t'])
        .is_empty()
        .then_some(margin)
}

/// Tells whether a comma follows, comments apart.
fn has_comma(text: &str) -> bool {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, rest)| rest);
        } else {
            return rest.starts_with(',');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Json {
        Json::object([("url", Json::text("https://gw/mcp"))])
    }

    /// Sets the entry `p`, and checks that doing so again changes nothing.
    #[track_caller]
    fn check(before: &str, after: &str) {
        let once = set(before, "servers", "p", &entry()).expect(before);
        assert_eq!(once, after);
        assert_eq!(set(&once, "servers", "p", &entry()).expect(after), after);
    }

    #[test]
    fn section_is_made_where_there_is_none() {
        let whole =
            "{\n  \"servers\": {\n    \"p\": {\n      \"url\": \"https://gw/mcp\"\n    }\n  }\n}\n";
        check("", whole);
        check("{}\n", whole);
        check("{\n}\n", whole);
        check(
            "{\"a\": 1}",
            "{\"a\": 1,\n  \"servers\": {\n    \"p\": {\n      \"url\": \"https://gw/mcp\"\n    }\n  }\n}",
        );
    }

    #[test]
    fn entries_comments_and_indentation_of_others_stay() {
        check(
            "{\n\t// ours\n\t\"servers\": {\n\t\t\"a\": {\"x\": 1} // last, {\n\t\t/* } */\n\t},\n\t\"z\": []\n}\n",
            "{\n\t// ours\n\t\"servers\": {\n\t\t\"a\": {\"x\": 1}, // last, {\n\t\t/* } */\n\t\t\"p\": {\n\t\t\t\"url\": \"https://gw/mcp\"\n\t\t}\n\t},\n\t\"z\": []\n}\n",
        );
        check(
            "{\r\n    \"servers\": {\r\n        \"a\": {},\r\n    },\r\n}",
            "{\r\n    \"servers\": {\r\n        \"a\": {},\r\n        \"p\": {\r\n            \"url\": \"https://gw/mcp\"\r\n        }\r\n    },\r\n}",
        );
    }

    #[test]
    fn entry_of_the_same_name_is_replaced() {
        check(
            "{\n  \"servers\": {\n    \"p\": {\"old\": true}, // mine\n    \"q\": 1\n  }\n}",
            "{\n  \"servers\": {\n    \"p\": {\n      \"url\": \"https://gw/mcp\"\n    }, // mine\n    \"q\": 1\n  }\n}",
        );
    }

    #[test]
    fn entry_that_says_the_same_in_other_words_stays() {
        let text = "{\"servers\": {\"p\": { /* ! */ \"url\":\"https:\\/\\/gw\\/mcp\"}}}";
        check(text, text);
    }

    #[test]
    fn a_list_gets_an_item_of_each_id_once() {
        let input = Json::object([("id", Json::text("k"))]);
        let once = append(
            "{\n  \"inputs\": [\n    {\"id\": \"j\"}\n  ]\n}",
            "inputs",
            "k",
            &input,
        );
        let after =
            "{\n  \"inputs\": [\n    {\"id\": \"j\"},\n    {\n      \"id\": \"k\"\n    }\n  ]\n}";
        assert_eq!(once.as_deref(), Ok(after));
        assert_eq!(append(after, "inputs", "k", &input).as_deref(), Ok(after));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for bad in [
            "[]",
            "1",
            "{\"servers\": []}",
            "{\"servers\": null}",
            "{",
            "{} {}",
        ] {
            assert!(set(bad, "servers", "p", &entry()).is_err(), "{bad}");
        }
        assert!(append("{\"inputs\": {}}", "inputs", "k", &entry()).is_err());
    }
}
