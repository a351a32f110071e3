//! The look of the whole command line: help, refusals, completions, the manual.

use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis_core::config::Setting;

use crate::support::{Folder, run};

#[track_caller]
fn printed(args: &[&str]) -> String {
    let output = run(args, &[]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns the words of every command, by the help itself.
fn commands() -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
        args.push("-h");
        let help = printed(&args);
        let below = help
            .split_once("\nCommands:\n")
            .map_or("", |(_, rest)| rest);
        let below = below.split("\n\n").next().unwrap_or_default().lines();
        // Lines that go on are indented further.
        let names = below.filter_map(|line| line.strip_prefix("  "));
        let names = names.filter(|line| !line.starts_with(' '));
        for name in names.filter_map(|line| line.split_whitespace().next()) {
            if name != "help" {
                found.push([path.as_slice(), &[name.to_owned()]].concat());
            }
        }
        next += 1;
    }
    found
}

#[test]
fn help_of_every_command_fits_80_columns() {
    let commands = commands();
    for name in [
        "check",
        "client-config",
        "completions",
        "explain",
        "man",
        "serve",
    ] {
        assert!(commands.contains(&vec![name.to_owned()]), "{commands:?}");
    }
    assert!(commands.contains(&vec!["token".to_owned(), "decode".to_owned()]));
    for path in commands {
        for flag in ["-h", "--help"] {
            let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
            args.push(flag);
            let help = printed(&args);
            let wide = help.lines().find(|line| line.chars().count() > 80);
            assert_eq!(wide, None, "{args:?}");
            assert!(!help.contains('\x1b'), "{args:?}");
        }
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let spelt = printed(&[&["help"], path.as_slice()].concat());
        assert!(spelt.contains("Usage: portcullis"), "{path:?}");
    }
}

#[test]
fn every_setting_is_in_the_help_and_the_manual_of_serve() {
    for text in [
        printed(&["serve", "--help"]),
        printed(&["check", "--help"]),
        printed(&["man", "serve"]),
    ] {
        let text = text.replace("\\-", "-");
        for setting in Setting::ALL {
            assert!(
                text.contains(setting.name()),
                "{} is missing",
                setting.name()
            );
        }
    }
}

#[test]
fn what_is_misspelt_is_answered_with_what_may_be_meant() {
    for (line, meant) in [
        ("chekc", "'check'"),
        ("serve --lisen x", "'--listen'"),
        ("client-config --client vs-code", "vscode"),
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let output = run(&args, &[]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(errors.contains(meant), "{errors}");
    }
}

#[test]
fn version_names_the_program() {
    let version = printed(&["--version"]);
    assert!(version.starts_with(concat!("portcullis ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn bash_completes_commands_flags_and_values() {
    let folder = Folder::new();
    let script = folder.write("portcullis.bash", &printed(&["completions", "bash"]));
    // As bash calls it: the program, the word under way, and the one before.
    let completed = |words: &str| {
        let ask = format!(
            "source {script}; complete -p portcullis >&2; COMP_WORDS=({words}); \
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _portcullis portcullis \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; \
             echo \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash").args(["--norc", "-c", &ask]).output();
        let output = output.expect("bash runs");
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(
            log.trim_end().ends_with("-F _portcullis portcullis"),
            "{log}"
        );
        String::from_utf8(output.stdout)
            .expect("UTF-8")
            .trim()
            .to_owned()
    };
    assert_eq!(completed("portcullis che"), "check");
    assert_eq!(completed("portcullis check --onl"), "--online");
    assert_eq!(completed("portcullis client-config --client vs"), "vscode");
    assert_eq!(completed("portcullis token dec"), "decode");
}

#[test]
fn other_shells_have_their_scripts() {
    for shell in ["zsh", "fish", "powershell"] {
        let script = printed(&["completions", shell]);
        assert!(script.contains("client-config"), "{shell}");
    }
}

#[test]
fn groff_has_nothing_to_say_of_the_manual() {
    let folder = Folder::new();
    let place = folder.path().to_str().expect("UTF-8");
    printed(&["man", "--dir", place]);
    let groff = groff();
    let mut pages = 0;
    for page in std::fs::read_dir(folder.path()).expect("folder") {
        let page = page.expect("page").path();
        let output = groff_command(&groff)
            .arg(&page)
            .output()
            .expect("groff runs");
        let warnings = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && warnings.is_empty(),
            "{page:?}: {warnings}"
        );
        let text = String::from_utf8_lossy(&output.stdout);
        for part in ["SYNOPSIS", "EXIT STATUS"] {
            assert!(text.contains(part), "{page:?}: {text}");
        }
        pages += 1;
    }
    assert_eq!(pages, commands().len());
    assert!(folder.path().join("portcullis-token-decode.1").exists());
}

/// Finds groff, and unpacks it first if need be.
fn groff() -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/tools.py");
    let output = Command::new("python3")
        .arg(tools)
        .args(["debian", "groff-base", "groff"])
        .output()
        .expect("python3 runs");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    String::from_utf8(output.stdout)
        .expect("UTF-8")
        .trim()
        .into()
}

/// One that is unpacked looks for its parts where it would have been installed.
fn groff_command(groff: &Path) -> Command {
    let mut command = Command::new(groff);
    command.args(["-ww", "-man", "-Tutf8", "-P-cbou"]);
    let programs = groff.parent().expect("a folder");
    let shared = programs.join("../share/groff/current");
    if programs != Path::new("/usr/bin") && shared.exists() {
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("GROFF_FONT_PATH", shared.join("font"))
            .env("GROFF_TMAC_PATH", shared.join("tmac"));
    }
    command
}
