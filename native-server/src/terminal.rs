//! What is written to the terminal, or to the pipe that stands in its place.

use std::io::{self, IsTerminal as _, Write as _};

use clap::ColorChoice;
use clap::builder::styling::{AnsiColor, Style};

/// Writes to standard output.
///
/// # Errors
///
/// As any write; a pipe that nobody reads any more is [`io::ErrorKind::BrokenPipe`].
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes a line to standard error, which may be closed: then there is nobody left to tell.
pub(crate) fn note(text: &str) {
    drop(writeln!(io::stderr(), "{text}"));
}

/// Colours, where they are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Palette(bool);

impl Palette {
    /// Chooses for standard output: by `choice`, else by the terminal and `NO_COLOR`.
    pub(crate) fn for_output(choice: ColorChoice) -> Self {
        Self::choose(choice, io::stdout().is_terminal())
    }

    /// Chooses for standard error.
    pub(crate) fn for_errors(choice: ColorChoice) -> Self {
        Self::choose(choice, io::stderr().is_terminal())
    }

    /// Has no colours.
    #[cfg(test)]
    pub(crate) const fn plain() -> Self {
        Self(false)
    }

    fn choose(choice: ColorChoice, is_terminal: bool) -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self(match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && !is_set("NO_COLOR") && !dumb,
        })
    }

    /// Marks what is in order.
    pub(crate) fn good(self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    /// Marks what is unwise.
    pub(crate) fn doubtful(self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default(), text)
    }

    /// Marks what is wrong.
    pub(crate) fn bad(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// Marks a heading.
    pub(crate) fn heading(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    fn paint(self, style: Style, text: &str) -> String {
        if self.0 {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// A line of progress, which is there only on a terminal and goes again.
pub(crate) struct Progress(bool);

impl Progress {
    /// Shows nothing where standard error is no terminal.
    pub(crate) fn new() -> Self {
        Self(io::stderr().is_terminal())
    }

    /// Replaces the line.
    pub(crate) fn show(&self, text: &str) {
        self.write(&format!("\r\x1b[K{text}"));
    }

    fn write(&self, text: &str) {
        if self.0 {
            let mut err = io::stderr().lock();
            drop(err.write_all(text.as_bytes()).and_then(|()| err.flush()));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.write("\r\x1b[K");
    }
}
