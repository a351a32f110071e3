//! Every command of the pages is run, as a person would who has just cloned the project.
//!
//! Blocks fenced as `sh` are run in one shell for each page; `console` is for what cannot be run
//! here. A `text` block straight behind one is what it prints, see [`crate::expected`].

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use portcullis_tests::process::Process;

use crate::checkout::Checkout;
use crate::expected::is_as_expected;
use crate::markdown::{Block, Page};
use crate::namespace::Apart;

/// How long a page may take. A loaded machine is slow.
const PATIENCE: Duration = Duration::from_secs(180);

#[test]
fn every_command_of_the_pages_works_and_prints_what_they_say() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs");
    fs::create_dir_all(&folder).unwrap();
    let apart = Apart::find(&folder);
    let chosen = std::env::var("PAGE").ok();
    let pages: Vec<Page> = Page::all()
        .into_iter()
        .filter(|page| chosen.as_ref().is_none_or(|name| page.name() == *name))
        .filter(|page| page.text.contains("```sh"))
        .collect();
    assert!(!pages.is_empty(), "no page has commands");
    let next = AtomicUsize::new(0);
    let work = || {
        let mut wrong = String::new();
        while let Some(page) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
            wrong.push_str(&run(page, &folder, &apart).err().unwrap_or_default());
        }
        wrong
    };
    let wrong: String = thread::scope(|scope| {
        let workers: Vec<_> = (0..apart.width()).map(|_| scope.spawn(work)).collect();
        let ends = workers.into_iter().map(|worker| worker.join());
        ends.map(|end| end.expect("a worker failed")).collect()
    });
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn blocks_have_a_language_that_says_whether_they_are_run() {
    for page in Page::all() {
        for block in page.blocks() {
            let Block { language, line, .. } = block;
            let known = LANGUAGES.contains(&language.as_str());
            assert!(known, "{}:{line}: {language:?}", page.name());
        }
    }
}

/// Runs all blocks of a page; the error says which failed, and what they printed.
fn run(page: &Page, folder: &Path, apart: &Apart) -> Result<(), String> {
    let blocks = page.blocks();
    let commands: Vec<&Block> = blocks
        .iter()
        .filter(|block| block.language == "sh")
        .collect();
    let fences = page.text.lines();
    let fences = fences.filter(|line| line.trim_start().starts_with("```sh"));
    assert_eq!(commands.len(), fences.count(), "{}", page.name());
    let checkout = Checkout::make(folder.join(page.name().replace(['/', '.'], "-")));
    let place = checkout.blocks();
    for (number, block) in (1..).zip(&commands) {
        fs::write(place.join(format!("{number}.sh")), &block.text).unwrap();
    }
    let mut command = apart.command();
    command
        .arg("bash")
        .arg(checkout.top().join("tests/docs/run.sh"))
        .arg(&place)
        .arg(commands.len().to_string());
    checkout.prepare(&mut command);
    let started = Instant::now();
    let mut shell = Process::start(&page.name(), &mut command);
    while shell.is_running() && started.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(20));
    }
    let in_time = !shell.is_running();
    apart.end(shell.id());
    let mut report = String::new();
    for (number, block) in (1..).zip(&commands) {
        let output = fs::read(place.join(format!("{number}.out"))).unwrap_or_default();
        let output = String::from_utf8_lossy(&output);
        let worked = place.join(format!("{number}.done")).exists();
        let problem = match expectation(&blocks, block) {
            _ if !worked && in_time => "failed",
            _ if !worked => "takes too long",
            Some(expected) if !is_as_expected(&expected.text, &output) => {
                "printed something else than the page says"
            }
            _ => continue,
        };
        let (name, line) = (page.name(), block.line);
        writeln!(report, "\n{name}:{line} {problem}:\n{}{output}", block.text).unwrap();
        if !worked {
            break;
        }
    }
    if report.is_empty() {
        drop(shell);
        checkout.remove();
        return Ok(());
    }
    Err(format!("{report}{}", shell.log()))
}

/// Returns the block that says what another one prints.
fn expectation<'a>(blocks: &'a [Block], command: &Block) -> Option<&'a Block> {
    let at = blocks.iter().position(|block| block.line == command.line)?;
    let next = blocks.get(at + 1)?;
    (next.language == "text" && next.follows).then_some(next)
}

const LANGUAGES: &[&str] = &[
    "caddyfile",
    "console",
    "haproxy",
    "http",
    "ini",
    "js",
    "json",
    "lua",
    "nginx",
    "promql",
    "rust",
    "sh",
    "text",
    "toml",
    "ts",
    "wit",
    "yaml",
];
