//! Links between pages, and to their headings.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::markdown::{Page, root};

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    let pages = Page::all();
    let anchors: BTreeMap<PathBuf, Vec<String>> = pages
        .iter()
        .map(|page| (page.path.clone(), anchors(page)))
        .collect();
    let mut seen = 0;
    let mut wrong = Vec::new();
    for page in &pages {
        for (line, target) in links(page) {
            seen += 1;
            if let Err(problem) = follow(page, &target, &anchors) {
                wrong.push(format!("{}:{line}: {target}: {problem}", page.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= 30, "only {seen} links were found");
}

#[test]
fn every_page_of_the_documentation_is_in_an_index() {
    let pages = Page::all();
    let named: Vec<PathBuf> = pages
        .iter()
        .filter(|page| page.path.starts_with("docs") && is_index(page))
        .flat_map(|index| {
            let targets = links(index).into_iter();
            targets.map(|(_, target)| place(index, target.split('#').next().unwrap()))
        })
        .collect();
    let missing: Vec<String> = pages
        .iter()
        .filter(|page| page.path.starts_with("docs") && page.path != Path::new("docs/README.md"))
        .filter(|page| !named.contains(&page.path))
        .map(Page::name)
        .collect();
    let what = "not in docs/README.md, nor in the README.md of their folder";
    assert!(missing.is_empty(), "{what}: {missing:?}");
}

/// Tells whether a page is the index of its folder.
fn is_index(page: &Page) -> bool {
    page.path
        .file_name()
        .is_some_and(|name| name == "README.md")
}

/// Follows a link; other hosts are not asked.
fn follow(
    page: &Page,
    target: &str,
    anchors: &BTreeMap<PathBuf, Vec<String>>,
) -> Result<(), String> {
    if target.starts_with("https://") || target.starts_with("http://") {
        return Ok(());
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() {
        page.path.clone()
    } else {
        place(page, file)
    };
    if fs::metadata(root().join(&path)).is_err() {
        return Err(format!("{} is not there", path.display()));
    }
    if anchor.is_empty() {
        return Ok(());
    }
    let known = anchors
        .get(&path)
        .ok_or_else(|| "an anchor in what is no page".to_owned())?;
    if known.iter().any(|name| name == anchor) {
        Ok(())
    } else {
        Err(format!("no such heading; there are {}", known.join(", ")))
    }
}

/// Returns where a relative link of a page leads, from the top of the project.
fn place(page: &Page, file: &str) -> PathBuf {
    let mut place = page.path.parent().unwrap().to_owned();
    for part in Path::new(file).components() {
        match part {
            Component::ParentDir => assert!(place.pop(), "{}: {file}", page.name()),
            Component::Normal(name) => place.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    place
}

/// Returns the targets of a page's links, `[text](target)`, with their lines.
fn links(page: &Page) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, text) in page.prose() {
        let text = without_code(text);
        for (at, _) in text.match_indices("](") {
            let rest = &text[at + 2..];
            let target = rest.split([')', ' ']).next().unwrap();
            links.push((number, target.to_owned()));
        }
    }
    links
}

/// Takes the contents of code spans out of a line.
fn without_code(text: &str) -> String {
    text.split('`').step_by(2).collect::<Vec<_>>().join("``")
}

/// Returns the anchors of a page's headings, as GitHub makes them.
fn anchors(page: &Page) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for (_, text) in page.prose() {
        let title = text.trim_start_matches('#');
        let level = text.len() - title.len();
        if (1..=6).contains(&level) && title.starts_with(' ') {
            let anchor = anchor(title.trim());
            let same = |name: &&String| **name == anchor;
            let anchor = match anchors.iter().filter(same).count() {
                0 => anchor,
                before => format!("{anchor}-{before}"),
            };
            anchors.push(anchor);
        }
    }
    anchors
}

fn anchor(title: &str) -> String {
    title
        .to_lowercase()
        .chars()
        .filter_map(|char| match char {
            ' ' => Some('-'),
            '-' | '_' => Some(char),
            _ => char.is_alphanumeric().then_some(char),
        })
        .collect()
}

#[test]
fn anchors_are_those_of_github() {
    assert_eq!(
        anchor("What is refused, and why"),
        "what-is-refused-and-why"
    );
    assert_eq!(anchor("Mode `jwt`"), "mode-jwt");
    assert_eq!(anchor("401: `Invalid_token`"), "401-invalid_token");
}

#[test]
fn links_in_code_are_none() {
    let page = Page {
        path: "docs/page.md".into(),
        text: "a [b](../c.md#d) `[e](f)` ![g](h.png \"i\")\n```\n[j](k)\n```\n".to_owned(),
    };
    let found = [(1, "../c.md#d".to_owned()), (1, "h.png".to_owned())];
    assert_eq!(links(&page), found);
    assert_eq!(place(&page, "../c.md"), Path::new("c.md"));
}
