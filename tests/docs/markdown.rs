//! The Markdown pages of the project, as far as the tests read them.

use std::fs;
use std::path::{Path, PathBuf};

/// A page, with its path from the top of the project.
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// A fenced block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Block {
    /// The first word behind the opening fence.
    pub(crate) language: String,
    /// The line of the opening fence, counted from 1.
    pub(crate) line: usize,
    pub(crate) text: String,
    /// Whether nothing but blank lines is between the block before and this one.
    pub(crate) follows: bool,
}

/// A line of a page.
enum Line<'a> {
    Prose(&'a str),
    Opening(&'a str),
    Code(&'a str),
    Closing,
}

/// Returns the folder of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

impl Page {
    /// Reads all pages, in the order of their paths.
    pub(crate) fn all() -> Vec<Self> {
        let mut paths = Vec::new();
        find(root(), &mut paths);
        paths.sort();
        assert!(!paths.is_empty(), "there are no pages");
        paths.into_iter().map(Self::read).collect()
    }

    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(root()).unwrap().to_owned();
        Self { path, text }
    }

    /// Returns the path, for people.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Returns the fenced blocks.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut follows = false;
        self.lines(|number, line| match line {
            Line::Opening(info) => blocks.push(Block {
                language: info.split_whitespace().next().unwrap_or("").to_owned(),
                line: number,
                text: String::new(),
                follows,
            }),
            Line::Code(code) => {
                let block = blocks.last_mut().unwrap();
                block.text.push_str(code);
                block.text.push('\n');
            }
            Line::Closing => follows = true,
            Line::Prose(text) => follows &= text.trim().is_empty(),
        });
        blocks
    }

    /// Returns the lines that are in no fenced block, with their numbers.
    pub(crate) fn prose(&self) -> Vec<(usize, &str)> {
        let mut prose = Vec::new();
        self.lines(|number, line| {
            if let Line::Prose(text) = line {
                prose.push((number, text));
            }
        });
        prose
    }

    /// Returns the rows of all tables as their cells, each with its line and the first cell of
    /// its table's head.
    pub(crate) fn rows(&self) -> Vec<(usize, String, Vec<String>)> {
        let mut rows = Vec::new();
        let mut head: Option<String> = None;
        for (number, text) in self.prose() {
            let Some(cells) = cells(text) else {
                head = None;
                continue;
            };
            match &head {
                None => head = Some(cells[0].clone()),
                Some(_) if is_rule(&cells) => {}
                Some(head) => rows.push((number, head.clone(), cells)),
            }
        }
        rows
    }

    fn lines<'a>(&'a self, mut each: impl FnMut(usize, Line<'a>)) {
        let mut fence: Option<(&str, usize)> = None;
        for (index, text) in self.text.lines().enumerate() {
            let bare = text.trim_start();
            let indent = text.len() - bare.len();
            let ticks = bare.len() - bare.trim_start_matches('`').len();
            let line = match fence {
                None if ticks >= 3 => {
                    fence = Some((&bare[..ticks], indent));
                    Line::Opening(&bare[ticks..])
                }
                None => Line::Prose(text),
                Some((mark, _)) if bare.trim_end() == mark => {
                    fence = None;
                    Line::Closing
                }
                Some((_, outer)) => Line::Code(&text[outer.min(indent)..]),
            };
            each(index + 1, line);
        }
        assert!(fence.is_none(), "{}: a fence is open", self.name());
    }
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        let foreign = name == "target" || name == "node_modules" || name.starts_with('.');
        if path.is_dir() && !path.is_symlink() && !foreign {
            find(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// Splits a line of a table at its bars, which in a cell are written `\|`.
fn cells(text: &str) -> Option<Vec<String>> {
    let inner = text.trim().strip_prefix('|')?;
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    let inner = inner.replace("\\|", "\0");
    let cells = inner.split('|');
    Some(cells.map(|cell| cell.trim().replace('\0', "|")).collect())
}

/// Tells whether a line is the one between the head of a table and its rows.
fn is_rule(cells: &[String]) -> bool {
    let is_dashes = |cell: &String| cell.chars().all(|char| "-: ".contains(char));
    cells.iter().all(is_dashes)
}

#[test]
fn blocks_and_tables_are_found() {
    let text = "a\n```sh\none\n```\n\n```text\nout\n```\nb\n1. c\n   ```sh\n   two\n     in\n   ```\n\
        | Setting | x |\n|---|---|\n| `A` | b\\|c |\n";
    let page = Page {
        path: "page.md".into(),
        text: text.to_owned(),
    };
    let blocks = page.blocks();
    let found: Vec<_> = blocks
        .iter()
        .map(|block| (block.language.as_str(), block.line, block.text.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("sh", 2, "one\n"),
            ("text", 6, "out\n"),
            ("sh", 11, "two\n  in\n")
        ]
    );
    assert_eq!(
        blocks.iter().map(|block| block.follows).collect::<Vec<_>>(),
        [false, true, false]
    );
    let row = vec!["`A`".to_owned(), "b|c".to_owned()];
    assert_eq!(page.rows(), [(17, "Setting".to_owned(), row)]);
}
