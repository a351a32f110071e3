//! The page for those who come from the Zscaler MCP server: its table knows every setting that
//! the two share, and every difference at the start.

use std::collections::BTreeSet;
use std::path::Path;

use portcullis_core::config::Setting;

use crate::markdown::Page;

#[test]
fn the_migration_table_has_every_setting_of_both() {
    let table = table();
    let names: BTreeSet<&str> = table.iter().flat_map(|row| row.names()).collect();
    let missing: Vec<&str> = Setting::ALL
        .iter()
        .map(|setting| setting.name())
        .filter(|name| name.starts_with("ZSCALER_") && !names.contains(name))
        .collect();
    assert!(missing.is_empty(), "not in docs/migration.md: {missing:?}");
    for row in &table {
        for name in row.names().filter(|name| !name.starts_with('-')) {
            let known = Setting::from_name(name).is_some();
            let same = row.here == "the same";
            assert_eq!(known, same, "{name}: {}", row.here);
        }
    }
}

#[test]
fn the_migration_page_names_differences_that_are_there_and_all_of_the_start() {
    let known: BTreeSet<String> = page("docs/differences.md")
        .rows()
        .into_iter()
        .filter(|(_, head, _)| head == "id")
        .map(|(_, _, cells)| cells[0].clone())
        .collect();
    assert!(known.contains("M1") && known.contains("Z15"), "{known:?}");
    let named: BTreeSet<String> = table()
        .into_iter()
        .flat_map(|row| row.differences)
        .collect();
    let unknown: Vec<_> = named.difference(&known).collect();
    assert!(
        unknown.is_empty(),
        "not in docs/differences.md: {unknown:?}"
    );
    let missing: Vec<_> = known
        .iter()
        .filter(|id| id.starts_with('M') && !named.contains(*id))
        .collect();
    assert!(missing.is_empty(), "not in docs/migration.md: {missing:?}");
}

struct Row {
    there: String,
    here: String,
    differences: Vec<String>,
}

impl Row {
    /// Returns the names that are written as code.
    fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.there.split('`').skip(1).step_by(2);
        names.filter(|name| name.starts_with("--") || name.contains('_'))
    }
}

fn table() -> Vec<Row> {
    let rows = page("docs/migration.md").rows().into_iter();
    rows.filter(|(_, head, _)| head == "In zscaler-mcp")
        .map(|(_, _, cells)| Row {
            there: cells[0].clone(),
            here: cells[1].clone(),
            differences: cells[3]
                .split(", ")
                .filter(|id| !id.is_empty())
                .map(ToOwned::to_owned)
                .collect(),
        })
        .collect()
}

fn page(path: &str) -> Page {
    let mut pages = Page::all().into_iter();
    let page = pages.find(|page| page.path == Path::new(path));
    page.unwrap_or_else(|| panic!("{path} is missing"))
}
